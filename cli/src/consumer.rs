//! `candlewick consumer`: writes consumers of your own.

mod edits;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode, Stdio};

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::topology::{Consumer, Topology};

use crate::place::Place;
use crate::terminal;

/// Makes consumers of your own, which get every new object under a prefix.
///
/// Exit codes: 0 on success, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    New(New),
}

/// Writes a new consumer into this checkout: a complete program that you change into yours.
///
/// It adds an entry to topology.json, which gives the consumer a queue with its dead-letter queue, policy and rule, and
/// writes the crate consumers/NAME with a handler, a main and a test. It adds the crate to Cargo.toml, so that `up`
/// builds and runs it, an image to Dockerfile and docker-compose.yml, and terraform/consumer_NAME.tf. docs/consumers.md
/// explains each.
///
/// Needs Rust's cargo. It changes no file that it cannot change completely.
///
/// Exit codes: 0 on success, 1 after an error.
#[derive(Debug, clap::Args)]
struct New {
    /// Its name: lower-case letters, digits and underscores
    name: String,
    /// The prefix of the keys of the objects that it gets
    #[arg(long, value_name = "PREFIX", default_value = "transformed/")]
    of: String,
    /// The checkout to write to [default: the one that this program was built from]
    #[arg(long, value_name = "DIR")]
    checkout: Option<PathBuf>,
}

pub fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let Command::New(new) = args.command;
    let root = new.checkout.as_deref().unwrap_or(&place.root);
    let folder = root.join("consumers").join(&new.name);
    ensure!(!folder.exists(), "{} exists already: choose another name", folder.display());
    let files = files(root, &new)?;
    for (path, text) in &files {
        write(&root.join(path), text)?;
        terminal::result(&format!("wrote {path}"));
    }
    lock(root)?;
    terminal::result(&format!(
        "\n{name} gets every new object under {of}. Change consumers/{name}/src/lib.rs, then:\n  cargo test -p \
         candlewick-{name}\n  cargo run -- up",
        name = new.name,
        of = new.of
    ));
    Ok(ExitCode::SUCCESS)
}

/// The text of each file that changes or is new, by its path.
fn files(root: &Path, new: &New) -> anyhow::Result<Vec<(String, String)>> {
    let New { name, of, .. } = new;
    if of.starts_with(&format!("{name}/")) {
        bail!("{name} writes under {name}/, and would wake itself: choose another prefix or name");
    }
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("read {path}"));
    let topology = read("topology.json")?;
    let known: Topology = topology.parse().context("read topology.json")?;
    let is_there = known.consumers.contains_key(name);
    known.with_consumer(name, Consumer::of(of))?;
    let edited = [
        ("topology.json", if is_there { topology } else { edits::topology(&topology, name, of)? }),
        ("Cargo.toml", edits::workspace(&read("Cargo.toml")?, name)?),
        ("Dockerfile", edits::dockerfile(&read("Dockerfile")?, name)?),
        ("docker-compose.yml", edits::compose(&read("docker-compose.yml")?, name)?),
    ];
    let edited = edited.into_iter().map(|(path, text)| (path.to_owned(), text));
    Ok(edited.chain(template::files(name, of)).collect())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("find the folder of a file")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

/// Adds the crate to Cargo.lock, without which `--locked` builds fail.
fn lock(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Process::new(cargo);
    command.current_dir(root).args(["update", "--workspace", "--offline", "--quiet"]).stdin(Stdio::null());
    let output = command.output().context("run cargo (is Rust's cargo on PATH?)")?;
    ensure!(output.status.success(), "cargo could not update Cargo.lock:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files_of(name: &str, of: &str) -> anyhow::Result<Vec<(String, String)>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        files(root, &New { name: name.to_owned(), of: of.to_owned(), checkout: None })
    }

    #[test]
    fn a_consumer_is_four_edits_and_five_files() {
        let paths: Vec<_> = files_of("untaken", "transformed/").unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), 9, "{paths:?}");
        assert!(paths.contains(&"consumers/untaken/src/main.rs".to_owned()), "{paths:?}");
    }

    #[test]
    fn one_that_would_wake_itself_or_has_no_usable_name_is_refused() {
        let error = |name: &str, of: &str| files_of(name, of).unwrap_err().to_string();
        assert!(error("untaken", "untaken/transformed/").contains("would wake itself"));
        assert!(error("loader", "transformed/").contains("has this name already"));
        assert!(error("No-Name", "transformed/").contains("a name has 1 to 32"));
        assert!(error("untaken", "transformed").contains("ends with a slash"));
    }
}
