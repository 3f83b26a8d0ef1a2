//! Compares the prefixes and the objects ledger in step, a chunk at a time.

use std::collections::HashMap;

use anyhow::Context;
use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::adapters::s3_listing::Listing;
use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::leftover::is_leftover;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use sqlx::{FromRow, PgPool};

use super::decide::{self, Columns, Gap, LedgerRow};
use crate::place::Deployment;
use crate::selection::Selection;

/// How many objects are compared in one step.
const CHUNK: usize = 500;

/// How many objects are inspected concurrently.
const AT_ONCE: usize = 16;

#[derive(Clone, Debug)]
pub struct Request {
    pub selection: Selection,
    /// Only objects written at or before this time.
    pub before: Timestamp,
    /// Whether to send even if the queue has as many messages as objects are missing.
    pub regardless: bool,
    pub dry_run: bool,
}

#[derive(Debug, Default)]
pub struct Scanned {
    /// Raw objects compared.
    pub raw: u64,
    /// Transformed objects compared.
    pub transformed: u64,
    /// Objects with a missing step.
    pub gaps: Vec<(ObjectInfo, Gap)>,
}

/// Compares raw objects with what was made from them, and transformed objects with the ledger.
pub async fn scan(deployment: &Deployment, pool: &PgPool, request: &Request) -> anyhow::Result<Scanned> {
    let prefixes = &Topology::built_in().prefixes;
    let store = deployment.aws.store(deployment.env.bucket()?);
    let wants_columns = deployment.env.is_on("COLUMNAR", true)?;
    let walk = Walk { store, pool, before: request.before, wants_columns };
    let mut scanned = Scanned::default();
    for folder in request.selection.folders() {
        let raw = format!("{}{folder}", prefixes.raw);
        let transformed = format!("{}{folder}", prefixes.transformed);
        let columnar = format!("{}{folder}", prefixes.columnar);
        walk.raw(&raw, &transformed, &columnar, &mut scanned).await?;
        walk.transformed(&transformed, &mut scanned).await?;
    }
    Ok(scanned)
}

struct Walk<'a> {
    store: S3Store,
    pool: &'a PgPool,
    before: Timestamp,
    wants_columns: bool,
}

/// A raw object and what was made from it, as far as it is there.
struct Made {
    raw: ObjectInfo,
    transformed: Option<ObjectInfo>,
    columns: Columns,
}

impl Walk<'_> {
    async fn raw(&self, raw: &str, transformed: &str, columnar: &str, scanned: &mut Scanned) -> anyhow::Result<()> {
        let mut raw = self.store.listing(raw);
        let mut transformed = self.store.listing(transformed);
        let mut columnar = self.store.listing(columnar);
        loop {
            let listed = raw.chunk(CHUNK).await?;
            if listed.is_empty() {
                return Ok(());
            }
            let mut all = Vec::new();
            for object in listed.into_iter().filter(|object| self.is_in_scope(object)) {
                all.push(self.made(object, &mut transformed, &mut columnar).await?);
            }
            scanned.raw += all.len() as u64;
            scanned.gaps.extend(self.gaps_of_raw(all).await?);
        }
    }

    /// Finds what was made from a raw object by advancing the listings in step.
    async fn made(&self, raw: ObjectInfo, transformed: &mut Listing, columnar: &mut Listing) -> anyhow::Result<Made> {
        let Ok(key) = raw.key.parse::<RawKey>() else {
            return Ok(Made { raw, transformed: None, columns: Columns::Unwanted });
        };
        let transformed = in_step(transformed, &key.path.transformed_key()).await?;
        let columns = if self.wants_columns {
            in_step(columnar, &key.path.columnar_key()).await?.map_or(Columns::Missing, Columns::There)
        } else {
            Columns::Unwanted
        };
        Ok(Made { raw, transformed, columns })
    }

    async fn transformed(&self, transformed: &str, scanned: &mut Scanned) -> anyhow::Result<()> {
        let mut transformed = self.store.listing(transformed);
        loop {
            let listed = transformed.chunk(CHUNK).await?;
            if listed.is_empty() {
                return Ok(());
            }
            let in_scope: Vec<_> = listed.into_iter().filter(|object| self.is_in_scope(object)).collect();
            scanned.transformed += in_scope.len() as u64;
            scanned.gaps.extend(self.gaps_of_transformed(in_scope).await?);
        }
    }

    /// Excludes files that tools leave, such as folder markers, and young objects, whose message may be on the way.
    fn is_in_scope(&self, object: &ObjectInfo) -> bool {
        !is_leftover(&object.key) && object.last_modified <= self.before
    }

    async fn gaps_of_raw(&self, all: Vec<Made>) -> anyhow::Result<Vec<(ObjectInfo, Gap)>> {
        let ledger = self.ledger(all.iter().filter_map(|made| made.transformed.as_ref())).await?;
        let row = |transformed: &Option<ObjectInfo>| ledger.get(&transformed.as_ref()?.key);
        let is_unclear = |Made { raw, transformed, columns }: &Made| {
            !decide::is_cleaned(raw, transformed.as_ref(), row(transformed))
                || !decide::has_columns(transformed.as_ref(), columns)
        };
        let unclear = all.into_iter().filter(is_unclear);
        let gaps = futures::stream::iter(unclear).map(|made| self.gap_of_raw(made)).buffered(AT_ONCE);
        gaps.try_filter_map(|gap| async { Ok(gap) }).try_collect().await
    }

    /// Reads the metadata of both objects. A raw object that no longer exists has no gap.
    async fn gap_of_raw(&self, made: Made) -> anyhow::Result<Option<(ObjectInfo, Gap)>> {
        let Made { raw, transformed, columns } = made;
        let transformed = match transformed {
            Some(transformed) => self.store.head(&transformed.key).await?,
            None => None,
        };
        let Some(raw) = self.store.head(&raw.key).await? else { return Ok(None) };
        let gap = decide::gap_of_raw(&raw, transformed.as_ref());
        Ok(gap.or_else(|| decide::gap_of_columns(transformed.as_ref(), &columns)).map(|gap| (raw, gap)))
    }

    async fn gaps_of_transformed(&self, listed: Vec<ObjectInfo>) -> anyhow::Result<Vec<(ObjectInfo, Gap)>> {
        let ledger = self.ledger(listed.iter()).await?;
        let unclear = listed.into_iter().filter(|object| !decide::is_loaded(object, ledger.get(&object.key)));
        let heads = futures::stream::iter(unclear)
            .map(|object| async move { anyhow::Ok(self.store.head(&object.key).await?) })
            .buffered(AT_ONCE);
        let heads: Vec<ObjectInfo> = heads.try_filter_map(|head| async { Ok(head) }).try_collect().await?;
        let gap =
            |object: ObjectInfo| decide::gap_of_transformed(&object, ledger.get(&object.key)).map(|gap| (object, gap));
        Ok(heads.into_iter().filter_map(gap).collect())
    }

    async fn ledger(&self, objects: impl Iterator<Item = &ObjectInfo>) -> anyhow::Result<HashMap<String, LedgerRow>> {
        let keys: Vec<_> = objects.map(|object| object.key.clone()).collect();
        let query = sqlx::query_as(LEDGER).bind(keys);
        let rows: Vec<KeyedRow> = query.fetch_all(self.pool).await.context("read the objects ledger")?;
        Ok(rows.into_iter().map(KeyedRow::entry).collect())
    }
}

const LEDGER: &str = "select key, etag, raw_key, raw_etag, last_modified, raw_written
    from objects where key = any($1)";

#[derive(FromRow)]
struct KeyedRow {
    key: String,
    etag: Option<String>,
    raw_key: Option<String>,
    raw_etag: Option<String>,
    last_modified: Option<DbTime>,
    raw_written: Option<DbTime>,
}

impl KeyedRow {
    fn entry(self) -> (String, LedgerRow) {
        let Self { key, etag, raw_key, raw_etag, last_modified, raw_written } = self;
        let last_modified = last_modified.map(|time| time.0);
        let raw_written = raw_written.map(|time| time.0);
        (key, LedgerRow { etag, last_modified, raw_key, raw_etag, raw_written })
    }
}

/// Finds a key by advancing the listing: the keys of all prefixes have the same order. The object stays the next one,
/// because a gzipped and a plain raw object share what is made from them.
async fn in_step(listing: &mut Listing, key: &str) -> anyhow::Result<Option<ObjectInfo>> {
    while let Some(next) = listing.peek().await? {
        match next.key.as_str().cmp(key) {
            std::cmp::Ordering::Less => listing.advance().await?,
            std::cmp::Ordering::Equal => return Ok(Some(next.clone())),
            std::cmp::Ordering::Greater => return Ok(None),
        };
    }
    Ok(None)
}
