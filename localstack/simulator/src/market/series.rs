//! The daily candles of an instrument: recorded ones if they exist, otherwise generated from the seed.

use jiff::civil::{Date, date};

use super::candle::{Candle, shares};
use super::instruments::Instrument;
use super::listings::Kind;
use super::noise::{Noise, Use};
use super::price::Price;
use super::recorded::Recorded;
use super::sessions::Session;

/// The day on which a generated price equals the typical price of the instrument.
const ANCHOR: Date = date(2024, 1, 2);

/// The maximum opening gap, as a share of the usual daily move.
const GAP: f64 = 0.25;
/// The maximum distance of high and low from open and close, as a share of the usual daily move.
const REACH: f64 = 0.7;

/// The daily candles of an instrument.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    instrument: &'a Instrument,
    recorded: Option<&'a Recorded>,
    noise: Noise,
}

impl<'a> Series<'a> {
    /// Creates the series of an instrument. Days in `recorded` have the recorded candle; the generated prices before
    /// and after them connect without a jump.
    pub fn new(instrument: &'a Instrument, recorded: Option<&'a Recorded>, seed: u64) -> Self {
        Self { instrument, recorded, noise: Noise::new(seed, &instrument.symbol) }
    }

    pub fn instrument(&self) -> &'a Instrument {
        self.instrument
    }

    /// Returns the source of pseudorandom numbers of the instrument.
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// Returns the complete candle of a session. The cost does not depend on the date.
    pub fn day(&self, session: Session) -> Candle {
        let recorded = self.recorded.and_then(|recorded| recorded.day(session.date));
        recorded.unwrap_or_else(|| self.generated(session.date))
    }

    fn generated(&self, date: Date) -> Candle {
        let day = day_number(date);
        let usual = volatility(self.instrument.kind);
        let open = self.on_tick(self.close_before(date) * (1.0 + GAP * usual * self.noise.signed(Use::Gap, day)));
        let close = self.on_tick(self.close(date));
        let reach = |side: i64| REACH * usual * self.noise.unit(Use::Reach, 2 * day + side);
        Candle {
            open,
            high: self.on_tick(open.max(close).units() as f64 * (1.0 + reach(0))),
            low: self.on_tick(open.min(close).units() as f64 * (1.0 - reach(1))),
            close,
            volume: self.volume(day),
        }
    }

    /// Returns the close of a day in units, not rounded to the tick.
    fn close(&self, date: Date) -> f64 {
        if let Some(recorded) = self.recorded.and_then(|recorded| recorded.day(date)) {
            return recorded.close.units() as f64;
        }
        let (anchor, price) = self.anchor(date);
        let moved = self.noise.walk(day_number(date)) - self.noise.walk(day_number(anchor));
        price as f64 * (volatility(self.instrument.kind) * moved).exp()
    }

    fn close_before(&self, date: Date) -> f64 {
        let before = date.yesterday().unwrap_or(date);
        let session = self.instrument.calendar.sessions_back_from(before).next();
        self.close(session.map_or(date, |session| session.date))
    }

    /// Returns the day and price from which the price of `date` is derived: an end of the recorded days, if there are
    /// any.
    fn anchor(&self, date: Date) -> (Date, i64) {
        match self.recorded {
            Some(recorded) if date > recorded.last().0 => (recorded.last().0, recorded.last().1.close.units()),
            Some(recorded) => (recorded.first().0, recorded.first().1.open.units()),
            None => (ANCHOR, self.instrument.typical_price),
        }
    }

    /// Returns the volume of a day, which is within a factor of about two of the usual volume.
    fn volume(&self, day: i64) -> Option<u64> {
        let traded = matches!(self.instrument.kind, Kind::CommonStock | Kind::Etf);
        traded.then(|| shares(self.usual_volume() * (0.7 * self.noise.signed(Use::Volume, day)).exp()))
    }

    /// Returns the volume of the last recorded day or, if there is none, a number from 0.3 to 30 million.
    fn usual_volume(&self) -> f64 {
        let recorded = self.recorded.and_then(|recorded| recorded.last().1.volume);
        let generated = || 300_000.0 * 100f64.powf(self.noise.unit(Use::Symbol, 1));
        recorded.map_or_else(generated, |volume| volume as f64)
    }

    /// Rounds to a tick, at least one.
    fn on_tick(&self, units: f64) -> Price {
        let tick = self.instrument.tick;
        Price::from_units(((units / tick as f64).round() as i64).max(1) * tick)
    }
}

/// Returns the usual daily move as a share of the price.
fn volatility(kind: Kind) -> f64 {
    match kind {
        Kind::CommonStock => 0.015,
        Kind::Etf | Kind::Index => 0.009,
        Kind::PhysicalCurrency => 0.004,
        Kind::DigitalCurrency => 0.03,
    }
}

/// Returns a date as a number of days, for use as a position of [`Noise`].
pub fn day_number(date: Date) -> i64 {
    date.duration_since(Date::ZERO).as_hours() / 24
}
