//! Splits a line into cells.
//!
//! A row never continues on the next line, because an unclosed quote would then swallow the lines after it. The csv
//! crate does read records across lines, and reports neither an unclosed quote nor text after a closing quote.

use std::ops::Range;

use memchr::memchr2;
use thiserror::Error;

/// Why a line cannot be split into cells.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuoteError {
    /// The line ends within a quoted cell.
    #[error("a quote is opened and not closed in its line")]
    Open,
    /// There is text between the closing quote of a cell and the next delimiter.
    #[error("something follows a closing quote in its cell")]
    Stray,
}

/// The length of the line that starts at `start`, without its line break, and the length of that line break: 0 at the
/// end of the text, 2 for CR LF, otherwise 1.
#[must_use]
pub fn line(text: &[u8], start: usize) -> (usize, usize) {
    let rest = text.get(start..).unwrap_or_default();
    let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    (length, line_break(text, start + length))
}

/// The length of the line break at `at`: 0 if there is no line break, 2 for CR LF, otherwise 1.
#[must_use]
pub fn line_break(text: &[u8], at: usize) -> usize {
    match text.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The cells of the most recently split line, without surrounding white space.
#[derive(Clone, Debug)]
pub struct Cells {
    delimiter: u8,
    line: Vec<u8>,
    cells: Vec<Range<usize>>,
}

impl Cells {
    /// Creates an empty splitter for lines with this delimiter.
    #[must_use]
    pub fn new(delimiter: u8) -> Self {
        Self { delimiter, line: Vec::new(), cells: Vec::new() }
    }

    /// Splits a line, which must not include its line break.
    ///
    /// # Errors
    ///
    /// Fails with [`QuoteError`] if a quote is not closed, or text follows a closing quote.
    pub fn split(&mut self, line: &[u8]) -> Result<(), QuoteError> {
        self.line.clear();
        self.cells.clear();
        let mut rest = line;
        loop {
            let after = self.cell(rest)?;
            match rest.get(after) {
                Some(_) => rest = &rest[after + 1..],
                None => return Ok(()),
            }
        }
    }

    /// Appends the first cell of a text, and returns the offset of the delimiter after it, or the length of the text.
    fn cell(&mut self, text: &[u8]) -> Result<usize, QuoteError> {
        let blank = text.iter().take_while(|byte| self.is_blank(**byte)).count();
        let begin = self.line.len();
        let after = match text.get(blank) {
            Some(b'"') => blank + 1 + self.quoted(&text[blank + 1..])?,
            _ => {
                let length = memchr::memchr(self.delimiter, text).unwrap_or(text.len());
                self.line.extend_from_slice(text[..length].trim_ascii());
                length
            }
        };
        let cell = self.line[begin..].trim_ascii();
        let start = begin + (cell.as_ptr() as usize - self.line[begin..].as_ptr() as usize);
        self.cells.push(start..start + cell.len());
        Ok(after)
    }

    /// Appends the rest of a quoted cell after its opening quote, and returns the offset of the delimiter after it.
    fn quoted(&mut self, text: &[u8]) -> Result<usize, QuoteError> {
        let mut at = 0;
        loop {
            let quote = at + memchr::memchr(b'"', &text[at..]).ok_or(QuoteError::Open)?;
            self.line.extend_from_slice(&text[at..quote]);
            at = quote + 1;
            if text.get(at) != Some(&b'"') {
                break;
            }
            self.line.push(b'"');
            at += 1;
        }
        let blank = text[at..].iter().take_while(|byte| self.is_blank(**byte)).count();
        match text.get(at + blank) {
            None => Ok(text.len()),
            Some(byte) if *byte == self.delimiter => Ok(at + blank),
            Some(_) => Err(QuoteError::Stray),
        }
    }

    fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.delimiter
    }

    /// The number of cells, at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cells.len()
    }

    /// The number of cells up to and including the last one that is not empty.
    #[must_use]
    pub fn count_to_last(&self) -> usize {
        self.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1)
    }

    /// The content of a cell; empty if the line has fewer cells.
    #[must_use]
    pub fn get(&self, field: usize) -> &[u8] {
        self.cells.get(field).map(|cell| &self.line[cell.clone()]).unwrap_or_default()
    }

    /// Whether all cells are empty.
    #[must_use]
    pub fn are_empty(&self) -> bool {
        self.count_to_last() == 0
    }

    /// All cells as text; invalid UTF-8 is replaced.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        (0..self.count()).map(|field| String::from_utf8_lossy(self.get(field)).into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Result<Vec<String>, QuoteError> {
        let mut cells = Cells::new(b',');
        cells.split(text.as_bytes()).map(|()| cells.texts())
    }

    #[test]
    fn a_line_ends_at_any_line_break() {
        for (text, expected) in [("a\nb", (1, 1)), ("a\r\nb", (1, 2)), ("a\rb", (1, 1)), ("a", (1, 0)), ("\n", (0, 1))]
        {
            assert_eq!(line(text.as_bytes(), 0), expected, "{text:?}");
        }
    }

    #[test]
    fn cells_are_split_at_delimiters_outside_of_quotes() {
        for (text, expected) in [
            ("a, b ,", vec!["a", "b", ""]),
            ("", vec![""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"a\"\"b\"", vec!["a\"b"]),
            ("1, \"2\" ,\" 3 \"", vec!["1", "2", "3"]),
            ("a\"b,c", vec!["a\"b", "c"]),
        ] {
            assert_eq!(split(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_that_do_not_fit_are_refused() {
        for (text, expected) in [
            ("a,\"b", QuoteError::Open),
            ("\"", QuoteError::Open),
            ("a,\"b\"\",c", QuoteError::Open),
            ("\"100\"5,1", QuoteError::Stray),
            ("\"a\\\"b\",1", QuoteError::Stray),
        ] {
            assert_eq!(split(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn cells_are_counted_up_to_the_last_that_is_not_empty() {
        let mut cells = Cells::new(b',');
        cells.split(b"a,,b,,").unwrap();
        assert_eq!((cells.count(), cells.count_to_last(), cells.are_empty()), (5, 3, false));
        cells.split(b" ,\"\",").unwrap();
        assert_eq!((cells.count(), cells.count_to_last(), cells.are_empty()), (3, 0, true));
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read(cells in proptest::collection::vec("[a-z0-9,\" ;.]{0,8}", 1..6)) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            writer.write_record(&cells).unwrap();
            let line = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let trimmed: Vec<_> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
            prop_assert_eq!(split(line.trim_end_matches('\n')), Ok(trimmed));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut cells = Cells::new(b';');
            if cells.split(&bytes).is_ok() {
                prop_assert!(cells.count() > 0 && cells.count_to_last() <= cells.count());
            }
        }
    }
}
