//! What the names of all price columns have in common besides their role.

/// Strips what all price columns have before or after `open`, `high`, `low` and `close`: a number (`1. open`), or a
/// currency (`open (USD)`) or the instrument (`AAPL.Open`, `Open_AAPL`), which are returned.
pub fn without_affixes(plain: &mut [String], given: &[String]) -> Option<String> {
    for name in plain.iter_mut() {
        let numbered = name.split_once(' ').filter(|(first, _)| is_ordinal(first)).map(|(_, rest)| rest.to_owned());
        *name = numbered.unwrap_or(std::mem::take(name));
    }
    if plain.iter().any(|name| name == "open") {
        return None;
    }
    let names = plain.to_vec();
    let has_all =
        |of: &dyn Fn(&str) -> String| ["open", "high", "low", "close"].map(of).iter().all(|name| names.contains(name));
    let suffixes: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("open ")).collect();
    if let [suffix] = suffixes.as_slice()
        && has_all(&|name| format!("{name} {suffix}"))
    {
        let at = names.iter().position(|name| *name == format!("open {suffix}"))?;
        strip(plain, |name| name.strip_suffix(suffix).and_then(|name| name.strip_suffix(' ')));
        return affix(&given[at], |lower| Some(lower.find("open")? + "open".len()), true);
    }
    let prefixes: Vec<(usize, &str)> =
        names.iter().enumerate().filter_map(|(at, name)| Some((at, name.strip_suffix(" open")?))).collect();
    let [(at, prefix)] = prefixes.as_slice() else { return None };
    if !has_all(&|name| format!("{prefix} {name}")) {
        return None;
    }
    strip(plain, |name| name.strip_prefix(prefix).and_then(|name| name.strip_prefix(' ')));
    affix(&given[*at], |lower| lower.rfind("open"), false)
}

/// The part of a name after or before an offset, without the signs around it.
fn affix(name: &str, at: impl Fn(&str) -> Option<usize>, is_after: bool) -> Option<String> {
    let (before, after) = name.split_at_checked(at(&name.to_ascii_lowercase())?)?;
    let part = if is_after { after } else { before };
    Some(part.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
}

/// Whether a word is a column number as Alpha Vantage writes it: `1`, `1a`.
fn is_ordinal(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= digits.len() + 1
}

fn strip(names: &mut [String], rest: impl Fn(&str) -> Option<&str>) {
    for name in names {
        if let Some(shorter) = rest(name).map(str::to_owned) {
            *name = shorter;
        }
    }
}
