//! Faults on demand: rules that make requests fail.

use serde::{Deserialize, Serialize};

use crate::market::noise::{Noise, Use};

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Kind {
    /// An internal error.
    #[serde(rename = "500")]
    ServerError,
    /// An HTML page instead of the answer.
    #[serde(rename = "html")]
    Html,
    /// The connection is cut halfway through the body.
    #[serde(rename = "cut")]
    Cut,
    /// The answer is delayed by `delay_ms`.
    #[serde(rename = "slow")]
    Slow,
    /// The error for no credits left in this minute, regardless of the account.
    #[serde(rename = "429-minute")]
    MinuteExhausted,
    /// The error for no credits left on this day, regardless of the account.
    #[serde(rename = "429-day")]
    DayExhausted,
    /// Every fifth row has null prices.
    #[serde(rename = "null")]
    Nulls,
    /// An answer with status ok but without `values`.
    #[serde(rename = "no-values")]
    NoValues,
    /// An answer with status ok and empty `values`.
    #[serde(rename = "empty-values")]
    EmptyValues,
    /// Only the two oldest candles of the answer are present.
    #[serde(rename = "short")]
    Short,
    /// Every tenth candle is missing.
    #[serde(rename = "holes")]
    Holes,
    /// The error for a symbol that needs a larger plan.
    #[serde(rename = "plan-gate")]
    PlanGate,
}

/// A rule that makes some requests fail. Absent conditions match all requests.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub kind: Kind,
    /// Matches only this symbol, as the request writes it but in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Matches only this path, such as `/time_series`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many more times the rule applies; `None` means without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The probability of the fault, greater than 0 and at most 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// The delay of `slow` in real milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// The code of `500`, `plan-gate` and `html` instead of 500, 403 and 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// All configured faults.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// The rules. At most one applies to a request.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Whether every error, including genuine ones, has HTTP status 200.
    #[serde(default)]
    pub status200_errors: bool,
}

/// A fault that was drawn for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// The delay of `slow` in real milliseconds.
    pub delay_ms: u64,
    /// The code instead of the usual one.
    pub code: Option<u16>,
}

fn always() -> f64 {
    1.0
}

impl Faults {
    /// Checks the probabilities and codes of the rules.
    pub fn checked(self) -> Result<Self, String> {
        for rule in &self.rules {
            if !(rule.probability > 0.0 && rule.probability <= 1.0) {
                return Err(format!("probability {} is not greater than 0 and at most 1", rule.probability));
            }
            if rule.code.is_some_and(|code| !(100..1000).contains(&code)) {
                return Err("code is not an HTTP status".into());
            }
        }
        Ok(self)
    }

    /// Draws the fault, if any, of the answer for `symbol` (empty if the request has none) at `path`. `number`
    /// distinguishes requests: the same number, seed and rules give the same fault.
    pub fn draw(&mut self, path: &str, symbol: &str, number: i64, noise: Noise) -> Option<Fault> {
        let chance = noise.unit(Use::Fault, number);
        let mut cumulative = 0.0;
        for rule in self.rules.iter_mut().filter(|rule| rule.applies_to(path, symbol)) {
            // Probabilities add up: two rules with 0.1 each affect a fifth of all requests.
            cumulative += rule.probability;
            if chance < cumulative {
                return Some(rule.apply());
            }
        }
        None
    }
}

impl Rule {
    fn applies_to(&self, path: &str, symbol: &str) -> bool {
        let is_symbol = self.symbol.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(symbol));
        is_symbol && self.path.as_ref().is_none_or(|wanted| wanted == path) && self.times != Some(0)
    }

    fn apply(&mut self) -> Fault {
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

    fn drawn(faults: &mut Faults, symbol: &str, number: i64) -> Option<Kind> {
        faults.draw("/time_series", symbol, number, Noise::new(1, "")).map(|fault| fault.kind)
    }

    #[test]
    fn a_rule_strikes_its_symbol_so_many_times() {
        let mut faults = faults(r#"{"rules": [{"kind": "html", "symbol": "MSFT", "times": 2}]}"#);
        let kinds: Vec<_> =
            ["AAPL", "MSFT", "msft", "MSFT"].iter().map(|symbol| drawn(&mut faults, symbol, 0)).collect();
        assert_eq!(kinds, [None, Some(Kind::Html), Some(Kind::Html), None]);
    }

    #[test]
    fn chances_add_up_and_the_seed_decides() {
        let mut faults =
            faults(r#"{"rules": [{"kind": "500", "probability": 0.1}, {"kind": "cut", "probability": 0.2}]}"#);
        let kinds: Vec<_> = (0..10_000).map(|number| drawn(&mut faults, "AAPL", number)).collect();
        let count = |kind| kinds.iter().filter(|drawn| **drawn == Some(kind)).count();
        assert!((900..1100).contains(&count(Kind::ServerError)), "{}", count(Kind::ServerError));
        assert!((1800..2200).contains(&count(Kind::Cut)), "{}", count(Kind::Cut));
        let again: Vec<_> = (0..10_000).map(|number| drawn(&mut faults, "AAPL", number)).collect();
        assert_eq!(kinds, again);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(faults(r#"{"rules": [{"kind": "500", "probability": 1.5}]}"#).checked().is_err());
        assert!(serde_json::from_str::<Faults>(r#"{"rules": [{"kind": "html", "simbol": "A"}]}"#).is_err());
        assert!(serde_json::from_str::<Faults>(r#"{"rules": [{"kind": "fire"}]}"#).is_err());
    }
}
