//! What the API answered: bytes and a status in, candles or a typed error out.
//!
//! The body is read before the status: the API is known to send its errors with status 200 as well as with their own.
//! Source of the shapes and messages: TwelveData's OpenAPI document, and what clients of the API report.

use candlewick_shared::core::raw_csv::SourceRow;
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

/// An answer that is not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Candles, in the API's order, and what it says about the instrument.
    Candles(Meta, Vec<SourceRow>),
    /// There is nothing in the window that was asked for.
    Nothing,
}

/// What the API says about the instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// The currency of prices.
    pub currency: Option<String>,
    /// The second currency of a pair, in which its prices are.
    pub currency_quote: Option<String>,
    /// The exchange's time zone.
    pub exchange_timezone: Option<String>,
    /// The exchange's market identifier code.
    pub mic_code: Option<String>,
    /// What the instrument is: `Common Stock`, `Digital Currency`.
    #[serde(rename = "type")]
    pub instrument_type: Option<String>,
}

/// Why the API gave no candles, and what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ApiError {
    /// The symbol, or another part of the request, names nothing.
    #[error("TwelveData does not know the symbol: {0} (correct it in the watchlist; BRK.B has a dot, BTC/USD a slash)")]
    UnknownSymbol(String),
    /// The plan does not include the symbol.
    #[error("the TwelveData plan does not include the symbol: {0}")]
    Plan(String),
    /// The key is missing or wrong.
    #[error("TwelveData refuses the API key (set TWELVEDATA_API_KEY): {0}")]
    Key(String),
    /// The request is wrong in a way that no repetition mends.
    #[error("TwelveData refuses the request: {0}")]
    Request(String),
    /// The credits of this minute are used up.
    #[error("the credits of this minute are used up: {0}")]
    MinuteCredits(String),
    /// The credits of this day are used up.
    #[error("the credits of this day are used up: {0}")]
    DayCredits(String),
    /// The API is not there, or the way to it: that says nothing about what was asked.
    #[error("TwelveData cannot be reached: {0}")]
    Unreachable(String),
    /// The API is not well: it may be at the next try.
    #[error("TwelveData did not answer properly: {0}")]
    Passing(String),
}

#[derive(Deserialize)]
struct Body<'a> {
    status: Option<String>,
    code: Option<u16>,
    message: Option<String>,
    meta: Option<Meta>,
    #[serde(borrow)]
    values: Option<Vec<Value<'a>>>,
}

/// A candle as the API writes it. Numbers are kept as text, so that no digit is lost on the way; a field that is `null`
/// or missing is an empty cell, which cleaning sets aside.
#[derive(Deserialize)]
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

/// The message of an empty window, which is no error but says that there is nothing.
const EMPTY_WINDOW: &str = "No data is available on the specified dates";

/// Reads an answer to `/time_series` for one symbol.
///
/// # Errors
/// [`ApiError`], where there are no candles in it for any other reason than an empty window.
pub fn read(status: u16, body: &[u8]) -> Result<Answer, ApiError> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| unreadable(status, body, &error))?;
    let is_error = body.status.as_deref() == Some("error") || body.code.is_some_and(|code| code >= 400);
    match (is_error, body.values) {
        (true, _) => error_or_nothing(body.code.unwrap_or(status), body.message.unwrap_or_default()),
        (false, Some(values)) if values.is_empty() => Ok(Answer::Nothing),
        (false, Some(values)) => Ok(Answer::Candles(body.meta.unwrap_or_default(), values.iter().map(row).collect())),
        (false, None) => Err(ApiError::Passing(format!("status {status}, and an answer with no values"))),
    }
}

fn unreadable(status: u16, body: &[u8], error: &serde_json::Error) -> ApiError {
    const MOST: usize = 80;
    let begins: String = String::from_utf8_lossy(body).chars().take(MOST).collect();
    let text = format!("status {status}, and an answer that is not JSON ({error}): {begins:?}");
    // So speak the gateways before it, where there is nobody behind them.
    if matches!(status, 502..=504) { ApiError::Unreachable(text) } else { ApiError::Passing(text) }
}

fn error_or_nothing(code: u16, message: String) -> Result<Answer, ApiError> {
    Err(match code {
        400 if message.starts_with(EMPTY_WINDOW) => return Ok(Answer::Nothing),
        401 => ApiError::Key(message),
        429 if message.contains("for the day") => ApiError::DayCredits(message),
        429 => ApiError::MinuteCredits(message),
        403 | 404 if is_plan_gate(&message) => ApiError::Plan(message),
        403 => ApiError::Plan(message),
        404 => ApiError::UnknownSymbol(message),
        400 if message.contains("symbol") => ApiError::UnknownSymbol(message),
        400..=499 => ApiError::Request(message),
        _ => ApiError::Passing(format!("code {code}: {message}")),
    })
}

fn is_plan_gate(message: &str) -> bool {
    message.contains("available starting with") || message.contains("upgrading")
}

fn row(value: &Value<'_>) -> SourceRow {
    SourceRow {
        datetime: value.datetime.clone().unwrap_or_default(),
        prices: [value.open, value.high, value.low, value.close].map(|price| price.map(text).unwrap_or_default()),
        volume: value.volume.map(text),
    }
}

/// A JSON string's or number's own characters; nothing for `null`.
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
    fn each_error_has_its_kind() {
        let plan = "This symbol is available starting with Grow plan. Consider upgrading now";
        assert!(matches!(error(404, &body(404, plan)), ApiError::Plan(_)));
        assert!(matches!(error(403, &body(403, plan)), ApiError::Plan(_)));
        assert!(matches!(
            error(404, &body(404, "**symbol** or **figi** parameter is missing or invalid")),
            ApiError::UnknownSymbol(_)
        ));
        assert!(matches!(error(401, &body(401, "**apikey** parameter is incorrect")), ApiError::Key(_)));
        assert!(matches!(error(400, &body(400, "Invalid **interval** provided: 0.99min")), ApiError::Request(_)));
        assert!(matches!(error(500, &body(500, "Internal error")), ApiError::Passing(_)));
    }

    #[test]
    fn what_is_no_answer_may_be_one_at_the_next_try() {
        let cut = r#"{"meta":{},"values":[{"datetime":"2024-"#;
        for (status, body) in
            [(200, "<html>busy</html>"), (200, cut), (500, ""), (200, r#"{"status":"ok"}"#), (200, "[]")]
        {
            assert!(matches!(error(status, body), ApiError::Passing(_)), "{body}");
        }
        assert!(matches!(error(502, "<html>Bad Gateway</html>"), ApiError::Unreachable(_)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(status: u16, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(status, &bytes);
        }
    }
}
