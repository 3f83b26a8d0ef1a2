//! Times on their way to and from PostgreSQL, which keeps microseconds.

use jiff::Timestamp;

/// Microseconds since 1970; SQL makes a time of them by `to_timestamp($1 / 1e6)`.
pub fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The time of so many microseconds since 1970, as SQL gives them by `(extract(epoch from x) * 1e6)::bigint`.
pub fn of_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
