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

/// Reads when a source said something: a timestamp, or a date, which means its end in UTC, because what a source says of a day
/// it has said by then.
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

/// A date and nothing else: jiff would read one from a date with a time of day too, and forget that time.
fn date(text: &str) -> Option<Date> {
    let is_date = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| is_date)
}

/// Reads a time span, in seconds. A day has 24 hours.
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
