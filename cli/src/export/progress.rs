//! Shows how far an export is.

use std::time::{Duration, Instant};

use candlewick_shared::core::key::Series;

use crate::terminal;

/// How often a long series shows that it goes on.
const EVERY: Duration = Duration::from_secs(2);

pub struct Progress {
    is_shown: bool,
    rows: usize,
    last: Instant,
}

impl Progress {
    pub fn on_stderr() -> Self {
        Self { is_shown: true, rows: 0, last: Instant::now() }
    }

    pub fn silent() -> Self {
        Self { is_shown: false, ..Self::on_stderr() }
    }

    /// Counts the rows of a piece of CSV.
    pub fn add_rows(&mut self, series: &Series, lines: &[u8]) {
        self.rows += lines.iter().filter(|byte| **byte == b'\n').count();
        if self.is_shown && self.last.elapsed() >= EVERY {
            self.show(&format!("{series}: {} candles so far", self.rows));
        }
    }

    /// Shows the end of the series with that number.
    pub fn end_series(&mut self, series: &Series, number: usize) {
        if self.is_shown {
            self.show(&format!("{number}. {series}: {} candles", self.rows));
        }
        self.rows = 0;
    }

    fn show(&mut self, text: &str) {
        terminal::progress(text);
        self.last = Instant::now();
    }
}
