//! `GET /market_state`: which exchanges are open.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::parameters::Parameters;
use super::time_series::Body;
use crate::market::instruments::{Catalog, Filters, exchanges};
use crate::market::listings::Exchange;
use crate::market::sessions::Session;

/// A parsed request. Every parameter narrows the list.
#[derive(Clone, Debug)]
pub struct MarketState {
    filters: Filters,
}

impl MarketState {
    /// Parses `exchange`, `code` and `country`.
    pub fn parse(parameters: &Parameters) -> Self {
        let exchange = parameters.owned("exchange");
        let mic_code = parameters.owned("code");
        Self { filters: Filters { exchange, mic_code, country: parameters.owned("country"), kind: None } }
    }

    /// Returns the state of each exchange at `now`.
    pub fn answer(&self, catalog: &Catalog, now: Timestamp) -> Body {
        let wanted = exchanges(catalog).filter(|(exchange, _)| self.filters.allow_exchange(exchange));
        let states = wanted.filter_map(|(exchange, calendar)| {
            let today = calendar.zone().to_datetime(now).date();
            let next = calendar.sessions_from(today).find(|session| session.closes() > now)?;
            Some(state(exchange, next, now))
        });
        Body::Json(states.collect::<Value>().into())
    }
}

/// Returns the state of an exchange. `session` is the one that is open, or the next one.
fn state(exchange: &Exchange, session: Session, now: Timestamp) -> Value {
    let open = session.opens <= now;
    let only_if = |shown: bool, from: Timestamp, to: Timestamp| {
        clock_time(if shown { from.duration_until(to) } else { SignedDuration::ZERO })
    };
    json!({
        "name": exchange.name, "code": exchange.mic, "country": exchange.country, "is_market_open": open,
        "time_after_open": only_if(open, session.opens, now),
        "time_to_open": only_if(!open, now, session.opens),
        "time_to_close": only_if(open, now, session.closes()),
    })
}

/// Formats a duration as `HH:MM:SS`. The hours may exceed 24.
fn clock_time(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
