//! Rows of candles, and how they are written.

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use crate::market::candle::Candle;
use crate::market::instruments::{Instrument, Place};
use crate::market::interval::Interval;
use crate::market::price::{Decimals, Price};

/// One row of an answer. Prices may be absent, because vendors send such rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When the candle begins, in the zone of the answer.
    pub at: DateTime,
    /// Open, high, low and close; `None` is written as null.
    pub prices: [Option<Price>; 4],
    /// The volume; where there is none, the row has no such field.
    pub volume: Option<u64>,
    /// The close of the candle before, where the request asks for it and there is one.
    pub previous_close: Option<Price>,
}

/// The rows of an answer, newest first, and how to write them.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The interval, which decides whether times are dates only.
    pub interval: Interval,
    /// How prices are rounded.
    pub decimals: Decimals,
    /// Whether CSV has a column for the previous close.
    pub with_previous: bool,
    /// Whether the oldest row comes first.
    pub ascending: bool,
    /// The rows.
    pub rows: Vec<Row>,
}

const PRICES: [&str; 4] = ["open", "high", "low", "close"];

impl Row {
    /// The row of a sound candle.
    #[must_use]
    pub fn new(at: DateTime, candle: Candle, previous_close: Option<Price>) -> Self {
        let prices = [candle.open, candle.high, candle.low, candle.close].map(Some);
        Self { at, prices, volume: candle.volume, previous_close }
    }
}

impl Sheet {
    /// The list under `values`: all numbers are strings.
    #[must_use]
    pub fn json(&self) -> Value {
        self.ordered().map(|row| self.object(row)).collect()
    }

    /// A table with a header and no `meta`. An instrument without volume has no such column.
    #[must_use]
    pub fn csv(&self, delimiter: char) -> String {
        let with_volume = self.rows.iter().any(|row| row.volume.is_some());
        let mut columns: Vec<_> = ["datetime"].into_iter().chain(PRICES).collect();
        columns.extend(with_volume.then_some("volume"));
        columns.extend(self.with_previous.then_some("previous_close"));
        let rows = self.ordered().map(|row| self.object(row));
        super::csv::table(&columns, rows, delimiter)
    }

    fn ordered(&self) -> Box<dyn Iterator<Item = &Row> + '_> {
        if self.ascending { Box::new(self.rows.iter().rev()) } else { Box::new(self.rows.iter()) }
    }

    fn object(&self, row: &Row) -> Value {
        let price = |price: Option<Price>| price.map(|price| price.text(self.decimals));
        let mut object = Map::new();
        object.insert("datetime".into(), self.time(row.at).into());
        for (name, value) in PRICES.into_iter().zip(row.prices) {
            object.insert(name.into(), price(value).into());
        }
        if let Some(volume) = row.volume {
            object.insert("volume".into(), volume.to_string().into());
        }
        if let Some(previous) = price(row.previous_close) {
            object.insert("previous_close".into(), previous.into());
        }
        object.into()
    }

    fn time(&self, at: DateTime) -> String {
        written(at, self.interval)
    }
}

/// A time as the API writes it: the date for daily and longer intervals, with the time of day for shorter ones.
#[must_use]
pub fn written(at: DateTime, interval: Interval) -> String {
    if interval.is_intraday() { at.strftime("%Y-%m-%d %H:%M:%S").to_string() } else { at.date().to_string() }
}

/// The `meta` of an answer: exchange and zone for what is listed, the two currencies for a pair.
#[must_use]
pub fn meta(instrument: &Instrument, interval: Interval) -> Value {
    let (symbol, interval, kind) = (&instrument.symbol, interval.name(), instrument.kind.name());
    match &instrument.place {
        Place::Listed(exchange) => json!({
            "symbol": symbol, "interval": interval, "type": kind, "currency": exchange.currency,
            "exchange_timezone": exchange.timezone, "exchange": exchange.name, "mic_code": exchange.mic,
        }),
        Place::Pair { base, quote, exchange: None } => json!({
            "symbol": symbol, "interval": interval, "type": kind, "currency_base": base, "currency_quote": quote,
        }),
        Place::Pair { base, quote, exchange } => json!({
            "symbol": symbol, "interval": interval, "type": kind, "currency_base": base, "currency_quote": quote,
            "exchange": exchange,
        }),
    }
}
