//! The path of prices within a session, minute by minute. The minutes of a day join to exactly the day's candle.

use super::candle::Candle;
use super::noise::{Noise, Use};
use super::price::Price;

/// How far a minute's price may deviate from the straight line between two turning points, as a share of the day's
/// range.
const MAX_DEVIATION: f64 = 0.12;

/// The path of a session. It starts at the open, reaches high and low at random minutes, and ends at the close.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    day: Candle,
    minutes: i64,
    /// (minute, price in units), by minute.
    turns: [(i64, i64); 4],
    tick: i64,
    noise: Noise,
    session: i64,
}

impl Path {
    /// Creates the path of the candle `day`. The session has at least three `minutes`, and `session` is its number.
    pub fn new(day: Candle, minutes: i64, tick: i64, noise: Noise, session: i64) -> Self {
        let turns = turning_points(day, minutes, noise, session);
        Self { day, minutes, turns, tick, noise, session }
    }

    /// Returns the candle of the minutes `from..to` after `elapsed` seconds of the session, or `None` if it has not
    /// begun. Minutes after the end of the session are ignored.
    pub fn candle(&self, from: i64, to: i64, elapsed: i64) -> Option<Candle> {
        let begun = (from..to.min(self.minutes)).take_while(|minute| minute * 60 <= elapsed);
        begun.map(|minute| self.minute_so_far(minute, elapsed - minute * 60)).reduce(Candle::followed_by)
    }

    /// Returns the candle of a minute after `seconds` of it. At its beginning, it is flat and has no volume.
    fn minute_so_far(&self, minute: i64, seconds: i64) -> Candle {
        let open = self.price(minute);
        let end = self.price(minute + 1);
        let passed = seconds.min(60);
        let close = if passed == 60 { end } else { self.on_tick(open + (end - open) * passed / 60) };
        let volume = self.day.volume.map(|volume| self.traded(volume, minute) * passed.unsigned_abs() / 60);
        Candle {
            open: Price::from_units(open),
            high: Price::from_units(open.max(close)),
            low: Price::from_units(open.min(close)),
            close: Price::from_units(close),
            volume,
        }
    }

    /// Returns the price, in units, at the beginning of a minute. That of the minute after the last one is the close.
    fn price(&self, minute: i64) -> i64 {
        let leg = self.turns.iter().zip(&self.turns[1..]).find(|(_, end)| minute <= end.0);
        let Some((&(start, from), &(end, to))) = leg else { return self.day.close.units() };
        if minute == start || minute == end {
            return if minute == start { from } else { to };
        }
        let straight = from + (to - from) * (minute - start) / (end - start);
        self.on_tick(straight + self.deviation(minute))
    }

    fn deviation(&self, minute: i64) -> i64 {
        let range = self.day.high.units() - self.day.low.units();
        (range as f64 * MAX_DEVIATION * self.noise.signed(Use::Path(self.session), minute)) as i64
    }

    /// Rounds down to a tick, but not out of the day's range.
    fn on_tick(&self, units: i64) -> i64 {
        (units / self.tick * self.tick).clamp(self.day.low.units(), self.day.high.units())
    }

    /// Returns the volume of a minute. The volumes of all minutes add up to the day's, because each is the difference
    /// of two running totals.
    fn traded(&self, volume: u64, minute: i64) -> u64 {
        self.traded_before(volume, minute + 1) - self.traded_before(volume, minute)
    }

    fn traded_before(&self, volume: u64, minute: i64) -> u64 {
        let inner = 0 < minute && minute < self.minutes;
        let jitter = if inner { 0.9 * self.noise.unit(Use::Spread(self.session), minute) } else { 0.0 };
        let share = (minute as f64 + jitter) / self.minutes as f64;
        super::candle::shares(volume as f64 * share)
    }
}

/// Returns the open, the two extremes in the order of their minutes, and the close, as (minute, price in units).
fn turning_points(day: Candle, minutes: i64, noise: Noise, session: i64) -> [(i64, i64); 4] {
    let inner = (minutes - 1).max(2).unsigned_abs();
    let draw = |number: i64| noise.bits(Use::Path(session), -number);
    let first = draw(1) % inner;
    // Adds 1 to inner - 1 modulo inner, so the second differs from the first.
    let second = (first + 1 + draw(2) % (inner - 1)) % inner;
    let [high, low] = [(first, day.high), (second, day.low)].map(|(at, price)| (1 + at.cast_signed(), price.units()));
    let (earlier, later) = if high.0 < low.0 { (high, low) } else { (low, high) };
    [(0, day.open.units()), earlier, later, (minutes, day.close.units())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joined(path: &Path, step: i64, minutes: i64) -> Candle {
        let starts = (0..minutes).step_by(usize::try_from(step).unwrap());
        starts.map(|from| path.candle(from, from + step, i64::MAX).unwrap()).reduce(Candle::followed_by).unwrap()
    }

    proptest! {
        #[test]
        fn the_minutes_of_a_day_add_up_to_the_day(
            low in 1i64..40_000, range in 0i64..3_000, open in 0.0..=1.0f64, close in 0.0..=1.0f64,
            volume in 0u64..500_000_000, minutes in prop::sample::select(vec![3i64, 210, 390, 1440]),
            session in 0i64..9_999,
        ) {
            let tick = 1000;
            let within = |share: f64| Price::from_units((low + (range as f64 * share) as i64) * tick);
            let day = Candle {
                open: within(open), high: within(1.0), low: within(0.0), close: within(close), volume: Some(volume),
            };
            let path = Path::new(day, minutes, tick, Noise::new(3, "ANY"), session);
            prop_assert_eq!(joined(&path, 1, minutes), day);
            prop_assert_eq!(joined(&path, 45, minutes), day);
        }
    }

    #[test]
    fn a_candle_grows_with_time_and_reveals_nothing_early() {
        let prices = [100, 140, 90, 120].map(|whole| Price::from_units(whole * 100_000));
        let day = Candle { open: prices[0], high: prices[1], low: prices[2], close: prices[3], volume: Some(390_000) };
        let path = Path::new(day, 390, 1000, Noise::new(3, "ANY"), 1);
        assert_eq!(path.candle(60, 120, 60 * 60 - 1), None);
        let begun = path.candle(60, 120, 60 * 60).unwrap();
        assert_eq!((begun.open, begun.volume), (begun.close, Some(0)));
        let half = path.candle(60, 120, 90 * 60).unwrap();
        let done = path.candle(60, 120, 120 * 60).unwrap();
        assert!(half.volume < done.volume && half.high <= done.high && half.low >= done.low);
        assert_eq!(half.open, done.open);
    }
}
