//! What a person reads: the one place that prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this file is for")]

use std::io::{BufRead, IsTerminal, Write};
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

/// Asks a question that is answered by yes or no; none where nobody is there to answer. An empty answer, and the end of the
/// input, is a no.
pub fn ask(question: &str) -> anyhow::Result<Option<bool>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush().context("ask a question")?;
    is_yes(std::io::stdin().lock()).map(Some).context("read the answer")
}

fn is_yes(mut input: impl BufRead) -> std::io::Result<bool> {
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A reporter of progress: a line each, with the seconds since it was made.
pub fn reporter() -> Reporter {
    let start = Instant::now();
    let (dim, plain) = if std::io::stdout().is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    Arc::new(move |source: &str, text: &str| {
        println!("{dim}{:>6.1} s{plain}  {source:<10}  {text}", start.elapsed().as_secs_f64());
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["y\n", "Y\r\n", "yes\n", " YES ", "y"] {
            assert!(is_yes(yes.as_bytes()).unwrap(), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "no\ny\n", "yep\n", "\u{4}"] {
            assert!(!is_yes(no.as_bytes()).unwrap(), "{no:?}");
        }
    }
}
