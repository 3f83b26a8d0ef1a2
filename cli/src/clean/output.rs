//! Writes the results for a file into a folder with the layout of the bucket.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use candlewick_columnar::lines;
use candlewick_shared::core::key::Series;
use candlewick_transform::clean::Cleaned;

/// Writes the report, the quarantine and the transformed CSV in this order, so that a transformed file always comes
/// with the other two. Each file gets its name only once it is complete.
pub fn write_all(cleaned: &Cleaned<'_>, folder: &Path, name: &str) -> anyhow::Result<()> {
    write_findings(cleaned, folder, name)?;
    write_clean(folder, name, |file| Ok(cleaned.write_candles(file)?))
}

/// Like [`write_all`], and writes the candles as Parquet before the transformed CSV.
pub fn write_with_columns(cleaned: &Cleaned<'_>, series: &Series, folder: &Path, name: &str) -> anyhow::Result<()> {
    write_findings(cleaned, folder, name)?;
    let mut clean = Vec::new();
    cleaned.write_candles(&mut clean)?;
    let about =
        [("symbol".to_owned(), series.symbol.to_string()), ("interval".to_owned(), series.interval.to_string())];
    let columns = lines::parquet(series, &clean, &about)?;
    write(&folder.join(format!("columnar/{name}.parquet")), |file| Ok(file.write_all(&columns)?))?;
    write_clean(folder, name, |file| Ok(file.write_all(&clean)?))
}

fn write_findings(cleaned: &Cleaned<'_>, folder: &Path, name: &str) -> anyhow::Result<()> {
    let report = serde_json::to_vec_pretty(&cleaned.report)?;
    write(&folder.join(format!("reports/{name}.json")), |file| Ok(file.write_all(&report)?))?;
    write(&folder.join(format!("quarantine/{name}.csv")), |file| Ok(cleaned.write_quarantine(file)?))
}

fn write_clean(folder: &Path, name: &str, content: impl FnOnce(&mut File) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let clean = folder.join(format!("transformed/{name}.csv"));
    let partial = folder.join(format!("transformed/{name}.csv.partial"));
    write(&partial, content)?;
    fs::rename(&partial, &clean).with_context(|| format!("write {}", clean.display()))
}

fn write(path: &PathBuf, content: impl FnOnce(&mut File) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let context = || format!("write {}", path.display());
    let created = File::create(path).or_else(|_| {
        // The folder usually exists already, so it is created only on failure.
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        File::create(path)
    });
    content(&mut created.with_context(context)?).with_context(context)
}
