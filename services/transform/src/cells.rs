//! The cells of one row, in every form that CSV has: quotes, any line break, any number of cells.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The byte order mark, which the reader would take off the first cell of any row that it begins with.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The cells of the row that was split last.
#[derive(Debug)]
pub struct Cells {
    delimiter: u8,
    /// The parser, whose making takes longer than cleaning some hundred plain rows, and which those never need.
    reader: Option<Box<Reader>>,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    /// No cells yet, of rows with this delimiter.
    #[must_use]
    pub fn new(delimiter: u8) -> Self {
        Self { delimiter, reader: None, text: vec![0; 256], ends: vec![0; 16], count: 0 }
    }

    /// Splits the row with which a text begins, and says how many bytes it takes, the first byte of its line break
    /// included. The text must not be empty, nor begin with a line break.
    pub fn split(&mut self, text: &[u8]) -> usize {
        let make = || Box::new(ReaderBuilder::new().delimiter(self.delimiter).build());
        let reader = self.reader.get_or_insert_with(make);
        reader.reset();
        if text.starts_with(MARK) {
            // A reader that has read something already leaves the mark alone.
            reader.read_record(b"x\n", &mut self.text, &mut self.ends);
        }
        let (mut read, mut written) = (0, 0);
        self.count = 0;
        loop {
            let (input, output, ends) = (&text[read..], &mut self.text[written..], &mut self.ends[self.count..]);
            let (result, from_input, to_output, to_ends) = reader.read_record(input, output, ends);
            (read, written, self.count) = (read + from_input, written + to_output, self.count + to_ends);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return read,
            }
        }
    }

    /// The cell of a field without the white space around it; nothing where the row has not so many.
    #[must_use]
    pub fn get(&self, field: usize) -> &[u8] {
        let ends = &self.ends[..self.count];
        let Some(&end) = ends.get(field) else { return &[] };
        let start = field.checked_sub(1).map_or(0, |before| ends[before]);
        self.text[start..end].trim_ascii()
    }

    /// Whether there is nothing in any cell.
    #[must_use]
    pub fn are_empty(&self) -> bool {
        let written = self.ends[..self.count].last().copied().unwrap_or(0);
        self.text[..written].trim_ascii().is_empty()
    }
}

/// How many bytes of line break a text has at a place: none, one, or two for carriage return and line feed.
#[must_use]
pub fn line_break(text: &[u8], at: usize) -> usize {
    match text.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> (Vec<String>, usize) {
        let mut cells = Cells::new(b',');
        let length = cells.split(text.as_bytes());
        let cells = (0..cells.count).map(|field| String::from_utf8_lossy(cells.get(field)).into_owned()).collect();
        (cells, length)
    }

    fn check(text: &str, cells: &[&str], length: usize) {
        assert_eq!(split(text), (cells.iter().map(|cell| (*cell).to_owned()).collect(), length), "{text:?}");
    }

    #[test]
    fn a_row_ends_at_its_line_break_and_not_at_a_quoted_one() {
        check("a, b \nc", &["a", "b"], 6);
        check("a,b\r\nc", &["a", "b"], 4);
        check("a,b\rc", &["a", "b"], 4);
        check("a,\"b\nc\"\"d\"\ne", &["a", "b\nc\"d"], 11);
        check("a,b", &["a", "b"], 3);
        check("a,\"b\n", &["a", "b"], 5);
    }

    #[test]
    fn a_mark_in_the_middle_of_a_file_is_no_mark() {
        check("\u{feff}\na", &["\u{feff}"], 4);
    }

    #[test]
    fn a_row_may_have_any_number_of_cells_of_any_length() {
        let long = "x".repeat(3000);
        let row = [long.as_str(); 40];
        check(&row.join(","), &row, 40 * 3001 - 1);
    }
}
