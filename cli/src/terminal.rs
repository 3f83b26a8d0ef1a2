//! What a person reads: the one place that prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this file is for")]

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use serde::Serialize;

/// Prints what a command was asked for.
pub fn result(text: &str) {
    println!("{text}");
}

/// Prints what a command was asked for as JSON, for programs.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value).context("write JSON")?);
    Ok(())
}

/// Prints an error and what caused it.
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// A reporter of progress: a line each, with the seconds since it was made.
pub fn reporter() -> Reporter {
    let start = Instant::now();
    let (dim, plain) = if std::io::stdout().is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    Arc::new(move |source: &str, text: &str| {
        println!("{dim}{:>6.1} s{plain}  {source:<10}  {text}", start.elapsed().as_secs_f64());
    })
}
