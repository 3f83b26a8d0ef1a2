//! All rows of a raw object, each judged by itself.

use crate::cells::{Cells, line_break};
use crate::plain::PlainRows;
use crate::quarantine::SetAside;
use crate::row::{Row, RowRules};

/// A raw object, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The rows that are possible candles, in the order of the text.
    pub rows: Vec<Row>,
    /// Those that are none.
    pub aside: Vec<SetAside>,
    /// How many rows there are.
    pub read: u64,
    /// How many have nothing in any cell.
    pub empty: u64,
    /// How many an earlier cleaning had put in.
    pub refilled: u64,
}

/// Reads the rows of a text that begin at a place in it. Each of its lines is a row, but for those within quotes.
#[must_use]
pub fn rows(text: &[u8], body: usize, rules: &RowRules<'_>, plain: Option<PlainRows<'_>>) -> Read {
    let cells = Cells::new(rules.header.delimiter);
    let mut reader = Reader { text, rules, plain, cells, read: Read::default() };
    let mut at = body;
    while at < text.len() {
        at += reader.row(at);
    }
    reader.read
}

struct Reader<'a> {
    text: &'a [u8],
    rules: &'a RowRules<'a>,
    plain: Option<PlainRows<'a>>,
    cells: Cells,
    read: Read,
}

impl Reader<'_> {
    /// Takes the row that begins at a place, and says how far the next one is from there.
    fn row(&mut self, start: usize) -> usize {
        self.read.read += 1;
        let length = match line_break(self.text, start) {
            0 => self.plain_row(start).unwrap_or_else(|| self.any_row(start)),
            _ => {
                self.read.empty += 1;
                0
            }
        };
        length + line_break(self.text, start + length)
    }

    fn plain_row(&mut self, start: usize) -> Option<usize> {
        let row = self.plain.as_mut()?.read(&self.text[start..])?;
        if self.rules.is_future(row.time) {
            return None;
        }
        if self.read.rows.is_empty() {
            // As many rows as there can be if all are about as long as this one: then they are never moved to make room.
            let most = (self.text.len() - start) / row.length;
            self.read.rows.reserve(most + most / 16);
        }
        self.read.rows.push(Row { time: row.time, start, numbers: Some(row.numbers) });
        Some(row.length)
    }

    fn any_row(&mut self, start: usize) -> usize {
        let length = self.cells.split(&self.text[start..]);
        if self.cells.are_empty() {
            self.read.empty += 1;
        } else if self.rules.is_filled(&self.cells) {
            self.read.refilled += 1;
        } else {
            match self.rules.candle(&self.cells) {
                Ok(candle) => self.read.rows.push(Row { time: candle.time, start, numbers: None }),
                Err(fault) => self.read.aside.push(SetAside { start, fault }),
            }
        }
        self.without_break(start, length)
    }

    /// The length of a row without the first byte of its line break, which the parser of cells counts as the row's.
    fn without_break(&self, start: usize, length: usize) -> usize {
        match self.text.get(start..start + length) {
            Some([.., b'\n' | b'\r']) => length - 1,
            _ => length,
        }
    }
}

impl RowRules<'_> {
    /// A reader of the rows that are plain, where the header lets any be.
    #[must_use]
    pub fn plain_rows(&self) -> Option<PlainRows<'_>> {
        PlainRows::new(self.header, self.interval, self.zone)
    }
}
