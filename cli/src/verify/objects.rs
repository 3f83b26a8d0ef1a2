//! The clean objects of each series, from a listing that goes on.

use candlewick_shared::adapters::s3_listing::Listing;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::leftover::is_leftover;

/// The clean objects of one series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its symbol; a key that names no series is a group of its own, under that key.
    pub symbol: String,
    pub interval: String,
    /// The keys of the objects.
    pub keys: Vec<String>,
}

/// The groups of a listing. A listing has the objects of a series side by side, so that a group at a time is held.
pub struct Groups {
    listing: Listing,
}

impl Groups {
    /// The groups of that listing.
    pub fn new(listing: Listing) -> Self {
        Self { listing }
    }

    /// The next group; none at the end.
    pub async fn next(&mut self) -> anyhow::Result<Option<Group>> {
        let mut group: Option<Group> = None;
        while let Some(object) = self.listing.peek().await? {
            let (symbol, interval) = series_of(&object.key);
            let group = group.get_or_insert_with(|| Group {
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
