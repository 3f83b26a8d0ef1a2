//! What a new consumer changes in files of the checkout. Text that is not concerned stays as it is.
//!
//! An image and its container are like those of the loader, so their lines are copies of the loader's.

use anyhow::{Context, ensure};
use candlewick_shared::core::topology::Topology;
use toml_edit::{Array, DocumentMut, Value};

/// The service whose image and variables are copied.
const MODEL: &str = "loader";

/// Adds the entry of a consumer to `topology.json`.
pub fn topology(text: &str, name: &str, of: &str) -> anyhow::Result<String> {
    let start = "\"consumers\": {";
    let (before, after) = text.split_once(start).context("find \"consumers\" in topology.json")?;
    let entry = format!("\n    \"{name}\": {{ \"of\": {} }}", serde_json::to_string(of).context("write the prefix")?);
    let rest =
        if after.trim_start().starts_with('}') { format!("\n  {}", after.trim_start()) } else { format!(",{after}") };
    let edited = format!("{before}{start}{entry}{rest}");
    let topology: Topology = edited.parse().context("read the new topology.json")?;
    ensure!(topology.consumers.contains_key(name), "the new topology.json has no consumer {name}");
    Ok(edited)
}

/// Adds the crate to the workspace, and to what `cargo run` and `up` build.
pub fn workspace(text: &str, name: &str) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().context("read Cargo.toml")?;
    for list in ["members", "default-members"] {
        let members = document["workspace"][list].as_array_mut();
        insert(members.with_context(|| format!("find {list} in Cargo.toml"))?, &format!("consumers/{name}"));
    }
    Ok(document.to_string())
}

/// Inserts a member where it belongs in a sorted list, in the layout of the others.
fn insert(members: &mut Array, member: &str) {
    let at = members.iter().take_while(|other| other.as_str().is_some_and(|other| other < member)).count();
    let decor = members.get(1).map(|other| other.decor().clone()).unwrap_or_default();
    let mut value = Value::from(member);
    *value.decor_mut() = decor;
    members.insert_formatted(at, value);
}

/// Adds an image.
pub fn dockerfile(text: &str, name: &str) -> anyhow::Result<String> {
    let start = format!("FROM service AS {MODEL}\n");
    let (before, model) = text.split_once(&start).with_context(|| format!("find {MODEL} in Dockerfile"))?;
    let (block, after) = model.split_once("\n\n").with_context(|| format!("find the end of {MODEL} in Dockerfile"))?;
    let copy = format!("{start}{block}").replace(MODEL, name);
    Ok(format!("{before}{start}{block}\n\n{copy}\n\n{after}"))
}

/// Adds an image, the address of the queue, and a container.
pub fn compose(text: &str, name: &str) -> anyhow::Result<String> {
    let image = [(MODEL, name)];
    let text = with_copy(text, &format!("{MODEL}: &{MODEL}-image "), &image)?;
    let text = with_copy(&text, &format!("build-{MODEL}: "), &image)?;
    let variable = name.to_ascii_uppercase();
    let queue = [("TRANSFORMED", variable.as_str()), ("candlewick-transformed", &format!("candlewick-{name}"))];
    let text = with_copy(&text, "TRANSFORMED_QUEUE_URL: ", &queue)?;
    let container = format!("  {name}:\n    <<: *service\n    image: *{name}-image\n    environment: *settings\n\n");
    let place = format!("  {MODEL}:\n    <<: *service\n");
    ensure!(text.contains(&place), "find the container {MODEL} in docker-compose.yml");
    Ok(text.replacen(&place, &format!("{container}{place}"), 1))
}

/// Adds a copy of the line that begins with `start`, with replacements.
fn with_copy(text: &str, start: &str, replacements: &[(&str, &str)]) -> anyhow::Result<String> {
    let line = text.lines().find(|line| line.trim_start().starts_with(start));
    let line = line.with_context(|| format!("find {start:?} in docker-compose.yml"))?;
    let copy = replacements.iter().fold(line.to_owned(), |copy, (from, to)| copy.replace(from, to));
    Ok(text.replacen(&format!("{line}\n"), &format!("{line}\n{copy}\n"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: &str = include_str!("../../../topology.json");
    const WORKSPACE: &str = include_str!("../../../Cargo.toml");
    const DOCKERFILE: &str = include_str!("../../../Dockerfile");
    const COMPOSE: &str = include_str!("../../../docker-compose.yml");

    /// The lines that were added. None may be removed or changed.
    fn added<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
        let mut old = before.lines().peekable();
        let new = after.lines().filter(|line| old.next_if_eq(line).is_none()).collect();
        assert_eq!(old.next(), None, "a line was removed or changed");
        new
    }

    #[test]
    fn consumers_are_added_one_after_the_other() {
        let one = topology(TOPOLOGY, "summaries", "transformed/").unwrap();
        let two = topology(&one, "sums", "raw/").unwrap();
        assert_eq!(added(&one, &two), ["    \"sums\": { \"of\": \"raw/\" },"]);
        let read: Topology = two.parse().unwrap();
        let prefixes: Vec<_> = read.consumers.values().map(|consumer| consumer.of.as_str()).collect();
        assert_eq!(prefixes, ["transformed/", "raw/"]);
    }

    #[test]
    fn a_prefix_is_written_as_json() {
        for prefix in ["raw/a\"b/", "raw/a\\b/", "raw/ä/"] {
            let read: Topology = topology(TOPOLOGY, "summaries", prefix).unwrap().parse().unwrap();
            assert_eq!(read.consumers["summaries"].of, prefix);
        }
    }

    #[test]
    fn the_crate_is_a_member_and_a_default_member() {
        let edited: DocumentMut = workspace(WORKSPACE, "summaries").unwrap().parse().unwrap();
        for list in ["members", "default-members"] {
            let members = edited["workspace"][list].as_array().unwrap();
            assert!(members.iter().any(|member| member.as_str() == Some("consumers/summaries")), "{members}");
        }
        let lines = workspace(WORKSPACE, "summaries").unwrap();
        assert!(lines.contains("    \"cli\",\n    \"consumers/summaries\",\n    \"localstack\",\n"), "{lines}");
        assert!(lines.contains("[\"cli\", \"consumers/summaries\", \"localstack/simulator\""), "{lines}");
    }

    #[test]
    fn the_image_is_like_that_of_the_loader() {
        let edited = dockerfile(DOCKERFILE, "summaries").unwrap();
        let new = added(DOCKERFILE, &edited).join("\n");
        assert!(new.contains("FROM service AS summaries") && new.contains("\"candlewick-summaries\", \"healthcheck\""));
        assert!(!new.contains("loader"), "{new}");
    }

    #[test]
    fn compose_gets_an_image_an_address_and_a_container() {
        let edited = compose(COMPOSE, "summaries").unwrap();
        let new = added(COMPOSE, &edited).join("\n");
        for words in [
            "summaries: &summaries-image ${CANDLEWICK_IMAGES",
            "SUMMARIES_QUEUE_URL: http://localstack:4566/queue/us-east-1/000000000000/candlewick-summaries",
            "  summaries:\n    <<: *service\n    image: *summaries-image",
            "build-summaries: { <<: *build, build: { context: ., target: summaries }, image: *summaries-image }",
        ] {
            assert!(new.contains(words), "{words:?} is not in\n{new}");
        }
        assert!(!new.contains("loader"), "{new}");
    }

    #[test]
    fn a_file_of_another_form_is_named() {
        let error = compose("services: {}\n", "summaries").unwrap_err().to_string();
        assert!(error.contains("docker-compose.yml"), "{error}");
        assert!(dockerfile("FROM scratch\n", "summaries").unwrap_err().to_string().contains("Dockerfile"));
    }
}
