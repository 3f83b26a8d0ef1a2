//! From a symbol in a request to the instrument it means.

use anyhow::{Context, Result};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use super::currencies::Pair;
use super::listings::{ARCA, EXCHANGES, Exchange, Kind, LISTINGS, Listing, NASDAQ, NSE, NYSE};
use super::noise::{Noise, Use};
use super::price::UNITS;
use super::sessions::Calendar;

/// Intraday candles of the API begin here, whatever the instrument.
pub const INTRADAY_SINCE: Date = date(2020, 2, 10);

/// Pairs and made-up tickers begin here.
const DEFAULT_SINCE: Date = date(2010, 1, 4);

/// The exchange that the simulator names for digital currencies.
const DIGITAL_EXCHANGE: &str = "Coinbase Pro";

const CENT: i64 = UNITS / 100;

/// Something that has candles.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// The symbol without an exchange, in capitals.
    pub symbol: String,
    /// What it is.
    pub kind: Kind,
    /// Its place among exchanges or currencies, which the answer's `meta` tells.
    pub place: Place,
    /// When it trades.
    pub calendar: Calendar,
    /// Its made-up prices wander about this one, in units.
    pub about: i64,
    /// Its prices are multiples of this, in units.
    pub tick: i64,
    /// Its oldest daily candle.
    pub since: Date,
}

/// Where an instrument stands.
#[derive(Clone, Debug)]
pub enum Place {
    /// Listed on an exchange.
    Listed(&'static Exchange),
    /// A pair of currencies: names of base and quote, and the exchange of a digital one.
    Pair {
        /// What is priced.
        base: String,
        /// What it is priced in.
        quote: String,
        /// Where a digital currency is traded.
        exchange: Option<&'static str>,
    },
}

/// What a request says of an instrument besides its symbol.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// An exchange's short name (`exchange`).
    pub exchange: Option<String>,
    /// A market identifier code (`mic_code`).
    pub mic_code: Option<String>,
    /// A country's name or two letters (`country`).
    pub country: Option<String>,
    /// The API's name of a type (`type`).
    pub kind: Option<String>,
}

/// Why a symbol gives no instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoInstrument {
    /// There is none of that name, exchange, country and type.
    Unknown,
    /// There is one, but not on this plan: every symbol that begins with `GROW`.
    Gated,
}

/// Finds instruments.
#[derive(Clone, Debug)]
pub struct Catalog {
    xnys: Calendar,
    xnse: Calendar,
    forex: Calendar,
    seed: u64,
}

impl Catalog {
    /// A catalog whose made-up tickers take their size from `seed`.
    pub fn new(seed: u64) -> Result<Self> {
        let zone = |exchange: &Exchange| TimeZone::get(exchange.timezone).context("load time zone of exchange");
        let new_york = zone(&NYSE)?;
        let forex = Calendar::forex(new_york.clone());
        let xnys = Calendar::xnys(new_york);
        Ok(Self { xnys, xnse: Calendar::xnse(zone(&NSE)?), forex, seed })
    }

    /// The instrument that a request means: `BASE/QUOTE`, `TICKER` or `TICKER:EXCHANGE`, in any case. A listed ticker
    /// is that listing; any other plausible ticker is a made-up common stock of the exchange asked for, else of the
    /// NYSE.
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

    /// The calendar of an exchange.
    pub fn calendar(&self, exchange: &Exchange) -> &Calendar {
        if exchange.mic == NSE.mic { &self.xnse } else { &self.xnys }
    }

    fn listed(&self, ticker: &str, filters: &Filters) -> Option<Instrument> {
        match LISTINGS.iter().find(|listing| listing.symbol == ticker) {
            Some(listing) => filters.allow_exchange(listing.exchange).then(|| self.listing(listing)),
            None => self.made_up(ticker, filters),
        }
    }

    fn listing(&self, listing: &Listing) -> Instrument {
        Instrument {
            symbol: listing.symbol.to_owned(),
            kind: listing.kind,
            place: Place::Listed(listing.exchange),
            calendar: self.calendar(listing.exchange).clone(),
            about: listing.about * UNITS,
            tick: CENT,
            since: listing.since,
        }
    }

    fn made_up(&self, ticker: &str, filters: &Filters) -> Option<Instrument> {
        let exchange = [&NYSE, &NASDAQ, &ARCA, &NSE].into_iter().find(|exchange| filters.allow_exchange(exchange))?;
        let hundredths = Noise::new(self.seed, ticker).bits(Use::Symbol, 0) % 40_000;
        is_plausible(ticker).then(|| Instrument {
            symbol: ticker.to_owned(),
            kind: Kind::CommonStock,
            place: Place::Listed(exchange),
            calendar: self.calendar(exchange).clone(),
            about: (1_000 + hundredths.cast_signed()) * CENT,
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
            place: Place::Pair { base: pair.base, quote: pair.quote, exchange },
            calendar,
            about: pair.about,
            // A price of more than a hundred is quoted in hundredths, a smaller one with all five decimals.
            tick: if pair.about > 100 * UNITS { CENT } else { 1 },
            since: DEFAULT_SINCE,
        }
    }
}

impl Filters {
    /// Whether an exchange passes.
    pub fn allow_exchange(&self, exchange: &Exchange) -> bool {
        let named = |wanted: &Option<String>| wanted.as_ref().is_none_or(|name| exchange.answers_to(name));
        let country = self.country.as_ref().is_none_or(|country| exchange.is_in(country));
        named(&self.exchange) && named(&self.mic_code) && country
    }

    /// Whether a type passes.
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

/// All exchanges, with their calendars.
pub fn exchanges(catalog: &Catalog) -> impl Iterator<Item = (&'static Exchange, &Calendar)> {
    EXCHANGES.into_iter().map(|exchange| (exchange, catalog.calendar(exchange)))
}
