//! Log files of programs.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use anyhow::Context;

/// A larger log is rotated at the next start, so that logs do not fill the disk.
const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// Opens the log for appending. Returns two handles, for standard output and standard error, and the current length.
pub(super) fn open(path: &Path) -> anyhow::Result<(File, File, u64)> {
    if fs::metadata(path).is_ok_and(|log| log.len() > MAX_BYTES) {
        fs::rename(path, path.with_extension("log.1")).with_context(|| format!("rotate log {}", path.display()))?;
    }
    let open = || -> std::io::Result<(File, File, u64)> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        Ok((file.try_clone()?, file, length))
    };
    open().with_context(|| format!("open log {}", path.display()))
}

/// Returns the last non-empty lines after byte `start`. They only illustrate an error, so the list is empty if the log cannot
/// be read.
pub(crate) fn last_lines(path: &Path, start: u64, count: usize) -> Vec<String> {
    let Ok(mut file) = File::open(path) else { return Vec::new() };
    if file.seek(SeekFrom::Start(start)).is_err() {
        return Vec::new();
    }
    let mut last = VecDeque::with_capacity(count + 1);
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok).filter(|line| !line.trim_ascii().is_empty()) {
        last.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        if last.len() > count {
            last.pop_front();
        }
    }
    last.into()
}
