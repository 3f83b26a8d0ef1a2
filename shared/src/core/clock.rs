//! The clock setting: real or simulated time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// How Candlewick's time is derived from the machine's time.
///
/// With the simulator, every process runs at the end of the simulator's recorded data, so that no series looks stale.
/// All processes get the same setting and therefore have the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clock {
    /// The machine's time.
    #[default]
    Real,
    /// A time that was `start` when the machine's time was `anchor` and runs `rate` times as fast.
    Simulated {
        /// The simulated time at the anchor.
        start: Timestamp,
        /// The machine's time that corresponds to `start`.
        anchor: Timestamp,
        /// The number of simulated seconds per real second; positive.
        rate: f64,
    },
}

/// The text is not a valid clock setting.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid clock {0:?}: write START@ANCHOR*RATE, such as 2024-12-30T22:00:00Z@1732300000*1")]
pub struct ClockError(String);

impl Clock {
    /// Converts the machine's time `real` to the time of this clock.
    #[must_use]
    pub fn at(&self, real: Timestamp) -> Timestamp {
        match *self {
            Self::Real => real,
            Self::Simulated { start, anchor, rate } => {
                let elapsed = real.duration_since(anchor).as_secs_f64() * rate;
                let elapsed = SignedDuration::try_from_secs_f64(elapsed).unwrap_or_default();
                start.saturating_add(elapsed).unwrap_or(start)
            }
        }
    }
}

impl Clock {
    /// Converts a span of this clock's time to real time. Negative spans become zero.
    #[must_use]
    pub fn lasts(&self, span: SignedDuration) -> Duration {
        let rate = match *self {
            Self::Real => 1.0,
            Self::Simulated { rate, .. } => rate,
        };
        Duration::try_from_secs_f64((span.as_secs_f64() / rate).max(0.0)).unwrap_or(Duration::MAX)
    }
}

impl FromStr for Clock {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, ClockError> {
        let parse = || {
            let (start, rest) = text.split_once('@')?;
            let (anchor, rate) = rest.split_once('*').unwrap_or((rest, "1"));
            let anchor = SignedDuration::try_from_secs_f64(anchor.parse().ok()?).ok()?;
            let rate = rate.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0)?;
            Some(Self::Simulated { start: start.parse().ok()?, anchor: Timestamp::from_duration(anchor).ok()?, rate })
        };
        parse().ok_or_else(|| ClockError(text.to_owned()))
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => formatter.write_str("real"),
            Self::Simulated { start, anchor, rate } => write!(formatter, "{start}@{}*{rate}", anchor.as_second()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_goes_on_from_its_start() {
        let clock: Clock = "2024-12-30T22:00:00Z@1000*60".parse().unwrap();
        let at = |second| clock.at(Timestamp::from_second(second).unwrap()).to_string();
        assert_eq!((at(1000), at(1060)), ("2024-12-30T22:00:00Z".to_owned(), "2024-12-30T23:00:00Z".to_owned()));
    }

    #[test]
    fn an_anchor_has_parts_of_a_second_and_a_start_any_offset() {
        let at =
            |text: &str, second| text.parse::<Clock>().unwrap().at(Timestamp::from_second(second).unwrap()).to_string();
        assert_eq!(at("2024-06-03T13:30:00Z@1000.5*60", 1001), "2024-06-03T13:30:30Z");
        assert_eq!(at("2024-06-03T13:30:00Z@1000", 1010), "2024-06-03T13:30:10Z");
        assert_eq!(at("2024-06-03T09:30:00-04:00@1000", 990), "2024-06-03T13:29:50Z");
    }

    #[test]
    fn its_time_lasts_by_its_rate() {
        let lasts = |clock: &str, seconds| clock.parse::<Clock>().unwrap().lasts(SignedDuration::from_secs(seconds));
        assert_eq!(lasts("2024-12-30T22:00:00Z@1000*60", 120), Duration::from_secs(2));
        assert_eq!(lasts("2024-12-30T22:00:00Z@1000*60", -120), Duration::ZERO);
        assert_eq!(lasts("2024-12-30T22:00:00Z@1000*1e-12", 86_400 * 365 * 5000), Duration::MAX);
        assert_eq!(Clock::Real.lasts(SignedDuration::from_secs(3)), Duration::from_secs(3));
    }

    #[test]
    fn its_setting_is_read_back_from_its_text() {
        let text = "2024-12-30T22:00:00Z@1732300000*1";
        assert_eq!(text.parse::<Clock>().unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for text in [
            "",
            "now",
            "2024-12-30@1",
            "2024-12-30T22:00:00Z@x",
            "2024-12-30T22:00:00Z@1*0",
            "2024-12-30T22:00:00Z@1*-1",
            "2024-12-30T22:00:00Z@1*NaN",
            "2024-12-30T22:00:00Z",
        ] {
            assert!(text.parse::<Clock>().is_err(), "{text}");
        }
    }
}
