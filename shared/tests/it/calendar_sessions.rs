//! Every session of every embedded calendar equals the one of generate.py: the package's session with the corrections
//! of corrections.toml, or that of forex.py.
//!
//! The digests are always compared, which shows the calendar and the year that differ. The sessions are compared line
//! by line with the package itself, which shows the date, if `CANDLEWICK_CALENDARS_PYTHON` names a Python that has it
//! (`pip install --require-hashes -r shared/calendars/requirements.txt`).

use std::io::{self, Write};
use std::process::Command;

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::session::Session;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

const DIGESTS: &str = include_str!("../../calendars/sessions.sha256");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/calendars/generate.py");
const PYTHON: &str = "CANDLEWICK_CALENDARS_PYTHON";

#[test]
fn every_year_has_the_digest_of_the_package() {
    let ours: Vec<_> = Calendar::codes().unwrap().flat_map(digests).collect();
    let mut theirs: Vec<_> = DIGESTS.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    theirs.sort();
    let differing: Vec<_> =
        theirs.iter().filter(|line| !ours.contains(line)).map(|line| line_beside(line, &ours)).collect();
    let hint = format!("to see the first date that differs, set {PYTHON} and run this again");
    assert!(differing.is_empty(), "sessions differ from the package's; {hint}:\n{}", differing.join("\n"));
    assert_eq!(ours.len(), theirs.len(), "a calendar or a year has no digest");
}

#[test]
fn every_session_is_the_one_of_the_package() {
    let Some(python) = std::env::var_os(PYTHON) else {
        // Not eprintln!, whose output the test harness captures.
        writeln!(io::stderr(), "skipped: {PYTHON} names no Python that has exchange_calendars").unwrap();
        return;
    };
    let printed = Command::new(python).args([SCRIPT, "--print-sessions"]).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).unwrap();
    for code in Calendar::codes().unwrap() {
        let theirs: Vec<_> = printed.lines().filter(|line| line.starts_with(&format!("{code} "))).collect();
        let ours: Vec<_> = lines(code).iter().map(|line| format!("{code} {}", line.trim_end())).collect();
        let differing = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differing, None, "{code}: the first session that differs, ours and the package's");
        assert_eq!(ours.len(), theirs.len(), "{code}: one of the two ends early");
    }
}

/// A year's line of the package, next to ours for the same calendar and year.
fn line_beside(theirs: &str, ours: &[String]) -> String {
    let year = theirs.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ") + " ";
    let ours = ours.iter().find_map(|line| line.strip_prefix(&year)).unwrap_or("no sessions");
    format!("package {theirs}, here {ours}")
}

/// The lines of `sessions.sha256` for a calendar, one per year. The first 16 digits tell sessions apart.
fn digests(code: &str) -> Vec<String> {
    let lines = lines(code);
    let years = lines.chunk_by(|one, next| one[..4] == next[..4]);
    years.map(|year| format!("{code} {} {} {}", &year[0][..4], year.len(), sha256(&year.concat()))).collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Every session in the format of generate.py: the date, the open, the close, the break or two dashes, and the certain
/// part if that is not the whole session.
fn lines(code: &str) -> Vec<String> {
    let calendar = Calendar::for_mic(code).unwrap().unwrap();
    calendar.sessions(calendar.coverage()).unwrap().map(|session| line(&session)).collect()
}

fn line(session: &Session) -> String {
    let instant = |seconds| Timestamp::from_second(seconds).unwrap().to_string();
    let pause = session.break_.map(|pause| format!("{} {}", instant(pause.start), instant(pause.end)));
    let pause = pause.unwrap_or_else(|| "- -".to_owned());
    let (from, until) = session.certain;
    let is_whole = session.certain == (session.open, session.close);
    let certain = if is_whole { String::new() } else { format!(" {} {}", instant(from), instant(until)) };
    format!("{} {} {} {pause}{certain}\n", session.date, instant(session.open), instant(session.close))
}
