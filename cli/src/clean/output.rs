//! What comes of a file, in a folder under the layout of the bucket.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use candlewick_transform::clean::Cleaned;

/// Writes report, quarantine and clean CSV, in this order, so that where there is a clean file the others are there too. It
/// gets its name only when it is whole.
pub fn write_all(cleaned: &Cleaned<'_>, folder: &Path, name: &str) -> anyhow::Result<()> {
    let report = serde_json::to_vec_pretty(&cleaned.report)?;
    write(&folder.join(format!("reports/{name}.json")), |file| Ok(file.write_all(&report)?))?;
    write(&folder.join(format!("quarantine/{name}.csv")), |file| Ok(cleaned.write_quarantine(file)?))?;
    let clean = folder.join(format!("transformed/{name}.csv"));
    let partial = folder.join(format!("transformed/{name}.csv.partial"));
    write(&partial, |file| Ok(cleaned.write_candles(file)?))?;
    fs::rename(&partial, &clean).with_context(|| format!("write {}", clean.display()))
}

fn write(path: &PathBuf, content: impl FnOnce(&mut File) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let context = || format!("write {}", path.display());
    let created = File::create(path).or_else(|_| {
        // Most files go into a folder that is there already.
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        File::create(path)
    });
    content(&mut created.with_context(context)?).with_context(context)
}
