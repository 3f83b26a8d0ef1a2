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
use rand::seq::{IndexedRandom, SliceRandom};
use serde_json::json;

use super::broken::{self, Broken};
use super::plan::{Letter, moment};

/// The number of series of minutes, each with one object per month except the last.
const SERIES: usize = 35;
pub const MONTHS: [&str; 6] = ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06"];

/// The number of series that are written after all other faults.
const LATE: usize = 6;

/// A key, and what is written there.
#[derive(Clone, Debug)]
pub struct File {
    pub key: String,
    /// The versions, in the order in which they are written.
    pub versions: Vec<Version>,
    /// What is wrong with all of its versions, if they are broken.
    pub broken: Option<Broken>,
}

/// The body of a version. A large one is made only when it is written.
#[derive(Clone, Debug)]
pub enum Body {
    Bytes(Vec<u8>),
    /// A header, and a line repeated until there are as many bytes.
    Lines {
        header: &'static str,
        line: &'static str,
        bytes: usize,
    },
}

impl Body {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Lines { header, line, bytes } => ((*header).to_owned() + &line.repeat(bytes / line.len())).into(),
        }
    }
}

/// One version of an object.
#[derive(Clone, Debug)]
pub struct Version {
    /// When it is written.
    pub at: Duration,
    pub body: Body,
    pub metadata: Metadata,
    /// The number of rows, valid or not.
    pub rows: u64,
    /// The candles, ascending.
    pub candles: Vec<Candle>,
    /// The number of rows that have control characters and marks in them.
    pub odd_rows: u64,
}

impl File {
    /// Whether it is written to an archive storage class, from which it cannot be read.
    pub fn is_archived(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken.class == broken::ARCHIVED)
    }

    /// Whether it is too large to be processed.
    pub fn is_huge(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken.class == broken::HUGE)
    }

    /// Whether it takes the processor for longer than a lease.
    pub fn is_starving(&self) -> bool {
        self.key.contains("=STARVING")
    }

    /// Whether its key has a control character or an invisible mark in it.
    pub fn has_odd_key(&self) -> bool {
        self.key.contains(['\u{1b}', '\u{202e}'])
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
    files.extend(broken::files(dice, span));
    files
}

/// One object of each of some series, which are written at once.
pub fn late(dice: &mut StdRng) -> Vec<File> {
    (SERIES..SERIES + LATE).flat_map(|series| healthy(dice, Duration::from_millis(1), series, 0)).collect()
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
            let Content { text, rows, odd_rows, candles } = content(dice, month);
            let body = if key.ends_with(".gz") { gzip(&text) } else { text.into_bytes() };
            versions.push(Version { at, body: Body::Bytes(body), metadata: Metadata::new(), rows, candles, odd_rows });
            at += Duration::from_millis(dice.random_range(5..600));
        }
        File { key, versions, broken: None }
    };
    keys.into_iter().map(file).collect()
}

pub const HEADER: &str = "datetime,open,high,low,close,volume\n";

/// Prices with control characters and invisible marks in them, which would clear a terminal, reverse the text after them
/// or hide something.
const ODD_CELLS: [&str; 4] = ["\u{1b}[2J7", "\u{202e}7.25", "7\u{200b}1", "7\u{7}\u{2066}"];

/// The content of a version.
struct Content {
    text: String,
    rows: u64,
    odd_rows: u64,
    candles: Vec<Candle>,
}

/// The candles of a month and of the first minutes of the next one, which the object claims too; occasionally many.
/// They include rows that are quarantined and duplicate rows, all in random order.
fn content(dice: &mut StdRng, month: usize) -> Content {
    let most = if dice.random_range(0..12) == 0 { 3000 } else { 40 };
    let times = minutes(MONTHS[month], most).chain(minutes(MONTHS[month + 1], 4));
    let mut rows = Vec::new();
    let mut odd_rows = 0;
    let mut candles = Vec::new();
    for second in times {
        match dice.random_range(0..20) {
            0..4 => {}
            4 => {
                odd_rows += 1;
                rows.push(row(second, ODD_CELLS.choose(dice).expect("there are some"), 7));
            }
            5 => rows.push(row(second, "-1", 7)),
            doubled => {
                let price = format!("{}.25", dice.random_range(1..100_000));
                let volume = dice.random_range(0..9);
                rows.extend(std::iter::repeat_n(row(second, &price, volume), if doubled == 6 { 2 } else { 1 }));
                candles.push(candle(second, &price, volume));
            }
        }
    }
    rows.shuffle(dice);
    Content { text: format!("{HEADER}{}", rows.concat()), rows: rows.len() as u64, odd_rows, candles }
}

/// The first minutes of a month, in seconds since 1970.
pub fn minutes(month: &str, most: i64) -> impl Iterator<Item = i64> {
    let first: Timestamp = format!("{month}-01T00:00:00Z").parse().expect("a month begins");
    (0..most).map(move |minute| first.as_second() + minute * 60)
}

pub fn row(second: i64, price: &str, volume: u32) -> String {
    let time = Timestamp::from_second(second).expect("a time of this century");
    format!("{time},{price},{price},{price},{price},{volume}\n")
}

pub fn candle(second: i64, price: &str, volume: u32) -> Candle {
    let price = price.parse().expect("a price");
    let volume = volume.to_string().parse().expect("a volume");
    let time = CandleTime::from_seconds(second);
    Candle { time, open: price, high: price, low: price, close: price, volume: Some(volume), is_filled: false }
}

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes everything")
}

/// Files that tools leave next to their output.
pub const LEFTOVERS: [&str; 5] = ["_SUCCESS", ".candles.csv.crc", "candles.csv.tmp", "_temporary/0/candles.csv", ""];

/// The event of an object, as S3 writes it.
pub fn event(bucket: &str, key: &str) -> String {
    let object = json!({"key": key.replace('=', "%3D"), "size": 1});
    let s3 = json!({"bucket": {"name": bucket}, "object": object});
    json!({"Records": [{"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": s3}]}).to_string()
}
