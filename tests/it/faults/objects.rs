//! The objects of a run, with all their versions and expected results.

use std::io::Write;
use std::time::Duration;

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::metadata::Metadata;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;

use super::plan::{Letter, moment};

/// The number of series of minutes, each with one object per month except the last.
const SERIES: usize = 35;
const MONTHS: [&str; 6] = ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06"];

/// The number of broken objects of each kind.
const BROKEN_OF_A_KIND: usize = 3;

/// A key, and what is written there.
#[derive(Clone, Debug)]
pub struct File {
    pub key: String,
    /// The versions, in the order in which they are written.
    pub versions: Vec<Version>,
    /// What is wrong with all of its versions, if they are broken.
    pub broken: Option<Broken>,
}

/// What is wrong with an object: the class of the failure, and a part of its reason.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    class: &'static str,
    words: &'static str,
}

/// One version of an object.
#[derive(Clone, Debug)]
pub struct Version {
    /// When it is written.
    pub at: Duration,
    pub body: Vec<u8>,
    pub metadata: Metadata,
    /// The number of rows, valid or not.
    pub rows: u64,
    /// The candles, ascending.
    pub candles: Vec<Candle>,
}

impl File {
    /// Whether it is written to an archive storage class, from which it cannot be read.
    pub fn is_archived(&self) -> bool {
        self.broken.is_some_and(|broken| broken.class == ARCHIVED)
    }

    /// The dead letter that it must cause.
    pub fn letter(&self) -> Option<Letter> {
        let Broken { class, words } = self.broken?;
        let queue = if self.key.starts_with("raw/") { "raw" } else { "transformed" };
        Some(Letter { queue, about: self.key.clone(), class, words })
    }
}

/// All objects.
pub fn files(dice: &mut StdRng, span: Duration) -> Vec<File> {
    let mut files = Vec::new();
    for series in 0..SERIES {
        for month in 0..MONTHS.len() - 1 {
            files.extend(healthy(dice, span, series, month));
        }
    }
    for number in 0..BROKEN_OF_A_KIND {
        files.extend(broken(dice, span, number));
    }
    files
}

/// One month of a series. Sometimes there is a gzipped object as well as the plain one, for the same transformed
/// object.
fn healthy(dice: &mut StdRng, span: Duration, series: usize, month: usize) -> Vec<File> {
    let key = format!("raw/interval=1min/symbol=S{series}/{}.csv", MONTHS[month]);
    let keys = match dice.random_range(0..20) {
        0 => vec![key.clone(), format!("{key}.gz")],
        1 | 2 => vec![format!("{key}.gz")],
        _ => vec![key],
    };
    let file = |key: String| {
        let mut at = moment(dice, span);
        let mut versions = Vec::new();
        for _ in 0..dice.random_range(1..=10_u32).saturating_sub(7).max(1) {
            let (text, rows, candles) = content(dice, month);
            let body = if key.ends_with(".gz") { gzip(&text) } else { text.into_bytes() };
            versions.push(Version { at, body, metadata: Metadata::new(), rows, candles });
            at += Duration::from_millis(dice.random_range(5..600));
        }
        File { key, versions, broken: None }
    };
    keys.into_iter().map(file).collect()
}

/// The candles of a month and of the first minutes of the next one, which the object claims too; occasionally many.
/// They include rows that are quarantined and duplicate rows, all in random order.
fn content(dice: &mut StdRng, month: usize) -> (String, u64, Vec<Candle>) {
    let most = if dice.random_range(0..12) == 0 { 3000 } else { 40 };
    let times = minutes(MONTHS[month], most).chain(minutes(MONTHS[month + 1], 4));
    let (mut rows, mut candles) = (Vec::new(), Vec::new());
    for second in times {
        match dice.random_range(0..20) {
            0..5 => {}
            5 => rows.push(row(second, "-1", 7)),
            doubled => {
                let (price, volume) = (format!("{}.25", dice.random_range(1..100_000)), dice.random_range(0..9));
                rows.extend(std::iter::repeat_n(row(second, &price, volume), if doubled == 6 { 2 } else { 1 }));
                candles.push(candle(second, &price, volume));
            }
        }
    }
    rows.shuffle(dice);
    (format!("datetime,open,high,low,close,volume\n{}", rows.concat()), rows.len() as u64, candles)
}

/// The first minutes of a month, in seconds since 1970.
fn minutes(month: &str, most: i64) -> impl Iterator<Item = i64> {
    let first: Timestamp = format!("{month}-01T00:00:00Z").parse().expect("a month begins");
    (0..most).map(move |minute| first.as_second() + minute * 60)
}

fn row(second: i64, price: &str, volume: u32) -> String {
    let time = Timestamp::from_second(second).expect("a time of this century");
    format!("{time},{price},{price},{price},{price},{volume}\n")
}

fn candle(second: i64, price: &str, volume: u32) -> Candle {
    let price = price.parse().expect("a price");
    let volume = volume.to_string().parse().expect("a volume");
    let time = CandleTime::from_seconds(second);
    Candle { time, open: price, high: price, low: price, close: price, volume: Some(volume), is_filled: false }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes everything")
}

/// One object of each kind that can never be loaded: key, body, class, and a part of the reason.
const FAULTS: [(&str, &str, &str, &str); 11] = [
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
    ("raw/interval=1day/symbol=ENDLESS/candles.csv.gz", ENDLESS, "object_too_large", "line 2 is longer"),
];

/// The class of the failure of archived objects.
pub const ARCHIVED: &str = "archived_object";

/// The start of a file whose next line has many megabytes, in a gzip file of a few kilobytes.
const ENDLESS: &str = "datetime,open,high,low,close\n";

/// Files that tools leave next to their output.
pub const LEFTOVERS: [&str; 5] = ["_SUCCESS", ".candles.csv.crc", "candles.csv.tmp", "_temporary/0/candles.csv", ""];

fn body_of(text: &str) -> Vec<u8> {
    if text == ENDLESS { gzip(&(text.to_owned() + &"1".repeat(32 << 20))) } else { text.into() }
}

/// One object of each kind of fault, some of them written twice.
fn broken(dice: &mut StdRng, span: Duration, number: usize) -> Vec<File> {
    let file = |(key, body, class, words): (&str, &str, &'static str, &'static str)| {
        let key = key.replace("/candles", &format!("{number}/candles"));
        let at = moment(dice, span);
        let metadata = Metadata::from([("fetched-at".to_owned(), "yesterday".to_owned())]);
        let metadata = if class == "bad_metadata" { metadata } else { Metadata::new() };
        let body = body_of(body);
        let version = |at| Version { at, body: body.clone(), metadata: metadata.clone(), rows: 0, candles: Vec::new() };
        let again = dice.random_bool(0.3).then(|| version(at + Duration::from_millis(200)));
        File { key, versions: [version(at)].into_iter().chain(again).collect(), broken: Some(Broken { class, words }) }
    };
    FAULTS.into_iter().map(file).collect()
}

/// The event of an object, as S3 writes it.
pub fn event(bucket: &str, key: &str) -> String {
    let object = json!({"key": key.replace('=', "%3D"), "size": 1});
    let s3 = json!({"bucket": {"name": bucket}, "object": object});
    json!({"Records": [{"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": s3}]}).to_string()
}
