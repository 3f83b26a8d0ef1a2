//! Which calendar a series goes by, as its cleaning chose it.

use candlewick_shared::core::calendar::Calendar;

/// The calendar with a code; none where there is none, or none is known by it.
pub fn by_code(code: Option<&str>) -> Option<&'static Calendar> {
    Calendar::for_mic(code?).ok().flatten()
}
