//! `GET /earliest_timestamp`: the time of an instrument's oldest candle.

use jiff::Timestamp;
use serde_json::json;

use super::error::ApiError;
use super::parameters::{Format, Parameters, Zone};
use super::sheet::format_time;
use super::time_series::{Body, filters, interval};
use crate::market::bars::Feed;
use crate::market::instruments::Filters;
use crate::market::interval::Interval;
use crate::world::World;

/// A parsed request.
#[derive(Clone, Debug)]
pub struct EarliestTimestamp {
    /// The symbol as the client wrote it.
    pub symbol: String,
    pub interval: Interval,
    filters: Filters,
    zone: Zone,
    format: Format,
}

impl EarliestTimestamp {
    pub fn parse(parameters: &Parameters) -> Result<Self, ApiError> {
        Ok(Self {
            symbol: parameters.owned("symbol").ok_or_else(ApiError::unknown_symbol)?,
            interval: interval(parameters)?,
            filters: filters(parameters),
            zone: parameters.zone()?,
            format: parameters.format()?,
        })
    }

    /// Returns the time of the oldest candle, as local time and in seconds since 1970.
    pub fn answer(&self, world: &World, now: Timestamp) -> Result<Body, ApiError> {
        let instrument = world.catalog.find(&self.symbol, &self.filters)?;
        let feed = Feed { series: world.series(&instrument), splits: &[], adjusted: true, now };
        let oldest = feed.oldest(self.interval).ok_or_else(ApiError::no_data)?;
        let zone = self.zone.or(instrument.calendar.zone());
        let starts = if self.interval.is_intraday() { zone.to_datetime(oldest.opens) } else { oldest.starts };
        let answer = json!({ "datetime": format_time(starts, self.interval), "unix_time": oldest.opens.as_second() });
        Ok(Body::in_format(answer, self.format))
    }
}
