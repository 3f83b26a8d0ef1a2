//! Currency pairs: names and typical prices.

use super::listings::Kind;
use super::price::UNITS;

/// A currency: code, name, and approximate value in US dollars.
type Currency = (&'static str, &'static str, f64);

const DIGITAL: [Currency; 12] = [
    ("BTC", "Bitcoin", 60_000.0),
    ("ETH", "Ethereum", 3_000.0),
    ("SOL", "Solana", 150.0),
    ("XRP", "Ripple", 0.6),
    ("ADA", "Cardano", 0.5),
    ("DOGE", "Dogecoin", 0.1),
    ("LTC", "Litecoin", 80.0),
    ("BNB", "Binance Coin", 500.0),
    ("DOT", "Polkadot", 7.0),
    ("AVAX", "Avalanche", 30.0),
    ("LINK", "Chainlink", 15.0),
    ("USDT", "Tether", 1.0),
];

const PHYSICAL: [Currency; 12] = [
    ("USD", "US Dollar", 1.0),
    ("EUR", "Euro", 1.1),
    ("GBP", "British Pound", 1.27),
    ("JPY", "Japanese Yen", 0.0067),
    ("CHF", "Swiss Franc", 1.13),
    ("AUD", "Australian Dollar", 0.66),
    ("CAD", "Canadian Dollar", 0.73),
    ("NZD", "New Zealand Dollar", 0.61),
    ("CNY", "Chinese Yuan", 0.14),
    ("INR", "Indian Rupee", 0.012),
    ("XAU", "Gold Spot", 2_300.0),
    ("XAG", "Silver Spot", 28.0),
];

/// A currency pair. Its price is that of the base in the quote currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name of the priced currency.
    pub base: String,
    /// The name of the currency of the price.
    pub quote: String,
    /// [`Kind::DigitalCurrency`] if the base is one, otherwise [`Kind::PhysicalCurrency`].
    pub kind: Kind,
    /// In hundred-thousandths of the quote currency.
    pub typical_price: i64,
}

impl Pair {
    /// Parses `BASE/QUOTE`, each with two to five capital letters. An unknown code is used as the name.
    pub fn parse(symbol: &str) -> Option<Self> {
        let (base, quote) = symbol.split_once('/')?;
        let is_code = |code: &str| (2..=5).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code(base) || !is_code(quote) || base == quote {
            return None;
        }
        let digital = DIGITAL.iter().any(|(code, ..)| *code == base);
        let kind = if digital { Kind::DigitalCurrency } else { Kind::PhysicalCurrency };
        Some(Self { base: name(base), quote: name(quote), kind, typical_price: typical_price(base, quote) })
    }
}

fn known(code: &str) -> Option<&'static Currency> {
    DIGITAL.iter().chain(&PHYSICAL).find(|(known, ..)| *known == code)
}

fn name(code: &str) -> String {
    known(code).map_or(code, |(_, name, _)| name).to_owned()
}

fn typical_price(base: &str, quote: &str) -> i64 {
    let dollars = |code| known(code).map_or(1.0, |(.., dollars)| *dollars);
    (dollars(base) / dollars(quote) * UNITS as f64).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_decides_what_a_pair_is() {
        let pair = Pair::parse("BTC/USD").unwrap();
        assert_eq!(
            (pair.kind, pair.base.as_str(), pair.quote.as_str()),
            (Kind::DigitalCurrency, "Bitcoin", "US Dollar")
        );
        assert_eq!(Pair::parse("EUR/USD").unwrap().kind, Kind::PhysicalCurrency);
        assert_eq!(Pair::parse("SEK/NOK").unwrap().base, "SEK");
    }

    #[test]
    fn what_is_no_pair_of_codes_is_refused() {
        for symbol in ["AAPL", "EUR/", "/USD", "EUR/EUR", "eur/usd", "EUR/USD/X", "TOOLONG/USD"] {
            assert_eq!(Pair::parse(symbol), None, "{symbol}");
        }
    }
}
