//! Looks up the calendar that cleaning chose for a series.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::calendars::Calendars;

/// The calendar with a code; `None` if there is no code or no such calendar.
pub fn by_code(calendars: &Calendars, code: Option<&str>) -> Option<&'static Calendar> {
    calendars.find(code?).ok().flatten()
}
