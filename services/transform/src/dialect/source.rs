//! Identifies the source of a file by the names of its columns.

use super::layout::Layout;
use super::moment::Order;

/// Sources with a combination of names that no other source has, in the form of [`super::names::plain`].
const BY_NAMES: &[(&str, &[&str])] = &[
    ("Databento", &["ts event", "rtype", "instrument id"]),
    ("a Polygon flat file", &["window start", "ticker", "transactions"]),
    ("Polygon aggregates", &["t", "o", "h", "l", "c"]),
    ("Alpaca bars", &["trade count", "vwap"]),
    ("Tiingo", &["adjclose", "splitfactor"]),
    ("Binance klines", &["open time", "close time"]),
    ("CoinMarketCap", &["timeopen", "marketcap"]),
    ("CryptoDataDownload", &["unix", "date", "symbol"]),
    ("nasdaq.com", &["close last"]),
    ("investing.com", &["price", "change"]),
    ("Bloomberg", &["px open", "px last"]),
    ("stooq (Polish)", &["otwarcie", "zamkniecie"]),
    ("stooq in bulk", &["ticker", "per", "openint"]),
    ("MetaStock", &["dtyyyymmdd"]),
    ("an NSE bhavcopy", &["tottrdqty", "isin"]),
    ("an NSE bhavcopy (UDiFF)", &["tckrsymb", "clspric"]),
    ("the NSE website", &["series", "vwap"]),
    ("akshare", &["开盘", "收盘"]),
    ("Dukascopy", &["gmt time"]),
    ("Dukascopy", &["local time"]),
    ("EODHD", &["gmtoffset", "datetime"]),
    ("Interactive Brokers", &["average", "barcount"]),
    ("Yahoo Finance", &["adj close"]),
];

/// The name of the source, or `CSV` if it is unknown.
pub fn of(layout: &Layout) -> &'static str {
    let columns = &layout.columns;
    let names = columns.names.as_slice();
    if !layout.tickers.is_empty() {
        return "yfinance";
    }
    if !layout.has_header {
        return of_rows(layout);
    }
    if names.iter().any(|name| name.eq_ignore_ascii_case("<open>")) && layout.delimiter == b'\t' {
        return "MetaTrader 5";
    }
    if names.iter().any(|name| name.starts_with("1. ") || name.starts_with("1a. ")) {
        return "Alpha Vantage";
    }
    let found = BY_NAMES.iter().find(|(_, names)| names.iter().all(|name| columns.has(name)));
    found.map_or("CSV", |(source, _)| source)
}

fn of_rows(layout: &Layout) -> &'static str {
    let columns = &layout.columns;
    match (columns.names.len(), columns.clock, layout.delimiter) {
        (12, None, b',') => "Binance klines",
        (7, Some(1), b',') => "MetaTrader 4",
        (6, None, b';') => "HistData or NinjaTrader",
        _ => "CSV",
    }
}

/// The order of dates, for sources that always use the same one.
pub fn order(source: &str) -> Option<Order> {
    (source == "nasdaq.com").then_some(Order::Month)
}
