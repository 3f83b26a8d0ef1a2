//! The daily candles of one instrument: recorded where there is a record, else made up from the seed.

use jiff::civil::{Date, date};

use super::candle::{Candle, shares};
use super::instruments::Instrument;
use super::listings::Kind;
use super::noise::{Noise, Use};
use super::price::Price;
use super::recorded::Recorded;
use super::sessions::Session;

/// On this day a made-up price is the size that the listing names.
const ANCHOR: Date = date(2024, 1, 2);

/// How much of a day's usual move the opening gap and the reach beyond open and close may be.
const GAP: f64 = 0.25;
const REACH: f64 = 0.7;

/// The daily candles of one instrument.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    instrument: &'a Instrument,
    recorded: Option<&'a Recorded>,
    noise: Noise,
}

impl<'a> Series<'a> {
    /// The series of an instrument under a seed. `recorded` is served where it has a day, and what is made up before
    /// and after it joins on without a jump.
    pub fn new(instrument: &'a Instrument, recorded: Option<&'a Recorded>, seed: u64) -> Self {
        Self { instrument, recorded, noise: Noise::new(seed, &instrument.symbol) }
    }

    /// The instrument.
    pub fn instrument(&self) -> &'a Instrument {
        self.instrument
    }

    /// Its source of made-up numbers.
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// The whole candle of a session, as it stands when the session is over. Each session costs the same to ask for.
    pub fn day(&self, session: Session) -> Candle {
        let recorded = self.recorded.and_then(|recorded| recorded.day(session.date));
        recorded.unwrap_or_else(|| self.made_up(session.date))
    }

    fn made_up(&self, date: Date) -> Candle {
        let place = day_number(date);
        let usual = volatility(self.instrument.kind);
        let open = self.on_tick(self.close_before(date) * (1.0 + GAP * usual * self.noise.signed(Use::Gap, place)));
        let close = self.on_tick(self.close(date));
        let reach = |side: i64| REACH * usual * self.noise.unit(Use::Reach, 2 * place + side);
        Candle {
            open,
            high: self.on_tick(open.max(close).units() as f64 * (1.0 + reach(0))),
            low: self.on_tick(open.min(close).units() as f64 * (1.0 - reach(1))),
            close,
            volume: self.volume(place),
        }
    }

    /// The close of a day in units, not yet rounded to the tick.
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

    /// A day near whose price the day's price is made up: the nearer end of the record, where there is one.
    fn anchor(&self, date: Date) -> (Date, i64) {
        match self.recorded {
            Some(recorded) if date > recorded.last().0 => (recorded.last().0, recorded.last().1.close.units()),
            Some(recorded) => (recorded.first().0, recorded.first().1.open.units()),
            None => (ANCHOR, self.instrument.about),
        }
    }

    /// A day's volume, within a factor of about two of the symbol's usual one.
    fn volume(&self, place: i64) -> Option<u64> {
        let traded = matches!(self.instrument.kind, Kind::CommonStock | Kind::Etf);
        traded.then(|| shares(self.usual_volume() * (0.7 * self.noise.signed(Use::Volume, place)).exp()))
    }

    /// That of the last recorded day, or else between 0.3 and 30 million.
    fn usual_volume(&self) -> f64 {
        let recorded = self.recorded.and_then(|recorded| recorded.last().1.volume);
        let made_up = || 300_000.0 * 100f64.powf(self.noise.unit(Use::Symbol, 1));
        recorded.map_or_else(made_up, |volume| volume as f64)
    }

    /// Rounds to the tick; no price falls below one tick.
    fn on_tick(&self, units: f64) -> Price {
        let tick = self.instrument.tick;
        Price::from_units(((units / tick as f64).round() as i64).max(1) * tick)
    }
}

/// The usual move of a day, as a share of the price.
fn volatility(kind: Kind) -> f64 {
    match kind {
        Kind::CommonStock => 0.015,
        Kind::Etf | Kind::Index => 0.009,
        Kind::PhysicalCurrency => 0.004,
        Kind::DigitalCurrency => 0.03,
    }
}

/// A date as a number of days, for use as a place of noise.
pub fn day_number(date: Date) -> i64 {
    date.duration_since(Date::ZERO).as_hours() / 24
}
