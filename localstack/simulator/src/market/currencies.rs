//! Currency pairs: their names, and the size of their prices.

use super::listings::Kind;
use super::price::UNITS;

/// A currency: code, name, and about how many US dollars one is worth.
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

/// Two currencies, the price of the first in the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is priced, by name.
    pub base: String,
    /// What it is priced in, by name.
    pub quote: String,
    /// [`Kind::DigitalCurrency`] where the base is one, else [`Kind::PhysicalCurrency`].
    pub kind: Kind,
    /// Its price is about so many units.
    pub about: i64,
}

impl Pair {
    /// Reads `BASE/QUOTE`, each two to five capital letters. A code without a known name goes by its code.
    pub fn parse(symbol: &str) -> Option<Self> {
        let (base, quote) = symbol.split_once('/')?;
        let is_code = |code: &str| (2..=5).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code(base) || !is_code(quote) || base == quote {
            return None;
        }
        let digital = DIGITAL.iter().any(|(code, ..)| *code == base);
        let kind = if digital { Kind::DigitalCurrency } else { Kind::PhysicalCurrency };
        Some(Self { base: name(base), quote: name(quote), kind, about: about(base, quote) })
    }
}

fn known(code: &str) -> Option<&'static Currency> {
    DIGITAL.iter().chain(&PHYSICAL).find(|(known, ..)| *known == code)
}

fn name(code: &str) -> String {
    known(code).map_or(code, |(_, name, _)| name).to_owned()
}

fn about(base: &str, quote: &str) -> i64 {
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
