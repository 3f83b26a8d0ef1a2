//! Splits, and what a vendor does with history when one happens.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::candle::Candle;

/// A split of one symbol.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The symbol, in capitals.
    pub symbol: String,
    /// The first session at the new price. Before it has begun, nothing changes.
    pub date: Date,
    /// The new price over the old one, as the API's `/splits` gives it: 0.25 for four new shares for one old.
    pub ratio: f64,
    /// What history the vendor rewrites.
    #[serde(default)]
    pub rewrites: Rewrites,
}

/// Which candles from before a split the vendor rescales once the split has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rewrites {
    /// Daily and longer ones, as the API documents it; intraday ones keep the price they were traded at.
    #[default]
    Daily,
    /// All.
    Every,
    /// None: the vendor missed the split, and daily history shows a step.
    Nothing,
}

/// How a request wants splits treated.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether the request asks for prices adjusted for splits (`adjust=splits` or `all`).
    pub adjusted: bool,
    /// Whether its candles are shorter than a session.
    pub intraday: bool,
    /// The exchange's date of *now*; splits after it have not happened.
    pub today: Date,
}

impl Split {
    /// The factor on a candle of `date`. The underlying series knows no splits, so a candle after the split is rescaled
    /// in any case, and an earlier one where the vendor rewrites it: then history is continuous and lower as a whole.
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

/// The candle of `date` after the given splits of its symbol.
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
