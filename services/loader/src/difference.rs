//! The difference between the rows in the table and the candles of a new version.

use candlewick_shared::core::candle::{Candle, CandleTime};

use crate::binary::{self, Frame};
use crate::lost::LossTally;

/// Collects the difference while both are walked in order of time.
pub struct Difference<'a> {
    candles: std::iter::Peekable<std::slice::Iter<'a, Candle>>,
    scratch: Vec<u8>,
    /// The rows to write, new or changed, in binary form.
    pub rows: Vec<u8>,
    /// The times of rows to remove.
    pub removed: Vec<CandleTime>,
    /// How many rows equal their candle.
    pub unchanged: i64,
    /// The real candles that are removed or replaced by filled ones.
    pub losses: LossTally,
}

impl<'a> Difference<'a> {
    /// Starts with the new candles, in ascending order.
    pub fn from(candles: &'a [Candle]) -> Self {
        let candles = candles.iter().peekable();
        let scratch = Vec::new();
        let rows = Vec::new();
        let removed = Vec::new();
        Self { candles, scratch, rows, removed, unchanged: 0, losses: LossTally::default() }
    }

    /// Takes the next row of the table, in ascending order.
    pub fn add_row(&mut self, row: &[u8]) {
        let Some(time) = binary::time_of(row) else { return };
        while let Some(added) = self.candles.next_if(|candle| binary::microseconds(candle.time) < time) {
            Frame::default().put(&mut self.rows, added);
        }
        match self.candles.next_if(|candle| binary::microseconds(candle.time) == time) {
            Some(candle) => self.compare(row, candle),
            None => self.remove(row, binary::candle_time(time)),
        }
    }

    fn remove(&mut self, row: &[u8], time: CandleTime) {
        self.removed.push(time);
        if !is_filled(row) {
            self.losses.add(time);
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
                self.losses.add(candle.time);
            }
        }
    }

    /// Adds the candles after the last row of the table.
    pub fn end(&mut self) {
        for added in self.candles.by_ref() {
            Frame::default().put(&mut self.rows, added);
        }
    }
}

/// Whether an unframed row is a filled candle. Its last column is that flag, in one byte.
fn is_filled(row: &[u8]) -> bool {
    row.last() == Some(&1)
}
