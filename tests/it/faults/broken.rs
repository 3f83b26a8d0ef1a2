//! Objects that can never be loaded, and objects that take the processor for long.

use std::time::Duration;

use candlewick_shared::core::metadata::Metadata;
use rand::Rng;
use rand::rngs::StdRng;

use super::objects::{Body, File, HEADER, MONTHS, Version, candle, gzip, minutes, row};
use super::plan::moment;

/// The number of broken objects of each kind.
const BROKEN_OF_A_KIND: usize = 3;

/// About as many short lines as a transform with the memory of this run takes.
const SHORT_LINES: usize = 200_000;

/// More bytes than it takes as the body of one object.
const BODIES: usize = 40 << 20;

/// What is wrong with an object: the class of the failure, and a part of its reason.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    pub class: &'static str,
    pub words: &'static str,
}

/// All of them.
pub fn files(dice: &mut StdRng, span: Duration) -> Vec<File> {
    let mut files = Vec::new();
    for number in 0..BROKEN_OF_A_KIND {
        files.push(starving(dice, span, number));
        files.extend(broken(dice, span, number));
    }
    files
}

/// One object of each kind that can never be loaded: key, body, class, and a part of the reason.
const FAULTS: [(&str, &str, &str, &str); 14] = [
    ("raw/interval=1day/symbol=NOHEADER/candles.csv", "2024-12-27,1,2,1,2,5\n", "unreadable_object", "is not a header"),
    ("raw/interval=1day/symbol=JSON/candles.csv", "{\"code\":429}", "unreadable_object", "JSON, not CSV"),
    ("raw/interval=1day/symbol=EMPTY/candles.csv", "", "unreadable_object", "the file is empty"),
    ("raw/interval=1day/symbol=NOCLOSE/candles.csv", "date,open,high,low\n", "unreadable_object", "column \"close\""),
    ("raw/interval=1day/symbol=NOGZIP/candles.csv.gz", "date,open", "unreadable_object", "column \"high\""),
    ("raw/interval=5h/symbol=NOKEY/candles.csv", "", "bad_key", "unknown interval"),
    ("raw/interval=1day/symbol=NOTIME/candles.csv", "", "bad_metadata", "fetched-at"),
    ("transformed/interval=1day/symbol=UNCLEAN/candles.csv", "unclean", "unreadable_object", "column header"),
    ("raw/interval=1day/symbol=ARCHIVED/candles.csv", "", ARCHIVED, "InvalidObjectState"),
    ("raw/interval=1day/symbol=\u{1b}[2J/candles.csv", "", "bad_key", "has a character in it"),
    ("raw/interval=1day/symbol=SEC\u{202e}LPAA/candles.csv", "", "bad_key", "has a character in it"),
    ("raw/interval=1day/symbol=ENDLESS/candles.csv.gz", ENDLESS, HUGE, "line 2 is longer"),
    ("raw/interval=1day/symbol=MANYLINES/candles.csv.gz", MANY_LINES, HUGE, "lines with"),
    ("raw/interval=1day/symbol=LARGE/candles.csv", LARGE, HUGE, "MEMORY_LIMIT"),
];

/// The class of the failure of archived objects.
pub const ARCHIVED: &str = "archived_object";

/// The class of the failure of objects that are too large.
pub const HUGE: &str = "object_too_large";

/// The start of a file with five million lines of one byte.
const MANY_LINES: &str = "date,open,high,low,close,volume\n";

/// The start of a file that takes more memory than there is for bodies.
const LARGE: &str = "date,open,high,low,close\n";

/// The start of a file whose next line has many megabytes, in a gzip file of a few kilobytes.
const ENDLESS: &str = "datetime,open,high,low,close\n";

fn body_of(text: &'static str) -> Body {
    let packed = match text {
        ENDLESS => gzip(&(text.to_owned() + &"1".repeat(32 << 20))),
        MANY_LINES => gzip(&(text.to_owned() + &"1\n".repeat(5_000_000))),
        LARGE => return Body::Lines { header: text, line: "2024-12-27,1,2,1,2\n", bytes: BODIES },
        _ => text.into(),
    };
    Body::Bytes(packed)
}

/// An object of a few kilobytes whose many short lines take the processor for long: a candle, and rows that are none.
fn starving(dice: &mut StdRng, span: Duration, number: usize) -> File {
    let key = format!("raw/interval=1min/symbol=STARVING{number}/{}.csv.gz", MONTHS[0]);
    let second = minutes(MONTHS[0], 1).next().expect("there is one");
    let text = format!("{HEADER}{}{}", row(second, "7.5", 1), "1\n".repeat(SHORT_LINES));
    let rows = SHORT_LINES as u64 + 1;
    let candles = vec![candle(second, "7.5", 1)];
    let at = moment(dice, span);
    let version = Version { at, body: Body::Bytes(gzip(&text)), metadata: Metadata::new(), rows, candles, odd_rows: 0 };
    File { key, versions: vec![version], broken: None }
}

/// One object of each kind of fault, some of them written twice.
fn broken(dice: &mut StdRng, span: Duration, number: usize) -> Vec<File> {
    let file = |(key, body, class, words): (&str, &'static str, &'static str, &'static str)| {
        let key = key.replace("/candles", &format!("{number}/candles"));
        let at = moment(dice, span);
        let metadata = Metadata::from([("fetched-at".to_owned(), "yesterday".to_owned())]);
        let metadata = if class == "bad_metadata" { metadata } else { Metadata::new() };
        let body = body_of(body);
        let version = |at| Version {
            at,
            body: body.clone(),
            metadata: metadata.clone(),
            rows: 0,
            candles: Vec::new(),
            odd_rows: 0,
        };
        let again = dice.random_bool(0.3).then(|| version(at + Duration::from_millis(200)));
        File { key, versions: [version(at)].into_iter().chain(again).collect(), broken: Some(Broken { class, words }) }
    };
    FAULTS.into_iter().map(file).collect()
}
