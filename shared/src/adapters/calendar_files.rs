//! The owner's calendars: the TOML files in the folder next to the watchlist.

use std::io::ErrorKind;
use std::path::Path;

use thiserror::Error;
use tokio::time::{Duration, Instant};

use crate::core::calendar::calendars::{Calendars, MOST_BYTES, OwnFile};
use crate::core::watchlist::Location;
use crate::ports::store::{ObjectInfo, ObjectStore, StoreError};

/// More files than there are exchanges are a mistake.
const MOST_FILES: usize = 500;

/// How long a listing of a bucket is used. Each listing costs as much as a PUT, and the watchlist is read for each object.
pub const LIST_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// A version of the files, and the calendars in them.
#[derive(Clone, Debug)]
pub struct CalendarFiles {
    /// When the files were listed.
    listed: Instant,
    /// Changes whenever a file does.
    version: Vec<String>,
    /// The calendars of the files and the compiled-in ones.
    pub calendars: Result<Calendars, BadCalendar>,
}

/// A file is no valid calendar, or cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("fix the calendar {location}: {reason}")]
pub struct BadCalendar {
    /// The path or the S3 URL of the file.
    pub location: String,
    /// What is wrong with it, with the line if it is known.
    pub reason: String,
}

/// Reads the calendars that belong to a watchlist. A folder that does not exist has none. `last` is what was read
/// before: files that have not changed since then are not parsed again, and a bucket is not listed again before
/// [`LIST_AGAIN_AFTER`].
///
/// # Errors
///
/// Fails if the store does not answer.
pub async fn read(
    watchlist: &Location,
    store: Option<&dyn ObjectStore>,
    last: Option<&CalendarFiles>,
) -> Result<CalendarFiles, StoreError> {
    let folder = watchlist.calendars();
    match (&folder, store) {
        (Location::File(path), _) => Ok(in_folder(path, last)),
        (Location::Object { key, .. }, Some(store)) => in_bucket(&folder, key, store, last).await,
        (Location::Object { .. }, None) => Ok(broken(Vec::new(), &folder, "its bucket was not opened")),
    }
}

impl CalendarFiles {
    /// Whether two reads found the same files.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.version == other.version && self.calendars.is_ok() == other.calendars.is_ok()
    }

    /// Parses the files, or takes what was parsed of them before.
    fn of(version: Vec<String>, files: &[OwnFile], folder: &Location, last: Option<&Self>) -> Self {
        if let Some(last) = last.filter(|last| last.version == version && last.calendars.is_ok()) {
            return Self { listed: Instant::now(), ..last.clone() };
        }
        let calendars = Calendars::with(files).map_err(|error| bad(folder, &error.calendar, error.reason));
        Self { listed: Instant::now(), version, calendars }
    }
}

fn bad(folder: &Location, file: &str, reason: impl ToString) -> BadCalendar {
    let folder = folder.to_string();
    BadCalendar { location: format!("{}/{file}", folder.trim_end_matches('/')), reason: reason.to_string() }
}

fn broken(version: Vec<String>, folder: &Location, reason: impl ToString) -> CalendarFiles {
    let calendars = Err(BadCalendar { location: folder.to_string(), reason: reason.to_string() });
    CalendarFiles { listed: Instant::now(), version, calendars }
}

fn in_folder(path: &Path, last: Option<&CalendarFiles>) -> CalendarFiles {
    let folder = Location::File(path.to_owned());
    match files_of(path) {
        Ok(files) => {
            let version = files.iter().map(|file| format!("{}\n{}", file.name, file.text)).collect();
            CalendarFiles::of(version, &files, &folder, last)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => CalendarFiles::of(Vec::new(), &[], &folder, last),
        Err(error) => broken(Vec::new(), &folder, error),
    }
}

/// The files of a folder in the order of their names.
fn files_of(path: &Path) -> std::io::Result<Vec<OwnFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_calendar(&name) {
            files.push(OwnFile { text: text_of(&entry.path())?, name });
        }
    }
    if files.len() > MOST_FILES {
        return Err(std::io::Error::other(format!("it has more than {MOST_FILES} files")));
    }
    files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// A file that is too large is read no further than needed to see that.
fn text_of(path: &Path) -> std::io::Result<String> {
    use std::io::Read;

    let mut text = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Hidden files are those that editors leave.
fn is_calendar(name: &str) -> bool {
    name.ends_with(".toml") && !name.starts_with('.') && !name.contains('/')
}

async fn in_bucket(
    folder: &Location,
    prefix: &str,
    store: &dyn ObjectStore,
    last: Option<&CalendarFiles>,
) -> Result<CalendarFiles, StoreError> {
    if let Some(last) = last.filter(|last| last.listed.elapsed() < LIST_AGAIN_AFTER) {
        return Ok(last.clone());
    }
    let name = |info: &ObjectInfo| info.key.strip_prefix(prefix).unwrap_or_default().to_owned();
    let listed = store.list(prefix).await?;
    let listed: Vec<ObjectInfo> = listed.into_iter().filter(|info| is_calendar(&name(info))).collect();
    let version: Vec<String> = listed.iter().map(|info| format!("{}\n{}", info.key, info.etag)).collect();
    if let Some(last) = last.filter(|last| last.version == version) {
        return Ok(CalendarFiles { listed: Instant::now(), ..last.clone() });
    }
    if listed.len() > MOST_FILES {
        return Ok(broken(version, folder, format!("it has more than {MOST_FILES} files")));
    }
    let mut files = Vec::with_capacity(listed.len());
    for info in &listed {
        if info.size > MOST_BYTES as u64 {
            let reason = format!("it has more than {MOST_BYTES} bytes");
            let calendars = Err(bad(folder, &name(info), reason));
            return Ok(CalendarFiles { listed: Instant::now(), version, calendars });
        }
        // An object that is gone since the listing is no calendar any more.
        if let Some(object) = store.get_within(&info.key, MOST_BYTES as u64).await? {
            files.push(OwnFile { name: name(info), text: String::from_utf8_lossy(&object.body).into_owned() });
        }
    }
    Ok(CalendarFiles::of(version, &files, folder, None))
}
