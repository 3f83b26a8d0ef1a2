//! Reads the state of the series into which a file is dropped.

use anyhow::Context;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::{Month, ObjectPath, Part, RawKey, Series, TransformedKey};
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::store::{Object, ObjectStore};
use futures::{StreamExt, TryStreamExt, stream};

use super::coming::Coming;
use super::compare::{Change, CleanObject, compare};

/// The number of objects that are read concurrently.
const AT_ONCE: usize = 8;

/// What a file would change, and what it would replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredObject {
    /// `None` if the stored objects cannot be read.
    pub change: Option<Change>,
    /// The key and entity tag of the raw object that it would replace, if the present candles come from one.
    pub origin: Option<(String, String)>,
}

/// Compares a file with the store. Other objects of the series matter only if the file gives up candles that they may
/// have, or claims times outside its own month, so usually none of them is read.
pub async fn inspect(store: &dyn ObjectStore, key: &RawKey, coming: &Coming) -> anyhow::Result<StoredObject> {
    let path = &key.path;
    let Some(object) = store.get(&path.transformed_key()).await? else {
        let others = others_if(store, path, claims_another_month(coming, path.part)).await?;
        return Ok(StoredObject { change: Some(compare(None, &others, &coming.candles)), origin: None });
    };
    let origin = TransformedMetadata::read(&object.info.metadata).ok().flatten();
    let origin = origin.map(|origin| (origin.raw_key, origin.raw_etag));
    let Ok(own) = clean_object(&object, &path.series) else { return Ok(StoredObject { change: None, origin }) };
    let alone = compare(Some(&own), &[], &coming.candles);
    let others = others_if(store, path, alone.lost > 0 || claims_another_month(coming, path.part)).await?;
    let change = if others.is_empty() { alone } else { compare(Some(&own), &others, &coming.candles) };
    Ok(StoredObject { change: Some(change), origin })
}

fn claims_another_month(coming: &Coming, part: Part) -> bool {
    let Part::Month(own) = part else { return false };
    coming.candles.iter().any(|candle| candle.time.date().map(Month::of) != Some(own))
}

/// The other objects of an intraday series, which is split into months. Other series have only one object.
async fn others_if(store: &dyn ObjectStore, own: &ObjectPath, needed: bool) -> anyhow::Result<Vec<CleanObject>> {
    if !needed || own.part == Part::Whole {
        return Ok(Vec::new());
    }
    let own = own.transformed_key();
    let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
    let keys = store.list(&format!("{folder}/")).await?.into_iter().map(|info| info.key);
    let keys = keys.filter(|key| *key != own && key.parse::<TransformedKey>().is_ok());
    let read = stream::iter(keys).map(|key| async move {
        let Some(object) = store.get(&key).await? else { return anyhow::Ok(None) };
        let path = key.parse::<TransformedKey>()?.path;
        clean_object(&object, &path.series).with_context(|| format!("read {key}")).map(Some)
    });
    let objects: Vec<_> = read.buffered(AT_ONCE).try_collect().await?;
    Ok(objects.into_iter().flatten().collect())
}

fn clean_object(object: &Object, series: &Series) -> anyhow::Result<CleanObject> {
    let candles = clean_csv::read(&object.body, series)?.candles;
    let origin = TransformedMetadata::read(&object.info.metadata)?;
    let written = origin.map_or(object.info.last_modified, |origin| origin.raw_written);
    Ok(CleanObject { age: (written, object.info.key.clone()), candles })
}
