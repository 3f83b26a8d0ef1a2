//! `GET /stocks` and `GET /exchanges`: lists of instruments and exchanges.

use serde_json::{Value, json};

use super::error::ApiError;
use super::parameters::{Format, Parameters};
use super::time_series::{Body, filters};
use crate::market::instruments::Filters;
use crate::market::listings::{EXCHANGES, Exchange, LISTINGS, Listing};

/// A parsed request for a list.
#[derive(Clone, Debug)]
pub struct Reference {
    list: List,
    filters: Filters,
    symbol: Option<String>,
    name: Option<String>,
    code: Option<String>,
    page: usize,
    size: usize,
    format: Format,
}

#[derive(Clone, Copy, Debug)]
enum List {
    Stocks,
    Exchanges,
}

impl Reference {
    /// Parses the parameters of `/stocks`.
    pub fn stocks(parameters: &Parameters) -> Result<Self, ApiError> {
        Self::parse(List::Stocks, parameters)
    }

    /// Parses the parameters of `/exchanges`.
    pub fn exchanges(parameters: &Parameters) -> Result<Self, ApiError> {
        Self::parse(List::Exchanges, parameters)
    }

    /// Returns the filtered list, which may be empty.
    pub fn answer(&self) -> Body {
        let answer = match self.list {
            List::Stocks => self.stock_list(),
            List::Exchanges => self.exchange_list(),
        };
        Body::in_format(answer, self.format)
    }

    fn parse(list: List, parameters: &Parameters) -> Result<Self, ApiError> {
        let count = |name, default| -> Result<usize, ApiError> {
            let number = parameters.number(name, 1..=i64::from(u32::MAX))?;
            Ok(number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default))
        };
        Ok(Self {
            list,
            filters: filters(parameters),
            symbol: parameters.owned("symbol"),
            name: parameters.owned("name"),
            code: parameters.owned("code"),
            page: count("page", 1)?,
            size: count("outputsize", LISTINGS.len())?,
            format: parameters.format()?,
        })
    }

    fn stock_list(&self) -> Value {
        let is_share = |listing: &&Listing| listing.kind == crate::market::listings::Kind::CommonStock;
        let wanted = LISTINGS.iter().filter(is_share).filter(|listing| self.wants_listing(listing));
        let data: Vec<_> = wanted.skip(self.size.saturating_mul(self.page - 1)).take(self.size).map(stock).collect();
        json!({ "count": data.len(), "data": data, "status": "ok" })
    }

    fn exchange_list(&self) -> Value {
        let wanted = EXCHANGES.into_iter().filter(|exchange| self.wants_exchange(exchange));
        json!({ "data": wanted.map(exchange).collect::<Vec<_>>(), "status": "ok" })
    }

    fn wants_listing(&self, listing: &Listing) -> bool {
        let symbol = self.symbol.as_ref().is_none_or(|symbol| symbol.eq_ignore_ascii_case(listing.symbol));
        symbol && self.filters.allow_exchange(listing.exchange) && self.filters.allow_kind(listing.kind)
    }

    fn wants_exchange(&self, exchange: &Exchange) -> bool {
        let is = |wanted: &Option<String>| wanted.as_ref().is_none_or(|name| exchange.answers_to(name));
        is(&self.name) && is(&self.code) && self.filters.country.as_ref().is_none_or(|country| exchange.is_in(country))
    }
}

/// Identifiers that need a paid add-on have the values that keys without the add-on get.
fn stock(listing: &Listing) -> Value {
    let exchange = listing.exchange;
    json!({
        "symbol": listing.symbol, "name": listing.name, "currency": exchange.currency, "exchange": exchange.name,
        "mic_code": exchange.mic, "country": exchange.country, "type": listing.kind.name(),
        "figi_code": "", "cfi_code": "ESVUFR", "isin": "request_access_via_add_ons", "cusip": "request_access_via_add_ons",
    })
}

fn exchange(exchange: &Exchange) -> Value {
    json!({
        "title": exchange.title, "name": exchange.name, "code": exchange.mic, "country": exchange.country,
        "timezone": exchange.timezone,
    })
}
