//! Writes the results for a file into a folder with the layout of the bucket.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use candlewick_transform::clean::Cleaned;

/// Writes the report, the quarantine and the transformed CSV in this order, so that a transformed file always comes
/// with the other two. Each file gets its name only once it is complete.
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
        // The folder usually exists already, so it is created only on failure.
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        File::create(path)
    });
    content(&mut created.with_context(context)?).with_context(context)
}
