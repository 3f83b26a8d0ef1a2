//! Candles and operations on them.

use super::price::Price;

/// The open, high, low, close and volume of a period of trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    /// In shares; `None` for instruments without volume (currency pairs, indices).
    pub volume: Option<u64>,
}

impl Candle {
    /// Joins this candle with the one that follows it.
    pub fn followed_by(self, later: Self) -> Self {
        Self {
            open: self.open,
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            close: later.close,
            volume: self.volume.zip(later.volume).map(|(first, second)| first + second),
        }
    }

    /// Adjusts the candle for a split: multiplies prices by `ratio` and divides the volume by it.
    pub fn rescaled(self, ratio: f64) -> Self {
        Self {
            open: self.open.scaled(ratio),
            high: self.high.scaled(ratio),
            low: self.low.scaled(ratio),
            close: self.close.scaled(ratio),
            volume: self.volume.map(|volume| shares(volume as f64 / ratio)),
        }
    }
}

/// Rounds a computed volume to whole shares. Negative values become zero.
pub fn shares(volume: f64) -> u64 {
    volume.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(prices: [i64; 4], volume: Option<u64>) -> Candle {
        let [open, high, low, close] = prices.map(Price::from_units);
        Candle { open, high, low, close, volume }
    }

    #[test]
    fn two_candles_join_into_the_one_that_covers_both() {
        let joined = candle([10, 15, 8, 12], Some(5)).followed_by(candle([12, 14, 7, 9], Some(6)));
        assert_eq!(joined, candle([10, 15, 7, 9], Some(11)));
    }

    #[test]
    fn an_absent_volume_stays_absent() {
        let joined = candle([1, 1, 1, 1], None).followed_by(candle([1, 1, 1, 1], None));
        assert_eq!(joined.volume, None);
    }

    #[test]
    fn a_split_of_four_for_one_quarters_prices_and_quadruples_volume() {
        assert_eq!(candle([400, 800, 400, 400], Some(3)).rescaled(0.25), candle([100, 200, 100, 100], Some(12)));
    }
}
