//! The difference between the rows in the table and the candles of a new version.

use candlewick_shared::core::candle::{Candle, CandleTime};

use crate::binary::{self, Frame};
use crate::lost::Going;

/// The difference, found by walking both in order of time.
pub struct Difference<'a> {
    coming: std::iter::Peekable<std::slice::Iter<'a, Candle>>,
    scratch: Vec<u8>,
    /// The rows to write, new or changed, in binary form.
    pub rows: Vec<u8>,
    /// The times of rows to remove.
    pub gone: Vec<CandleTime>,
    /// How many rows are equal.
    pub unchanged: i64,
    /// The real candles that are removed or replaced by filled ones.
    pub going: Going,
}

impl<'a> Difference<'a> {
    /// Starts with the new candles, in ascending order.
    pub fn from(candles: &'a [Candle]) -> Self {
        let coming = candles.iter().peekable();
        let scratch = Vec::new();
        let rows = Vec::new();
        let gone = Vec::new();
        Self { coming, scratch, rows, gone, unchanged: 0, going: Going::default() }
    }

    /// Takes the next row of the table, in ascending order.
    pub fn add_row(&mut self, row: &[u8]) {
        let Some(time) = binary::time_of(row) else { return };
        while let Some(added) = self.coming.next_if(|candle| binary::microseconds(candle.time) < time) {
            Frame::default().put(&mut self.rows, added);
        }
        match self.coming.next_if(|candle| binary::microseconds(candle.time) == time) {
            Some(candle) => self.compare(row, candle),
            None => self.remove(row, binary::candle_time(time)),
        }
    }

    fn remove(&mut self, row: &[u8], time: CandleTime) {
        self.gone.push(time);
        if !is_filled(row) {
            self.going.add(time);
        }
    }

    fn compare(&mut self, row: &[u8], candle: &Candle) {
        self.scratch.clear();
        Frame::default().put(&mut self.scratch, candle);
        if self.scratch == row {
            self.unchanged += 1;
        } else {
            self.rows.extend(&self.scratch);
            if candle.is_filled && !is_filled(row) {
                self.going.add(candle.time);
            }
        }
    }

    /// Ends the walk: the table has no more rows.
    pub fn end(&mut self) {
        for added in self.coming.by_ref() {
            Frame::default().put(&mut self.rows, added);
        }
    }
}

/// Whether a row without a frame is a filled candle: its last column is that flag, in one byte.
fn is_filled(row: &[u8]) -> bool {
    row.last() == Some(&1)
}
