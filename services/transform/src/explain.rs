//! Describes the fault of a row in words: what the cell contains, and an example of what is accepted.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::raw_csv::cells::Cells;
use candlewick_shared::core::raw_csv::{Header, shown};
use candlewick_shared::core::time_text::TimeText;
use jiff::tz::TimeZone;

use crate::fault::{Fault, Reason};
use crate::task::Task;

/// Advice if a daily candle is stamped with an instant and no session gives it a date.
const NO_SESSIONS: &str =
    ": if a session opens then, name the exchange with --calendar XNYS, or with `calendar` in the watchlist";

/// Describes the rows of one object.
#[derive(Clone, Debug)]
pub struct Explain<'a> {
    header: &'a Header,
    task: &'a Task<'a>,
    /// The time zone of times without an offset.
    zone: &'a TimeZone,
    calendar: Option<&'static Calendar>,
    unclear_stamps: Option<&'a str>,
    cells: Cells,
}

impl<'a> Explain<'a> {
    /// Creates the descriptions for rows below `header`, whose local times are in `zone`. `unclear_stamps` says why the stamping of weeks or months
    /// cannot be detected.
    pub fn new(
        header: &'a Header,
        task: &'a Task<'a>,
        zone: &'a TimeZone,
        calendar: Option<&'static Calendar>,
        unclear_stamps: Option<&'a str>,
    ) -> Self {
        Self { header, task, zone, calendar, unclear_stamps, cells: Cells::new(header.delimiter) }
    }

    /// Describes the fault of a row.
    pub fn detail(&mut self, row: &[u8], fault: Fault) -> String {
        if let Err(error) = self.cells.split(row) {
            return error.to_string();
        }
        let cell = self.cell(fault.column);
        match fault.reason {
            Reason::Ragged => self.ragged(row),
            Reason::Missing => format!("{} is missing", fault.column),
            Reason::Unreadable => unreadable(&cell, fault.column),
            Reason::TooManyDigits => format!("{cell:?} has more digits than the 36 that are kept"),
            Reason::NotPositive => format!(
                "{cell} is not above 0 (allow_negative in the watchlist permits it, and clean --allow-negative)"
            ),
            Reason::Negative => format!("{cell} is below 0"),
            Reason::HighBelowLow => format!("high {} is below low {}", self.cell("high"), self.cell("low")),
            Reason::OutsideRange => {
                format!("{} {cell} is outside of {} to {}", fault.column, self.cell("low"), self.cell("high"))
            }
            Reason::Future => format!(
                "{cell} is later than {}, when the file was fetched or written (--as-of says otherwise)",
                self.task.now
            ),
            Reason::OtherInterval => self.other_interval(&cell),
            Reason::SkippedTime => format!("clocks in {} skipped {cell}", self.zone()),
            Reason::NoSession => self.no_session(&cell),
            Reason::NoSlot => self.no_slot(&cell),
            Reason::LesserDuplicate => "another row of this time has a larger volume".to_owned(),
            Reason::ConflictingDuplicate => "another row of this time has other values".to_owned(),
            Reason::OpenQuote | Reason::StrayQuote => "its quotes do not fit".to_owned(),
        }
    }

    fn other_interval(&mut self, cell: &str) -> String {
        let interval = self.task.series.interval;
        if interval.is_intraday() {
            return format!("{cell:?} is not the time of a {interval} candle: write 2024-12-30 09:30:00");
        }
        let advice = if self.is_of_no_known_session(cell) { NO_SESSIONS } else { "" };
        format!("{cell:?} has a time of day or belongs to a shorter interval than {interval}{advice}")
    }

    fn no_session(&self, cell: &str) -> String {
        let interval = self.task.series.interval;
        match self.unclear_stamps {
            Some(unclear) => unclear.to_owned(),
            None => format!("the calendar {} has no {interval} candle on {cell}", self.calendar_code()),
        }
    }

    fn no_slot(&mut self, cell: &str) -> String {
        let interval = self.task.series.interval;
        let opens = self.next_open(cell).unwrap_or_default();
        format!("the calendar {} has no {interval} candle that begins at {cell}{opens}", self.calendar_code())
    }

    fn calendar_code(&self) -> &str {
        self.calendar.map_or("none", Calendar::code)
    }

    fn ragged(&self, row: &[u8]) -> String {
        let count = self.cells.count();
        let wanted = self.header.names.len();
        let delimiter = self.header.delimiter;
        let is_of_other =
            count == 1 && row.iter().any(|byte| matches!(byte, b',' | b';' | b'\t' | b'|') && *byte != delimiter);
        let why = if is_of_other { ": it is not separated as the header is" } else { "" };
        format!("{count} cells for {wanted}{why}")
    }

    /// When the market next opens after the time in a cell, if it is closed then.
    fn next_open(&self, cell: &str) -> Option<String> {
        let time = CandleTime::parse(cell, self.task.series.interval, self.zone).ok()?;
        let open = self.calendar?.next_open(time.seconds())?;
        Some(format!(": the market is closed then, and opens at {}", CandleTime::from_seconds(open).timestamp()?))
    }

    /// Whether a time could be the open of a session for which there is no calendar.
    fn is_of_no_known_session(&self, cell: &str) -> bool {
        self.calendar.is_none() && matches!(TimeText::read(cell), Some(TimeText::Instant(..)))
    }

    fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("this zone")
    }

    /// The content of a row's cell, by its column of clean CSV.
    fn cell(&self, column: &str) -> String {
        let header = self.header;
        let field = match column {
            "time" => Some(header.time),
            "open" => Some(header.prices[0]),
            "high" => Some(header.prices[1]),
            "low" => Some(header.prices[2]),
            "close" => Some(header.prices[3]),
            "volume" => header.volume,
            "has_volume" => header.has_volume,
            "is_filled" => header.is_filled,
            _ => None,
        };
        field.map(|field| shown(self.cells.get(field))).unwrap_or_default()
    }
}

/// The zone at the end of a time whose offset it does not tell.
fn zone_of(cell: &str) -> Option<&str> {
    let (_, zone) = cell.rsplit_once(' ')?;
    (zone.contains('/') && TimeZone::get(zone).is_ok()).then_some(zone)
}

/// Whether a text is Unix time in milliseconds, microseconds or nanoseconds.
fn is_fraction(cell: &str) -> bool {
    matches!(cell.len(), 13 | 16 | 19) && cell.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a number with a power of ten, as spreadsheets write long numbers.
fn is_rounded(cell: &str) -> bool {
    let parts = cell.split_once(['e', 'E']);
    parts.is_some_and(|(number, power)| number.parse::<f64>().is_ok() && power.parse::<i32>().is_ok())
}

/// Whether a text is a number of days since 1900, from 1982 to 2064, perhaps with a time of day as its fraction.
fn is_day_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok_and(|days| (30_000.0..60_000.0).contains(&days))
}

fn unreadable(cell: &str, column: &str) -> String {
    match column {
        "time" if zone_of(cell).is_some() => {
            let zone = zone_of(cell).unwrap_or_default();
            format!(
                "{cell:?}: clocks in {zone} skipped or repeated that time: write it with its offset, such as 2024-12-30 09:30-05:00"
            )
        }
        "time" if is_rounded(cell) => {
            format!("{cell:?} is a rounded number: write Unix time with all of its digits, or 2024-12-30")
        }
        "time" if is_day_number(cell) => {
            format!("{cell:?} is how a spreadsheet numbers days: give the column the format of dates")
        }
        "time" if is_fraction(cell) => format!("{cell} ends in a fraction of a second, where no candle begins"),
        "time" => format!("{cell:?} is not a time: write 2024-12-30 or 2024-12-30 09:30:00"),
        "has_volume" | "is_filled" => format!("{cell:?} is neither true nor false"),
        _ if cell.contains(',') => format!("{cell:?} is not a number: write 1234.5, with a point and no other mark"),
        _ => format!("{cell:?} is not a number: write 1234.5"),
    }
}
