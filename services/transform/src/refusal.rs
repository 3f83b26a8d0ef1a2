//! Reasons to refuse a raw object.

use std::collections::BTreeMap;
use std::fmt::Write;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::Unreadable;
use thiserror::Error;

/// Why an object is refused; it then replaces nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// It is not CSV with the columns of candles.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Its rows name several instruments.
    #[error("column {column:?} names several instruments: {values}. Split the file: an object holds one")]
    SeveralInstruments {
        /// The column, as written in the file.
        column: String,
        values: String,
    },
    /// Its rows name another instrument than its key.
    #[error(
        "column {column:?} names {value}, and the file is for {symbol}. Use --symbol {value} (or that key), or, if these are \
         candles of {symbol}, remove or rename the column"
    )]
    OtherInstrument {
        /// The column, as written in the file.
        column: String,
        value: String,
        symbol: String,
    },
    /// Its rows name another interval than its key.
    #[error(
        "column {column:?} says {value}, and the file is for {interval} candles. Use --interval {value} (or that key), or, if \
         these are {interval} candles, remove or rename the column"
    )]
    OtherInterval {
        /// The column, as written in the file.
        column: String,
        value: String,
        interval: Interval,
    },
    /// Its rows are as far apart as candles of a longer interval than that of its key.
    #[error(
        "its rows are as far apart as {found} candles, and the file is for {interval} candles: use --interval {found} (or that \
         key). Nothing was replaced"
    )]
    LongerInterval { found: Interval, interval: Interval },
    /// A row is another header, so the rows below it have other columns.
    #[error("line {line} is another header: {found}. The rows below it have other columns: split the file there")]
    OtherHeader { line: u64, found: String },
    /// Its numbers have decimal commas and points between thousands: what looks like 1.234 is 1234.
    #[error(
        "line {line}, {column}: {cell:?} has a decimal comma, so that a point is none in this file, and 1.234 is 1234: write \
         1234.5, with a point and no other mark"
    )]
    DecimalComma { line: u64, column: &'static str, cell: String },
    /// Its dates have two possible readings.
    #[error(
        "line {line}: {cell:?} is {}, and no date in the file tells which: say it with {} (or date_format in the watchlist)",
        or(readings.iter().map(|(date, _)| date.clone())),
        or(readings.iter().map(|(_, format)| format!("--date-format {format}")))
    )]
    EitherDate {
        line: u64,
        cell: String,
        /// The possible dates, each with its format.
        readings: Vec<(String, String)>,
    },
    /// Its dates are in two different orders.
    #[error("the dates have no order in common: {} is not day/month/year, and {} is not month/day/year", .0[0], .0[1])]
    OrdersOfDates([String; 2]),
    /// Its numbers have two possible readings.
    #[error(
        "line {line}: {cell:?} is {} or {}, and no number in the file tells which: say it with --decimal . or --decimal , (or \
         decimal in the watchlist)", .readings[0], .readings[1]
    )]
    EitherNumber {
        line: u64,
        cell: String,
        /// The number with a decimal point, and with a decimal comma.
        readings: [String; 2],
    },
    /// Its prices are in several currencies.
    #[error("the prices are in several currencies: {}, and {}. Split the file: an object holds one instrument", .0[0], .0[1])]
    SeveralCurrencies([String; 2]),
    /// Its prices are fractions.
    #[error("line {line}: {cell:?} is a price in fractions such as 32nds: write decimals, such as 110.5")]
    Fractions { line: u64, cell: String },
    /// Its rows are of several kinds, which a column names.
    #[error(
        "rows of the same times differ in column {column:?}: {values}. Split the file by that column: an object holds one kind \
         of candles"
    )]
    SeveralKinds {
        /// The column, as written in the file.
        column: String,
        values: String,
    },
    /// Its rows are those of two series.
    #[error(
        "{times} times have two rows whose prices have nothing in common: these are candles of several instruments. Split the \
         file: an object holds one. The first are those of {first}"
    )]
    SeveralSeries { times: u64, first: String },
    /// It does not have the form that the owner set.
    #[error(
        "the file does not have the form that its metadata or an option names: its columns or its times differ. It begins with {found:?}"
    )]
    OtherForm {
        /// The first line, shortened.
        found: String,
    },
    /// Its times are local times, and the name of their column has an abbreviation that several zones share.
    #[error(
        "column {column:?} does not say clearly which zone its times are in: say it with --timezone America/New_York, \
         --timezone UTC or another IANA name (or timezone in a format of the watchlist)"
    )]
    UnclearZone {
        /// The column, as written in the file.
        column: String,
    },
    /// Its candles are stamped with their end.
    #[error(
        "in its sessions, the first candle is stamped with {first} and the last one with {last}, when the market closes: the \
         candles are stamped with their end. Say so with --stamped end (or stamped = \"end\" in a format of the watchlist), or, \
         if they begin then, with --stamped start. If neither is so, the time zone is another: see --timezone"
    )]
    StampedAtEnd { first: String, last: String },
    /// None of its rows is a candle.
    #[error("{}", nothing_usable(*.rows, .reasons, .first.as_deref()))]
    NothingUsable {
        /// The count of its rows.
        rows: u64,
        /// The count of rows for each reason or other result: `ragged`, `empty`.
        reasons: BTreeMap<String, u64>,
        /// The fault of the first quarantined row, with its line.
        first: Option<String>,
    },
}

impl Refusal {
    /// The class of the dead letter.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::DecimalComma { .. } | Self::OtherForm { .. } | Self::Fractions { .. } => {
                "unreadable_object"
            }
            Self::EitherDate { .. } | Self::EitherNumber { .. } | Self::OrdersOfDates(_) => "ambiguous_object",
            Self::UnclearZone { .. } | Self::StampedAtEnd { .. } => "ambiguous_object",
            Self::OtherHeader { .. } => "several_headers",
            Self::SeveralInstruments { .. }
            | Self::SeveralCurrencies(_)
            | Self::SeveralSeries { .. }
            | Self::SeveralKinds { .. } => "several_instruments",
            Self::OtherInstrument { .. } => "other_instrument",
            Self::OtherInterval { .. } | Self::LongerInterval { .. } => "other_interval",
            Self::NothingUsable { .. } => "nothing_usable",
        }
    }
}

fn nothing_usable(rows: u64, reasons: &BTreeMap<String, u64>, first: Option<&str>) -> String {
    if rows == 0 {
        return "the file has a header and no rows: nothing was replaced".to_owned();
    }
    let counts: Vec<_> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let mut text = format!("none of the {rows} rows is a candle ({}): nothing was replaced", counts.join(", "));
    if let Some(first) = first {
        // Writing to a string cannot fail.
        let _ = write!(text, ". {first}");
    }
    if reasons.contains_key("ragged") {
        text.push_str(
            ". Rows with more cells than the header come from numbers with commas: write 1234567 and 1.25; one cell comes from \
             another separator than the header has",
        );
    }
    if reasons.contains_key("future") {
        text.push_str(". Rows are in the future where the file's own time is wrong: say when it is from with --as-of");
    }
    text
}

/// Joins alternatives with `or`.
fn or(alternatives: impl Iterator<Item = String>) -> String {
    alternatives.collect::<Vec<_>>().join(" or ")
}
