//! Faults on demand: which requests go wrong, and how.

use serde::{Deserialize, Serialize};

use crate::market::noise::{Noise, Use};

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Kind {
    /// An internal error.
    #[serde(rename = "500")]
    ServerError,
    /// A page of HTML in place of the answer.
    #[serde(rename = "html")]
    Html,
    /// A connection that is cut halfway through the body.
    #[serde(rename = "cut")]
    Cut,
    /// An answer that is late by `delay_ms`.
    #[serde(rename = "slow")]
    Slow,
    /// No credits left in this minute, whatever the account says.
    #[serde(rename = "429-minute")]
    MinuteExhausted,
    /// No credits left on this day, whatever the account says.
    #[serde(rename = "429-day")]
    DayExhausted,
    /// Null prices in every fifth row.
    #[serde(rename = "null")]
    Nulls,
    /// No `values`, and yet status ok.
    #[serde(rename = "no-values")]
    NoValues,
    /// An empty `values`, and yet status ok.
    #[serde(rename = "empty-values")]
    EmptyValues,
    /// Only the two newest candles, as if there never were others.
    #[serde(rename = "short")]
    Short,
    /// Every tenth candle left out.
    #[serde(rename = "holes")]
    Holes,
    /// A symbol that needs a larger plan.
    #[serde(rename = "plan-gate")]
    PlanGate,
}

/// Which requests a fault strikes. Absent conditions hold for all requests.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How the answer goes wrong.
    pub kind: Kind,
    /// Only for this symbol as the request writes it, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Only for this path, such as `/time_series`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only so many times; counts down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// With this chance, above 0 and up to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// For `slow`: by how many real milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// For `500`, `plan-gate` and `html`: another code than 500, 403 and 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// All faults that are set.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// The rules. The first that strikes counts.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Whether every error, genuine or not, is answered with HTTP status 200.
    #[serde(default)]
    pub status200_errors: bool,
}

/// A fault that strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How the answer goes wrong.
    pub kind: Kind,
    /// By how many milliseconds it is late.
    pub delay_ms: u64,
    /// The code in place of the usual one.
    pub code: Option<u16>,
}

fn always() -> f64 {
    1.0
}

impl Faults {
    /// The faults with whatever cannot be meant refused.
    pub fn checked(self) -> Result<Self, String> {
        for rule in &self.rules {
            if !(rule.probability > 0.0 && rule.probability <= 1.0) {
                return Err(format!("probability {} is not above 0 and up to 1", rule.probability));
            }
            if rule.code.is_some_and(|code| !(100..1000).contains(&code)) {
                return Err("code is no HTTP status".into());
            }
        }
        Ok(self)
    }

    /// The fault, if any, that strikes the answer for `symbol` (empty where the request names none) at `path`. `number`
    /// tells requests apart: the same number, seed and rules give the same fault.
    pub fn draw(&mut self, path: &str, symbol: &str, number: i64, noise: Noise) -> Option<Fault> {
        let chance = noise.unit(Use::Fault, number);
        let mut passed = 0.0;
        for rule in self.rules.iter_mut().filter(|rule| rule.applies_to(path, symbol)) {
            // The chances of rules add up: of two rules with a chance of a tenth one strikes a fifth of all requests.
            passed += rule.probability;
            if chance < passed {
                return Some(rule.strike());
            }
        }
        None
    }
}

impl Rule {
    fn applies_to(&self, path: &str, symbol: &str) -> bool {
        let symbol = self.symbol.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(symbol));
        symbol && self.path.as_ref().is_none_or(|own| own == path) && self.times != Some(0)
    }

    fn strike(&mut self) -> Fault {
        self.times = self.times.map(|times| times.saturating_sub(1));
        Fault { kind: self.kind, delay_ms: self.delay_ms, code: self.code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        serde_json::from_str(json).unwrap()
    }

    fn struck(faults: &mut Faults, symbol: &str, number: i64) -> Option<Kind> {
        faults.draw("/time_series", symbol, number, Noise::new(1, "")).map(|fault| fault.kind)
    }

    #[test]
    fn a_rule_strikes_its_symbol_so_many_times() {
        let mut faults = faults(r#"{"rules": [{"kind": "html", "symbol": "MSFT", "times": 2}]}"#);
        let kinds: Vec<_> =
            ["AAPL", "MSFT", "msft", "MSFT"].iter().map(|symbol| struck(&mut faults, symbol, 0)).collect();
        assert_eq!(kinds, [None, Some(Kind::Html), Some(Kind::Html), None]);
    }

    #[test]
    fn chances_add_up_and_the_seed_decides() {
        let mut faults =
            faults(r#"{"rules": [{"kind": "500", "probability": 0.1}, {"kind": "cut", "probability": 0.2}]}"#);
        let drawn: Vec<_> = (0..10_000).map(|number| struck(&mut faults, "AAPL", number)).collect();
        let count = |kind| drawn.iter().filter(|drawn| **drawn == Some(kind)).count();
        assert!((900..1100).contains(&count(Kind::ServerError)), "{}", count(Kind::ServerError));
        assert!((1800..2200).contains(&count(Kind::Cut)), "{}", count(Kind::Cut));
        let again: Vec<_> = (0..10_000).map(|number| struck(&mut faults, "AAPL", number)).collect();
        assert_eq!(drawn, again);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(faults(r#"{"rules": [{"kind": "500", "probability": 1.5}]}"#).checked().is_err());
        assert!(serde_json::from_str::<Faults>(r#"{"rules": [{"kind": "html", "simbol": "A"}]}"#).is_err());
        assert!(serde_json::from_str::<Faults>(r#"{"rules": [{"kind": "fire"}]}"#).is_err());
    }
}
