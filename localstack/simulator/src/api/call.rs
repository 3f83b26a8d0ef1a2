//! Parsed requests of all endpoints.

use super::earliest_timestamp::EarliestTimestamp;
use super::error::ApiError;
use super::market_state::MarketState;
use super::parameters::{Format, Parameters, Zone};
use super::reference::Reference;
use super::time_series::TimeSeries;

/// A valid request. Only valid requests cost credits.
#[derive(Clone, Debug)]
pub enum Call {
    /// `/time_series`.
    TimeSeries(TimeSeries),
    /// `/earliest_timestamp`.
    EarliestTimestamp(EarliestTimestamp),
    /// `/stocks` or `/exchanges`.
    Reference(Reference),
    /// `/market_state`.
    MarketState(MarketState),
    /// `/technical_indicators`, which the official Python client requests first of all.
    Indicators,
    /// `/api_usage`.
    ApiUsage {
        format: Format,
        /// The time zone of the timestamp in the answer.
        zone: Zone,
    },
}

impl Call {
    pub fn parse(path: &str, parameters: &Parameters) -> Result<Self, ApiError> {
        match path {
            "/time_series" => TimeSeries::parse(parameters).map(Self::TimeSeries),
            "/earliest_timestamp" => EarliestTimestamp::parse(parameters).map(Self::EarliestTimestamp),
            "/stocks" => Reference::stocks(parameters).map(Self::Reference),
            "/exchanges" => Reference::exchanges(parameters).map(Self::Reference),
            "/market_state" => Ok(Self::MarketState(MarketState::parse(parameters))),
            "/technical_indicators" => Ok(Self::Indicators),
            "/api_usage" => Ok(Self::ApiUsage { format: parameters.format()?, zone: parameters.zone()? }),
            _ => Err(ApiError::unknown_path(path)),
        }
    }

    /// Returns the symbols of the request, as the client wrote them.
    pub fn symbols(&self) -> &[String] {
        match self {
            Self::TimeSeries(request) => &request.symbols,
            Self::EarliestTimestamp(request) => std::slice::from_ref(&request.symbol),
            Self::Reference(_) | Self::MarketState(_) | Self::Indicators | Self::ApiUsage { .. } => &[],
        }
    }

    /// Returns the cost: one credit per symbol for candles, one credit for anything else.
    pub fn credits(&self) -> u32 {
        u32::try_from(self.symbols().len().max(1)).unwrap_or(u32::MAX)
    }
}
