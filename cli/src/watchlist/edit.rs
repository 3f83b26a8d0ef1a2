//! Adds symbols to the text of a watchlist and removes them. Comments and order stay.

use anyhow::{Context, bail};
use candlewick_shared::core::symbol::Symbol;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

/// Adds symbols to the end of a group. Without a group it uses the only one that exists.
pub fn add(text: &str, symbols: &[Symbol], group: Option<&str>) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().context("read the watchlist")?;
    for symbol in symbols {
        if let Some(group) = group_of(&document, symbol) {
            bail!("{symbol} is already in group {group}");
        }
    }
    let group = match group {
        Some(group) => group.to_owned(),
        None => only_group(&document)?,
    };
    let members = members_or_new(&mut document, &group)?;
    for symbol in symbols {
        push(members, symbol.as_str());
    }
    Ok(document.to_string())
}

/// Removes symbols and their own settings.
pub fn remove(text: &str, symbols: &[Symbol]) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().context("read the watchlist")?;
    for symbol in symbols {
        let group =
            group_of(&document, symbol).with_context(|| format!("find {symbol}: it is not on the watchlist"))?;
        remove_member(members_or_new(&mut document, &group)?, symbol.as_str());
        if let Some(own) = document.get_mut("instruments").and_then(Item::as_table_like_mut) {
            own.remove(symbol.as_str());
        }
    }
    Ok(document.to_string())
}

fn groups(document: &DocumentMut) -> impl Iterator<Item = (&str, &Item)> {
    document.get("groups").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
}

fn group_of(document: &DocumentMut, symbol: &Symbol) -> Option<String> {
    let has = |group: &Item| {
        let members = group.get("symbols").and_then(Item::as_array);
        members.is_some_and(|members| members.iter().any(|member| member.as_str() == Some(symbol.as_str())))
    };
    groups(document).find(|(_, group)| has(group)).map(|(name, _)| name.to_owned())
}

fn only_group(document: &DocumentMut) -> anyhow::Result<String> {
    let names: Vec<_> = groups(document).map(|(name, _)| name).collect();
    match names[..] {
        [only] => Ok(only.to_owned()),
        [] => bail!("there is no group yet: create one with --group"),
        _ => bail!("choose the group with --group: {} or a new one", names.join(", ")),
    }
}

fn members_or_new<'a>(document: &'a mut DocumentMut, group: &str) -> anyhow::Result<&'a mut Array> {
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    let groups = document.entry("groups").or_insert(Item::Table(implicit));
    let groups = groups.as_table_like_mut().context("read groups: it is not a table")?;
    let group = groups.entry(group).or_insert(Item::Table(Table::new()));
    let group = group.as_table_like_mut().context("read the group: it is not a table")?;
    let members = group.entry("symbols").or_insert(toml_edit::value(Array::new()));
    members.as_array_mut().context("read the group's symbols: they are not a list")
}

/// Adds a symbol on its own line if the last symbol has one, otherwise after the last symbol.
fn push(members: &mut Array, symbol: &str) {
    let last = members.len().checked_sub(1).and_then(|last| members.get(last));
    let indent = last.and_then(|last| before(last).rsplit_once('\n').map(|(_, indent)| indent.to_owned()));
    let Some(indent) = indent else {
        members.push(symbol);
        return;
    };
    close_last(members);
    let trailing = text_of(members.trailing());
    let (comment, end) = trailing.rsplit_once('\n').unwrap_or((&trailing, ""));
    let value = Value::from(symbol).decorated(format!("{comment}\n{indent}"), "");
    members.set_trailing(format!("\n{end}"));
    members.set_trailing_comma(true);
    members.push_formatted(value);
}

/// Ends the list with a comma, and moves the text after the last symbol to after that comma.
fn close_last(members: &mut Array) {
    if members.trailing_comma() {
        return;
    }
    let last = members.len().saturating_sub(1);
    if let Some(value) = members.get_mut(last) {
        let suffix = value.decor().suffix().map(text_of).unwrap_or_default();
        value.decor_mut().set_suffix("");
        let trailing = format!("{suffix}{}", text_of(members.trailing()));
        members.set_trailing(trailing);
        members.set_trailing_comma(true);
    }
}

/// Removes a symbol and the comment on its line. To the parser that comment belongs to the next symbol's prefix.
fn remove_member(members: &mut Array, symbol: &str) {
    let Some(at) = members.iter().position(|member| member.as_str() == Some(symbol)) else { return };
    if at + 1 == members.len() && members.get(at).is_some_and(|last| before(last).contains('\n')) {
        close_last(members);
    }
    let gone = before(&members.remove(at)).to_owned();
    let own_line = gone.split_once('\n').map_or(gone.as_str(), |(line, _)| line).to_owned();
    if let Some(next) = members.get_mut(at) {
        let prefix = match before(next).split_once('\n') {
            Some((_, rest)) => format!("{own_line}\n{rest}"),
            None if at == 0 => gone,
            None => before(next).to_owned(),
        };
        next.decor_mut().set_prefix(prefix);
    } else if let Some((_, rest)) = text_of(members.trailing()).split_once('\n') {
        members.set_trailing(format!("{own_line}\n{rest}"));
    }
}

fn before(value: &Value) -> &str {
    value.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default()
}

fn text_of(raw: &toml_edit::RawString) -> String {
    raw.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::watchlist::Watchlist;

    use super::*;

    const LIST: &str = r#"# What I keep.
[defaults] # for all
intervals = ["1day"]

[groups.stocks]
# Large ones first.
symbols = [
    "AAPL", # fruit
    "BRK.B", # two of a kind
    "MSFT", # windows
] # no more

[groups.fx]
symbols = ["BTC/USD", "EUR/USD"]

# Its own.
[instruments."BRK.B"]
intervals = ["1week"]

[instruments.MSFT]
max_fill = 1
"#;

    fn symbols(names: &[&str]) -> Vec<Symbol> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    /// The lines that an edit removed (-) and added (+).
    fn difference(old: &str, new: &str) -> Vec<String> {
        new.parse::<Watchlist>().unwrap();
        let gone = old.lines().filter(|line| !new.lines().any(|other| other == *line)).map(|line| format!("-{line}"));
        let came = new.lines().filter(|line| !old.lines().any(|other| other == *line)).map(|line| format!("+{line}"));
        gone.chain(came).collect()
    }

    #[test]
    fn a_symbol_is_added_on_a_line_of_its_own_where_the_others_have_one() {
        let added = add(LIST, &symbols(&["SBIN:NSE", "NVDA"]), Some("stocks")).unwrap();
        assert_eq!(difference(LIST, &added), ["+    \"SBIN:NSE\",", "+    \"NVDA\","]);
        assert!(added.contains("    \"MSFT\", # windows\n    \"SBIN:NSE\",\n    \"NVDA\",\n] # no more"), "{added}");
    }

    #[test]
    fn a_symbol_is_added_to_a_line() {
        let added = add(LIST, &symbols(&["ETH/USD"]), Some("fx")).unwrap();
        assert!(added.contains("symbols = [\"BTC/USD\", \"EUR/USD\", \"ETH/USD\"]\n"), "{added}");
    }

    #[test]
    fn a_list_without_a_last_comma_gets_one() {
        let list = "[groups.a]\nsymbols = [\n  \"A\",\n  \"B\" # last\n]\n";
        let added = add(list, &symbols(&["C"]), None).unwrap();
        assert_eq!(added, "[groups.a]\nsymbols = [\n  \"A\",\n  \"B\", # last\n  \"C\",\n]\n");
    }

    #[test]
    fn a_new_group_is_made_behind_the_others() {
        let added = add(LIST, &symbols(&["SPY"]), Some("etfs")).unwrap();
        assert!(added.contains("[groups.etfs]\nsymbols = [\"SPY\"]\n"), "{added}");
        assert_eq!(difference(LIST, &added), ["+[groups.etfs]", "+symbols = [\"SPY\"]"]);
    }

    #[test]
    fn a_symbol_goes_with_its_comment_and_its_settings() {
        for (symbol, lines) in [
            ("AAPL", vec!["-    \"AAPL\", # fruit"]),
            ("MSFT", vec!["-    \"MSFT\", # windows", "-[instruments.MSFT]", "-max_fill = 1"]),
            ("EUR/USD", vec!["-symbols = [\"BTC/USD\", \"EUR/USD\"]", "+symbols = [\"BTC/USD\"]"]),
            ("BTC/USD", vec!["-symbols = [\"BTC/USD\", \"EUR/USD\"]", "+symbols = [\"EUR/USD\"]"]),
        ] {
            let removed = remove(LIST, &symbols(&[symbol])).unwrap();
            assert_eq!(difference(LIST, &removed), lines, "{removed}");
        }
        let both = remove(LIST, &symbols(&["BRK.B", "AAPL"])).unwrap();
        assert!(both.contains("symbols = [\n    \"MSFT\", # windows\n] # no more"), "{both}");
        assert!(!both.contains("BRK.B"), "{both}");
    }

    #[test]
    fn what_was_added_and_removed_leaves_the_text_as_it_was() {
        for (group, symbol) in [("stocks", "NVDA"), ("fx", "ETH/USD")] {
            let added = add(LIST, &symbols(&[symbol]), Some(group)).unwrap();
            assert_eq!(remove(&added, &symbols(&[symbol])).unwrap(), LIST);
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let said = |result: anyhow::Result<String>| format!("{:#}", result.unwrap_err());
        assert_eq!(said(add(LIST, &symbols(&["BTC/USD"]), Some("stocks"))), "BTC/USD is already in group fx");
        assert!(said(add(LIST, &symbols(&["X"]), None)).contains("--group: stocks, fx"));
        assert!(said(add("", &symbols(&["X"]), None)).contains("no group yet"));
        assert!(said(remove(LIST, &symbols(&["X"]))).contains("X: it is not on the watchlist"));
        assert!(said(add("[groups", &symbols(&["X"]), Some("a"))).contains("line 1"));
    }
}
