//! Real files (`tests/cases/files`), and how they are damaged at random.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::programs;

/// A file that is read, with what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct RealFile {
    pub name: &'static str,
    pub symbol: &'static str,
    pub interval: &'static str,
    pub zone: &'static str,
    pub calendar: &'static str,
    /// The name of its object: `candles`, or the month of an intraday file.
    pub part: &'static str,
}

const fn daily(name: &'static str, calendar: &'static str) -> RealFile {
    RealFile { name, symbol: "ABC", interval: "1day", zone: "America/New_York", calendar, part: "candles" }
}

const fn intraday(name: &'static str, interval: &'static str, part: &'static str, calendar: &'static str) -> RealFile {
    RealFile { interval, part, ..daily(name, calendar) }
}

/// Text files that have at least one candle, of every dialect.
pub const FILES: [RealFile; 31] = [
    daily("bhavcopy", "XBOM"),
    daily("binance-noheader-ms", "24/7"),
    RealFile { symbol: "BTC", ..daily("cdd-banner", "24/7") },
    intraday("date-and-time-columns-5min", "5min", "2024-01", "XNYS"),
    intraday("dst-fall-back-1h-naive", "1h", "2024-11", "24/7"),
    daily("euro-decimals-semicolon", "XNYS"),
    daily("excel-sep-line", "XNYS"),
    RealFile { symbol: "MUTF", ..daily("export-of-candles-without-volume", "XNYS") },
    RealFile { zone: "UTC", ..intraday("forex-sunday-evening-1h", "1h", "2024-01", "forex") },
    daily("good-5-days", "XNYS"),
    daily("hkex-storm-days-2023-09", "XHKG"),
    daily("ib-volume-minus1", "24/5"),
    daily("index-volume-column-empty", "XNYS"),
    daily("is_filled-pandas", "XNYS"),
    daily("is_filled-psql", "XNYS"),
    intraday("metatrader5-tab", "1min", "2024-01", "none"),
    intraday("multi-month-1h", "1h", "2024-01", "24/7"),
    daily("nse-2024-03-02", "XBOM"),
    daily("thousands-quoted", "XNYS"),
    daily("tiingo-daily-z", "XNYS"),
    daily("timestamp-ms", "24/7"),
    intraday("tradingview-unix-time-5min", "5min", "2024-01", "XNYS"),
    daily("tradingview-unix-time-daily", "XNYS"),
    RealFile { zone: "UTC", ..intraday("twelvedata-forex-8h-real-stamps", "8h", "2022-03", "forex") },
    daily("unclosed-quote-closed-later", "XNYS"),
    daily("vol-named-vol", "XNYS"),
    RealFile { interval: "1week", ..daily("weekly-friday-stamps", "XNYS") },
    daily("wti-negative", "none"),
    intraday("xnys-1h-on-clock-hours", "1h", "2024-11", "XNYS"),
    daily("yfinance-float-noise", "XNYS"),
    daily("yfinance-multiindex", "XNYS"),
];

impl RealFile {
    #[must_use]
    pub fn any(random: &mut StdRng) -> Self {
        *FILES.choose(random).unwrap()
    }

    /// The key of its raw object.
    #[must_use]
    pub fn key(&self) -> String {
        format!("raw/interval={}/symbol={}/{}.csv", self.interval, self.symbol, self.part)
    }

    #[must_use]
    pub fn text(&self) -> String {
        fs::read_to_string(programs::root().join(format!("tests/cases/files/{}.csv", self.name))).unwrap()
    }
}

/// What a cell is replaced by.
const CELLS: [&str; 24] = [
    "",
    "0",
    "-1",
    "100",
    "1e2",
    "1,5",
    "1.000",
    "\"1,5\"",
    "\"1,234\"",
    "\"",
    "\"2\"3",
    "NaN",
    " 101 ",
    "+102",
    "103.0",
    "$99",
    "1.2K",
    "x",
    "01/02/2024",
    "2024-01-03",
    "2024-01-03 10:00:00",
    "1704292200",
    "true",
    "(1)",
];

const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// Drops, doubles, cuts, joins, quotes and swaps lines and cells, and changes the separator and the line breaks.
#[must_use]
pub fn damage(random: &mut StdRng, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let separator = separator(text);
    for _ in 0..random.random_range(1..6) {
        damage_line(random, &mut lines, separator);
    }
    let line_break = *["\n", "\r\n", "\r"].choose(random).unwrap();
    let damaged = lines.join(line_break);
    match random.random_range(0..6) {
        0 => damaged.chars().take(random.random_range(0..damaged.len() + 1)).collect(),
        1 => damaged.replace(separator, &SEPARATORS.choose(random).unwrap().to_string()),
        _ => damaged + line_break,
    }
}

fn separator(text: &str) -> char {
    let count = |separator: &char| text.chars().filter(|other| other == separator).count();
    SEPARATORS.into_iter().max_by_key(count).unwrap()
}

/// The lines before the rows are damaged less often, because most of that makes a file unreadable.
fn damage_line(random: &mut StdRng, lines: &mut Vec<String>, separator: char) {
    if lines.len() < 2 {
        return;
    }
    let first = usize::from(random.random_ratio(9, 10));
    let at = random.random_range(first..lines.len());
    let other = random.random_range(first..lines.len());
    match random.random_range(0..6) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[other].clone()),
        2 => lines.swap(at, other),
        3 => lines[at] = cut(random, &lines[at]),
        4 => lines[at] = lines[at].clone() + &lines[other],
        _ => lines[at] = damage_cells(random, &lines[at], separator),
    }
}

fn cut(random: &mut StdRng, line: &str) -> String {
    let length = random.random_range(0..=line.chars().count());
    line.chars().take(length).collect()
}

fn damage_cells(random: &mut StdRng, line: &str, separator: char) -> String {
    let mut cells: Vec<String> = line.split(separator).map(str::to_owned).collect();
    let cell = random.random_range(0..cells.len());
    let second = random.random_range(0..cells.len());
    match random.random_range(0..6) {
        0 => drop(cells.remove(cell)),
        1 => cells.insert(cell, cells[second].clone()),
        2 => cells.swap(cell, second),
        3 => cells[cell] = format!("\"{}\"", cells[cell]),
        _ => cells[cell] = (*CELLS.choose(random).unwrap()).to_owned(),
    }
    cells.join(&separator.to_string())
}

/// The text as bytes, mostly in UTF-8, sometimes with a byte order mark, in UTF-16 or compressed.
#[must_use]
pub fn encode(random: &mut StdRng, text: &str) -> Vec<u8> {
    match random.random_range(0..10) {
        0 => format!("\u{feff}{text}").into_bytes(),
        1 => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        2 => gzip(text),
        _ => text.as_bytes().to_vec(),
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
