//! Which calendar a series goes by, as its cleaning chose it.

use std::path::Path;

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::watchlist::Watchlist;

use crate::problem::Problem;

/// The calendar with a code; none where there is none, or none is known by it.
#[must_use]
pub fn by_code(code: Option<&str>) -> Option<&'static Calendar> {
    Calendar::for_mic(code?).ok().flatten()
}

/// The watchlist as it stands now; none where the settings name no file.
///
/// # Errors
/// A file that is no watchlist: pages would show less than there is.
pub async fn watchlist(path: Option<&Path>) -> Result<Option<Watchlist>, Problem> {
    let Some(path) = path else { return Ok(None) };
    let text = tokio::fs::read_to_string(path).await.map_err(|error| failed(&error))?;
    text.parse().map(Some).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!("read the watchlist: {error}");
    Problem::unavailable(format!("the watchlist cannot be read: {error}"))
}
