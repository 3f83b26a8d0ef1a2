//! Daily candles that were recorded from a real market. They are served unchanged.

use anyhow::{Context, Result, ensure};
use jiff::civil::Date;

use super::candle::Candle;
use super::price::Price;

/// The symbol of the recorded candles.
pub const SYMBOL: &str = "AAPL";

const FILE: &str = include_str!("../../data/aapl_daily_2019_2024.csv");

/// Recorded daily candles in ascending order, at least one.
#[derive(Clone, Debug)]
pub struct Recorded {
    days: Vec<(Date, Candle)>,
    first: (Date, Candle),
    last: (Date, Candle),
}

impl Recorded {
    /// Parses the embedded candles of [`SYMBOL`], from 2019-01-02 to 2024-12-30.
    pub fn embedded() -> Result<Self> {
        Self::parse(FILE).context("read recorded candles")
    }

    fn parse(file: &str) -> Result<Self> {
        let lines = file.lines().skip(1);
        let days =
            lines.map(|line| day(line).with_context(|| format!("read line {line:?}"))).collect::<Result<Vec<_>>>()?;
        ensure!(days.is_sorted_by_key(|(date, _)| *date), "dates are not ascending");
        let first = *days.first().context("there is no candle")?;
        let last = *days.last().context("there is no candle")?;
        Ok(Self { days, first, last })
    }

    /// Returns the recorded candle of a date.
    pub fn day(&self, date: Date) -> Option<Candle> {
        let found = self.days.binary_search_by_key(&date, |(date, _)| *date).ok()?;
        self.days.get(found).map(|(_, candle)| *candle)
    }

    /// Returns the oldest recorded day.
    pub fn first(&self) -> (Date, Candle) {
        self.first
    }

    /// Returns the newest recorded day.
    pub fn last(&self) -> (Date, Candle) {
        self.last
    }
}

fn day(line: &str) -> Result<(Date, Candle)> {
    let mut cells = line.split(',');
    let mut cell = || cells.next().context("a cell is missing");
    let date = cell()?.parse()?;
    let mut price = || cell().and_then(|text| Price::parse(text).context("a price is not decimal"));
    let open = price()?;
    let high = price()?;
    let low = price()?;
    let close = price()?;
    let volume = Some(cell()?.parse()?);
    Ok((date, Candle { open, high, low, close, volume }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::price::Decimals;

    #[test]
    fn every_recorded_price_is_written_as_it_stands_in_the_file() {
        let recorded = Recorded::embedded().unwrap();
        assert_eq!(recorded.days.len(), 1509);
        for (line, (date, candle)) in FILE.lines().skip(1).zip(&recorded.days) {
            let [open, high, low, close] =
                [candle.open, candle.high, candle.low, candle.close].map(|price| price.text(Decimals::Auto));
            let written = format!("{date},{open},{high},{low},{close},{},", candle.volume.unwrap());
            assert!(line.starts_with(&written), "{line} against {written}");
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = Recorded::parse("date,open\n2024-01-02,1,2,x,1,5\n").unwrap_err();
        assert_eq!(format!("{error:#}"), "read line \"2024-01-02,1,2,x,1,5\": a price is not decimal");
    }
}
