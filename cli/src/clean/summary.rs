//! Prints the summary on stderr: all the details of a single file, or for many files the totals and the files that need
//! attention.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;
use candlewick_shared::core::report::{Fate, Gap, Measured, Report, Rows};

use super::input::Input;

/// The result for a file.
#[derive(Debug)]
pub struct Done {
    /// Every decision, counted.
    pub report: Report,
    /// Why the first quarantined row was quarantined.
    pub first_quarantined: Option<String>,
}

/// Counts over all files.
#[derive(Debug)]
pub struct Summary {
    files: usize,
    failed: usize,
    passed: usize,
    rows: Rows,
}

impl Summary {
    pub fn new(files: usize) -> Self {
        Self { files, failed: 0, passed: 0, rows: Rows::default() }
    }

    /// Adds a cleaned file.
    pub fn add(&mut self, Done { report, first_quarantined }: &Done) -> io::Result<()> {
        let passed = report.touched.threshold_passed();
        self.passed += usize::from(passed);
        add(&mut self.rows, &report.rows);
        match self.files {
            1 => io::stderr().write_all(details(report, first_quarantined.as_deref()).as_bytes()),
            _ if passed => writeln!(io::stderr(), "{}: {}", report.source.key, thresholds(report).join("; ")),
            _ => Ok(()),
        }
    }

    /// Adds a file that could not be cleaned.
    pub fn fail(&mut self, input: &Input, error: &anyhow::Error) -> io::Result<()> {
        self.failed += 1;
        writeln!(io::stderr(), "{}: {error:#}", input.path.display())
    }

    /// Prints the totals, and whether thresholds were exceeded.
    pub fn finish(self) -> anyhow::Result<ExitCode> {
        if self.files > 1 {
            writeln!(io::stderr(), "{} files: {}", self.files, counts(&self.rows))?;
        }
        match (self.failed, self.passed) {
            (0, 0) => Ok(ExitCode::SUCCESS),
            (0, _) => Ok(ExitCode::FAILURE),
            (failed, _) => bail!("{failed} of {} files could not be cleaned", self.files),
        }
    }
}

fn add(sum: &mut Rows, rows: &Rows) {
    sum.read += rows.read;
    sum.empty += rows.empty;
    sum.provisional += rows.provisional;
    sum.refilled += rows.refilled;
    sum.collapsed += rows.collapsed;
    sum.kept += rows.kept;
    sum.unchecked += rows.unchecked;
    sum.filled += rows.filled;
    sum.written += rows.written;
    for (reason, count) in &rows.quarantined {
        *sum.quarantined.entry(reason.clone()).or_default() += count;
    }
}

fn counts(rows: &Rows) -> String {
    let others = [
        (rows.empty, "empty"),
        (rows.collapsed, "twice"),
        (rows.provisional, "still open"),
        (rows.refilled, "filled before"),
        (rows.quarantined_total(), "quarantined"),
    ];
    let others = others.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!(", {count} {name}"));
    let others: String = others.collect();
    format!("{} rows read, {} kept{others}; {} filled, {} written", rows.read, rows.kept, rows.filled, rows.written)
}

fn details(report: &Report, first_quarantined: Option<&str>) -> String {
    let mut lines = vec![format!("{} {}: {}", report.symbol, report.interval, counts(&report.rows))];
    let reasons = report.rows.quarantined.iter().map(|(reason, count)| format!("{count} {reason}"));
    lines.extend(report.dialect.as_ref().map(|dialect| format!("  read as: {dialect}")));
    lines.extend(list("quarantined", reasons));
    lines.extend(first_quarantined.map(|words| format!("    {words}")));
    lines.extend(gaps(&report.gaps));
    lines.push(match (&report.calendar.version, &report.calendar.horizon) {
        (Some(version), None) => format!("  calendar: {version}"),
        (_, Some(horizon)) => format!("  {} candles not checked: {horizon}", report.rows.unchecked),
        (None, None) => format!("  no calendar, so nothing is filled: {}", report.calendar.reason),
    });
    lines.extend(list("columns not read", some(&report.ignored_columns)));
    lines.extend(thresholds(report).into_iter().map(|words| format!("  {words}")));
    lines.extend(hint(report));
    lines.join("\n") + "\n"
}

/// As many names as are readable in one line, and the number of the others.
pub fn some(names: &[String]) -> impl Iterator<Item = String> {
    const MOST: usize = 20;
    let more = names.len().saturating_sub(MOST);
    let more = (more > 0).then(|| format!("and {more} more"));
    names.iter().take(MOST).cloned().chain(more)
}

fn list(name: &str, items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| format!("  {name}: {}", items.join(", ")))
}

/// One line for each fate of the gaps; the first few remaining gaps are listed.
fn gaps(gaps: &[Gap]) -> Vec<String> {
    const NAMED: usize = 3;
    let fates = [
        (Fate::Filled, "filled"),
        (Fate::TooLong, "too long to fill"),
        (Fate::Edge, "at an edge, not filled"),
        (Fate::Horizon, "beyond the calendar, not filled"),
    ];
    let line = |(fate, words): (Fate, &str)| {
        let of_fate: Vec<&Gap> = gaps.iter().filter(|gap| gap.fate == fate).collect();
        let slots: u64 = of_fate.iter().map(|gap| gap.slots).sum();
        let named = if fate == Fate::Filled { 0 } else { NAMED };
        let name =
            |gap: &&Gap| if gap.slots == 1 { gap.first.clone() } else { format!("{} to {}", gap.first, gap.last) };
        let mut names: Vec<String> = of_fate.iter().take(named).map(name).collect();
        if named > 0 && of_fate.len() > named {
            names.push("…".to_owned());
        }
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        (!of_fate.is_empty()).then(|| format!("  gaps {words}: {} of {slots} slots{names}", of_fate.len()))
    };
    fates.into_iter().filter_map(line).collect()
}

fn thresholds(report: &Report) -> Vec<String> {
    let words = |measured: Measured, what: &str, option: &str| {
        let share = measured.share * 100.0;
        let most = measured.threshold * 100.0;
        measured.passed.then(|| format!("{share:.2} % {what}, more than the {most:.2} % that {option} allows"))
    };
    let touched = &report.touched;
    let quarantined = words(touched.quarantined, "of rows quarantined", "--max-quarantined");
    let filled = words(touched.filled, "of candles filled", "--max-filled");
    quarantined.into_iter().chain(filled).collect()
}

/// Hints at the most common mistakes: local times that were read as UTC miss most slots, a copied or unpacked file may
/// have an old modification time, and the price of oil was negative once.
fn hint(report: &Report) -> Option<String> {
    let count = |reason: &str| report.rows.quarantined.get(reason).copied().unwrap_or(0);
    let are_most = |reason: &str| count(reason) > report.rows.kept;
    let as_of = &report.source.as_of;
    let words = if are_most("no_slot") {
        "most times are of no slot: are they local? Say so with --timezone".to_owned()
    } else if are_most("future") {
        format!("most times lie after {as_of}, which the file is taken to be of: say when with --as-of")
    } else if count("not_positive") > 0 {
        "prices of zero or less: if that is what they were, say so with --allow-negative".to_owned()
    } else {
        return None;
    };
    Some(format!("  {words}"))
}
