//! Reads all rows of a raw object and checks each one by itself.

use std::ops::RangeInclusive;

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::Header;
use candlewick_shared::core::raw_csv::cells::{Cells, QuoteError, line, line_break};

use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::gaps;
use crate::instruments::Instruments;
use crate::plain::PlainRows;
use crate::repeated::{self, Repeated};
use crate::row::Row;
use crate::row_rules::RowRules;

/// The result of reading a raw object.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The rows that are possible candles, in the order of the text.
    pub rows: Vec<Row>,
    /// The candles that an earlier cleaning filled.
    pub filled: Vec<Row>,
    /// The rows to quarantine.
    pub quarantined: Vec<QuarantinedRow>,
    /// The count of all rows.
    pub read: u64,
    /// The count of rows with only empty cells.
    pub empty: u64,
    /// The count of rows whose range was widened.
    pub widened: u64,
    /// The count of rows with the values of a candle and an unreadable time.
    pub unplaced: u64,
    /// The instruments that the rows name.
    pub instruments: Instruments,
}

/// Reads the rows of a text from the offset `body`; each line is a row.
pub fn rows(text: &[u8], body: usize, rules: &RowRules<'_>, plain: Option<PlainRows<'_>>) -> Read {
    let header = rules.values.header;
    let cells = Cells::new(header.delimiter);
    let read = Read { instruments: Instruments::of(header), ..Read::default() };
    let mut reader = Reader { text, rules, plain, cells, read, repeated: Vec::new() };
    let mut at = body;
    while at < text.len() {
        at += reader.row(at);
    }
    repeated::settle(&mut reader.read.rows, &reader.repeated);
    reader.read
}

impl Read {
    /// The slots of quarantined rows in ascending order, or all times if a row has an unreadable time.
    pub fn spoken_of(&self, quarantined: &[QuarantinedRow], interval: Interval) -> Vec<RangeInclusive<i64>> {
        if self.unplaced > 0 { vec![i64::MIN..=i64::MAX] } else { gaps::spoken_of(quarantined, interval) }
    }
}

/// Whether a field is zero or empty in every row.
pub fn is_all_zero(text: &[u8], body: usize, header: &Header, field: usize) -> bool {
    let mut cells = Cells::new(header.delimiter);
    let mut at = body;
    while at < text.len() {
        let (length, line_break) = line(text, at);
        let is_read = cells.split(&text[at..at + length]).is_ok();
        if is_read && cells.get(field).iter().any(|byte| !matches!(byte, b'0' | b'.')) {
            return false;
        }
        at += length + line_break;
    }
    true
}

struct Reader<'a> {
    text: &'a [u8],
    rules: &'a RowRules<'a>,
    plain: Option<PlainRows<'a>>,
    cells: Cells,
    read: Read,
    repeated: Vec<Repeated>,
}

impl Reader<'_> {
    /// Reads the row at `start`, and returns the distance to the next one.
    fn row(&mut self, start: usize) -> usize {
        self.read.read += 1;
        if let Some(length) = self.plain_row(start) {
            return length + line_break(self.text, start + length);
        }
        let (length, line_break) = line(self.text, start);
        let is_cut_off = line_break == 0;
        self.any_row(start, length, is_cut_off);
        length + line_break
    }

    fn plain_row(&mut self, start: usize) -> Option<usize> {
        let row = self.plain.as_mut()?.read(&self.text[start..])?;
        let time = CandleTime::from_seconds(row.time.seconds() - self.rules.times.shift);
        if self.rules.times.is_future(time) || !self.rules.times.is_whole(time) {
            return None;
        }
        if self.read.rows.is_empty() {
            // The largest possible number of rows if all are about as long as this one; the list is then never
            // reallocated.
            let most = (self.text.len() - start) / row.length;
            self.read.rows.reserve(most + most / 16);
        }
        let numbers = Some(row.numbers);
        let has_time_of_day = self.rules.times.interval.is_intraday();
        self.read.rows.push(Row { time, start, numbers, has_time_of_day, is_filled: false });
        Some(row.length)
    }

    fn any_row(&mut self, start: usize, length: usize, is_cut_off: bool) {
        let line = &self.text[start..start + length];
        match self.cells.split(line) {
            Err(error) => self.quarantined(start, line, broken(error)),
            Ok(()) if self.cells.are_empty() => self.read.empty += 1,
            Ok(()) if self.is_ragged(is_cut_off) => {
                self.quarantined(start, line, Fault { column: "row", reason: Reason::Ragged });
            }
            Ok(()) => self.whole_row(start, line),
        }
    }

    /// Cells may be missing at the end of a row if their columns are not read. The last row of a file that was cut
    /// off must have all of them.
    fn is_ragged(&self, is_cut_off: bool) -> bool {
        let header = self.rules.values.header;
        let count = self.cells.count();
        let fields = header.names.len();
        let least = if is_cut_off { fields } else { header.fields_read() };
        count < least || self.cells.count_to_last() > fields
    }

    fn whole_row(&mut self, start: usize, line: &[u8]) {
        self.read.instruments.see(&self.cells);
        let (time, judged) = match self.rules.read(&self.cells) {
            Ok(read) => read,
            Err(fault) => {
                self.read.unplaced += u64::from(self.is_unplaced(fault));
                return self.quarantined(start, line, fault);
            }
        };
        let row = Row {
            time: time.time,
            start,
            numbers: None,
            has_time_of_day: time.has_time_of_day,
            is_filled: judged.candle.is_filled,
        };
        if row.is_filled {
            return self.read.filled.push(row);
        }
        self.read.widened += u64::from(judged.is_widened);
        self.repeated.extend(time.repeated.map(|second| Repeated { at: self.read.rows.len(), second }));
        self.read.rows.push(row);
    }

    /// Whether a row is a candle except for its time, so that it could belong in any vacant slot.
    fn is_unplaced(&self, fault: Fault) -> bool {
        let is_unknown = matches!(fault.reason, Reason::Missing | Reason::Unreadable | Reason::OtherInterval);
        let epoch = CandleTime::from_seconds(0);
        fault.column == "time" && is_unknown && self.rules.values.read(epoch, &self.cells).is_ok()
    }

    fn quarantined(&mut self, start: usize, line: &[u8], fault: Fault) {
        let header = self.rules.values.header;
        let cell = line.split(|byte| *byte == header.delimiter).nth(header.time).unwrap_or_default();
        let cell = cell.trim_ascii().trim_ascii_start();
        let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
        let time = self.rules.times.spoken_of(cell.strip_suffix(b"\"").unwrap_or(cell));
        self.read.quarantined.push(QuarantinedRow { start, time, fault });
    }
}

fn broken(error: QuoteError) -> Fault {
    let reason = match error {
        QuoteError::Open => Reason::OpenQuote,
        QuoteError::Stray => Reason::StrayQuote,
    };
    Fault { column: "row", reason }
}
