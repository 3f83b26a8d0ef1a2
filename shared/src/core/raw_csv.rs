//! Raw CSV: what ingest writes and what people drop.

use csv::{Reader, ReaderBuilder, Writer, WriterBuilder};

use crate::core::symbol::Symbol;

pub mod cells;
mod file_kind;
mod header;
mod unreadable;

pub use file_kind::FileKind;
pub use header::Header;
pub use unreadable::{Unreadable, shown};

/// The header of the CSV that ingest writes, where the instrument has volume.
pub const COLUMNS: [&str; 6] = ["datetime", "open", "high", "low", "close", "volume"];

/// Opens a raw CSV: its columns, and a reader at its first row.
///
/// The reader is the csv crate's, for CSV that is known to be well formed. Rows of other files are read line by line, with
/// [`cells::Cells`].
///
/// # Errors
/// [`Unreadable`], where the bytes are no CSV with the columns of candles.
pub fn open(bytes: &[u8]) -> Result<(Header, Reader<&[u8]>), Unreadable> {
    let (header, body) = open_at(bytes, None)?;
    let mut builder = ReaderBuilder::new();
    builder.delimiter(header.delimiter).flexible(true).has_headers(false);
    Ok((header, builder.from_reader(&bytes[body..])))
}

/// The columns of a raw CSV, and where its first row begins, in bytes. Of an instrument whose symbol is known, a volume that is
/// named after it is known too.
///
/// # Errors
/// [`Unreadable`], where the bytes are no CSV with the columns of candles.
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

/// The text after the byte order mark that spreadsheets put before it.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
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
}

/// Writes what a source said as raw CSV, in its order and its digits. The volume has a column if any row has one.
///
/// # Errors
/// None that come from the rows; the writer's own, should memory refuse.
pub fn write(rows: &[SourceRow]) -> Result<Vec<u8>, csv::Error> {
    let columns = if rows.iter().any(|row| row.volume.is_some()) { 6 } else { 5 };
    let mut writer = WriterBuilder::new().from_writer(Vec::with_capacity(rows.len() * 64));
    writer.write_record(&COLUMNS[..columns])?;
    rows.iter().try_for_each(|row| write_row(&mut writer, row, columns))?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn write_row(writer: &mut Writer<Vec<u8>>, row: &SourceRow, columns: usize) -> Result<(), csv::Error> {
    let volume = row.volume.as_deref().unwrap_or_default();
    let fields = [&row.datetime, &row.prices[0], &row.prices[1], &row.prices[2], &row.prices[3]].map(String::as_str);
    writer.write_record(fields.into_iter().chain([volume]).take(columns))
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
        };
        let written = write(&[row(Some("35557500")), row(None)]).unwrap();
        let expected = "datetime,open,high,low,close,volume\n2024-12-30,252.230,253.5,,252.20001,35557500\n2024-12-30,252.230,253.5,,252.20001,\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
        let written = write(&[row(None)]).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "datetime,open,high,low,close\n2024-12-30,252.230,253.5,,252.20001\n"
        );
    }
}
