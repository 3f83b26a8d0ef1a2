//! The examples of `docs/files.md` work as documented.

use std::path::Path;

use anyhow::{Context, ensure};
use candlewick_test_support::programs;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, finish};

pub fn trials() -> Vec<Trial> {
    trials![the_examples_of_the_document_on_files_do_what_it_says]
}

/// A command of an example, and its output.
struct Step {
    command: String,
    prints: String,
}

/// The steps of each `sh` block.
fn steps(document: &str) -> Vec<Vec<Step>> {
    let blocks = document.split("```sh\n").skip(1).filter_map(|block| Some(block.split_once("```")?.0));
    let step = |text: &str| {
        let (command, prints) = text.split_once('\n').unwrap_or((text, ""));
        Step { command: command.to_owned(), prints: prints.to_owned() }
    };
    blocks.map(|block| format!("\n{block}").split("\n$ ").skip(1).map(step).collect()).collect()
}

fn the_examples_of_the_document_on_files_do_what_it_says() -> anyhow::Result<()> {
    let document = std::fs::read_to_string(programs::root().join("docs/files.md")).context("read docs/files.md")?;
    let blocks = steps(&document);
    ensure!(blocks.len() >= 2, "docs/files.md has {} examples", blocks.len());
    let folder = tempfile::tempdir()?;
    for step in blocks.iter().flatten() {
        run(step, folder.path())?;
    }
    Ok(())
}

fn run(step: &Step, folder: &Path) -> anyhow::Result<()> {
    let prints = step.prints.trim_end();
    if let Some(name) = step.command.strip_prefix("cat ") {
        return std::fs::write(folder.join(name), format!("{prints}\n")).context("write a file of the document");
    }
    let arguments = step.command.strip_prefix("candlewick ").context("an example runs candlewick")?;
    let mut command = candlewick(folder);
    let (_, said) = finish(command.args(arguments.split(' ')).current_dir(folder))?;
    ensure!(said.contains(prints), "{}: {said:?} has not {prints:?}", step.command);
    Ok(())
}
