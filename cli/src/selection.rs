//! The options that select series.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::symbol::Symbol;

/// Selects series. Without options it selects all.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Selection {
    /// Only this instrument, such as AAPL or BTC/USD
    #[arg(long)]
    pub symbol: Option<Symbol>,
    /// Only this interval, such as 1day
    #[arg(long)]
    pub interval: Option<Interval>,
}

impl Selection {
    /// The folders of the series below a prefix, in the order of their keys.
    pub fn folders(&self) -> Vec<String> {
        let of = |interval: Interval| match &self.symbol {
            Some(symbol) => format!("interval={interval}/symbol={}/", symbol.to_key_form()),
            None => format!("interval={interval}/"),
        };
        match (&self.symbol, self.interval) {
            (None, None) => vec![String::new()],
            (_, Some(interval)) => vec![of(interval)],
            (Some(_), None) => Interval::ALL.into_iter().map(of).collect(),
        }
    }

    pub fn matches(&self, symbol: &str, interval: &str) -> bool {
        self.symbol.as_ref().is_none_or(|wanted| wanted.as_str() == symbol)
            && self.interval.is_none_or(|wanted| wanted.as_str() == interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(symbol: Option<&str>, interval: Option<&str>) -> Selection {
        Selection {
            symbol: symbol.map(|text| text.parse().unwrap()),
            interval: interval.map(|text| text.parse().unwrap()),
        }
    }

    #[test]
    fn folders_hold_what_is_meant_and_nothing_else() {
        assert_eq!(selection(None, None).folders(), [""]);
        assert_eq!(selection(None, Some("1h")).folders(), ["interval=1h/"]);
        assert_eq!(selection(Some("BTC/USD"), Some("1h")).folders(), ["interval=1h/symbol=BTC%2FUSD/"]);
        assert_eq!(selection(Some("AAPL"), None).folders().len(), 12);
        assert!(
            selection(Some("AAPL"), None).matches("AAPL", "1h") && !selection(Some("AAPL"), None).matches("A", "1h")
        );
    }
}
