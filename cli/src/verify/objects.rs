//! Groups a listing of transformed objects by series.

use candlewick_shared::adapters::s3_listing::Listing;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::leftover::is_leftover;

/// The transformed objects of one series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesObjects {
    /// For a key that names no series, the key itself: such a key is a group of its own.
    pub symbol: String,
    pub interval: String,
    pub keys: Vec<String>,
}

/// The groups of a listing, one at a time. A listing is ordered by key, so the objects of a series follow each other.
pub struct Groups {
    listing: Listing,
}

impl Groups {
    pub fn new(listing: Listing) -> Self {
        Self { listing }
    }

    /// Returns the next group, or `None` at the end.
    pub async fn next(&mut self) -> anyhow::Result<Option<SeriesObjects>> {
        let mut group: Option<SeriesObjects> = None;
        while let Some(object) = self.listing.peek().await? {
            let (symbol, interval) = series_of(&object.key);
            let group = group.get_or_insert_with(|| SeriesObjects {
                symbol: symbol.clone(),
                interval: interval.clone(),
                keys: Vec::new(),
            });
            if (&group.symbol, &group.interval) != (&symbol, &interval) {
                break;
            }
            if !is_leftover(&object.key) {
                group.keys.push(object.key.clone());
            }
            self.listing.advance().await?;
        }
        Ok(group)
    }
}

fn series_of(key: &str) -> (String, String) {
    match key.parse::<TransformedKey>() {
        Ok(key) => (key.path.series.symbol.to_string(), key.path.series.interval.to_string()),
        Err(_) => (key.to_owned(), String::new()),
    }
}
