//! Errors of the API: `{"code":…,"message":…,"status":"error"}`.

use serde_json::{Value, json};

use crate::market::instruments::NoInstrument;
use crate::market::interval::Interval;

/// An error of the API. The messages are taken from TwelveData's OpenAPI document or were reported from the live API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code, which is also the HTTP status unless the fault `status200-errors` is set.
    pub code: u16,
    /// The message. Clients rely on it to recognize an empty window and to distinguish the two kinds of 429.
    pub message: String,
}

impl ApiError {
    /// The value of a parameter is not supported.
    pub fn invalid(parameter: &str, value: &str, supported: &str) -> Self {
        Self::new(400, format!("Invalid **{parameter}** provided: {value}. Supported {supported}"))
    }

    /// The API does not have this interval.
    pub fn invalid_interval(value: &str) -> Self {
        let names: Vec<_> = Interval::all().map(Interval::name).collect();
        Self::invalid("interval", value, &format!("intervals: {}", names.join(", ")))
    }

    /// The window contains no candle. The API reports this as an error, not as an empty list.
    pub fn no_data() -> Self {
        Self::new(400, "No data is available on the specified dates. Try setting different start/end dates.")
    }

    /// The simulator does not support this request, though the real API may.
    pub fn unsupported(what: &str) -> Self {
        Self::new(400, format!("The simulator does not support {what}"))
    }

    /// The key is missing or wrong.
    pub fn unauthorized() -> Self {
        Self::new(401, "apikey parameter is incorrect or not specified")
    }

    /// The symbol needs a larger plan. The API uses code 403, but 404 was observed too.
    pub fn plan_gate(code: u16) -> Self {
        let message = "This symbol is available starting with Grow plan. \
                       Consider upgrading now at https://twelvedata.com/pricing";
        Self::new(code, message)
    }

    /// The symbol is missing or unknown.
    pub fn unknown_symbol() -> Self {
        Self::new(404, "symbol or figi parameter is missing or invalid")
    }

    /// The API does not have this path.
    pub fn unknown_path(path: &str) -> Self {
        Self::new(404, format!("Requested endpoint {path} could not be found"))
    }

    /// The request has too many symbols.
    pub fn too_long() -> Self {
        Self::new(414, "Input parameter array exceeds the allowed length")
    }

    /// No credits are left in this minute.
    pub fn minute_exhausted(used: u32, limit: u32) -> Self {
        Self::exhausted("current minute", used, limit, "minute")
    }

    /// No credits are left on this day.
    pub fn day_exhausted(used: u32, limit: u32) -> Self {
        Self::exhausted("day", used, limit, "day")
    }

    /// The server failed.
    pub fn internal(code: u16) -> Self {
        Self::new(code, "Internal server error")
    }

    /// Returns the JSON body.
    pub fn body(&self) -> Value {
        json!({ "code": self.code, "message": self.message, "status": "error" })
    }

    fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn exhausted(period: &str, used: u32, limit: u32, next: &str) -> Self {
        let message = format!(
            "You have run out of API credits for the {period}. {used} API credits were used, with the current limit being \
             {limit}. Wait for the next {next} or consider upgrading your plan at https://twelvedata.com/pricing"
        );
        Self::new(429, message)
    }
}

impl From<NoInstrument> for ApiError {
    fn from(reason: NoInstrument) -> Self {
        match reason {
            NoInstrument::Unknown => Self::unknown_symbol(),
            NoInstrument::Gated => Self::plan_gate(403),
        }
    }
}
