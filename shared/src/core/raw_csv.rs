//! Raw CSV: the format that ingest writes and that users upload.

use csv::{Reader, ReaderBuilder, Writer, WriterBuilder};
use jiff::Timestamp;

use crate::core::symbol::Symbol;

pub mod cells;
mod file_kind;
mod header;
mod unreadable;

pub use file_kind::FileKind;
pub use header::{CURRENCIES, Header, SYMBOLS, is_in_money, is_volume};
pub use unreadable::{Unreadable, shown};

/// The header of the CSV that ingest writes, for an instrument with volume.
pub const COLUMNS: [&str; 6] = ["datetime", "open", "high", "low", "close", "volume"];

/// The column that marks candles which the latest response of the source lacks: the time at which the source last
/// returned them, in RFC 3339. It is empty in all other rows, and absent if there are no such candles.
pub const FETCHED_AT: &str = "fetched_at";

/// Opens a raw CSV file and returns its columns and a reader at its first row.
///
/// The reader is that of the csv crate, for CSV that is known to be well formed. Rows of other files are split line
/// by line with [`cells::Cells`].
///
/// # Errors
///
/// Fails with [`Unreadable`] if the bytes are not CSV with the columns of candles.
pub fn open(bytes: &[u8]) -> Result<(Header, Reader<&[u8]>), Unreadable> {
    let (header, body) = open_at(bytes, None)?;
    let mut builder = ReaderBuilder::new();
    builder.delimiter(header.delimiter).flexible(true).has_headers(false);
    Ok((header, builder.from_reader(&bytes[body..])))
}

/// Reads the header of a raw CSV file and returns its columns and the byte offset of its first row. With `symbol`, a
/// volume column that is named after the instrument is recognized as well.
///
/// # Errors
///
/// Fails with [`Unreadable`] if the bytes are not CSV with the columns of candles.
pub fn open_at(bytes: &[u8], symbol: Option<&Symbol>) -> Result<(Header, usize), Unreadable> {
    if let Some(kind) = FileKind::of(bytes) {
        return Err(Unreadable::OtherKind { kind });
    }
    let text = without_mark(bytes);
    let blank = text.iter().position(|byte| !byte.is_ascii_whitespace()).ok_or(Unreadable::Empty)?;
    if matches!(text[blank], b'{' | b'[') {
        return Err(Unreadable::Json(shown(&text[blank..])));
    }
    let start = bytes.len() - text.len() + blank;
    let (length, line_break) = cells::line(bytes, start);
    Ok((Header::read(&bytes[start..start + length], symbol)?, start + length + line_break))
}

/// Strips the UTF-8 byte order mark that spreadsheets write.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// A candle as the source returned it, with the source's own digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// The time, as the source wrote it.
    pub datetime: String,
    /// Open, high, low and close; empty if the source had no value.
    pub prices: [String; 4],
    /// The volume; `None` if the source had no volume for this row.
    pub volume: Option<String>,
    /// When the source last returned the row; `None` if the latest response has it.
    pub fetched_at: Option<Timestamp>,
}

/// Writes rows as raw CSV, in their order and with their digits. The volume column is written if any row has a
/// volume, and the column [`FETCHED_AT`] if any row has that time.
///
/// # Errors
///
/// Fails only if the CSV writer fails, never because of the content of a row.
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

    #[test]
    fn the_first_row_begins_after_the_header_and_its_line_break() {
        for (text, rows) in [
            ("date,open,high,low,close\n1", "1"),
            ("\u{feff}date,open,high,low,close\r\n1", "1"),
            ("\n\ndate;open;high;low;\"close\"\r1", "1"),
            ("date,open,high,low,close", ""),
            ("date,open,high,low,close\n\n1", "\n1"),
        ] {
            let (_, at) = open_at(text.as_bytes(), None).unwrap();
            assert_eq!(&text[at..], rows, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_candle_csv_is_refused_with_what_is_wrong() {
        for (text, words) in [
            ("", "the file is empty"),
            (" \r\n\n", "the file is empty"),
            ("{\"code\":429,\"message\":\"run out\"}", "JSON, not CSV: {\"code\":429"),
            ("\u{0}\u{1}\u{2}PNG-like", "the file is binary"),
            ("<html><body>busy</body></html>", "a web page (HTML), not CSV"),
            ("busy\u{85}[2J\n", "line 1 is not a header: \"busy [2J\""),
        ] {
            let error = open_at(text.as_bytes(), None).unwrap_err().to_string();
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
        assert_eq!(open(written.as_bytes()).unwrap().0.ignored, [""; 0]);
    }
}
