//! Names of the copy's files, and how they are written.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The characters of a key that are not encoded in a file name.
const OUTSIDE_FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-').remove(b'=');

/// How many hexadecimal digits of a digest tell the versions of one object apart.
const VERSION_DIGITS: usize = 32;

/// The path of a key: its segments, percent-encoded. A segment that is empty or has a meaning as a path (`.`, `..`) gets a
/// `%` before it.
pub(super) fn file_name(key: &str) -> PathBuf {
    let segment = |segment: &str| match segment {
        "" | "." | ".." => format!("%{segment}"),
        other => utf8_percent_encode(other, OUTSIDE_FILE_NAME).to_string(),
    };
    key.split('/').map(segment).collect()
}

/// Whether every part of a path is short enough for any file system, including an ending.
pub(super) fn is_short(place: &Path) -> bool {
    place.components().all(|part| part.as_os_str().len() <= 220) && place.as_os_str().len() <= 2000
}

/// The path of a key that cannot be a path itself. No encoded segment equals this directory's name.
pub(super) fn odd_name(key: &str) -> PathBuf {
    Path::new("%odd").join(hex_digest(key.as_bytes()))
}

/// The name of the file with these bytes of the object at a place. No encoded segment contains `%-`.
pub(super) fn bytes_name(place: &Path, bytes: &[u8]) -> String {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}%-{}", &hex_digest(bytes)[..VERSION_DIGITS])
}

fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Writes a file that is either complete or does not exist.
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

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("read {} as JSON (remove it if it is broken)", path.display()))
}

/// All files below a directory.
pub(super) fn below(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        match path.is_dir() {
            true => files.extend(below(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}
