//! From one message to one message a series.

use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::Watchlist;

/// The series to fetch: all of the watchlist, or those of the named symbols.
///
/// # Errors
/// The first named symbol that the watchlist has not.
pub fn chosen(watchlist: &Watchlist, symbols: &[Symbol]) -> Result<Vec<Series>, Symbol> {
    if symbols.is_empty() {
        return Ok(watchlist.series().collect());
    }
    let of = |symbol: &Symbol| {
        let series: Vec<_> = watchlist.series_of(symbol).collect();
        if series.is_empty() { Err(symbol.clone()) } else { Ok(series) }
    };
    let series: Result<Vec<_>, _> = symbols.iter().map(of).collect();
    Ok(series?.into_iter().flatten().collect())
}

/// The message of a run for each series; each begins a trace of its own.
#[must_use]
pub fn messages(series: Vec<Series>, run: &str) -> Vec<IngestMessage> {
    let trace = candlewick_shared::runtime::tracing_ids::new_trace;
    series.into_iter().map(|series| IngestMessage::fetch(series, run, trace())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_of_all_or_of_the_named_symbols() {
        let watchlist: Watchlist =
            "[groups.a]\nsymbols = [\"A\", \"B\"]\nintervals = [\"1day\", \"1h\"]".parse().unwrap();
        let names = |symbols: &[&str]| {
            let symbols: Vec<Symbol> = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
            chosen(&watchlist, &symbols).map(|series| series.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["A 1h", "A 1day", "B 1h", "B 1day"]);
        assert_eq!(names(&["B"]).unwrap(), ["B 1h", "B 1day"]);
        assert_eq!(names(&["B", "C"]).unwrap_err().as_str(), "C");
    }
}
