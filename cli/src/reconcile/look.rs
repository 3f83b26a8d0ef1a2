//! Goes through the prefixes and the ledger side by side, holding a page of each.

use std::collections::HashMap;

use anyhow::Context;
use candlewick_shared::adapters::database::SqlTimestamp;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::adapters::s3_listing::Listing;
use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::leftover::is_leftover;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use sqlx::{PgPool, Row};

use super::decide::{self, Gap, LedgerRow};
use crate::place::Running;
use crate::selection::Selection;

/// How many objects are compared at a time.
const CHUNK: usize = 500;

/// How many objects are looked at closely at once.
const AT_ONCE: usize = 16;

/// What to compare, and what to do about it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which series.
    pub selection: Selection,
    /// Only what was written before.
    pub before: Timestamp,
    /// Whether full queues are no reason to wait.
    pub regardless: bool,
    /// Whether nothing is to be sent.
    pub dry_run: bool,
}

/// What was compared, and what is missing.
#[derive(Debug, Default)]
pub struct Looked {
    /// How many raw objects were compared.
    pub raw: u64,
    /// How many clean objects were compared.
    pub transformed: u64,
    /// The objects of which something is missing.
    pub gaps: Vec<(ObjectInfo, Gap)>,
}

/// Compares raw objects with clean ones, and clean ones with the ledger.
pub async fn look(running: &Running, pool: &PgPool, request: &Request) -> anyhow::Result<Looked> {
    let prefixes = &Topology::built_in().prefixes;
    let walk = Walk { store: running.aws.store(running.env.bucket()?), pool, before: request.before };
    let mut looked = Looked::default();
    for folder in request.selection.folders() {
        let raw = format!("{}{folder}", prefixes.raw);
        let transformed = format!("{}{folder}", prefixes.transformed);
        walk.raw(&raw, &transformed, &mut looked).await?;
        walk.transformed(&transformed, &mut looked).await?;
    }
    Ok(looked)
}

struct Walk<'a> {
    store: S3Store,
    pool: &'a PgPool,
    before: Timestamp,
}

/// A raw object, and the clean object at its target.
type Pair = (ObjectInfo, Option<ObjectInfo>);

impl Walk<'_> {
    async fn raw(&self, raw: &str, transformed: &str, looked: &mut Looked) -> anyhow::Result<()> {
        let mut raw = self.store.listing(raw);
        let mut transformed = self.store.listing(transformed);
        loop {
            let listed = raw.chunk(CHUNK).await?;
            if listed.is_empty() {
                return Ok(());
            }
            let mut pairs = Vec::new();
            for object in listed.into_iter().filter(|object| self.is_meant(object)) {
                let clean = target_of(&object, &mut transformed).await?;
                pairs.push((object, clean));
            }
            looked.raw += pairs.len() as u64;
            looked.gaps.extend(self.gaps_of_raw(pairs).await?);
        }
    }

    async fn transformed(&self, transformed: &str, looked: &mut Looked) -> anyhow::Result<()> {
        let mut transformed = self.store.listing(transformed);
        loop {
            let listed = transformed.chunk(CHUNK).await?;
            if listed.is_empty() {
                return Ok(());
            }
            let meant: Vec<_> = listed.into_iter().filter(|object| self.is_meant(object)).collect();
            looked.transformed += meant.len() as u64;
            looked.gaps.extend(self.gaps_of_clean(meant).await?);
        }
    }

    /// What a tool left, a folder's marker too, is no object, and a young object may still be on its way.
    fn is_meant(&self, object: &ObjectInfo) -> bool {
        !is_leftover(&object.key) && object.last_modified <= self.before
    }

    async fn gaps_of_raw(&self, pairs: Vec<Pair>) -> anyhow::Result<Vec<(ObjectInfo, Gap)>> {
        let ledger = self.ledger(pairs.iter().filter_map(|(_, clean)| clean.as_ref())).await?;
        let row = |clean: &Option<ObjectInfo>| ledger.get(&clean.as_ref()?.key);
        let unclear = pairs.into_iter().filter(|(raw, clean)| !decide::is_cleaned(raw, clean.as_ref(), row(clean)));
        let gaps = futures::stream::iter(unclear).map(|pair| self.gap_of_raw(pair)).buffered(AT_ONCE);
        gaps.try_filter_map(|gap| async { Ok(gap) }).try_collect().await
    }

    /// A closer look, at what stands beside both objects. One that is gone by now needs nothing.
    async fn gap_of_raw(&self, (raw, clean): Pair) -> anyhow::Result<Option<(ObjectInfo, Gap)>> {
        let clean = match clean {
            Some(clean) => self.store.head(&clean.key).await?,
            None => None,
        };
        let Some(raw) = self.store.head(&raw.key).await? else { return Ok(None) };
        Ok(decide::gap_of_raw(&raw, clean.as_ref()).map(|gap| (raw, gap)))
    }

    async fn gaps_of_clean(&self, listed: Vec<ObjectInfo>) -> anyhow::Result<Vec<(ObjectInfo, Gap)>> {
        let ledger = self.ledger(listed.iter()).await?;
        let unclear = listed.into_iter().filter(|clean| !decide::is_loaded(clean, ledger.get(&clean.key)));
        let heads = futures::stream::iter(unclear)
            .map(|clean| async move { anyhow::Ok(self.store.head(&clean.key).await?) })
            .buffered(AT_ONCE);
        let heads: Vec<ObjectInfo> = heads.try_filter_map(|head| async { Ok(head) }).try_collect().await?;
        let gap = |clean: ObjectInfo| decide::gap_of_clean(&clean, ledger.get(&clean.key)).map(|gap| (clean, gap));
        Ok(heads.into_iter().filter_map(gap).collect())
    }

    async fn ledger(&self, objects: impl Iterator<Item = &ObjectInfo>) -> anyhow::Result<HashMap<String, LedgerRow>> {
        let keys: Vec<_> = objects.map(|object| object.key.clone()).collect();
        let rows = sqlx::query(LEDGER).bind(keys).fetch_all(self.pool).await.context("read the ledger")?;
        rows.iter().map(ledger_row).collect()
    }
}

const LEDGER: &str = "select key, etag, raw_key, raw_etag, last_modified, raw_written
    from objects where key = any($1)";

fn ledger_row(row: &sqlx::postgres::PgRow) -> anyhow::Result<(String, LedgerRow)> {
    let time =
        |column: &str| row.try_get::<Option<SqlTimestamp>, _>(column).map(|time| time.map(SqlTimestamp::to_jiff));
    let ledger_row = LedgerRow {
        etag: row.try_get("etag")?,
        last_modified: time("last_modified")?,
        raw_key: row.try_get("raw_key")?,
        raw_etag: row.try_get("raw_etag")?,
        raw_written: time("raw_written")?,
    };
    Ok((row.try_get("key")?, ledger_row))
}

/// The clean object at a raw object's target, from a listing that goes on in step: raw keys ascend as their targets do.
/// It stays the next one, because a gzipped and a plain raw object share it.
async fn target_of(raw: &ObjectInfo, transformed: &mut Listing) -> anyhow::Result<Option<ObjectInfo>> {
    let Ok(key) = raw.key.parse::<RawKey>() else { return Ok(None) };
    let target = key.path.transformed_key();
    while let Some(next) = transformed.peek().await? {
        match next.key.cmp(&target) {
            std::cmp::Ordering::Less => transformed.advance().await?,
            std::cmp::Ordering::Equal => return Ok(Some(next.clone())),
            std::cmp::Ordering::Greater => return Ok(None),
        };
    }
    Ok(None)
}
