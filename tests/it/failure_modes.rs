//! `docs/failure-modes.md` names tests: each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::candlewick::root;

pub fn trials() -> Vec<Trial> {
    trials![every_test_that_the_failure_modes_name_exists]
}

/// The minimum number of names. If there are fewer, the table is not parsed correctly.
const AT_LEAST: usize = 40;

fn every_test_that_the_failure_modes_name_exists() -> anyhow::Result<()> {
    let text = fs::read_to_string(root().join("docs/failure-modes.md")).context("read the failure modes")?;
    let names: BTreeSet<_> = text.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
    ensure!(names.len() >= AT_LEAST, "only {} names were found", names.len());
    let mut code = Vec::new();
    for folder in ["shared", "services", "tests"] {
        collect(&root().join(folder), &mut code)?;
    }
    let missing: Vec<_> = names.into_iter().filter(|name| !code.iter().any(|file| file.has(name))).collect();
    ensure!(missing.is_empty(), "docs/failure-modes.md names tests that are nowhere: {missing:#?}");
    Ok(())
}

/// A Rust file, by the name of its module.
struct Code {
    module: String,
    text: String,
}

impl Code {
    /// Whether the file has a test of that name: `module::test`, `module::tests::test`, or `module::*` for a whole
    /// module.
    fn has(&self, name: &str) -> bool {
        let words: Vec<_> = name.split("::").collect();
        let [module, .., test] = &words[..] else { return false };
        let is_there =
            *test == "*" || self.text.contains(&format!("fn {test}(")) || self.text.contains(&format!("\"{test}\""));
        *module == self.module && is_there
    }
}

fn collect(folder: &Path, code: &mut Vec<Code>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, code)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().filter(|stem| *stem != "mod").or_else(|| folder.file_name());
            let module = stem.unwrap_or_default().to_string_lossy().into_owned();
            code.push(Code { module, text: fs::read_to_string(&path)? });
        }
    }
    Ok(())
}
