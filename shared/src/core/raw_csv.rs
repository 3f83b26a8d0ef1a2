//! Raw CSV: what ingest writes and what people drop.

use csv::{ByteRecord, Reader, ReaderBuilder, Writer, WriterBuilder};
use jiff::Timestamp;
use thiserror::Error;

/// The header of the CSV that ingest writes, where the instrument has volume.
pub const COLUMNS: [&str; 6] = ["datetime", "open", "high", "low", "close", "volume"];

/// The column in which ingest marks a candle that the newest answer lacks: when the source last gave it, RFC 3339. Empty in
/// rows that the newest answer has, and not there where that has them all.
pub const FETCHED_AT: &str = "fetched_at";

/// The column by which a clean CSV is known for one, when it is cleaned again.
const IS_FILLED: &str = "is_filled";

const TIME_NAMES: [&str; 4] = ["datetime", "date", "time", "timestamp"];

/// Why an object is no raw CSV at all; rows that are wrong one by one are not errors but quarantined.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    /// There is nothing in it.
    #[error("the file is empty: a header is required ({EXPECTED})")]
    Empty,
    /// It is an answer of the API, or any other JSON.
    #[error("the file is JSON, not CSV: {0}")]
    Json(String),
    /// The first line has none of the columns' names.
    #[error("line 1 is no header but {found:?}: a header is required ({EXPECTED})")]
    NoHeader {
        /// The line as it came, shortened.
        found: String,
    },
    /// The header lacks a column.
    #[error("line 1: column {missing:?} is missing; there are {found:?} ({EXPECTED})")]
    MissingColumn {
        /// The column's name.
        missing: &'static str,
        /// The header as it came, shortened.
        found: String,
    },
    /// The header names a column twice.
    #[error("line 1: two columns are called {0:?}: remove or rename one")]
    AmbiguousColumn(&'static str),
}

const EXPECTED: &str = "datetime, open, high, low, close and perhaps volume, separated by ',' or ';'";

/// Where the columns of a raw CSV stand, from its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The field of the candle's time.
    pub time: usize,
    /// The fields of open, high, low and close.
    pub prices: [usize; 4],
    /// The field of the volume, where the instrument has one.
    pub volume: Option<usize>,
    /// The field that says of a clean candle whether cleaning put it in, where the file was cleaned before.
    pub is_filled: Option<usize>,
    /// The names of columns that nothing reads.
    pub ignored: Vec<String>,
    /// What separates fields: `,` or `;`.
    pub delimiter: u8,
}

/// Opens a raw CSV: its columns, and a reader that stands behind its header.
///
/// # Errors
/// [`Unreadable`], where the bytes are no CSV with the columns of candles.
pub fn open(bytes: &[u8]) -> Result<(Header, Reader<&[u8]>), Unreadable> {
    let text = without_mark(bytes);
    let first = text.iter().position(|byte| !byte.is_ascii_whitespace()).ok_or(Unreadable::Empty)?;
    if matches!(text[first], b'{' | b'[') {
        return Err(Unreadable::Json(shorten(&text[first..])));
    }
    let delimiter = delimiter_of(&text[first..]);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
    let names = reader.byte_headers().cloned().unwrap_or_default();
    Ok((Header::find(&names, delimiter)?, reader))
}

/// The columns of a raw CSV, and where its first row begins, in bytes.
///
/// # Errors
/// [`Unreadable`], where the bytes are no CSV with the columns of candles.
pub fn open_at(bytes: &[u8]) -> Result<(Header, usize), Unreadable> {
    let (header, reader) = open(bytes)?;
    let mark = bytes.len() - without_mark(bytes).len();
    let behind = (mark + reader.position().byte() as usize).min(bytes.len());
    // The reader ends a line at its carriage return, and takes the line feed behind that for the next line's.
    let is_split = behind > 0 && bytes[..behind].ends_with(b"\r") && bytes[behind..].starts_with(b"\n");
    Ok((header, behind + usize::from(is_split)))
}

/// The text behind the byte order mark that spreadsheets put before it.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// `;` where the header has more of them than commas, as the API's own CSV has.
fn delimiter_of(text: &[u8]) -> u8 {
    let header = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |wanted: u8| header.iter().filter(|byte| **byte == wanted).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

impl Header {
    fn find(names: &ByteRecord, delimiter: u8) -> Result<Self, Unreadable> {
        let names: Vec<String> =
            names.iter().map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect();
        let known = |name: &String| TIME_NAMES.contains(&name.as_str()) || COLUMNS.contains(&name.as_str());
        if !names.iter().any(known) {
            return Err(Unreadable::NoHeader { found: shorten(names.join(",").as_bytes()) });
        }
        let time = only(&names, "datetime", &TIME_NAMES)?;
        let [open, high, low, close] = ["open", "high", "low", "close"].map(|name| only(&names, name, &[name]));
        let volume =
            if names.iter().any(|name| name == "volume") { Some(only(&names, "volume", &["volume"])?) } else { None };
        let is_filled = names.iter().position(|name| name == IS_FILLED);
        let is_read = |name: &String| known(name) || name == IS_FILLED || name == FETCHED_AT;
        let ignored = names.iter().filter(|name| !is_read(name) && !name.is_empty()).cloned().collect();
        Ok(Self { time, prices: [open?, high?, low?, close?], volume, is_filled, ignored, delimiter })
    }
}

/// The one field that bears one of a column's names.
fn only(names: &[String], column: &'static str, accepted: &[&str]) -> Result<usize, Unreadable> {
    let mut places = names.iter().enumerate().filter(|(_, name)| accepted.contains(&name.as_str())).map(|(at, _)| at);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => Err(Unreadable::AmbiguousColumn(column)),
        (None, _) => Err(Unreadable::MissingColumn { missing: column, found: shorten(names.join(",").as_bytes()) }),
    }
}

fn shorten(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    let text: String = String::from_utf8_lossy(bytes).chars().take(MOST).collect();
    text.trim_end().to_owned()
}

/// A candle as a source gave it, in the source's own digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// The time, as the source wrote it.
    pub datetime: String,
    /// Open, high, low and close; empty where the source had none.
    pub prices: [String; 4],
    /// The volume; none where the source had none for this row.
    pub volume: Option<String>,
    /// When the source last gave it; none where it is of the newest answer.
    pub fetched_at: Option<Timestamp>,
}

/// Writes what a source said as raw CSV, in its order and its digits. The volume has a column if any row has one, and so has
/// the time at which rows were fetched that are not of the newest answer.
///
/// # Errors
/// None that come from the rows; the writer's own, should memory refuse.
pub fn write(rows: &[SourceRow]) -> Result<Vec<u8>, csv::Error> {
    let has_volume = rows.iter().any(|row| row.volume.is_some());
    let has_marks = rows.iter().any(|row| row.fetched_at.is_some());
    let mut writer = WriterBuilder::new().from_writer(Vec::with_capacity(rows.len() * 64));
    let names = COLUMNS.into_iter().take(if has_volume { 6 } else { 5 });
    writer.write_record(names.chain(has_marks.then_some(FETCHED_AT)))?;
    rows.iter().try_for_each(|row| write_row(&mut writer, row, has_volume, has_marks))?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn write_row(
    writer: &mut Writer<Vec<u8>>,
    row: &SourceRow,
    has_volume: bool,
    has_marks: bool,
) -> Result<(), csv::Error> {
    let volume = has_volume.then(|| row.volume.as_deref().unwrap_or_default());
    let mark = row.fetched_at.map(|time| time.to_string()).unwrap_or_default();
    let fields = [&row.datetime, &row.prices[0], &row.prices[1], &row.prices[2], &row.prices[3]].map(String::as_str);
    writer.write_record(fields.into_iter().chain(volume).chain(has_marks.then_some(mark.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(text: &str) -> Result<Header, Unreadable> {
        open(text.as_bytes()).map(|(header, _)| header)
    }

    #[test]
    fn names_are_found_in_any_case_order_and_company() {
        let header = header_of("\u{feff}Close,Adj_Close,Date,OPEN, high ,low,Volume\n").unwrap();
        assert_eq!((header.time, header.prices, header.volume), (2, [3, 4, 5, 0], Some(6)));
        assert_eq!(header.ignored, ["adj_close"]);
    }

    #[test]
    fn the_semicolon_of_the_api_is_recognised() {
        let header = header_of("datetime;open;high;low;close\n").unwrap();
        assert_eq!((header.delimiter, header.volume), (b';', None));
    }

    #[test]
    fn the_first_row_begins_behind_the_header_and_its_line_break() {
        for (text, rows) in [
            ("date,open,high,low,close\n1", "1"),
            ("\u{feff}date,open,high,low,close\r\n1", "1"),
            ("\n\ndate;open;high;low;\"close\"\r1", "1"),
            ("date,open,high,low,close", ""),
            ("date,open,high,low,close\n\n1", "\n1"),
        ] {
            let (_, at) = open_at(text.as_bytes()).unwrap();
            assert_eq!(&text[at..], rows, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_candle_csv_is_refused_with_what_is_wrong() {
        for (text, words) in [
            ("", "the file is empty"),
            (" \r\n\n", "the file is empty"),
            ("{\"code\":429,\"message\":\"run out\"}", "JSON, not CSV: {\"code\":429"),
            ("2024-01-02,1,2,1,2,5\n", "line 1 is no header but \"2024-01-02,1"),
            ("\u{0}\u{1}\u{2}PNG", "line 1 is no header"),
            ("<html><body>busy</body></html>", "line 1 is no header"),
            ("datetime,open,high,low\n", "column \"close\" is missing"),
            ("open,high,low,close\n", "column \"datetime\" is missing"),
            ("date,datetime,open,high,low,close\n", "two columns are called \"datetime\""),
            ("date,open,high,low,close,Close\n", "two columns are called \"close\""),
        ] {
            let error = header_of(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_a_source_said_is_written_in_its_own_digits() {
        let row = |volume: Option<&str>| SourceRow {
            datetime: "2024-12-30".to_owned(),
            prices: ["252.230", "253.5", "", "252.20001"].map(str::to_owned),
            volume: volume.map(str::to_owned),
            fetched_at: None,
        };
        let written = write(&[row(Some("35557500")), row(None)]).unwrap();
        let expected = "datetime,open,high,low,close,volume\n2024-12-30,252.230,253.5,,252.20001,35557500\n2024-12-30,252.230,253.5,,252.20001,\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
        let written = write(&[row(None)]).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "datetime,open,high,low,close\n2024-12-30,252.230,253.5,,252.20001\n"
        );
        let marked = SourceRow { fetched_at: Some("2024-12-29T22:00:00Z".parse().unwrap()), ..row(None) };
        let written = String::from_utf8(write(&[row(None), marked]).unwrap()).unwrap();
        let lines: Vec<_> = written.lines().collect();
        assert_eq!(lines[0], "datetime,open,high,low,close,fetched_at");
        assert!(lines[1].ends_with(",252.20001,") && lines[2].ends_with(",2024-12-29T22:00:00Z"), "{written}");
        assert_eq!(header_of(&written).unwrap().ignored, [""; 0]);
    }
}
