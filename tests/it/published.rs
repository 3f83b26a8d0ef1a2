//! The images that compose pulls, and those that the release workflow publishes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::candlewick::root;

pub fn trials() -> Vec<Trial> {
    trials![
        compose_pulls_what_the_release_workflow_publishes,
        compose_builds_only_with_the_profile_build,
        the_compose_file_of_a_release_pulls_by_digest
    ]
}

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A service of compose that runs one of our images.
struct Ours {
    name: String,
    /// The text before the program: a variable without a default, or a registry.
    source: String,
    program: String,
    tag: String,
    service: Value,
}

fn text(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("read {path}"))
}

fn ours(compose: &str) -> anyhow::Result<Vec<Ours>> {
    let compose: Value = serde_saphyr::from_str(compose).context("read the compose file")?;
    let services = compose["services"].as_object().context("find the services")?;
    let of_service = |(name, service): (&String, &Value)| {
        let (source, program_and_tag) = service["image"].as_str()?.rsplit_once('/')?;
        let (program, tag) = program_and_tag.split_once(':')?;
        let [name, source, program, tag] = [name, source, program, tag].map(str::to_owned);
        source.contains("candlewick").then(|| Ours { name, source, program, tag, service: service.clone() })
    };
    Ok(services.iter().filter_map(of_service).collect())
}

fn programs<'o>(ours: impl IntoIterator<Item = &'o Ours>) -> BTreeSet<&'o str> {
    ours.into_iter().map(|ours| ours.program.as_str()).collect()
}

/// The images that the jobs of the workflow build, sign and name.
fn published() -> anyhow::Result<BTreeSet<String>> {
    let workflow: Value =
        serde_saphyr::from_str(&text(".github/workflows/release.yml")?).context("read the workflow")?;
    let targets = |job: &str| {
        let targets = workflow["jobs"][job]["strategy"]["matrix"]["target"].as_array();
        let targets = targets.with_context(|| format!("find the targets of the job {job}"))?;
        anyhow::Ok(targets.iter().filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>())
    };
    let images = targets("images")?;
    let manifests = targets("manifests")?;
    ensure!(images == manifests, "the workflow builds {images:?} and publishes {manifests:?}");
    Ok(images)
}

/// The name comes from the owner, because anybody can publish under a name that nobody uses. The tag is this version's.
fn compose_pulls_what_the_release_workflow_publishes() -> anyhow::Result<()> {
    let all = ours(&text("docker-compose.yml")?)?;
    let published = published()?;
    let published: BTreeSet<_> = published.iter().map(String::as_str).collect();
    ensure!(programs(&all) == published, "compose runs {:?}, and a release publishes {published:?}", programs(&all));
    for Ours { name, source, tag, .. } in &all {
        ensure!(source.starts_with("${CANDLEWICK_IMAGES:?"), "{name} has a default source of its image: {source}");
        let wanted = concat!("${CANDLEWICK_TAG:-v", env!("CARGO_PKG_VERSION"), "}");
        ensure!(tag == wanted, "{name} runs the tag {tag}, and this version is {wanted}");
    }
    Ok(())
}

fn compose_builds_only_with_the_profile_build() -> anyhow::Result<()> {
    let all = ours(&text("docker-compose.yml")?)?;
    let (builds, runs): (Vec<_>, Vec<_>) = all.iter().partition(|ours| !ours.service["build"].is_null());
    ensure!(programs(builds.iter().copied()) == programs(runs), "not every image that compose runs can be built");
    for Ours { name, program, service, .. } in builds {
        ensure!(service["profiles"] == serde_json::json!(["build"]), "{name} builds without the profile");
        ensure!(service["build"]["target"] == program.as_str(), "{name} builds something else than {program}");
    }
    Ok(())
}

fn the_compose_file_of_a_release_pulls_by_digest() -> anyhow::Result<()> {
    let digests: String = published()?.iter().map(|program| format!("{program} {DIGEST}\n")).collect();
    let mut making = Command::new("python3");
    making.args([".ci/published", "ghcr.io/owner/candlewick", "v1.2.3"]).current_dir(root());
    let mut making = making.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("run .ci/published")?;
    making.stdin.take().context("open its input")?.write_all(digests.as_bytes())?;
    let made = String::from_utf8(making.wait_with_output().context("wait for .ci/published")?.stdout)?;
    let is_open = ["build", "CANDLEWICK_IMAGES", "CANDLEWICK_TAG"].iter().any(|word| made.contains(word));
    ensure!(!is_open, "it builds, or leaves a choice:\n{made}");
    let made = ours(&made)?;
    let tree = ours(&text("docker-compose.yml")?)?;
    let runs = tree.iter().filter(|ours| ours.service["build"].is_null()).count();
    ensure!(made.len() == runs, "it has {} of {runs} services", made.len());
    for Ours { name, source, tag, .. } in made {
        ensure!(
            source == "ghcr.io/owner/candlewick" && tag == format!("v1.2.3@{DIGEST}"),
            "{name} runs {source} {tag}"
        );
    }
    Ok(())
}
