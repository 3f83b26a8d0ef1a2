//! The frame that all pages share.

use candlewick_shared::core::symbol::Symbol;

use crate::{assets, auth};

/// The frame that all pages share.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The current entry of the navigation.
    pub here: &'static str,
    /// The address of the folder of our scripts and styles.
    pub assets: &'static str,
    pub chart_library: &'static str,
    /// Whether the visitor can log out.
    pub can_log_out: bool,
}

impl Shell {
    /// The frame of a page with this navigation entry.
    pub fn of(here: &'static str) -> Self {
        Self {
            here,
            assets: &assets::FOLDER,
            chart_library: assets::CHART_LIBRARY_ADDRESS,
            can_log_out: auth::came_by_ticket(),
        }
    }

    /// The `aria-current` value of a navigation entry.
    pub fn current(&self, entry: &str) -> &'static str {
        if self.here == entry { "page" } else { "false" }
    }
}

/// The address of a series' page, with the symbol percent-encoded.
pub fn symbol_address(symbol: &str, interval: &str) -> String {
    format!("/symbol/{}/{interval}", in_address(symbol))
}

/// The address of a candle's lineage.
pub fn lineage_address(symbol: &str, interval: &str, time: &str) -> String {
    format!("/lineage/{}/{interval}?time={}", in_address(symbol), time.replace('+', "%2B"))
}

/// A symbol as a path segment; empty if the text is not a valid symbol.
pub fn in_address(symbol: &str) -> String {
    symbol.parse::<Symbol>().map(|symbol| symbol.to_key_form()).unwrap_or_default()
}
