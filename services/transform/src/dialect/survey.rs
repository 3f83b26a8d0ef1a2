//! Scans every row of a file for its order of dates, its decimal mark and its time zone.

use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::time_text::TimeText;

use super::layout::Layout;
use super::moment::{Moment, Zone};
use super::numbers::{self, Marks};
use super::orders::Orders;
use super::time_columns::{TimeColumns, has_price, kind};

/// The result of the scan.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub marks: Marks,
    pub orders: Orders,
    /// The time zones that the times name.
    pub zones: Zones,
    /// The offsets of the first and the last row with a time or a price; `None` if there are no such rows.
    pub rows: Option<(usize, usize)>,
    /// Whether every price is a whole number of at least seven digits.
    pub are_prices_scaled: bool,
    /// The first price with a currency.
    pub currency: Option<Priced>,
    /// The first price with another currency than that.
    pub other_currency: Option<Priced>,
    /// The line and the content of the first price that is a fraction.
    pub fraction: Option<(u64, String)>,
}

/// A price with a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    pub line: u64,
    pub cell: String,
    currency: &'static str,
}

/// The time zones that the times of a file name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Zones {
    /// No time was read so far.
    #[default]
    Unseen,
    /// All times name this zone.
    One(String),
    /// Several zones, or times without a zone.
    Several,
}

/// Scans every row.
pub fn survey(text: &[u8], layout: &Layout, times: &TimeColumns) -> Survey {
    let mut survey = Survey { are_prices_scaled: true, ..Survey::default() };
    let mut cells = Cells::new(layout.delimiter);
    let mut at = layout.body;
    let mut number = 1 + count_lines(&text[..layout.body]);
    while at < text.len() {
        let (length, line_break) = line(text, at);
        if cells.split(&text[at..at + length]).is_ok() && is_row(&cells, layout, times) {
            survey.rows = Some((survey.rows.map_or(at, |(first, _)| first), at));
            survey.row(&cells, layout, times, number);
        }
        at += length + line_break;
        number += 1;
    }
    survey
}

fn count_lines(text: &[u8]) -> u64 {
    let mut at = 0;
    let mut count = 0;
    while at < text.len() {
        let (length, line_break) = line(text, at);
        at += length + line_break;
        count += 1;
    }
    count
}

/// Whether a line has a time or a close. Other lines are remarks if they are before or after all rows.
pub fn is_row(cells: &Cells, layout: &Layout, times: &TimeColumns) -> bool {
    cells.count() > 1 && (kind(text(cells, times.field)).is_some() || has_price(cells, layout))
}

/// The content of a cell; empty if it is not UTF-8.
pub fn text(cells: &Cells, field: usize) -> &str {
    std::str::from_utf8(cells.get(field)).unwrap_or_default()
}

impl Survey {
    fn row(&mut self, cells: &Cells, layout: &Layout, times: &TimeColumns, line: u64) {
        let columns = &layout.columns;
        for field in columns.prices {
            self.price(text(cells, field), line);
        }
        for field in [columns.volume, columns.tick_volume].into_iter().flatten() {
            self.marks.see(text(cells, field), true, line);
        }
        let time = text(cells, times.field);
        if TimeText::read(time).is_none() {
            self.orders.see(time, line);
            self.zones.see(time);
        } else {
            self.zones.unsaid();
        }
    }

    fn price(&mut self, cell: &str, line: u64) {
        let is_whole = cell.len() >= 7 && cell.bytes().all(|byte| byte.is_ascii_digit());
        self.are_prices_scaled &= is_whole || cell.is_empty();
        self.marks.see(cell, false, line);
        if cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return;
        }
        if numbers::is_fraction(cell) {
            self.fraction.get_or_insert_with(|| (line, cell.to_owned()));
        }
        let Some(currency) = numbers::currency(cell) else { return };
        let priced = || Priced { line, cell: cell.to_owned(), currency };
        if self.currency.get_or_insert_with(priced).currency != currency {
            self.other_currency.get_or_insert_with(priced);
        }
    }
}

impl Zones {
    fn see(&mut self, time: &str) {
        match (Moment::read(time).map(|moment| moment.zone), &*self) {
            (Some(Zone::Named(name)), Self::Unseen) => *self = Self::One(name.to_owned()),
            (Some(Zone::Named(name)), Self::One(one)) if one == name => {}
            (Some(_), _) => *self = Self::Several,
            (None, _) => {}
        }
    }

    fn unsaid(&mut self) {
        *self = Self::Several;
    }
}

/// Whether a cell is not a number of raw CSV, but a number in another form.
pub fn is_other_number(cell: &str, has_unit: bool) -> bool {
    use candlewick_shared::core::decimal::Decimal;
    let reads = |mark| numbers::read(cell, mark, has_unit).is_some();
    Decimal::parse(cell.as_bytes()).is_err() && (reads(numbers::Mark::Point) || reads(numbers::Mark::Comma))
}
