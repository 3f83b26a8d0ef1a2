//! The results of all files.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;

use crate::table;
use crate::terminal::{self, cell};

use super::coming::Coming;
use super::compare::Change;

/// A row of the final table.
#[derive(Clone, Debug)]
struct Line {
    key: String,
    read_as: String,
    first: String,
    last: String,
    counts: [u64; 6],
    state: &'static str,
}

/// The results of all files.
#[derive(Debug)]
pub struct Summary {
    files: usize,
    done: usize,
    is_preview: bool,
    lines: Vec<Line>,
    /// How many of the lines belong to finished files.
    ended: usize,
    failures: Vec<anyhow::Error>,
}

impl Summary {
    pub fn new(files: usize, is_preview: bool) -> Self {
        Self { files, done: 0, is_preview, lines: Vec::new(), ended: 0, failures: Vec::new() }
    }

    /// Adds an object that a file would become.
    pub fn add(&mut self, key: &str, coming: &Coming, change: Option<&Change>) {
        let report = &coming.report;
        let change = change.copied().unwrap_or_default();
        let counts = [
            change.new,
            change.changed,
            change.unchanged,
            change.lost,
            report.rows.quarantined_total(),
            report.rows.filled,
        ];
        let text = |text: &Option<String>, usual: &str| text.clone().unwrap_or_else(|| usual.to_owned());
        self.lines.push(Line {
            key: key.to_owned(),
            read_as: text(&report.dialect, "raw CSV"),
            first: text(&report.first, "-"),
            last: text(&report.last, "-"),
            counts,
            state: "",
        });
    }

    /// Finishes a file and prints the progress.
    pub fn end(&mut self, file: &Path, dropped: anyhow::Result<()>) {
        self.done += 1;
        let state = match (&dropped, self.is_preview) {
            (Err(_), _) => "not put",
            (Ok(()), true) => "previewed",
            (Ok(()), false) => "put",
        };
        self.lines[self.ended..].iter_mut().for_each(|line| line.state = state);
        self.ended = self.lines.len();
        if let Err(error) = dropped {
            self.fail(file, error);
        }
        if self.files > 1 {
            terminal::result(&format!("{} of {}: {}: {state}", self.done, self.files, file.display()));
        }
    }

    fn fail(&mut self, file: &Path, error: anyhow::Error) {
        if self.files > 1 {
            terminal::error(&error.context(format!("drop {}", file.display())));
            self.failures.push(anyhow::anyhow!("{}", file.display()));
        } else {
            self.failures.push(error);
        }
    }

    /// Prints the table. Fails if any file failed.
    pub fn finish(mut self) -> anyhow::Result<ExitCode> {
        if self.lines.len() > 1 || self.is_preview {
            terminal::result(&self.table());
        }
        match (self.failures.len(), self.files) {
            (0, _) => Ok(ExitCode::SUCCESS),
            (1, 1) => Err(self.failures.remove(0)),
            (failed, files) => bail!("{failed} of {files} files were not put"),
        }
    }

    fn table(&self) -> String {
        let header =
            ["object", "first", "last", "new", "changed", "unchanged", "lost", "quarantined", "filled", "read as", ""];
        let rows = self.lines.iter().map(|line| {
            let mut row = vec![cell(&line.key), line.first.clone(), line.last.clone()];
            row.extend(line.counts.map(|count| count.to_string()));
            row.extend([cell(&line.read_as), line.state.to_owned()]);
            row
        });
        table::of(&header, rows, &[3, 4, 5, 6, 7, 8])
    }
}
