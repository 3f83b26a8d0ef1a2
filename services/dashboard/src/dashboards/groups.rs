//! The default dashboards: one for each group of the watchlist.

use std::collections::BTreeMap;

use candlewick_shared::core::key::Series;
use candlewick_shared::core::watchlist::Watchlist;

use super::document::{Document, Kind, Scale, Tile};
use super::name::Name;
use super::variable::{Column, Variable};
use crate::query::fields::Field;

/// How many series of a group are shown: as many as a chart can tell apart.
const MOST_SERIES: usize = 8;

/// The default dashboards, by name. Of two groups with the same name, the first in the order of the alphabet has it.
pub fn of_watchlist(watchlist: &Watchlist) -> BTreeMap<Name, Document> {
    let mut groups: BTreeMap<&str, Vec<Series>> = BTreeMap::new();
    for (symbol, instrument) in watchlist.instruments() {
        let series = instrument.intervals.last().map(|interval| Series { symbol: symbol.clone(), interval: *interval });
        groups.entry(instrument.group.as_str()).or_default().extend(series);
    }
    let mut dashboards = BTreeMap::new();
    for (group, series) in groups {
        if let Some(name) = Name::of_group(group) {
            dashboards.entry(name).or_insert_with(|| of_group(group, &series));
        }
    }
    dashboards
}

fn of_group(group: &str, series: &[Series]) -> Document {
    let shown = &series[..series.len().min(MOST_SERIES)];
    let with = |column: Option<Column>| shown.iter().map(|each| Variable { series: each.clone(), column }).collect();
    let closes: Vec<Variable> = with(Some(Column::Field(Field::Close)));
    let chart = Tile {
        title: Some("Closes in percent".to_owned()),
        scale: Some(Scale::Percent),
        width: Some(4),
        ..Tile::of(Kind::Chart, closes.clone())
    };
    let values = Tile { title: Some("Last closes".to_owned()), ..Tile::of(Kind::Value, closes.clone()) };
    let gaps = Tile { title: Some("Gaps".to_owned()), ..Tile::of(Kind::Gaps, with(None)) };
    let table = Tile { title: Some("Newest closes".to_owned()), width: Some(4), ..Tile::of(Kind::Table, closes) };
    let run = Tile::of(Kind::Run, Vec::new());
    Document { title: group.to_owned(), tiles: vec![chart, values, gaps, run, table] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_a_dashboard_of_its_longest_interval() {
        let list = "[groups.stocks]\nsymbols = [\"AAPL\", \"MSFT\"]\nintervals = [\"1h\", \"1day\"]\n\
            [groups.\"東京\"]\nsymbols = [\"7203\"]\n[groups.Stocks]\nsymbols = [\"NVDA\"]\n";
        let found = of_watchlist(&list.parse().unwrap());
        let names: Vec<_> = found.keys().map(Name::as_str).collect();
        assert_eq!(names, ["stocks"], "one name is taken, and one group has no letter for a name");
        let shown = &found[&"stocks".parse().unwrap()];
        assert_eq!((shown.title.as_str(), shown.tiles[0].heading().as_str()), ("Stocks", "Closes in percent"));
        let small = "[groups.stocks]\nsymbols = [\"AAPL\", \"MSFT\"]\nintervals = [\"1h\", \"1day\"]\n";
        let found = of_watchlist(&small.parse().unwrap());
        let shown: Vec<_> =
            found[&"stocks".parse().unwrap()].tiles[0].variables.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["AAPL 1day close", "MSFT 1day close"]);
    }
}
