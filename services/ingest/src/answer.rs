//! What the API answered: bytes and a status in, candles or a typed error out.
//!
//! The body is read before the status: the API is known to send its errors with status 200 as well as with their own.
//! Source of the shapes and messages: TwelveData's OpenAPI document, and what clients of the API report.

use candlewick_shared::core::raw_csv::SourceRow;
use serde::Deserialize;
use serde::de::DeserializeOwned;
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
    #[error("the TwelveData plan does not include the symbol: {0} (take it off the watchlist, or upgrade the plan)")]
    Plan(String),
    /// The key is missing or wrong.
    #[error("TwelveData refuses the API key (set TWELVEDATA_API_KEY, and start ingest again): {0}")]
    Key(String),
    /// The request is wrong in a way that no repetition mends.
    #[error("TwelveData refuses the request: {0} (nothing mends this but another version of Candlewick: report it)")]
    Request(String),
    /// The credits of this minute are used up.
    #[error("the credits of this minute are used up: {0}")]
    MinuteCredits(String),
    /// The credits of this day are used up.
    #[error("the credits of this day are used up: {0}")]
    DayCredits(String),
    /// The API is not well: it may be at the next try.
    #[error("TwelveData did not answer properly: {0}")]
    Passing(String),
    /// The API is not there, or the way to it: that says nothing about what was asked.
    #[error("TwelveData is not reached (is TWELVEDATA_URL right, and the network there?): {0}")]
    Unreachable(String),
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
    /// The code, as a number or as text.
    fn code(&self) -> Option<u16> {
        self.code.map(text)?.parse().ok()
    }
}

/// A candle as the API writes it. Numbers are kept as text, so that no digit is lost on the way; a field that is `null`
/// or missing is an empty cell, which cleaning sets aside, and a candle that is `null` an empty row.
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

/// The message of an empty window, which is no error but says that there is nothing.
const EMPTY_WINDOW: &str = "No data is available on the specified dates";

/// Reads an answer to `/time_series` for one symbol.
///
/// # Errors
/// [`ApiError`], where there are no candles in it for any other reason than an empty window.
pub fn read(status: u16, body: &[u8]) -> Result<Answer, ApiError> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| unreadable(status, body, &error))?;
    let code = body.code();
    match (is_error(status, &body), body.values) {
        (true, _) => error_or_nothing(code.unwrap_or(status), body.message.unwrap_or_default()),
        (false, Some(values)) if values.is_empty() => Ok(Answer::Nothing),
        (false, Some(values)) => {
            let rows = values.into_iter().map(|value| row(&value.unwrap_or_default()));
            Ok(Answer::Candles(body.meta.unwrap_or_default(), rows.collect()))
        }
        (false, None) => Err(ApiError::Passing(format!("status {status}, and an answer with no values"))),
    }
}

/// Reads an answer that is one object, of another endpoint than `/time_series`; none where it says that there is nothing.
///
/// # Errors
/// [`ApiError`], where it is none.
pub fn read_object<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<Option<T>, ApiError> {
    let unreadable = |error| unreadable(status, body, &error);
    let said: Body<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    if is_error(status, &said) {
        let code = said.code().unwrap_or(status);
        return error_or_nothing(code, said.message.unwrap_or_default()).map(|_| None);
    }
    serde_json::from_slice(body).map(Some).map_err(unreadable)
}

/// The body says so; and where it says nothing, the status does.
fn is_error(status: u16, body: &Body<'_>) -> bool {
    let is_said = body.status.as_deref() == Some("error") || body.code().is_some_and(|code| code >= 400);
    is_said || (body.values.is_none() && status >= 400)
}

fn unreadable(status: u16, body: &[u8], error: &serde_json::Error) -> ApiError {
    const MOST: usize = 80;
    let begins: String = String::from_utf8_lossy(body).chars().take(MOST).collect();
    let words = format!("status {status}, and an answer that cannot be read ({error}): {begins:?}");
    // What stands before the API speaks in pages of its own, and means the same.
    match status {
        429 => ApiError::MinuteCredits(words),
        502..=504 => ApiError::Unreachable(words),
        _ => ApiError::Passing(words),
    }
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
        assert!(matches!(error(429, "<html>slow down</html>"), ApiError::MinuteCredits(_)));
    }

    #[test]
    fn an_object_is_read_by_the_same_rules() {
        let read = |status, body: &str| read_object::<serde_json::Value>(status, body.as_bytes());
        assert_eq!(read(200, r#"{"datetime":"1980-12-12"}"#).unwrap().unwrap()["datetime"], "1980-12-12");
        assert_eq!(read(400, &body(400, EMPTY_WINDOW)), Ok(None));
        assert!(matches!(read(200, &body(429, DAY)), Err(ApiError::DayCredits(_))));
        assert!(matches!(read(200, "<html>"), Err(ApiError::Passing(_))));
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
        let nulls = r#"{"meta":null,"values":null,"status":null,"code":null,"message":null}"#;
        for (status, body) in [
            (200, "<html>busy</html>"),
            (200, cut),
            (500, ""),
            (502, "{}"),
            (200, r#"{"status":"ok"}"#),
            (200, nulls),
            (200, "[]"),
        ] {
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
