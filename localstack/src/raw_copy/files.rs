//! Where a copied object lies on disk, and how files are written there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// What a key's segments keep of themselves as names of files.
const OUTSIDE_FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-').remove(b'=');

/// A path for any key: its segments, with all that a file name should not have percent-encoded. A segment that is empty,
/// or that leads elsewhere (`.`, `..`), gets a mark before it.
pub(super) fn file_name(key: &str) -> PathBuf {
    let segment = |segment: &str| match segment {
        "" | "." | ".." => format!("%{segment}"),
        other => utf8_percent_encode(other, OUTSIDE_FILE_NAME).to_string(),
    };
    key.split('/').map(segment).collect()
}

/// Whether every part of a path is short enough for any file system, with an ending.
pub(super) fn is_short(place: &Path) -> bool {
    place.components().all(|part| part.as_os_str().len() <= 240) && place.as_os_str().len() <= 2000
}

/// A place for a key that cannot be a path. No key's segment is encoded like this folder's name.
pub(super) fn odd_name(key: &str) -> PathBuf {
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    Path::new("%odd").join(digest)
}

pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let dir = path.parent().context("find its directory")?;
        fs::create_dir_all(dir)?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("write {}", path.display()))
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("read {} as JSON (remove it if it is broken)", path.display()))
}

pub(super) fn files_below(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
