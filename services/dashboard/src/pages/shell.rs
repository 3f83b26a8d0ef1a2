//! What every page has around it.

use candlewick_shared::core::symbol::Symbol;

use crate::{assets, auth};

/// What every page has around it.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Which entry of the navigation it is.
    pub here: &'static str,
    /// The folder of our scripts and styles.
    pub assets: &'static str,
    /// The address of the chart library.
    pub chart_library: &'static str,
    /// Whether the visitor can log out.
    pub can_log_out: bool,
}

impl Shell {
    /// What is around a page of this entry.
    pub fn of(here: &'static str) -> Self {
        Self {
            here,
            assets: &assets::FOLDER,
            chart_library: assets::CHART_LIBRARY_ADDRESS,
            can_log_out: auth::came_by_ticket(),
        }
    }

    /// For the navigation: whether this is the page's entry.
    pub fn current(&self, entry: &str) -> &'static str {
        if self.here == entry { "page" } else { "false" }
    }
}

/// The address of a series' page, its symbol percent-encoded.
pub fn symbol_address(symbol: &str, interval: &str) -> String {
    format!("/symbol/{}/{interval}", in_address(symbol))
}

/// The address of a candle's lineage.
pub fn lineage_address(symbol: &str, interval: &str, time: &str) -> String {
    format!("/lineage/{}/{interval}?time={}", in_address(symbol), time.replace('+', "%2B"))
}

/// A symbol as a part of an address. What is no symbol is not linked to by it.
pub fn in_address(symbol: &str) -> String {
    symbol.parse::<Symbol>().map(|symbol| symbol.to_key_form()).unwrap_or_default()
}
