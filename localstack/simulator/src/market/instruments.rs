//! Resolves the symbol of a request to an instrument.

use anyhow::{Context, Result};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use super::currencies::Pair;
use super::listings::{ARCA, EXCHANGES, Exchange, Kind, LISTINGS, Listing, NASDAQ, NSE, NYSE};
use super::noise::{Noise, Use};
use super::price::UNITS;
use super::sessions::Calendar;

/// The date of the API's oldest intraday candles, for all instruments.
pub const INTRADAY_SINCE: Date = date(2020, 2, 10);

/// The date of the oldest candles of pairs and generated tickers.
const DEFAULT_SINCE: Date = date(2010, 1, 4);

/// The exchange in the `meta` of digital currencies.
const DIGITAL_EXCHANGE: &str = "Coinbase Pro";

const CENT: i64 = UNITS / 100;

/// Something that has candles.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// The symbol without an exchange, in upper case.
    pub symbol: String,
    pub kind: Kind,
    /// Where it is traded, for the `meta` of answers.
    pub venue: Venue,
    /// The sessions in which it is traded.
    pub calendar: Calendar,
    /// The price around which generated prices move, in hundred-thousandths.
    pub typical_price: i64,
    /// The smallest difference of prices, in hundred-thousandths.
    pub tick: i64,
    /// The date of its oldest daily candle.
    pub since: Date,
}

/// Where an instrument is traded.
#[derive(Clone, Debug)]
pub enum Venue {
    /// It is listed on an exchange.
    Listed(&'static Exchange),
    /// It is a currency pair.
    Pair {
        /// The name of the priced currency.
        base: String,
        /// The name of the currency of the price.
        quote: String,
        /// The exchange of a digital currency.
        exchange: Option<&'static str>,
    },
}

/// Conditions of a request on the instrument, in addition to its symbol.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// The short name of an exchange (`exchange`).
    pub exchange: Option<String>,
    /// A market identifier code (`mic_code`).
    pub mic_code: Option<String>,
    /// The name or two-letter code of a country (`country`).
    pub country: Option<String>,
    /// The API's name of an instrument type (`type`).
    pub kind: Option<String>,
}

/// A symbol could not be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoInstrument {
    /// No instrument has this symbol, exchange, country and type.
    Unknown,
    /// The instrument needs a larger plan. This applies to every symbol that begins with `GROW`.
    Gated,
}

/// Resolves symbols to instruments.
#[derive(Clone, Debug)]
pub struct Catalog {
    xnys: Calendar,
    xnse: Calendar,
    forex: Calendar,
    seed: u64,
}

impl Catalog {
    /// Creates a catalog. The seed determines the typical prices of generated tickers.
    pub fn new(seed: u64) -> Result<Self> {
        let zone = |exchange: &Exchange| TimeZone::get(exchange.timezone).context("load time zone of exchange");
        let new_york = zone(&NYSE)?;
        let forex = Calendar::forex(new_york.clone());
        let xnys = Calendar::xnys(new_york);
        Ok(Self { xnys, xnse: Calendar::xnse(zone(&NSE)?), forex, seed })
    }

    /// Finds the instrument of a symbol: `BASE/QUOTE`, `TICKER` or `TICKER:EXCHANGE`, in any case. A ticker that is not
    /// in [`LISTINGS`] but plausible is a generated common stock on the requested exchange, by default the NYSE.
    /// Symbols that begin with `NOSUCH` or `UNKNOWN` do not exist.
    pub fn find(&self, symbol: &str, filters: &Filters) -> Result<Instrument, NoInstrument> {
        let symbol = symbol.trim().to_ascii_uppercase();
        let (ticker, exchange) = symbol.split_once(':').unwrap_or((&symbol, ""));
        let filters = filters.narrowed_to(exchange);
        let instrument = match ticker {
            gated if gated.starts_with("GROW") => return Err(NoInstrument::Gated),
            reserved if reserved.starts_with("NOSUCH") || reserved.starts_with("UNKNOWN") => None,
            pair if pair.contains('/') => Pair::parse(pair).map(|found| self.pair(pair, found)),
            ticker => self.listed(ticker, &filters),
        };
        instrument.filter(|found| filters.allow_kind(found.kind)).ok_or(NoInstrument::Unknown)
    }

    /// Returns the calendar of an exchange.
    pub fn calendar(&self, exchange: &Exchange) -> &Calendar {
        if exchange.mic == NSE.mic { &self.xnse } else { &self.xnys }
    }

    fn listed(&self, ticker: &str, filters: &Filters) -> Option<Instrument> {
        match LISTINGS.iter().find(|listing| listing.symbol == ticker) {
            Some(listing) => filters.allow_exchange(listing.exchange).then(|| self.listing(listing)),
            None => self.generated(ticker, filters),
        }
    }

    fn listing(&self, listing: &Listing) -> Instrument {
        Instrument {
            symbol: listing.symbol.to_owned(),
            kind: listing.kind,
            venue: Venue::Listed(listing.exchange),
            calendar: self.calendar(listing.exchange).clone(),
            typical_price: listing.typical_price * UNITS,
            tick: CENT,
            since: listing.since,
        }
    }

    fn generated(&self, ticker: &str, filters: &Filters) -> Option<Instrument> {
        let exchange = [&NYSE, &NASDAQ, &ARCA, &NSE].into_iter().find(|exchange| filters.allow_exchange(exchange))?;
        let hundredths = Noise::new(self.seed, ticker).bits(Use::Symbol, 0) % 40_000;
        is_plausible(ticker).then(|| Instrument {
            symbol: ticker.to_owned(),
            kind: Kind::CommonStock,
            venue: Venue::Listed(exchange),
            calendar: self.calendar(exchange).clone(),
            typical_price: (1_000 + hundredths.cast_signed()) * CENT,
            tick: CENT,
            since: DEFAULT_SINCE,
        })
    }

    fn pair(&self, symbol: &str, pair: Pair) -> Instrument {
        let digital = pair.kind == Kind::DigitalCurrency;
        let exchange = digital.then_some(DIGITAL_EXCHANGE);
        let calendar = if digital { Calendar::always_open() } else { self.forex.clone() };
        Instrument {
            symbol: symbol.to_owned(),
            kind: pair.kind,
            venue: Venue::Pair { base: pair.base, quote: pair.quote, exchange },
            calendar,
            typical_price: pair.typical_price,
            // Prices above 100 are quoted with two decimals, lower ones with five.
            tick: if pair.typical_price > 100 * UNITS { CENT } else { 1 },
            since: DEFAULT_SINCE,
        }
    }
}

impl Filters {
    /// Returns whether an exchange meets the conditions.
    pub fn allow_exchange(&self, exchange: &Exchange) -> bool {
        let is_named = |wanted: &Option<String>| wanted.as_ref().is_none_or(|name| exchange.answers_to(name));
        let is_in_country = self.country.as_ref().is_none_or(|country| exchange.is_in(country));
        is_named(&self.exchange) && is_named(&self.mic_code) && is_in_country
    }

    /// Returns whether an instrument type meets the conditions.
    pub fn allow_kind(&self, kind: Kind) -> bool {
        self.kind.as_ref().is_none_or(|wanted| kind.name().eq_ignore_ascii_case(wanted))
    }

    fn narrowed_to(&self, exchange: &str) -> Self {
        let mut filters = self.clone();
        if !exchange.is_empty() {
            filters.exchange = Some(exchange.to_owned());
        }
        filters
    }
}

fn is_plausible(ticker: &str) -> bool {
    let mut letters = ticker.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_uppercase());
    let rest = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'.';
    first && ticker.len() <= 7 && letters.all(rest)
}

/// Returns all exchanges with their calendars.
pub fn exchanges(catalog: &Catalog) -> impl Iterator<Item = (&'static Exchange, &Calendar)> {
    EXCHANGES.into_iter().map(|exchange| (exchange, catalog.calendar(exchange)))
}
