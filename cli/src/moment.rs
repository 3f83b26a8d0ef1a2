//! Times and time spans on the command line.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A point in time, absolute or relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    /// In seconds.
    Ago(i64),
}

const EXPECTED: &str = "write 2024-12-30, 2024-12-30T22:00:00Z, or how long ago: 90m, 2h, 3d";

impl Moment {
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(seconds) => {
                Timestamp::from_second(now.as_second().saturating_sub(seconds)).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

/// Parses a date, which means its beginning in UTC, a timestamp, or how long ago.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Moment::At(moment));
    }
    if let Some(date) = date(text) {
        let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| EXPECTED.to_owned())?;
        return Ok(Moment::At(midnight.timestamp()));
    }
    seconds(text).map(Moment::Ago).map_err(|_| EXPECTED.to_owned())
}

/// Parses the time at which a source wrote its data: a timestamp, or a date, which means its end in UTC, so that the
/// data of that day counts as complete.
pub fn as_of(text: &str) -> Result<Timestamp, String> {
    let expected = || "write 2024-12-30T22:00:00Z, or 2024-12-30 for the end of that day in UTC".to_owned();
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let midnight = date(text)
        .ok_or_else(expected)?
        .tomorrow()
        .and_then(|next| next.to_zoned(TimeZone::UTC))
        .map_err(|_| expected())?;
    Ok(midnight.timestamp())
}

/// Parses a date and nothing else: jiff would also accept a date with a time of day, and drop the time.
fn date(text: &str) -> Option<Date> {
    let is_date = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| is_date)
}

/// Parses a time span into seconds. A day has 24 hours.
pub fn seconds(text: &str) -> Result<i64, String> {
    let expected = || "write a time span such as 30s, 10m, 2h or 3d".to_owned();
    let span: Span = text.parse().map_err(|_| expected())?;
    let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if span.is_negative() { Err(expected()) } else { Ok(span.as_secs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> String {
        moment(text).unwrap().resolve("2024-12-30T22:00:00Z".parse().unwrap()).to_string()
    }

    #[test]
    fn moments_are_read_in_every_form() {
        assert_eq!(resolved("2024-12-28"), "2024-12-28T00:00:00Z");
        assert_eq!(resolved("2024-12-28T01:02:03Z"), "2024-12-28T01:02:03Z");
        assert_eq!([resolved("90m"), resolved("3d")], ["2024-12-30T20:30:00Z", "2024-12-27T22:00:00Z"]);
    }

    #[test]
    fn a_source_said_by_the_end_of_a_day_what_it_said_of_it() {
        assert_eq!(as_of("2024-12-30").unwrap().to_string(), "2024-12-31T00:00:00Z");
        assert_eq!(as_of("2024-12-30T17:00:00-05:00").unwrap().to_string(), "2024-12-30T22:00:00Z");
        for text in ["", "today", "2024-02-30", "2024-12-30 22:00", "9999-12-31"] {
            assert!(as_of(text).unwrap_err().contains("end of that day"), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_may_be_written() {
        for text in ["", "yesterday", "2024-13-01", "-2h", "12", "2024-12-30 22:00"] {
            assert!(moment(text).unwrap_err().contains("how long ago"), "{text}");
        }
        assert!(seconds("soon").unwrap_err().contains("10m"));
    }
}
