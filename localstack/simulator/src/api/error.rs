//! The API's errors: `{"code":…,"message":…,"status":"error"}`.

use serde_json::{Value, json};

use crate::market::instruments::NoInstrument;
use crate::market::interval::Interval;

/// An error as the API words it. The words are those of TwelveData's OpenAPI document or were reported from the live
/// API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The error's code, which is also the HTTP status unless the simulator is told otherwise.
    pub code: u16,
    /// The message for people; clients tell the two kinds of 429 and the empty window by it.
    pub message: String,
}

impl ApiError {
    /// A parameter that has no such value.
    pub fn invalid(parameter: &str, value: &str, supported: &str) -> Self {
        Self::new(400, format!("Invalid **{parameter}** provided: {value}. Supported {supported}"))
    }

    /// An interval that the API does not have.
    pub fn invalid_interval(value: &str) -> Self {
        let names: Vec<_> = Interval::all().map(Interval::name).collect();
        Self::invalid("interval", value, &format!("intervals: {}", names.join(", ")))
    }

    /// A window without a candle: the API answers it with an error, not with an empty list.
    pub fn no_data() -> Self {
        Self::new(400, "No data is available on the specified dates. Try setting different start/end dates.")
    }

    /// A request that the simulator has no answer to, though the API may have.
    pub fn unsupported(what: &str) -> Self {
        Self::new(400, format!("The simulator does not support {what}"))
    }

    /// A missing or wrong key.
    pub fn unauthorized() -> Self {
        Self::new(401, "apikey parameter is incorrect or not specified")
    }

    /// A symbol that only a larger plan has. The API uses code 403, and was seen to use 404.
    pub fn plan_gate(code: u16) -> Self {
        let message = "This symbol is available starting with Grow plan. \
                       Consider upgrading now at https://twelvedata.com/pricing";
        Self::new(code, message)
    }

    /// A symbol that is missing or that nothing is listed under.
    pub fn unknown_symbol() -> Self {
        Self::new(404, "symbol or figi parameter is missing or invalid")
    }

    /// A path that the API does not have.
    pub fn unknown_path(path: &str) -> Self {
        Self::new(404, format!("Requested endpoint {path} could not be found"))
    }

    /// More symbols than one request may name.
    pub fn too_long() -> Self {
        Self::new(414, "Input parameter array exceeds the allowed length")
    }

    /// No credits left in this minute.
    pub fn minute_exhausted(used: u32, limit: u32) -> Self {
        Self::exhausted("current minute", used, limit, "minute")
    }

    /// No credits left on this day.
    pub fn day_exhausted(used: u32, limit: u32) -> Self {
        Self::exhausted("day", used, limit, "day")
    }

    /// A failure of the server.
    pub fn internal(code: u16) -> Self {
        Self::new(code, "Internal server error")
    }

    /// The body that carries the error.
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
