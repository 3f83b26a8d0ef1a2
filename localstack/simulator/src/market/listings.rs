//! The listed instruments and the exchanges of the simulator.

use jiff::civil::{Date, date};

/// The type of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    CommonStock,
    Etf,
    /// An index. It is not traded and therefore has no volume.
    Index,
    /// A currency pair, or a metal priced in a currency.
    PhysicalCurrency,
    /// A digital currency priced in another currency.
    DigitalCurrency,
}

impl Kind {
    /// Returns the API's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommonStock => "Common Stock",
            Self::Etf => "ETF",
            Self::Index => "Index",
            Self::PhysicalCurrency => "Physical Currency",
            Self::DigitalCurrency => "Digital Currency",
        }
    }
}

/// An exchange, or a segment of one.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The full name.
    pub title: &'static str,
    /// The API's short name, which several segments can share.
    pub name: &'static str,
    /// The market identifier code (ISO 10383) that the API gives for its instruments.
    pub mic: &'static str,
    /// The code of the exchange that the segment belongs to. Requests may use it as well.
    pub operating_mic: &'static str,
    pub country: &'static str,
    /// The two-letter country code (ISO 3166).
    pub country_code: &'static str,
    /// The IANA name of its time zone.
    pub timezone: &'static str,
    /// The currency of its prices (ISO 4217).
    pub currency: &'static str,
}

/// The New York Stock Exchange, on which generated tickers are listed by default.
pub static NYSE: Exchange = american("New York Stock Exchange", "NYSE", "XNYS", "XNYS");
/// The Global Select Market of NASDAQ.
pub static NASDAQ: Exchange = american("NASDAQ Global Select Market", "NASDAQ", "XNGS", "XNAS");
/// NYSE Arca, on which most exchange-traded funds are listed.
pub static ARCA: Exchange = american("NYSE Arca", "NYSE", "ARCX", "XNYS");
/// The National Stock Exchange of India.
pub static NSE: Exchange = Exchange {
    title: "National Stock Exchange of India",
    name: "NSE",
    mic: "XNSE",
    operating_mic: "XNSE",
    country: "India",
    country_code: "IN",
    timezone: "Asia/Kolkata",
    currency: "INR",
};

pub static EXCHANGES: [&Exchange; 4] = [&NYSE, &NASDAQ, &ARCA, &NSE];

const fn american(title: &'static str, name: &'static str, mic: &'static str, operating_mic: &'static str) -> Exchange {
    Exchange {
        title,
        name,
        mic,
        operating_mic,
        country: "United States",
        country_code: "US",
        timezone: "America/New_York",
        currency: "USD",
    }
}

impl Exchange {
    /// Returns whether `name` is the short name or one of the codes of this exchange, in any case.
    pub fn answers_to(&self, name: &str) -> bool {
        [self.name, self.mic, self.operating_mic].iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Returns whether the exchange is in a country, given by name or two-letter code, in any case.
    pub fn is_in(&self, country: &str) -> bool {
        [self.country, self.country_code].iter().any(|own| own.eq_ignore_ascii_case(country))
    }
}

/// A listed instrument.
#[derive(Debug)]
pub struct Listing {
    /// The ticker.
    pub symbol: &'static str,
    /// The name of the issuer or fund.
    pub name: &'static str,
    pub exchange: &'static Exchange,
    pub kind: Kind,
    /// The price around which generated prices move, in whole units of the currency.
    pub typical_price: i64,
    /// The date of the API's oldest daily candle.
    pub since: Date,
}

/// All listings. Names, exchanges and dates are real; prices only have the right order of magnitude.
pub static LISTINGS: [Listing; 16] = [
    stock("AAPL", "Apple Inc.", &NASDAQ, 250, date(1980, 12, 12)),
    stock("AMZN", "Amazon.com, Inc.", &NASDAQ, 180, date(1997, 5, 15)),
    stock("BRK.B", "Berkshire Hathaway Inc.", &NYSE, 400, date(1996, 5, 9)),
    stock("GOOGL", "Alphabet Inc.", &NASDAQ, 160, date(2004, 8, 19)),
    stock("IBM", "International Business Machines Corporation", &NYSE, 190, date(1980, 1, 2)),
    stock("JPM", "JPMorgan Chase & Co.", &NYSE, 200, date(1980, 3, 17)),
    stock("KO", "The Coca-Cola Company", &NYSE, 60, date(1980, 1, 2)),
    stock("META", "Meta Platforms, Inc.", &NASDAQ, 450, date(2012, 5, 18)),
    stock("MSFT", "Microsoft Corporation", &NASDAQ, 400, date(1986, 3, 13)),
    stock("NVDA", "NVIDIA Corporation", &NASDAQ, 110, date(1999, 1, 22)),
    stock("SBIN", "State Bank of India", &NSE, 600, date(1996, 1, 1)),
    stock("TSLA", "Tesla, Inc.", &NASDAQ, 230, date(2010, 6, 29)),
    fund("QQQ", "Invesco QQQ Trust", &NASDAQ, 450, date(1999, 3, 10)),
    fund("SPY", "SPDR S&P 500 ETF Trust", &ARCA, 500, date(1993, 1, 29)),
    index("NDX", "NASDAQ-100", &NASDAQ, 18_000, date(1985, 10, 1)),
    index("SPX", "S&P 500", &NYSE, 5_000, date(1980, 1, 2)),
];

const fn stock(
    symbol: &'static str,
    name: &'static str,
    exchange: &'static Exchange,
    typical_price: i64,
    since: Date,
) -> Listing {
    Listing { symbol, name, exchange, kind: Kind::CommonStock, typical_price, since }
}

const fn fund(
    symbol: &'static str,
    name: &'static str,
    exchange: &'static Exchange,
    typical_price: i64,
    since: Date,
) -> Listing {
    Listing { symbol, name, exchange, kind: Kind::Etf, typical_price, since }
}

const fn index(
    symbol: &'static str,
    name: &'static str,
    exchange: &'static Exchange,
    typical_price: i64,
    since: Date,
) -> Listing {
    Listing { symbol, name, exchange, kind: Kind::Index, typical_price, since }
}
