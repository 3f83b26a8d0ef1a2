//! How much memory the layout of a run takes, in bytes that were asked for and not in what a machine makes of that.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use candlewick_ingest::refresh::page::{self, PAGE};
use candlewick_shared::core::ingest_message::Refresh;
use candlewick_shared::core::watchlist::Watchlist;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A list of as many symbols, each with three intervals.
fn text(symbols: usize) -> String {
    let symbols: Vec<_> = (0..symbols).map(|at| format!("\"SYMBOL{at}\"")).collect();
    format!("[groups.a]\nsymbols = [{}]\nintervals = [\"1day\", \"1h\", \"5min\"]", symbols.join(", "))
}

/// The bytes that are held at once, at most, while something is done.
fn peak(work: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    work();
    MEMORY.peak_usage() - before
}

/// Lays a whole run out, page by page, and returns what that takes in addition to the list; and how many messages it makes.
fn layout(watchlist: &Watchlist) -> (usize, usize) {
    let mut count = 0;
    let bytes = peak(|| {
        let mut asked = Refresh::default();
        loop {
            let page = page::page(watchlist, &asked, PAGE).unwrap();
            let last = page.series.last().cloned().unwrap();
            let messages = page::messages(page.series, "20241230T223000-scheduled", false);
            let bodies: Vec<_> = messages.iter().map(|message| serde_json::to_string(message).unwrap()).collect();
            count += bodies.len();
            if page.is_last {
                return;
            }
            asked = asked.next("20241230T223000-scheduled", &last);
        }
    });
    (bytes, count)
}

// One test, because what others did at the same time would be counted too.
#[test]
fn a_run_of_five_thousand_symbols_takes_no_more_than_one_of_fifty() {
    let few: Watchlist = text(50).parse().unwrap();
    let many: Watchlist = text(5000).parse().unwrap();
    let (small, _) = layout(&few);
    let (large, messages) = layout(&many);
    println!("laying out: {small} bytes for 50 symbols, {large} for 5000");
    assert_eq!(messages, 15_000);
    assert!(large < small + small / 20, "{large} bytes for 5000 symbols, {small} for 50");
    let held = text(5000);
    let parsing = peak(|| drop(held.parse::<Watchlist>().unwrap()));
    println!("reading a list: at most {parsing} bytes, {} a symbol", parsing / 5000);
    assert!(parsing / 5000 < 2_000, "{parsing} bytes to read a list of 5000 symbols");
}
