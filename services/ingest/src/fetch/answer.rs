//! Parses answers of the API: bytes and a status in, candles or a typed error out.
//!
//! The body takes precedence over the status, because the API may send errors with status 200.
//! Source of the shapes and messages: TwelveData's OpenAPI document, and reports by users of the API.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::raw_csv::SourceRow;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

/// An answer that is not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Candles in the API's order, and its description of the instrument.
    Candles(Meta, Vec<SourceRow>),
    /// There are no candles in the requested window.
    Nothing,
}

/// The API's description of the instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// In the API's spelling.
    pub symbol: Option<String>,
    /// In the API's spelling.
    pub interval: Option<String>,
    pub currency: Option<String>,
    /// The second currency of a pair, which is the currency of its prices.
    pub currency_quote: Option<String>,
    pub exchange_timezone: Option<String>,
    /// The market identifier code of the exchange.
    pub mic_code: Option<String>,
    /// For example `Common Stock` or `Digital Currency`.
    #[serde(rename = "type")]
    pub instrument_type: Option<String>,
}

/// Why the API gave no candles. The texts say what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ApiError {
    /// The symbol, or another part of the request, is unknown.
    #[error("TwelveData does not know the symbol: {0} (correct it in the watchlist; BRK.B has a dot, BTC/USD a slash)")]
    UnknownSymbol(String),
    /// There are no candles of the symbol, which may exist nevertheless.
    #[error("TwelveData has no data: {0}")]
    NoData(String),
    /// The plan does not include what was requested.
    #[error("the TwelveData plan does not include {0}: {1} ({advice}, or upgrade the plan)", advice = .0.advice())]
    Plan(Gated, String),
    #[error("TwelveData rejects the API key (set TWELVEDATA_API_KEY and restart ingest): {0}")]
    Key(String),
    /// The request is invalid, and repeating it does not help.
    #[error("TwelveData rejects the request: {0} (only a new version of Candlewick can fix this: please report it)")]
    Request(String),
    #[error("the credits of this minute are used up: {0}")]
    MinuteCredits(String),
    #[error("the credits of this day are used up: {0}")]
    DayCredits(String),
    /// The API failed in a way that the next attempt may not.
    #[error("TwelveData did not answer properly: {0}")]
    Transient(String),
    /// The API or the network is down, which says nothing about the request.
    #[error("TwelveData cannot be reached (check TWELVEDATA_URL and the network): {0}")]
    Unreachable(String),
}

/// Which part of a request the plan does not include, as far as the API says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gated {
    Symbol,
    Interval,
    /// Candles this old, or this many.
    History,
    Endpoint,
}

impl Gated {
    /// Guesses the part from a message of the API.
    fn of(message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match () {
            () if names(&["**symbol**", "this symbol"]) => Self::Symbol,
            () if names(&["interval"]) => Self::Interval,
            () if names(&["start_date", "end_date", "outputsize", "historical", "history", "date range"]) => {
                Self::History
            }
            () if names(&["endpoint"]) => Self::Endpoint,
            () => Self::Symbol,
        }
    }

    /// What to change so that it is no longer requested.
    fn advice(self) -> &'static str {
        match self {
            Self::Symbol | Self::Endpoint => "take it off the watchlist",
            Self::Interval => "take the interval out of `intervals` in the watchlist",
            Self::History => "set a shorter `history` in the watchlist",
        }
    }
}

impl std::fmt::Display for Gated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Symbol => "the symbol",
            Self::Interval => "the interval",
            Self::History => "a history of this length",
            Self::Endpoint => "this kind of request",
        })
    }
}

impl Meta {
    /// Describes what the answer is about if it cannot be about `series`. The API writes `SBIN` for `SBIN:NSE`, and may leave
    /// out any field.
    pub fn mismatch(&self, series: &Series) -> Option<String> {
        let symbol = self.symbol.as_deref().unwrap_or_default();
        let expected = plain(series.symbol.as_str());
        let is_other_symbol = !plain(symbol).is_empty() && plain(symbol) != expected;
        let interval = self.interval.as_deref().and_then(|text| text.parse::<Interval>().ok());
        let is_other_interval = interval.is_some_and(|interval| interval != series.interval);
        let description = || format!("an answer about {symbol} {}", self.interval.as_deref().unwrap_or_default());
        (is_other_symbol || is_other_interval).then(description)
    }
}

/// A symbol in upper case, without its exchange and without separators.
fn plain(symbol: &str) -> String {
    let name = symbol.split(':').next().unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[derive(Deserialize)]
struct Body<'a> {
    status: Option<String>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    message: Option<String>,
    meta: Option<Meta>,
    #[serde(borrow)]
    values: Option<Vec<Option<Value<'a>>>>,
}

impl Body<'_> {
    /// The code, which may be a JSON number or string.
    fn code(&self) -> Option<u16> {
        self.code.map(text)?.parse().ok()
    }

    /// Whether the error comes from the API itself. Proxies in front of it have errors of another form.
    fn is_own_error(&self) -> bool {
        self.status.as_deref() == Some("error") || self.code().is_some()
    }
}

/// A candle as the API writes it. Numbers stay text, so that no digit is lost. A field that is `null` or missing becomes an
/// empty cell, which cleaning quarantines, and a candle that is `null` becomes an empty row.
#[derive(Default, Deserialize)]
struct Value<'a> {
    datetime: Option<String>,
    #[serde(borrow)]
    open: Option<&'a RawValue>,
    #[serde(borrow)]
    high: Option<&'a RawValue>,
    #[serde(borrow)]
    low: Option<&'a RawValue>,
    #[serde(borrow)]
    close: Option<&'a RawValue>,
    #[serde(borrow)]
    volume: Option<&'a RawValue>,
}

/// The message of an empty window. The API sends it as an error, but it only means that there are no candles.
const EMPTY_WINDOW: &str = "No data is available on the specified dates";

/// Parses an answer to `/time_series` for one symbol.
pub fn read(status: u16, body: &[u8]) -> Result<Answer, ApiError> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| unreadable(status, body, &error))?;
    match (is_error(status, &body), body.values) {
        (true, values) => error_or_nothing(status, Body { values, ..body }),
        (false, Some(values)) if values.is_empty() => Ok(Answer::Nothing),
        (false, Some(values)) => {
            let rows = values.into_iter().map(|value| row(&value.unwrap_or_default()));
            Ok(Answer::Candles(body.meta.unwrap_or_default(), rows.collect()))
        }
        (false, None) => Err(ApiError::Transient(format!("status {status} and an answer without values"))),
    }
}

/// Parses an answer of another endpoint, which is one object; `None` if it says that there is nothing.
pub fn read_object<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<Option<T>, ApiError> {
    let unreadable = |error| unreadable(status, body, &error);
    let envelope: Body<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    if is_error(status, &envelope) {
        return error_or_nothing(status, envelope).map(|_| None);
    }
    serde_json::from_slice(body).map(Some).map_err(unreadable)
}

/// The body decides or, if it says nothing, the status.
fn is_error(status: u16, body: &Body<'_>) -> bool {
    let has_error = body.status.as_deref() == Some("error") || body.code().is_some_and(|code| code >= 400);
    has_error || (body.values.is_none() && status >= 400)
}

/// The error of an answer that is not JSON of the API. Pages are sent by gateways, proxies and bot checks in front of the API.
/// A truncated answer of the API may be caused by a single symbol.
fn unreadable(status: u16, body: &[u8], error: &serde_json::Error) -> ApiError {
    const MAX_CHARS: usize = 80;
    let start: String = String::from_utf8_lossy(body).chars().take(MAX_CHARS).collect();
    let text = format!("status {status} and an unreadable answer ({error}): {start:?}");
    let is_page = start.trim_start().starts_with('<');
    match status {
        429 => ApiError::MinuteCredits(text),
        200..=299 if !is_page => ApiError::Transient(text),
        _ => ApiError::Unreachable(text),
    }
}

fn error_or_nothing(status: u16, body: Body<'_>) -> Result<Answer, ApiError> {
    let code = body.code().unwrap_or(status);
    let is_own = body.is_own_error();
    let message = body.message.unwrap_or_default();
    Err(match code {
        401 => ApiError::Key(message),
        429 if message.contains("for the day") || message.contains("daily") => ApiError::DayCredits(message),
        429 => ApiError::MinuteCredits(message),
        _ if is_plan_gate(&message) => ApiError::Plan(Gated::of(&message), message),
        500.. => ApiError::Unreachable(format!("code {code}: {message}")),
        _ if status >= 500 => ApiError::Unreachable(format!("status {status}, code {code}: {message}")),
        400.. if !is_own => ApiError::Unreachable(format!("status {status}, not from the API itself: {message:?}")),
        400 | 404 if message.starts_with(EMPTY_WINDOW) => return Ok(Answer::Nothing),
        402 | 403 => ApiError::Plan(Gated::of(&message), message),
        404 if is_no_data(&message) => ApiError::NoData(message),
        404 => ApiError::UnknownSymbol(message),
        400 if message.contains("symbol") => ApiError::UnknownSymbol(message),
        400..=499 => ApiError::Request(message),
        _ => ApiError::Transient(format!("code {code}: {message}")),
    })
}

/// Whether a message says that there is no data, rather than no such symbol.
fn is_no_data(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("data not found") || message.contains("no data")
}

fn is_plan_gate(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let phrases =
        ["available starting with", "with your plan", "upgrad", "your current plan", "twelvedata.com/pricing"];
    phrases.iter().any(|words| message.contains(words))
}

fn row(value: &Value<'_>) -> SourceRow {
    SourceRow {
        datetime: value.datetime.clone().unwrap_or_default(),
        prices: [value.open, value.high, value.low, value.close].map(|price| price.map(text).unwrap_or_default()),
        volume: value.volume.map(text),
        fetched_at: None,
    }
}

/// The text of a JSON string or number; empty for `null`.
fn text(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap_or_default(),
        number => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn error(status: u16, body: &str) -> ApiError {
        read(status, body.as_bytes()).unwrap_err()
    }

    fn body(code: u16, message: &str) -> String {
        serde_json::json!({"code": code, "message": message, "status": "error"}).to_string()
    }

    const MINUTE: &str = "You have run out of API credits for the current minute. 10 API credits were used, with the current limit being 8.";
    const DAY: &str =
        "You have run out of API credits for the day. 800 API credits were used, with the current limit being 800.";

    #[test]
    fn candles_keep_their_digits_and_their_order() {
        let body = r#"{"meta":{"symbol":"AAPL","interval":"1day","currency":"USD","mic_code":"XNGS","type":"Common Stock"},
            "values":[{"datetime":"2024-12-30","open":"252.230","high":253.50,"low":"250.75","close":"252.20001","volume":"35557500"},
                      {"datetime":"2024-12-27","open":null,"high":"1","low":"1","close":"1"}],"status":"ok"}"#;
        let Answer::Candles(meta, rows) = read(200, body.as_bytes()).unwrap() else { panic!("no candles") };
        assert_eq!((meta.mic_code.as_deref(), meta.instrument_type.as_deref()), (Some("XNGS"), Some("Common Stock")));
        assert_eq!(rows[0].prices, ["252.230", "253.50", "250.75", "252.20001"]);
        assert_eq!((rows[0].volume.as_deref(), rows[1].volume.as_deref()), (Some("35557500"), None));
        assert_eq!(rows[1].prices[0], "");
    }

    #[test]
    fn an_error_is_the_same_whatever_its_status() {
        for status in [200, 400, 429] {
            assert!(matches!(error(status, &body(429, MINUTE)), ApiError::MinuteCredits(_)));
            assert!(matches!(error(status, &body(429, DAY)), ApiError::DayCredits(_)));
        }
    }

    #[test]
    fn an_empty_window_is_no_error() {
        let window = body(400, "No data is available on the specified dates. Try setting different start/end dates.");
        assert_eq!(read(400, window.as_bytes()), Ok(Answer::Nothing));
        assert_eq!(read(200, window.as_bytes()), Ok(Answer::Nothing));
        assert_eq!(read(200, br#"{"meta":{},"values":[],"status":"ok"}"#), Ok(Answer::Nothing));
    }

    #[test]
    fn a_candle_that_is_null_is_an_empty_row() {
        let body = r#"{"meta":{"currency":null},"values":[null,{"datetime":"2024-12-27","close":null}],"status":"ok"}"#;
        let Answer::Candles(_, rows) = read(200, body.as_bytes()).unwrap() else { panic!("no candles") };
        assert_eq!(rows.iter().map(|row| row.datetime.as_str()).collect::<Vec<_>>(), ["", "2024-12-27"]);
        assert!(rows.iter().all(|row| row.prices[3].is_empty() && row.volume.is_none()));
    }

    #[test]
    fn an_error_is_told_by_whatever_tells_it() {
        for (status, body) in [(200, r#"{"code":"401","message":"no"}"#), (401, r#"{"message":"no"}"#), (401, "{}")] {
            assert!(matches!(error(status, body), ApiError::Key(_)), "{body}");
        }
        assert!(matches!(error(200, r#"{"status":"error","message":"no"}"#), ApiError::Transient(_)));
        assert!(matches!(error(429, "<html>slow down</html>"), ApiError::MinuteCredits(_)));
    }

    #[test]
    fn an_object_is_read_by_the_same_rules() {
        let read = |status, body: &str| read_object::<serde_json::Value>(status, body.as_bytes());
        assert_eq!(read(200, r#"{"datetime":"1980-12-12"}"#).unwrap().unwrap()["datetime"], "1980-12-12");
        assert_eq!(read(400, &body(400, EMPTY_WINDOW)), Ok(None));
        assert!(matches!(read(200, &body(429, DAY)), Err(ApiError::DayCredits(_))));
        assert!(matches!(read(200, "<html>"), Err(ApiError::Unreachable(_))));
    }

    #[test]
    fn each_error_has_its_kind() {
        assert!(matches!(
            error(404, &body(404, "**symbol** or **figi** parameter is missing or invalid")),
            ApiError::UnknownSymbol(_)
        ));
        assert!(matches!(error(401, &body(401, "**apikey** parameter is incorrect")), ApiError::Key(_)));
        assert!(matches!(error(400, &body(400, "Invalid **interval** provided: 0.99min")), ApiError::Request(_)));
    }

    #[test]
    fn what_the_plan_does_not_include_is_told_by_the_words_whatever_the_status() {
        for (message, gated, advice) in [
            (
                "This symbol is available starting with Grow plan. Consider upgrading now",
                Gated::Symbol,
                "off the watchlist",
            ),
            (
                "**symbol** ABC is not available with your plan. You may select the appropriate plan",
                Gated::Symbol,
                "off the watchlist",
            ),
            ("**interval** 1min is not available with your plan", Gated::Interval, "`intervals`"),
            ("Data for **start_date** before 2023 is available starting with Pro", Gated::History, "`history`"),
            ("Historical data of this length requires upgrading your plan", Gated::History, "`history`"),
            ("This endpoint is available starting with Pro", Gated::Endpoint, "off the watchlist"),
        ] {
            for status in [200, 400, 402, 403, 404] {
                for body in [
                    body(status, message),
                    body(403, message),
                    json!({"status": "error", "message": message}).to_string(),
                ] {
                    let error = error(status, &body);
                    assert_eq!(error, ApiError::Plan(gated, message.to_owned()), "{status} {body}");
                    assert!(error.to_string().contains(advice), "{error}");
                }
            }
        }
        assert!(matches!(error(403, &body(403, "Forbidden")), ApiError::Plan(Gated::Symbol, _)));
        assert!(matches!(error(429, &body(429, MINUTE)), ApiError::MinuteCredits(_)), "it names plans too");
    }

    #[test]
    fn no_data_is_not_an_unknown_symbol() {
        for message in ["Data not found", "No data is available for this symbol"] {
            assert_eq!(error(404, &body(404, message)), ApiError::NoData(message.to_owned()));
        }
    }

    #[test]
    fn what_stands_before_the_api_is_an_outage_whatever_it_says() {
        for (status, body) in [
            (500, ""),
            (500, "<h1>Server Error</h1>"),
            (502, "{}"),
            (503, r#"{"message":"no healthy upstream"}"#),
            (503, r#"{"code":400,"message":"symbol","status":"error"}"#),
            (520, "<html>Web server is returning an unknown error</html>"),
            (522, "error code: 522"),
            (599, "[]"),
            (403, "<!DOCTYPE html><title>Just a moment...</title>"),
            (403, r#"{"message":"Forbidden"}"#),
            (404, "<html>nginx</html>"),
            (404, r#"{"detail":"Not Found"}"#),
            (400, "Bad Request"),
            (407, ""),
            (302, ""),
            (200, " <html>down for maintenance</html>"),
        ] {
            assert!(
                matches!(error(status, body), ApiError::Unreachable(_)),
                "{status} {body}: {:?}",
                error(status, body)
            );
        }
        let internal = r#"{"code":500,"message":"Internal error","status":"error"}"#;
        for status in [200, 500] {
            assert!(matches!(error(status, internal), ApiError::Unreachable(_)));
        }
    }

    #[test]
    fn an_answer_about_something_else_is_told_by_its_meta() {
        let meta = |symbol: Option<&str>, interval: Option<&str>| Meta {
            symbol: symbol.map(str::to_owned),
            interval: interval.map(str::to_owned),
            ..Meta::default()
        };
        let mismatch = |asked: &str, symbol: Option<&str>, interval: Option<&str>| {
            let series = Series { symbol: asked.parse().unwrap(), interval: Interval::Day1 };
            meta(symbol, interval).mismatch(&series)
        };
        for (asked, symbol) in
            [("AAPL", "AAPL"), ("BRK.B", "BRK-B"), ("BTC/USD", "btcusd"), ("SBIN:NSE", "SBIN"), ("SBIN", "SBIN:NSE")]
        {
            assert_eq!(mismatch(asked, Some(symbol), Some("1day")), None, "{asked} {symbol}");
        }
        assert_eq!(mismatch("AAPL", None, None), None);
        assert_eq!(mismatch("AAPL", Some("AAPL"), Some("daily")), None, "not the name of any interval");
        assert_eq!(mismatch("AAPL", Some("MSFT"), Some("1day")).unwrap(), "an answer about MSFT 1day");
        assert!(mismatch("AAPL", Some("AAPL"), Some("1h")).is_some());
    }

    #[test]
    fn what_is_no_answer_may_be_one_at_the_next_try() {
        let cut = r#"{"meta":{},"values":[{"datetime":"2024-"#;
        let nulls = r#"{"meta":null,"values":null,"status":null,"code":null,"message":null}"#;
        for (status, body) in [
            (200, cut),
            (200, ""),
            (200, r#"{"meta":{},"values":{"datetime":"2024-12-27"},"status":"ok"}"#),
            (200, r#"{"status":"ok"}"#),
            (200, nulls),
            (200, "[]"),
        ] {
            assert!(matches!(error(status, body), ApiError::Transient(_)), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(status: u16, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(status, &bytes);
        }
    }
}
