//! Splits and their effect on the history of a vendor.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::candle::Candle;

/// A split of one symbol.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// In upper case.
    pub symbol: String,
    /// The date of the first session at the new price. Earlier than this date, the split has no effect.
    pub date: Date,
    /// The new price divided by the old one, as in the API's `/splits`: 0.25 if one old share becomes four new ones.
    pub ratio: f64,
    #[serde(default)]
    pub rewrites: Rewrites,
}

/// Which candles from before a split the vendor rescales after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rewrites {
    /// Daily and longer ones, as the API documents. Intraday ones keep their original prices.
    #[default]
    Daily,
    Every,
    /// None: the vendor missed the split, and the daily history has a jump.
    Nothing,
}

/// The context in which splits are applied.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether the request asks for prices adjusted for splits (`adjust=splits` or `adjust=all`).
    pub adjusted: bool,
    /// Whether the candles are shorter than a session.
    pub intraday: bool,
    /// The current local date of the exchange. Later splits have not happened yet.
    pub today: Date,
}

impl Split {
    /// Returns the factor for the prices of a candle of `date`. The series itself ignores splits, so candles from the
    /// split on are always rescaled. Earlier ones are rescaled if the vendor rewrites them, which makes the history
    /// continuous.
    fn factor(&self, date: Date, view: View) -> f64 {
        let rewrites = match self.rewrites {
            Rewrites::Daily => !view.intraday,
            Rewrites::Every => true,
            Rewrites::Nothing => false,
        };
        let happened = self.date <= view.today;
        if happened && (date >= self.date || (rewrites && view.adjusted)) { self.ratio } else { 1.0 }
    }
}

/// Applies splits of the symbol to the candle of `date`.
pub fn apply(candle: Candle, date: Date, splits: &[Split], view: View) -> Candle {
    let factor: f64 = splits.iter().map(|split| split.factor(date, view)).product();
    if splits.is_empty() { candle } else { candle.rescaled(factor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const SPLIT_DAY: Date = date(2025, 6, 9);

    fn factors(rewrites: Rewrites, view: View) -> (f64, f64) {
        let split = Split { symbol: "AAPL".into(), date: SPLIT_DAY, ratio: 0.25, rewrites };
        (split.factor(date(2025, 6, 6), view), split.factor(SPLIT_DAY, view))
    }

    #[test]
    fn a_split_rescales_what_its_kind_and_the_request_say() {
        let daily = View { adjusted: true, intraday: false, today: SPLIT_DAY };
        let intraday = View { intraday: true, ..daily };
        let plain = View { adjusted: false, ..daily };
        assert_eq!(factors(Rewrites::Daily, daily), (0.25, 0.25));
        assert_eq!(factors(Rewrites::Daily, intraday), (1.0, 0.25));
        assert_eq!(factors(Rewrites::Daily, plain), (1.0, 0.25));
        assert_eq!(factors(Rewrites::Every, intraday), (0.25, 0.25));
        assert_eq!(factors(Rewrites::Nothing, daily), (1.0, 0.25));
    }

    #[test]
    fn a_split_that_is_still_to_come_changes_nothing() {
        let eve = View { adjusted: true, intraday: false, today: date(2025, 6, 8) };
        assert_eq!(factors(Rewrites::Every, eve), (1.0, 1.0));
    }
}
