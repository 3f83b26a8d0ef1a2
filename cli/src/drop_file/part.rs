//! The objects that a file becomes.

use anyhow::{Context, bail};
use bytes::Bytes;
use candlewick_shared::core::form::{self, SaidForm};
use candlewick_shared::core::key::{Month, ObjectPath, Part as KeyPart, RawKey, Series};
use candlewick_shared::core::metadata::RawMetadata;
use candlewick_shared::ports::store::{NewObject, ObjectInfo, ObjectStore, Put, PutIf};

use crate::terminal;

use super::coming::{Coming, Rules};
use super::standing::{self, Standing};
use super::summary::Summary;
use super::verdict::Verdict;

/// An object to upload, and its predicted result.
#[derive(Clone, Debug)]
pub struct Part {
    key: RawKey,
    body: Bytes,
    metadata: RawMetadata,
    coming: Coming,
}

/// The current object at a part's key, and the state of its series.
#[derive(Clone, Debug)]
pub struct Seen {
    object: Option<ObjectInfo>,
    standing: Standing,
}

/// The key of a file, gzipped if its content is. Intraday candles without a given month have no part yet.
pub fn key(series: &Series, month: Option<Month>, body: &[u8]) -> RawKey {
    let part = month.map_or(KeyPart::Whole, KeyPart::Month);
    RawKey { path: ObjectPath { series: series.clone(), part }, gzip: body.starts_with(&[0x1f, 0x8b]) }
}

/// The parts of a file. A file of one month is uploaded unchanged.
///
/// # Errors
///
/// The file cannot be read.
pub fn parts(
    key: RawKey,
    body: Bytes,
    text: &[u8],
    metadata: &RawMetadata,
    rules: &Rules,
) -> anyhow::Result<Vec<Part>> {
    let is_of_months = key.path.series.interval.is_intraday() && key.path.part == KeyPart::Whole;
    let coming = Coming::of(text, &key, rules)?;
    let metadata = metadata.clone();
    if !is_of_months {
        return Ok(vec![Part { key, body, metadata, coming }]);
    }
    match coming.months.as_slice() {
        [] => Err(no_month(&coming)),
        [month] => {
            let key = of_month(&key, month.month, key.gzip);
            let coming = Coming::of(text, &key, rules)?;
            Ok(vec![Part { key, body, metadata, coming }])
        }
        months => {
            let part = |month: &candlewick_transform::months::MonthText| {
                let key = of_month(&key, month.month, false);
                let mut metadata = metadata.clone();
                if let Some(zone) = &month.timezone {
                    // The rows are rewritten, so the settings of the original format no longer apply.
                    metadata.instrument.timezone = Some(zone.clone());
                    let stamped = rules.stamped();
                    metadata.form = SaidForm { format: Some(form::RAW.to_owned()), stamped, ..SaidForm::default() };
                }
                let rules = rules.of_part(&metadata)?;
                let coming = Coming::of(&month.text, &key, &rules).with_context(|| format!("read {}", month.month))?;
                Ok(Part { key, body: month.text.clone().into(), metadata, coming })
            };
            months.iter().map(part).collect()
        }
    }
}

/// Without a candle, the month of the file's object is unknown.
fn no_month(coming: &Coming) -> anyhow::Error {
    match &coming.nothing_usable {
        Some(why) => anyhow::anyhow!("{why}. To put it all the same, name its month with --month 2024-01"),
        None => anyhow::anyhow!("all {} rows are of candles that are still open", coming.report.rows.read),
    }
}

fn of_month(key: &RawKey, month: Month, gzip: bool) -> RawKey {
    RawKey { path: ObjectPath { series: key.path.series.clone(), part: KeyPart::Month(month) }, gzip }
}

impl Part {
    pub fn path(&self) -> &ObjectPath {
        &self.key.path
    }

    /// Reads the current state of the store.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn look(&self, store: &dyn ObjectStore) -> anyhow::Result<Seen> {
        let object = store.head(&self.key.to_string()).await?;
        Ok(Seen { object, standing: standing::look(store, &self.key, &self.coming).await? })
    }

    /// Prints what the object would change, and returns the reason if confirmation is needed.
    pub fn show(&self, seen: &Seen, rules: &Rules, summary: &mut Summary) -> Option<String> {
        let verdict = Verdict::of(&self.coming, &seen.standing, seen.object.as_ref(), rules);
        terminal::result(&verdict.words(&self.key.path));
        summary.add(&self.key.to_string(), &self.coming, seen.standing.change.as_ref());
        verdict.doubt()
    }
}

/// Uploads all parts of a file, each only if its key still has the object that was compared. If a key has changed
/// before the first upload, nothing is uploaded.
///
/// # Errors
///
/// A key changed in the meantime; the error lists the parts that had been uploaded by then.
pub async fn put_all(store: &dyn ObjectStore, parts: &[Part], seen: &[Seen]) -> anyhow::Result<()> {
    for (part, seen) in parts.iter().zip(seen) {
        let now = store.head(&part.key.to_string()).await?;
        if now.map(|info| info.etag) != seen.object.as_ref().map(|info| info.etag.clone()) {
            bail!("{} changed while the file was compared with it: nothing was put. Try again", part.key);
        }
    }
    for (at, (part, seen)) in parts.iter().zip(seen).enumerate() {
        let object = NewObject::csv(part.body.to_vec(), part.metadata.write());
        let put = store.put(&part.key.to_string(), object, PutIf::still(seen.object.as_ref())).await;
        match put.with_context(|| put_before(&parts[..at]))? {
            Put::Written { .. } => {
                terminal::result(&format!("{}: put; `cargo run -- status` shows it arrive", part.key))
            }
            Put::Changed => {
                bail!(
                    "{} changed while the file was compared with it: {}. Try again",
                    part.key,
                    put_before(&parts[..at])
                )
            }
        }
    }
    Ok(())
}

fn put_before(parts: &[Part]) -> String {
    match parts {
        [] => "nothing was put".to_owned(),
        parts => {
            format!("{} was put already", parts.iter().map(|part| part.key.to_string()).collect::<Vec<_>>().join(", "))
        }
    }
}
