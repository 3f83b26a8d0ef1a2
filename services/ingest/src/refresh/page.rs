//! One page of a refresh and its messages.

use std::collections::BTreeSet;

use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::Watchlist;

/// The most series of one page, which bounds the work and memory per message however long the watchlist is.
pub const PAGE: usize = 100;

/// One page of the series that a refresh asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In order of symbol and interval.
    pub series: Vec<Series>,
    pub is_last: bool,
}

/// The page that a refresh message is about: up to `most` series after the previous page.
///
/// Fails with the first symbol that is not on the watchlist.
pub fn page(watchlist: &Watchlist, refresh: &Refresh, most: usize) -> Result<Page, Symbol> {
    let last = refresh.last_before();
    let is_asked = |series: &Series| refresh.intervals.is_empty() || refresh.intervals.contains(&series.interval);
    if refresh.symbols.is_empty() {
        return Ok(cut(watchlist.series_after(last.as_ref()).filter(is_asked), most));
    }
    let named: BTreeSet<&Symbol> = refresh.symbols.iter().collect();
    if let Some(unknown) = named.iter().find(|symbol| watchlist.series_of(symbol).next().is_none()) {
        return Err((*unknown).clone());
    }
    let series = named.into_iter().flat_map(|symbol| watchlist.series_of(symbol)).filter(is_asked);
    Ok(cut(series.skip_while(|series| last.as_ref().is_some_and(|last| series <= last)), most))
}

fn cut(mut series: impl Iterator<Item = Series>, most: usize) -> Page {
    let page = series.by_ref().take(most).collect();
    Page { series: page, is_last: series.next().is_none() }
}

/// One fetch message per series, each with its own trace.
pub fn messages(series: Vec<Series>, run: &str, replace: bool) -> Vec<IngestMessage> {
    let trace = candlewick_shared::runtime::tracing_ids::new_trace;
    let message = if replace { IngestMessage::replacement } else { IngestMessage::fetch };
    series.into_iter().map(|series| message(series, run, trace())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn watchlist(symbols: usize, intervals: &str) -> Watchlist {
        let symbols: Vec<_> = (0..symbols).map(|at| format!("\"S{at}\"")).collect();
        format!("[groups.a]\nsymbols = [{}]\nintervals = {intervals}", symbols.join(", ")).parse().unwrap()
    }

    /// All pages of a refresh, one after the other.
    fn pages(watchlist: &Watchlist, refresh: Refresh, most: usize) -> Vec<Vec<Series>> {
        let mut refresh = refresh;
        let mut pages = Vec::new();
        loop {
            let page = page(watchlist, &refresh, most).unwrap();
            let last = page.series.last().cloned();
            pages.push(page.series);
            match last {
                Some(last) if !page.is_last => refresh = refresh.next("run", &last),
                _ => return pages,
            }
        }
    }

    fn of(symbols: &[&str]) -> Refresh {
        Refresh { symbols: symbols.iter().map(|symbol| symbol.parse().unwrap()).collect(), ..Refresh::default() }
    }

    #[test]
    fn a_refresh_is_of_all_or_of_the_named_symbols() {
        let watchlist: Watchlist =
            "[groups.a]\nsymbols = [\"A\", \"B\"]\nintervals = [\"1day\", \"1h\"]".parse().unwrap();
        let names = |symbols: &[&str]| {
            page(&watchlist, &of(symbols), 9)
                .map(|page| page.series.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["A 1h", "A 1day", "B 1h", "B 1day"]);
        assert_eq!(names(&["B", "B"]).unwrap(), ["B 1h", "B 1day"]);
        assert_eq!(names(&["B", "C"]).unwrap_err().as_str(), "C");
        let daily = Refresh { intervals: vec!["1day".parse().unwrap()], ..of(&[]) };
        let page = page(&watchlist, &daily, 1).unwrap();
        assert_eq!((page.series[0].to_string(), page.is_last), ("A 1day".to_owned(), false));
        let next = super::page(&watchlist, &daily.next("run", &page.series[0]), 1).unwrap();
        assert_eq!((next.series[0].to_string(), next.is_last), ("B 1day".to_owned(), true));
    }

    #[test]
    fn five_thousand_symbols_are_pages_that_are_no_larger_than_those_of_fifty() {
        let watchlist = watchlist(5000, "[\"1day\", \"1h\", \"5min\"]");
        let pages = pages(&watchlist, Refresh::default(), PAGE);
        assert_eq!(pages.len(), 150);
        assert!(pages.iter().all(|page| page.len() == PAGE));
        let all: BTreeSet<_> = pages.iter().flatten().collect();
        assert_eq!(all.len(), 15_000, "each series once");
        let next = IngestMessage::Refresh(Refresh::default().next("20241230T223000-scheduled", &pages[149][99]));
        assert!(serde_json::to_string(&next).unwrap().len() < 200, "a message says where, and not what");
    }

    proptest! {
        #[test]
        fn the_pages_are_the_list_whatever_their_size(symbols in 1_usize..40, most in 1_usize..12, named in any::<bool>()) {
            let watchlist = watchlist(symbols, "[\"1day\", \"1h\"]");
            let names: Vec<_> = (0..symbols).step_by(2).map(|at| format!("S{at}")).collect();
            let refresh = if named { of(&names.iter().map(String::as_str).collect::<Vec<_>>()) } else { of(&[]) };
            let all = page(&watchlist, &refresh, usize::MAX).unwrap();
            prop_assert!(all.is_last);
            let pages = pages(&watchlist, refresh, most);
            prop_assert!(pages.iter().all(|page| !page.is_empty() && page.len() <= most));
            prop_assert_eq!(pages.concat(), all.series);
        }
    }
}
