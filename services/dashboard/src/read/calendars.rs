//! Looks up the calendar that cleaning chose for a series.

use candlewick_shared::core::calendar::Calendar;

/// The calendar with a code; `None` if there is no code or no such calendar.
pub fn by_code(code: Option<&str>) -> Option<&'static Calendar> {
    Calendar::for_mic(code?).ok().flatten()
}
