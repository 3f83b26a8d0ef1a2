//! Parses faults and defects from the command line.

use std::collections::BTreeMap;

use crate::api::defects::Defect;
use crate::faults::{Faults, Kind, Rule};

/// Data defects by symbol. Those of `*` apply to all symbols.
pub type Defects = BTreeMap<String, Vec<Defect>>;

/// Parses a comma-separated list of `KIND`, `KIND:CHANCE`, `slow=DELAY:CHANCE` and the switch `status200-errors`. A
/// chance is greater than 0 and at most 1 (the default); a delay is a whole number of `s` or `ms`.
///
/// Example: `500:0.1,slow=2s:0.05,429-minute:0.02,status200-errors`
pub fn parse_faults(text: &str) -> Result<Faults, String> {
    let mut faults = Faults::default();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if item == "status200-errors" {
            faults.status200_errors = true;
        } else {
            faults.rules.push(rule(item).map_err(|reason| format!("fault {item}: {reason}"))?);
        }
    }
    faults.checked()
}

/// Parses a comma-separated list of `SYMBOL=KIND+KIND…`, where the symbol `*` means all.
///
/// Example: `MSFT=duplicate+null,*=float-noise`
pub fn parse_defects(text: &str) -> Result<Defects, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| symbol_defects(item).map_err(|reason| format!("defect {item}: {reason}"))).collect()
}

fn rule(item: &str) -> Result<Rule, String> {
    let (fault, chance) = item.split_once(':').unwrap_or((item, "1"));
    let (name, delay) = fault.split_once('=').unwrap_or((fault, "0ms"));
    let kind: Kind = serde_json::from_value(name.into()).map_err(|error| error.to_string())?;
    if (kind == Kind::Slow) != fault.contains('=') {
        return Err("slow needs a delay, and no other kind takes one: slow=2s".into());
    }
    let probability = chance.parse().map_err(|_| "the chance is not a number".to_owned())?;
    Ok(Rule { kind, symbol: None, path: None, times: None, probability, delay_ms: milliseconds(delay)?, code: None })
}

fn milliseconds(delay: &str) -> Result<u64, String> {
    let (number, unit) = match delay.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (delay.strip_suffix('s').unwrap_or_default(), 1000),
    };
    let number: u64 = number.parse().map_err(|_| "the delay is not a whole number of s or ms".to_owned())?;
    Ok(number.saturating_mul(unit))
}

fn symbol_defects(item: &str) -> Result<(String, Vec<Defect>), String> {
    let (symbol, kinds) = item.split_once('=').ok_or("expected SYMBOL=KIND")?;
    let kinds = kinds.split('+').map(str::parse).collect::<Result<_, _>>()?;
    Ok((symbol.to_ascii_uppercase(), kinds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_text() {
        let faults = parse_faults("500:0.1, slow=2s:0.05,slow=30ms,429-minute:0.02,status200-errors").unwrap();
        let read: Vec<_> = faults.rules.iter().map(|rule| (rule.kind, rule.probability, rule.delay_ms)).collect();
        let expected = [
            (Kind::ServerError, 0.1, 0),
            (Kind::Slow, 0.05, 2000),
            (Kind::Slow, 1.0, 30),
            (Kind::MinuteExhausted, 0.02, 0),
        ];
        assert_eq!((read.as_slice(), faults.status200_errors), (expected.as_slice(), true));
    }

    #[test]
    fn an_unreadable_fault_is_named() {
        for text in ["fire:0.1", "slow:0.1", "html=2s", "500:2", "500:x", "slow=2h"] {
            assert!(parse_faults(text).is_err(), "{text}");
        }
        assert_eq!(parse_faults("500:x").unwrap_err(), "fault 500:x: the chance is not a number");
    }

    #[test]
    fn defects_are_read_from_text() {
        let defects = parse_defects("msft=duplicate+null,*=float-noise").unwrap();
        assert_eq!(defects["MSFT"], [Defect::Duplicate, Defect::Null]);
        assert_eq!(defects["*"], [Defect::FloatNoise]);
        assert!(parse_defects("MSFT").is_err() && parse_defects("MSFT=fire").is_err());
    }
}
