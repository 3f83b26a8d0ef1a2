//! From one message to one message a series, a page at a time.

use std::collections::BTreeSet;

use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::Watchlist;

/// How many series one message of a refresh is answered with. What a page needs is bounded by it, however long the list is.
pub const PAGE: usize = 100;

/// A part of what a refresh asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its series, by symbol and interval; none where the part before it was the last.
    pub series: Vec<Series>,
    /// Whether another part follows.
    pub is_last: bool,
}

/// The series that a message of a refresh is about: up to `most` of those behind the page before it.
///
/// # Errors
/// The first named symbol that the watchlist has not.
pub fn part(watchlist: &Watchlist, refresh: &Refresh, most: usize) -> Result<Part, Symbol> {
    let last = refresh.last_before();
    if refresh.symbols.is_empty() {
        return Ok(cut(watchlist.series_behind(last.as_ref()), most));
    }
    let named: BTreeSet<&Symbol> = refresh.symbols.iter().collect();
    if let Some(unknown) = named.iter().find(|symbol| watchlist.series_of(symbol).next().is_none()) {
        return Err((*unknown).clone());
    }
    let series = named.into_iter().flat_map(|symbol| watchlist.series_of(symbol));
    Ok(cut(series.skip_while(|series| last.as_ref().is_some_and(|last| series <= last)), most))
}

fn cut(mut series: impl Iterator<Item = Series>, most: usize) -> Part {
    let part = series.by_ref().take(most).collect();
    Part { series: part, is_last: series.next().is_none() }
}

/// The message of a run for each series; each begins a trace of its own. Where the refresh replaces what is kept, so do they.
#[must_use]
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
        let (mut refresh, mut pages) = (refresh, Vec::new());
        loop {
            let part = part(watchlist, &refresh, most).unwrap();
            let last = part.series.last().cloned();
            pages.push(part.series);
            match last {
                Some(last) if !part.is_last => refresh = refresh.next("run", &last),
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
            part(&watchlist, &of(symbols), 9)
                .map(|part| part.series.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["A 1h", "A 1day", "B 1h", "B 1day"]);
        assert_eq!(names(&["B", "B"]).unwrap(), ["B 1h", "B 1day"]);
        assert_eq!(names(&["B", "C"]).unwrap_err().as_str(), "C");
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
            let whole = part(&watchlist, &refresh, usize::MAX).unwrap();
            prop_assert!(whole.is_last);
            let pages = pages(&watchlist, refresh, most);
            prop_assert!(pages.iter().all(|page| !page.is_empty() && page.len() <= most));
            prop_assert_eq!(pages.concat(), whole.series);
        }
    }
}
