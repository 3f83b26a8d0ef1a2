//! The documents name files and link to each other: all targets exist. `ARCHITECTURE.md` stays short.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::candlewick::root;
use crate::layering::sources;

pub fn trials() -> Vec<Trial> {
    trials![
        every_file_that_the_documents_name_exists,
        every_link_between_the_documents_resolves,
        the_architecture_is_short,
        the_architecture_names_every_package_and_port,
        every_decision_is_listed_and_names_its_code
    ]
}

/// The maximum number of words in the map of the code.
const MOST_WORDS: usize = 2_500;

/// The expected minimum of file names and links. If there are fewer, this test no longer finds them.
const LEAST_NAMES: usize = 100;
const LEAST_LINKS: usize = 30;

/// Folders that a build or a run creates and that no document describes.
const GENERATED: [&str; 5] = ["target", ".git", ".local", "node_modules", ".venv"];

/// Extensions of files that are source code of this repository wherever a document names them.
const SOURCE: [&str; 5] = ["rs", "sql", "tf", "py", "js"];

/// Markdown, by its path from the root of the checkout.
struct Document {
    path: PathBuf,
    text: String,
}

fn every_file_that_the_documents_name_exists() -> anyhow::Result<()> {
    let files = files()?;
    let names: BTreeSet<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    let mut count = 0;
    // The changelog describes the past, and may name files that no longer exist.
    for document in documents(&files)?.iter().filter(|document| !document.path.ends_with("CHANGELOG.md")) {
        for name in document.code_spans().filter(|name| is_file_name(name)) {
            count += 1;
            let exists = if name.contains('/') { root().join(name).exists() } else { names.contains(name) };
            ensure!(exists, "{} names {name}, which does not exist", document.path.display());
        }
    }
    ensure!(count >= LEAST_NAMES, "only {count} names of files were found");
    Ok(())
}

/// Whether a code span names a file or folder: a path that starts with an entry of the root, or the name of a source
/// file.
fn is_file_name(span: &str) -> bool {
    let is_plain = span.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-/".contains(letter));
    let is_ours = |first: &str| !first.is_empty() && !GENERATED.contains(&first);
    let is_path = |(first, _): (&str, &str)| is_ours(first) && root().join(first).is_dir();
    let is_source = |(stem, end): (&str, &str)| !stem.is_empty() && SOURCE.contains(&end);
    is_plain && span.split_once('/').map_or_else(|| span.rsplit_once('.').is_some_and(is_source), is_path)
}

fn every_link_between_the_documents_resolves() -> anyhow::Result<()> {
    let mut count = 0;
    for document in documents(&files()?)? {
        let folder = document.path.parent().unwrap_or(Path::new(""));
        for link in document.links().filter(|link| !link.contains("://")) {
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { document.path.clone() } else { folder.join(path) };
            let place = document.path.display();
            ensure!(root().join(&target).exists(), "{place} links to {link}, which does not exist");
            let has_anchor = anchor.is_empty() || headings(&target)?.contains(anchor);
            ensure!(has_anchor, "{place} links to {link}, and there is no such heading");
        }
    }
    ensure!(count >= LEAST_LINKS, "only {count} links were found");
    Ok(())
}

/// The anchors of a document's headings, as GitHub generates them.
fn headings(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(root().join(path)).with_context(|| format!("read {}", path.display()))?;
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_' || letter == ' ';
    let anchor = |heading: &str| heading.to_lowercase().chars().filter(|letter| kept(*letter)).collect::<String>();
    Ok(headings.map(|heading| anchor(heading).replace(' ', "-")).collect())
}

fn the_architecture_is_short() -> anyhow::Result<()> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).context("read ARCHITECTURE.md")?;
    let words = text.split_whitespace().count();
    ensure!(words <= MOST_WORDS, "ARCHITECTURE.md has {words} words; move decisions to docs/decisions");
    Ok(())
}

fn the_architecture_names_every_package_and_port() -> anyhow::Result<()> {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).context("read ARCHITECTURE.md")?;
    let spans: BTreeSet<_> = architecture.split('`').skip(1).step_by(2).collect();
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))?.parse().context("read Cargo.toml")?;
    let members = manifest["workspace"]["members"].as_array().context("find the members")?;
    // The owner's consumers are not ours to describe.
    let is_ours = |member: &&str| !member.starts_with("consumers/");
    for member in members.iter().filter_map(toml::Value::as_str).filter(is_ours) {
        ensure!(spans.contains(member), "ARCHITECTURE.md does not name the package {member}");
    }
    let mut ports = 0;
    for (_, code) in sources("shared/src/ports")? {
        for port in code.lines().filter_map(|line| line.strip_prefix("pub trait ")?.split([':', ' ']).next()) {
            ports += 1;
            ensure!(spans.contains(port), "ARCHITECTURE.md does not name the port {port}");
        }
    }
    ensure!(ports > 0, "no port was found");
    Ok(())
}

fn every_decision_is_listed_and_names_its_code() -> anyhow::Result<()> {
    let index = fs::read_to_string(root().join("docs/decisions/README.md")).context("read the index")?;
    for entry in fs::read_dir(root().join("docs/decisions")).context("list the decisions")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        ensure!(index.contains(&format!("({name})")), "docs/decisions/README.md does not list {name}");
        let page = fs::read_to_string(root().join("docs/decisions").join(&name))?;
        ensure!(page.contains("\nCode: `"), "docs/decisions/{name} does not say which code it is about");
    }
    Ok(())
}

/// The files of the checkout, by their paths from its root.
pub fn files() -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let entry = entry?;
            let is_generated = GENERATED.iter().any(|name| entry.file_name() == *name);
            match entry.file_type()?.is_dir() {
                true if is_generated => {}
                true => folders.push(entry.path()),
                false => files.push(entry.path().strip_prefix(root())?.to_path_buf()),
            }
        }
    }
    Ok(files)
}

/// The documents at the root and below docs.
fn documents(files: &[PathBuf]) -> anyhow::Result<Vec<Document>> {
    let is_document = |path: &&PathBuf| {
        let is_ours = path.starts_with("docs") || path.components().count() == 1;
        is_ours && path.extension().is_some_and(|end| end == "md")
    };
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(root().join(path)).with_context(|| format!("read {}", path.display()))?;
        Ok(Document { path: path.clone(), text: without_blocks(&text) })
    };
    files.iter().filter(is_document).map(read).collect()
}

/// A text without its fenced code blocks.
fn without_blocks(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

impl Document {
    /// The texts between backticks.
    fn code_spans(&self) -> impl Iterator<Item = &str> {
        self.text.split('`').skip(1).step_by(2)
    }

    /// The targets of links and images.
    fn links(&self) -> impl Iterator<Item = &str> {
        self.text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
    }
}
