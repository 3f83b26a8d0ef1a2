//! The files of a new consumer.

/// The files below `consumers/NAME`, by their paths there.
const CRATE: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("template/lib.rs.txt")),
    ("src/main.rs", include_str!("template/main.rs.txt")),
    ("tests/it.rs", include_str!("template/it.rs.txt")),
];

const TERRAFORM: &str = include_str!("template/consumer.tf.txt");

/// The new files, by their paths in the checkout.
pub fn files(name: &str, of: &str) -> impl Iterator<Item = (String, String)> {
    let crate_files = CRATE.map(|(path, text)| (format!("consumers/{name}/{path}"), fill(text, name, of)));
    crate_files.into_iter().chain([(format!("terraform/consumer_{name}.tf"), fill(TERRAFORM, name, of))])
}

/// The prefix is written into strings of Rust and TOML, which have the same escapes.
fn fill(text: &str, name: &str, of: &str) -> String {
    let of = &of.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace("{{name}}", name).replace("{{NAME}}", &name.to_ascii_uppercase()).replace("{{of}}", of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_filled_in() {
        let all: Vec<_> = files("summaries", "transformed/").collect();
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|(path, text)| !text.contains("{{") && path.contains("summaries")), "{all:?}");
    }

    #[test]
    fn a_prefix_is_written_as_a_string() {
        let all: Vec<_> = files("summaries", r#"raw/a"b\c/"#).collect();
        let of = |end: &str| &all.iter().find(|(path, _)| path.ends_with(end)).unwrap().1;
        assert!(of("tests/it.rs").contains(r#"const KEY: &str = "raw/a\"b\\c/interval"#), "{}", of("tests/it.rs"));
        let manifest: toml_edit::DocumentMut = of("Cargo.toml").parse().unwrap();
        let described = manifest["package"]["description"].as_str().unwrap();
        assert!(described.ends_with(r#"under raw/a"b\c/"#), "{described}");
    }

    #[test]
    fn its_main_only_wires() {
        let (_, main) = files("summaries", "transformed/").find(|(path, _)| path.ends_with("main.rs")).unwrap();
        assert!(main.lines().count() <= 40, "{main}");
    }
}
