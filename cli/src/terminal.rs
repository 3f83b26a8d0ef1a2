//! Prints to the terminal. No other file prints.
//!
//! Text from data (keys, symbols, reasons) may contain characters that control a terminal or change the direction of
//! text. They are printed as escapes.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_shared::core::invisible::is_invisible;
use serde::Serialize;

/// The first error of printing.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a result to stdout.
pub fn result(text: &str) {
    print(&lines(text));
}

/// Prints a result to stdout as JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped_json(&serde_json::to_string_pretty(value).context("write JSON")?));
    Ok(())
}

/// Prints a result to stdout as JSON in one line.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped_json(&serde_json::to_string(value).context("write JSON")?));
    Ok(())
}

/// Whether something could not be printed, so that more output is useless.
pub fn has_failed() -> bool {
    FAILURE.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Prints how far a command is to stderr, because stdout may have its result.
pub fn progress(text: &str) {
    // A closed stderr must not end the command.
    let _ = writeln!(io::stderr(), "{}", lines(text));
}

/// How often a line is printed if stderr is not a terminal.
const EVERY: Duration = Duration::from_secs(2);

/// A line on stderr that is replaced by the next one. If stderr is not a terminal, some of the lines below each other, and
/// always the last one.
pub struct Bar {
    is_terminal: bool,
    text: String,
    /// When a line was last printed, and whether the text is newer.
    printed: Option<Instant>,
    is_newer: bool,
}

impl Bar {
    pub fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), text: String::new(), printed: None, is_newer: false }
    }

    /// Shows how far a command is, if that has changed.
    pub fn show(&mut self, text: &str) {
        let text = cell(text);
        if text == self.text {
            return;
        }
        self.text = text;
        self.is_newer = true;
        if self.is_terminal || self.printed.is_none_or(|printed| printed.elapsed() >= EVERY) {
            self.print();
        }
    }

    fn print(&mut self) {
        let (before, after) = if self.is_terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        // A closed stderr must not end the command.
        let _ = write!(io::stderr(), "{before}{}{after}", self.text);
        self.printed = Some(Instant::now());
        self.is_newer = false;
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.is_newer {
            self.print();
        }
        if self.is_terminal && !self.text.is_empty() {
            let _ = writeln!(io::stderr());
        }
    }
}

/// Prints an error and its causes to stderr.
pub fn error(error: &anyhow::Error) {
    // An error of stderr itself cannot be reported anywhere.
    let _ = writeln!(io::stderr(), "error: {}", lines(&format!("{error:#}")));
}

/// Asks a yes-or-no question, or returns `None` if stdin or stderr is not a terminal. An empty answer and the end of
/// the input mean no.
pub fn ask(question: &str) -> anyhow::Result<Option<bool>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let mut prompt = io::stderr().lock();
    write!(prompt, "{} [y/N] ", lines(question)).and_then(|()| prompt.flush()).context("ask a question")?;
    is_yes(std::io::stdin().lock()).map(Some).context("read the answer")
}

fn is_yes(mut input: impl BufRead) -> std::io::Result<bool> {
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A reporter that prints a line per event, with the seconds since its creation.
pub fn reporter() -> Reporter {
    let start = Instant::now();
    let (dim, plain) = if io::stdout().is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    Arc::new(move |source: &str, text: &str| {
        let seconds = start.elapsed().as_secs_f64();
        // A closed stdout must not end a program that runs for hours.
        let _ = writeln!(io::stdout(), "{dim}{seconds:>6.1} s{plain}  {source:<10}  {}", lines(text));
    })
}

/// The exit code of the program: a failure if its output could not be written, otherwise the code of the command. A
/// closed pipe is no failure: its reader has read enough.
pub fn exit_code(code: ExitCode) -> ExitCode {
    match FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(failure) if failure.kind() != io::ErrorKind::BrokenPipe => {
            error(&anyhow::Error::from(failure).context("write to standard output"));
            ExitCode::FAILURE
        }
        _ => code,
    }
}

fn print(text: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        FAILURE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Escapes control characters except line breaks and tabs.
fn lines(text: &str) -> String {
    escaped(text, |c| c == '\n' || c == '\t')
}

/// Escapes all control characters, including line breaks, for a cell of a table.
pub fn cell(text: &str) -> String {
    escaped(text, |_| false)
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && !is_kept(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Escapes the control characters that JSON leaves as they are. Outside of strings JSON has only line breaks, so `\u`
/// is valid.
fn escaped_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) && c != '\n' { shown.push_str(&format!("\\u{:04x}", u32::from(c))) } else { shown.push(c) }
    }
    shown
}

/// Whether a character controls a terminal, changes the direction of text, or is invisible.
fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_shown() {
        assert_eq!(lines("raw/\x1b[2J\x07.csv"), "raw/\\u{1b}[2J\\u{7}.csv");
        assert_eq!(lines("SEC\u{202e}LPAA\u{9b}1m"), "SEC\\u{202e}LPAA\\u{9b}1m");
        assert_eq!(lines("a\n\tb ä 中"), "a\n\tb ä 中");
        assert_eq!(cell("raw/x\nforged\r"), "raw/x\\u{a}forged\\u{d}");
    }

    #[test]
    fn json_stays_the_same_json() {
        let keys = ["raw/\u{9b}\u{202e}\u{7f}\x1b\n", "ä"];
        let json = escaped_json(&serde_json::to_string_pretty(&keys).unwrap());
        assert!(!json.chars().any(|c| is_unsafe(c) && c != '\n'), "{json:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), keys);
    }

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
