//! When a refresh is due: a cron pattern in a time zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// How late a refresh may be and still count as on time: longer than a restart takes.
const ON_TIME: SignedDuration = SignedDuration::from_mins(5);

/// When a refresh is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

/// Why the settings are not a schedule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ScheduleError {
    #[error("{pattern:?} is not a schedule: {reason}; write five fields, such as \"30 17 * * 1-5\", or off")]
    Pattern { pattern: String, reason: String },
    #[error("{0:?} is not a time zone: write an IANA name, such as America/New_York or UTC")]
    Zone(String),
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A refresh has been due since `at`.
    Due {
        at: Timestamp,
        /// Whether it was missed, for example because the service was down.
        late: bool,
    },
    /// Nothing until the next refresh is due.
    Wait { until: Timestamp },
    /// Nothing ever: the pattern has no time in the future.
    Never,
}

impl Schedule {
    /// Parses a pattern of minute, hour, day of the month, month and day of the week.
    ///
    /// A local time that is skipped in spring is due when the clocks have moved forward; one that occurs twice in autumn is
    /// due once.
    pub fn new(pattern: &str, zone: &str) -> Result<Self, ScheduleError> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let error = |reason: String| ScheduleError::Pattern { pattern: pattern.to_owned(), reason };
        let cron = parser.parse(pattern).map_err(|reason| error(reason.to_string()))?;
        let zone = TimeZone::get(zone).map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        Ok(Self { cron, zone })
    }

    /// Decides what to do now, given when the last refresh was due or requested. One refresh makes up for all that were missed
    /// since.
    pub fn decide(&self, last: Timestamp, now: Timestamp) -> Decision {
        match (self.newest(now), self.next(now)) {
            (Some(at), _) if at > last => Decision::Due { at, late: now.duration_since(at) > ON_TIME },
            (_, Some(until)) => Decision::Wait { until },
            (_, None) => Decision::Never,
        }
    }

    /// The latest time at or before `now` at which a refresh was due.
    pub fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&now.to_zoned(self.zone.clone()), true);
        found.ok().map(|time| time.timestamp())
    }

    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&now.to_zoned(self.zone.clone()), false);
        found.ok().map(|time| time.timestamp())
    }
}

/// The value of `SCHEDULE` that turns the schedule off.
pub const OFF: &str = "off";

/// Reads a schedule from its two settings; `None` if there is no pattern or it is [`OFF`].
pub fn from_settings(pattern: Option<&str>, zone: Option<&str>) -> Result<Option<Schedule>, ScheduleError> {
    let pattern = pattern.filter(|pattern| *pattern != OFF);
    pattern.map(|pattern| Schedule::new(pattern, zone.unwrap_or("UTC"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW_YORK: &str = "America/New_York";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// When a schedule is due within a span, asking it every minute.
    fn times(pattern: &str, zone: &str, from: &str, until: &str) -> Vec<String> {
        let schedule = Schedule::new(pattern, zone).unwrap();
        let mut last = at(from);
        let mut now = at(from);
        let until = at(until);
        let mut seen = Vec::new();
        while now < until {
            now = now.saturating_add(SignedDuration::from_mins(1)).unwrap();
            if let Decision::Due { at, late } = schedule.decide(last, now) {
                assert!(!late);
                seen.push(at.to_string());
                last = at;
            }
        }
        seen
    }

    #[test]
    fn it_is_due_by_the_clocks_of_its_zone_in_winter_and_in_summer() {
        let weekdays = times("30 17 * * 1-5", NEW_YORK, "2025-03-06T00:00:00Z", "2025-03-12T00:00:00Z");
        let expected = ["2025-03-06T22:30:00Z", "2025-03-07T22:30:00Z", "2025-03-10T21:30:00Z", "2025-03-11T21:30:00Z"];
        assert_eq!(weekdays, expected, "a Thursday, a Friday, the clocks go forward, a Monday, a Tuesday");
    }

    #[test]
    fn a_time_that_spring_leaves_out_is_due_once_as_the_clocks_go_on() {
        let gap = times("30 2 * * *", NEW_YORK, "2025-03-08T12:00:00Z", "2025-03-11T00:00:00Z");
        assert_eq!(gap, ["2025-03-09T07:00:00Z", "2025-03-10T06:30:00Z"], "07:00Z is three o'clock in New York");
    }

    #[test]
    fn a_time_that_autumn_shows_twice_is_due_once() {
        let overlap = times("30 1 * * *", NEW_YORK, "2025-11-01T12:00:00Z", "2025-11-04T00:00:00Z");
        assert_eq!(overlap, ["2025-11-02T05:30:00Z", "2025-11-03T06:30:00Z"]);
    }

    #[test]
    fn after_downtime_one_refresh_makes_up_for_all_that_were_missed() {
        let schedule = Schedule::new("30 17 * * *", NEW_YORK).unwrap();
        let last = at("2024-12-20T22:30:00Z");
        let now = at("2024-12-30T12:00:00Z");
        let missed = at("2024-12-29T22:30:00Z");
        assert_eq!(schedule.decide(last, now), Decision::Due { at: missed, late: true });
        assert_eq!(schedule.decide(missed, now), Decision::Wait { until: at("2024-12-30T22:30:00Z") });
    }

    #[test]
    fn what_was_asked_for_since_it_was_due_makes_up_for_it_too() {
        let schedule = Schedule::new("30 17 * * *", NEW_YORK).unwrap();
        let by_hand = at("2024-12-29T23:00:00Z");
        let now = at("2024-12-30T12:00:00Z");
        assert_eq!(schedule.decide(by_hand, now), Decision::Wait { until: at("2024-12-30T22:30:00Z") });
    }

    #[test]
    fn the_moment_itself_is_due_and_not_late() {
        let schedule = Schedule::new("30 17 * * *", NEW_YORK).unwrap();
        let due = at("2024-12-30T22:30:00Z");
        assert_eq!(schedule.decide(at("2024-12-29T22:30:00Z"), due), Decision::Due { at: due, late: false });
    }

    #[test]
    fn what_is_no_schedule_is_refused_by_name() {
        for (pattern, zone, words) in [
            ("", NEW_YORK, "\"\" is not a schedule"),
            ("30 17 * *", NEW_YORK, "is not a schedule"),
            ("0 30 17 * * 1-5", NEW_YORK, "is not a schedule"),
            ("61 17 * * *", NEW_YORK, "\"61 17 * * *\" is not a schedule"),
            ("daily", NEW_YORK, "five fields"),
            ("30 17 * * *", "New York", "\"New York\" is not a time zone"),
        ] {
            let error = Schedule::new(pattern, zone).unwrap_err().to_string();
            assert!(error.contains(words), "{pattern}: {error}");
        }
        assert!(from_settings(Some(OFF), None).unwrap().is_none());
        assert!(from_settings(None, Some(NEW_YORK)).unwrap().is_none());
    }
}
