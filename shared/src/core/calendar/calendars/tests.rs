//! The owner's calendars: what they replace, and what is refused.

use jiff::civil::date;

use super::*;

const OWN: &str = r#"
code = "XNAI"
timezone = "Africa/Nairobi"
first = 2024-01-01
last = 2024-12-31
days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
hours = [
    { from = 2024-01-01, open = "09:30", close = "15:00" },
]
closed = [
    2024-01-01,
]
"#;

fn file(name: &str, text: &str) -> OwnFile {
    OwnFile { name: name.to_owned(), text: text.to_owned() }
}

fn refused(text: &str) -> String {
    Calendars::with(&[file("own.toml", text)]).unwrap_err().to_string()
}

#[test]
fn a_calendar_can_be_added_with_little_more_than_its_hours() {
    let calendars = Calendars::with(&[file("XNAI.toml", OWN)]).unwrap();
    let calendar = calendars.find("XNAI").unwrap().unwrap();
    assert_eq!((calendar.name(), calendar.code()), ("XNAI", "XNAI"));
    assert!(calendar.session(date(2024, 1, 1)).unwrap().is_none());
    assert!(calendar.session(date(2024, 1, 2)).unwrap().is_some());
    assert_eq!(calendars.own().map(Calendar::code).collect::<Vec<_>>(), ["XNAI"]);
    assert!(Calendars::default().find("XNAI").unwrap().is_none());
    assert_eq!(calendars.find("XNYS").unwrap().map(Calendar::code), Some("XNYS"));
}

#[test]
fn a_calendar_replaces_the_compiled_in_one_for_all_codes_that_this_one_serves() {
    let text = OWN.replace("XNAI", "XBOM").replace("Africa/Nairobi", "Asia/Kolkata");
    let calendars = Calendars::with(&[file("XBOM.toml", &text)]).unwrap();
    for code in ["XBOM", "XNSE"] {
        let calendar = calendars.find(code).unwrap().unwrap();
        assert_eq!(*calendar.coverage().end(), date(2024, 12, 31), "{code}");
        assert!(calendar.version().starts_with("XBOM file XBOM.toml "), "{}", calendar.version());
    }
    let segment = OWN.replace("code = \"XNAI\"", "code = \"MINE\"\nserves = [\"XNSE\"]");
    let calendars = Calendars::with(&[file("mine.toml", &segment)]).unwrap();
    assert_eq!(calendars.find("XNSE").unwrap().map(Calendar::code), Some("MINE"));
    assert_eq!(calendars.find("XBOM").unwrap().map(Calendar::code), Some("XBOM"));
}

#[test]
fn every_compiled_in_file_can_be_dropped_in_as_it_is() {
    for built_in in &embedded::FILES {
        let calendars = Calendars::with(&[file(built_in.name, built_in.text)]).unwrap();
        let own = calendars.own().next().unwrap();
        let original = Calendar::for_mic(own.code()).unwrap().unwrap();
        assert_eq!(own.sessions, original.sessions, "{}", built_in.name);
        assert_ne!(own.version(), original.version());
    }
}

#[test]
fn the_same_content_is_the_same_calendar_and_an_edit_is_another() {
    let read = |text: &str| Calendars::with(&[file("XNAI.toml", text)]).unwrap();
    assert_eq!(read(OWN), read(OWN));
    let edited = read(&OWN.replace("15:00", "15:30"));
    assert_ne!(read(OWN), edited);
    let version = |calendars: &Calendars| calendars.find("XNAI").unwrap().unwrap().version();
    assert_ne!(version(&read(OWN)), version(&edited));
}

#[test]
fn what_is_no_calendar_is_refused_with_file_line_and_reason() {
    for (from, to, words) in [
        ("\"09:30\"", "\"9 o'clock\"", "line 8: 9 o'clock is no time of the form 09:30"),
        ("first =", "since =", "line 4: unknown field `since`"),
        ("code = \"XNAI\"", "", "missing field `code`"),
        ("2024-01-01,\n]", "2024-01-06,\n]", "line 11: closed has 2024-01-06, a Saturday, which has no effect"),
        ("2024-01-01,\n]", "2025-01-01,\n]", "line 11: closed has 2025-01-01, a Wednesday, which has no effect"),
        ("closed =", "extra =", "line 11: extra has 2024-01-01, a Monday, which has no effect"),
        ("Africa/Nairobi", "Africa/Nairoby", "Africa/Nairoby"),
        ("last = 2024-12-31", "last = 2023-12-31", "first = 2024-01-01 is after last = 2023-12-31"),
        ("last = 2024-12-31", "last = 2424-12-31", "it covers more than 200 years"),
        ("close = \"15:00\"", "close = \"09:00\"", "the hours of 2024-01-02 are out of order"),
        ("from = 2024-01-01", "from = 2024-06-01", "no hours are given for"),
        ("code = \"XNAI\"", "code = \"none\"", "invalid code \"none\""),
        ("code = \"XNAI\"", "code = \"a b\"", "invalid code \"a b\""),
        ("close = \"15:00\"", "close = \"15:00\", brake = [\"12:00\", \"13:00\"]", "line 8: unknown field `brake`"),
        ("days = [\"Mon\"", "days = [\"Monday\"", "line 6: unknown variant `Monday`"),
    ] {
        assert!(OWN.contains(from), "{from}");
        let error = refused(&OWN.replacen(from, to, 1));
        assert!(error.contains("own.toml") && error.contains(words), "{words}: {error}");
    }
    assert!(refused(&" ".repeat(MOST_BYTES + 1)).contains("more than 524288 bytes"));
}

/// The example of docs/calendars.md is a calendar, and its dates have the effect that the comments say.
#[test]
fn the_documented_example_is_a_calendar() {
    let documents = include_str!("../../../../../docs/calendars.md");
    let example = documents.split("```toml\n").find(|block| block.starts_with("# The code that")).unwrap();
    let example = example.split("```").next().unwrap();
    let calendars = Calendars::with(&[file("XNAI.toml", example)]).unwrap();
    let calendar = calendars.find("XNAI").unwrap().unwrap();
    let session = |day| calendar.session(date(2024, 12, day)).unwrap();
    assert_eq!((session(25), session(28)), (None, None));
    let hours = session(24).map(|session| session.close - session.open);
    assert_eq!((hours, session(23).map(|session| session.close - session.open)), (Some(9000), Some(19_800)));
    assert_eq!((session(30).unwrap().is_certain(), session(31).unwrap().is_certain()), (true, false));
}

#[test]
fn two_files_for_one_code_are_refused() {
    let files = [file("one.toml", OWN), file("two.toml", OWN)];
    let error = Calendars::with(&files).unwrap_err().to_string();
    assert_eq!(error, "calendar two.toml is invalid: another file has a calendar of XNAI too");
}
