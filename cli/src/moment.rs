//! Moments and time spans, as people write them on the command line.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A moment as it was written: a date, a timestamp, or how long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The moment itself.
    At(Timestamp),
    /// This many seconds before now.
    Ago(i64),
}

const EXPECTED: &str = "write 2024-12-30, 2024-12-30T22:00:00Z, or how long ago: 90m, 2h, 3d";

impl Moment {
    /// The moment, told now.
    #[must_use]
    pub fn told(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(seconds) => {
                Timestamp::from_second(now.as_second().saturating_sub(seconds)).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

/// Reads a moment. A date means its beginning in UTC.
///
/// # Errors
/// What may be written, where it is none of that.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Moment::At(moment));
    }
    if let Ok(date) = text.parse::<Date>() {
        let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| EXPECTED.to_owned())?;
        return Ok(Moment::At(midnight.timestamp()));
    }
    seconds(text).map(Moment::Ago).map_err(|_| EXPECTED.to_owned())
}

/// Reads a time span, in seconds. A day has 24 hours.
///
/// # Errors
/// What may be written, where it is none of that.
pub fn seconds(text: &str) -> Result<i64, String> {
    let expected = || "write a time span such as 30s, 10m, 2h or 3d".to_owned();
    let span: Span = text.parse().map_err(|_| expected())?;
    let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if span.is_negative() { Err(expected()) } else { Ok(span.as_secs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        moment(text).unwrap().told("2024-12-30T22:00:00Z".parse().unwrap()).to_string()
    }

    #[test]
    fn moments_are_read_in_every_form() {
        assert_eq!(told("2024-12-28"), "2024-12-28T00:00:00Z");
        assert_eq!(told("2024-12-28T01:02:03Z"), "2024-12-28T01:02:03Z");
        assert_eq!([told("90m"), told("3d")], ["2024-12-30T20:30:00Z", "2024-12-27T22:00:00Z"]);
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_may_be_written() {
        for text in ["", "yesterday", "2024-13-01", "-2h", "12"] {
            assert!(moment(text).unwrap_err().contains("how long ago"), "{text}");
        }
        assert!(seconds("soon").unwrap_err().contains("10m"));
    }
}
