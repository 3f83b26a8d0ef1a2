//! Rows of candles and their formats.

use jiff::civil::DateTime;

use super::csv;
use super::document::Document;
use crate::market::candle::Candle;
use crate::market::instruments::{Instrument, Venue};
use crate::market::interval::Interval;
use crate::market::price::{Decimals, Price};

/// One row of an answer. Prices may be missing, because vendors send such rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The start of the candle in the time zone of the answer.
    pub at: DateTime,
    /// Open, high, low and close; `None` is written as null.
    pub prices: [Option<Price>; 4],
    /// If `None`, the row has no such field.
    pub volume: Option<u64>,
    /// The close of the previous candle, if it exists and was requested.
    pub previous_close: Option<Price>,
}

/// The rows of an answer and how to format them.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Decides whether times are formatted as dates.
    pub interval: Interval,
    pub decimals: Decimals,
    /// Whether a CSV answer has a column for the previous close.
    pub with_previous: bool,
    /// Whether the answer has the oldest row first.
    pub ascending: bool,
    /// The rows, newest first.
    pub rows: Vec<Row>,
}

const PRICES: [&str; 4] = ["open", "high", "low", "close"];
const VOLUME: &str = "volume";
const PREVIOUS_CLOSE: &str = "previous_close";

impl Row {
    /// Creates the row of a candle.
    pub fn new(at: DateTime, candle: Candle, previous_close: Option<Price>) -> Self {
        let prices = [candle.open, candle.high, candle.low, candle.close].map(Some);
        Self { at, prices, volume: candle.volume, previous_close }
    }
}

impl Sheet {
    /// Formats the list `values`, in which all numbers are strings.
    pub fn json(&self) -> Document {
        let object =
            |row| Document::object(self.fields(row).map(|(name, text)| (name, Document::text(text.as_deref()))));
        Document::List(self.ordered().map(object).collect())
    }

    /// Formats a table with a header and without `meta`. Null becomes an empty cell. If no row has a volume, there is
    /// no such column.
    pub fn csv(&self, delimiter: char) -> String {
        let with_volume = self.rows.iter().any(|row| row.volume.is_some());
        let mut columns: Vec<_> = ["datetime"].into_iter().chain(PRICES).collect();
        columns.extend(with_volume.then_some(VOLUME));
        columns.extend(self.with_previous.then_some(PREVIOUS_CLOSE));
        let cells = |row| {
            let fields: Vec<_> = self.fields(row).collect();
            let cell =
                |column: &&str| fields.iter().find(|(name, _)| name == column).and_then(|(_, text)| text.clone());
            columns.iter().map(|column| cell(column).unwrap_or_default()).collect()
        };
        csv::table(&columns, self.ordered().map(cells), delimiter)
    }

    fn ordered(&self) -> Box<dyn Iterator<Item = &Row> + '_> {
        if self.ascending { Box::new(self.rows.iter().rev()) } else { Box::new(self.rows.iter()) }
    }

    /// Returns the fields of a row in the order of the API's examples. `None` means null.
    fn fields(&self, row: &Row) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let price = |price: Price| price.text(self.decimals);
        let time = [("datetime", Some(format_time(row.at, self.interval)))];
        let prices = PRICES.into_iter().zip(row.prices.map(|value| value.map(price)));
        let volume = row.volume.map(|volume| (VOLUME, Some(volume.to_string())));
        let previous = row.previous_close.map(|previous| (PREVIOUS_CLOSE, Some(price(previous))));
        time.into_iter().chain(prices).chain(volume).chain(previous)
    }
}

/// Formats a time as the API does: as a date for daily and longer intervals, with the time of day for shorter ones.
pub fn format_time(at: DateTime, interval: Interval) -> String {
    if interval.is_intraday() { at.strftime("%Y-%m-%d %H:%M:%S").to_string() } else { at.date().to_string() }
}

/// Returns the `meta` of an answer, with the exchange of a listed instrument or the currencies of a pair.
pub fn meta(instrument: &Instrument, interval: Interval) -> Document {
    let mut fields = vec![("symbol", instrument.symbol.as_str()), ("interval", interval.name())];
    match &instrument.venue {
        Venue::Listed(exchange) => fields.extend([
            ("currency", exchange.currency),
            ("exchange_timezone", exchange.timezone),
            ("exchange", exchange.name),
            ("mic_code", exchange.mic),
        ]),
        Venue::Pair { base, quote, exchange } => {
            fields.extend([("currency_base", base.as_str()), ("currency_quote", quote)]);
            fields.extend(exchange.map(|exchange| ("exchange", exchange)));
        }
    }
    fields.push(("type", instrument.kind.name()));
    Document::object(fields.into_iter().map(|(name, text)| (name, Document::text(Some(text)))))
}
