//! A program's log file.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use anyhow::Context;

/// Beyond this size a log is set aside at the next start, so that a stack in daily use doesn't fill a disk.
const LIMIT: u64 = 20 * 1024 * 1024;

/// Opens the log for appending, twice over (standard output and error), with its length so far.
pub(super) fn open(path: &Path) -> anyhow::Result<(File, File, u64)> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LIMIT) {
        fs::rename(path, path.with_extension("log.1")).with_context(|| format!("set aside log {}", path.display()))?;
    }
    let open = || -> std::io::Result<(File, File, u64)> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        Ok((file.try_clone()?, file, length))
    };
    open().with_context(|| format!("open log {}", path.display()))
}

/// The last non-empty lines after `start`; none where the log can't be read, for it only illustrates an error.
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
