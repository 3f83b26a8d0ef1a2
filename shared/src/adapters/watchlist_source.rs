//! The watchlist at its location and the owner's calendars next to it, read again whenever they change.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::Mutex;

use crate::adapters::calendar_files::{self, BadCalendar, CalendarFiles};
use crate::core::watchlist::{Location, Watchlist};
use crate::ports::notifier::{Alert, Kind, Notifier};
use crate::ports::store::{ObjectStore, StoreError};

/// The watchlist at its location. An edit needs no restart: each read returns the current version.
///
/// An invalid version replaces the previous one too, as an error that is reported to the owner once: to continue with
/// the previous version would hide that an edit has no effect.
pub struct WatchlistSource {
    location: Location,
    store: Option<Arc<dyn ObjectStore>>,
    notifier: Arc<dyn Notifier>,
    last: Mutex<Option<Snapshot>>,
}

/// A version, and the result of parsing it.
#[derive(Clone)]
struct Snapshot {
    /// A file's text or an object's entity tag; `None` if there is no watchlist.
    version: Option<String>,
    calendars: CalendarFiles,
    parsed: Result<Arc<Watchlist>, Fault>,
}

/// What is wrong with the watchlist, or with a calendar next to it.
#[derive(Clone)]
enum Fault {
    Watchlist(String),
    Calendar(BadCalendar),
}

/// There is no usable watchlist.
#[derive(Debug, Error)]
pub enum NoWatchlist {
    /// The watchlist is missing or invalid, and the owner must fix it.
    #[error("fix the watchlist {location}: {reason}")]
    Broken {
        /// The path or the S3 URL of the watchlist.
        location: String,
        /// What is wrong with it: line, field and reason.
        reason: String,
    },
    /// A calendar next to the watchlist is invalid, and the owner must fix it.
    #[error("{0}")]
    BadCalendar(#[from] BadCalendar),
    /// The store does not answer.
    #[error("read the watchlist: {0}")]
    Unreachable(#[from] StoreError),
}

impl WatchlistSource {
    /// The watchlist at a location. `store` opens the bucket if the watchlist is an object; `notifier` is informed of
    /// an invalid watchlist.
    pub fn new<S>(location: Location, store: impl FnOnce(&str) -> S, notifier: Arc<dyn Notifier>) -> Self
    where
        S: ObjectStore + 'static,
    {
        let store = match &location {
            Location::File(_) => None,
            Location::Object { bucket, .. } => Some(Arc::new(store(bucket)) as Arc<dyn ObjectStore>),
        };
        Self { location, store, notifier, last: Mutex::default() }
    }

    /// The watchlist in a file.
    #[must_use]
    pub fn file(path: PathBuf, notifier: Arc<dyn Notifier>) -> Self {
        Self { location: Location::File(path), store: None, notifier, last: Mutex::default() }
    }

    /// The file or object that the watchlist is read from.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The current watchlist.
    ///
    /// # Errors
    ///
    /// Returns [`NoWatchlist`] if the watchlist is missing, invalid or unreachable.
    pub async fn read(&self) -> Result<Arc<Watchlist>, NoWatchlist> {
        // One read at a time: of two reads that find a new version, only one parses it and reports what is wrong with
        // it.
        let mut last = self.last.lock().await;
        // After an error everything is read again, so that a correction has an effect at once.
        let known = last.as_ref().filter(|last| last.parsed.is_ok()).map(|last| &last.calendars);
        let calendars = calendar_files::read(&self.location, self.store.as_deref(), known).await?;
        let last_with_same = last.as_ref().filter(|last| last.calendars.is_same_as(&calendars));
        let now = match (&self.location, &self.store) {
            (Location::Object { key, .. }, Some(store)) => {
                read_object(store.as_ref(), key, last_with_same, calendars).await?
            }
            (Location::File(path), _) => read_file(path, last_with_same, calendars).await,
            (Location::Object { .. }, None) => {
                Snapshot::broken(None, calendars, "its bucket was not opened".to_owned())
            }
        };
        let is_new = last_with_same
            .is_none_or(|last| (&last.version, last.parsed.is_ok()) != (&now.version, now.parsed.is_ok()));
        // Also at the first read: the process that reported an invalid watchlist may be gone.
        let is_valid_again = now.parsed.is_ok() && last.as_ref().is_none_or(|last| last.parsed.is_err());
        *last = Some(now.clone());
        let location = self.location.to_string();
        match now.parsed {
            Ok(watchlist) => {
                if is_valid_again {
                    let alert = Alert::new(Kind::BadWatchlist, &self.location, "it is valid");
                    self.notifier.notify(alert.resolved()).await;
                }
                Ok(watchlist)
            }
            Err(fault) => {
                let problem = match fault {
                    Fault::Watchlist(reason) => NoWatchlist::Broken { location, reason },
                    Fault::Calendar(bad) => bad.into(),
                };
                if is_new {
                    self.report(&problem).await;
                }
                Err(problem)
            }
        }
    }

    async fn report(&self, problem: &NoWatchlist) {
        let text = format!("{problem}; work that needs it waits, and continues when it is fixed");
        self.notifier.notify(Alert::new(Kind::BadWatchlist, &self.location, text)).await;
    }
}

/// A file is read each time: it is small, and its modification time says less than its text.
async fn read_file(path: &PathBuf, last: Option<&Snapshot>, calendars: CalendarFiles) -> Snapshot {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => match last.filter(|last| last.version.as_ref() == Some(&text)) {
            Some(last) => last.clone(),
            None => Snapshot { parsed: parse(&text, &calendars), version: Some(text), calendars },
        },
        Err(error) => Snapshot::broken(None, calendars, error.to_string()),
    }
}

/// An object is read again only when its entity tag has changed.
async fn read_object(
    store: &dyn ObjectStore,
    key: &str,
    last: Option<&Snapshot>,
    calendars: CalendarFiles,
) -> Result<Snapshot, StoreError> {
    let current = store.head(key).await?.map(|info| info.etag);
    if let Some(last) = last.filter(|last| last.version == current && current.is_some()) {
        return Ok(last.clone());
    }
    Ok(match store.get(key).await? {
        None => Snapshot::broken(None, calendars, "there is no watchlist: put one there".to_owned()),
        Some(object) => {
            let text = std::str::from_utf8(&object.body).map_err(|error| Fault::Watchlist(error.to_string()));
            let parsed = text.and_then(|text| parse(text, &calendars));
            Snapshot { version: Some(object.info.etag), calendars, parsed }
        }
    })
}

fn parse(text: &str, calendars: &CalendarFiles) -> Result<Arc<Watchlist>, Fault> {
    let calendars = calendars.calendars.clone().map_err(Fault::Calendar)?;
    Watchlist::parse(text, calendars).map(Arc::new).map_err(|error| Fault::Watchlist(error.to_string()))
}

impl Snapshot {
    fn broken(version: Option<String>, calendars: CalendarFiles, reason: String) -> Self {
        Self { version, calendars, parsed: Err(Fault::Watchlist(reason)) }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::adapters::memory_store::MemoryStore;
    use crate::core::alert::State;
    use crate::core::calendar::Calendar;
    use crate::core::metadata::{Instrument, Metadata};
    use crate::ports::store::{NewObject, PutIf};

    #[derive(Default)]
    struct RecordingNotifier(std::sync::Mutex<Vec<Alert>>);

    #[async_trait]
    impl Notifier for RecordingNotifier {
        async fn notify(&self, alert: Alert) {
            self.0.lock().unwrap().push(alert);
        }
    }

    impl RecordingNotifier {
        fn of(&self, state: State) -> Vec<String> {
            let alerts = self.0.lock().unwrap();
            let of_state = alerts.iter().filter(|alert| alert.state == state);
            of_state.map(|alert| format!("{} {}: {}", alert.kind, alert.subject, alert.text)).collect()
        }
    }

    const GOOD: &str = "[groups.a]\nsymbols = [\"A\"]\n";
    const OTHER: &str = "[groups.a]\nsymbols = [\"A\", \"B\"]\n";
    const BROKEN: &str = "[groups.a]\nsymbol = [\"A\"]\n";

    async fn symbols(source: &WatchlistSource) -> Result<usize, String> {
        source.read().await.map(|watchlist| watchlist.series().count()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn an_edit_of_a_file_is_seen_at_the_next_look_and_a_broken_one_told_once() {
        let path = std::env::temp_dir().join(format!("candlewick-watchlist-{}.toml", std::process::id()));
        let notifier = Arc::new(RecordingNotifier::default());
        let source = WatchlistSource::file(path.clone(), notifier.clone());
        assert!(symbols(&source).await.unwrap_err().contains("No such file"));
        for (text, expected) in [(GOOD, Ok(1)), (OTHER, Ok(2)), (BROKEN, Err(())), (BROKEN, Err(())), (GOOD, Ok(1))] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(symbols(&source).await.map_err(|_| ()), expected, "{text}");
        }
        std::fs::remove_file(&path).unwrap();
        let firing = notifier.of(State::Firing);
        assert_eq!(firing.len(), 2, "{firing:?}");
        assert!(firing[1].starts_with("bad_watchlist ") && firing[1].contains("line 2, groups.a.symbol"), "{firing:?}");
    }

    #[tokio::test]
    async fn an_object_is_read_again_when_it_changed_and_its_loss_is_no_older_version() {
        let store = Arc::new(MemoryStore::default());
        let notifier = Arc::new(RecordingNotifier::default());
        let location = "s3://b/config/watchlist.toml".parse().unwrap();
        let mut source = WatchlistSource::new(location, |_| MemoryStore::default(), notifier.clone());
        source.store = Some(Arc::clone(&store) as Arc<dyn ObjectStore>);
        let put = async |text: &str| {
            let object =
                NewObject { body: text.to_owned().into(), content_type: "text/plain", metadata: Metadata::new() };
            store.put("config/watchlist.toml", object, PutIf::Always).await.unwrap();
        };
        assert!(symbols(&source).await.unwrap_err().contains("s3://b/config/watchlist.toml: there is no watchlist"));
        put(GOOD).await;
        assert_eq!(symbols(&source).await, Ok(1));
        let first = source.read().await.unwrap();
        let again = source.read().await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "an unchanged watchlist is not parsed again");
        put(OTHER).await;
        assert_eq!(symbols(&source).await, Ok(2));
        put(BROKEN).await;
        assert!(symbols(&source).await.is_err() && symbols(&source).await.is_err());
        assert_eq!(notifier.of(State::Firing).len(), 2);
        store.remove("config/watchlist.toml");
        assert!(symbols(&source).await.is_err());
        assert_eq!(notifier.of(State::Firing).len(), 3);
    }

    const CALENDAR: &str = "code = \"XNAI\"\ntimezone = \"Africa/Nairobi\"\nfirst = 2024-01-01\nlast = 2024-12-31\n\
        days = [\"Mon\"]\nhours = [{ from = 2024-01-01, open = \"09:30\", close = \"15:00\" }]\n";
    const NAMING: &str = "[groups.a]\nsymbols = [\"A\"]\ncalendar = \"XNAI\"\n";

    /// The code of the calendar that the only instrument of the list has.
    async fn calendar(source: &WatchlistSource) -> Result<String, String> {
        let watchlist = source.read().await.map_err(|error| error.to_string())?;
        let choice = watchlist.cleaning(&"A".parse().unwrap()).choose_calendar(&Instrument::default());
        choice.calendar.map(Calendar::version).ok_or(choice.reason)
    }

    #[tokio::test]
    async fn calendars_beside_the_watchlist_are_read_with_it_and_a_broken_one_stops_it() {
        let folder = std::env::temp_dir().join(format!("candlewick-calendars-{}", std::process::id()));
        let calendars = folder.join("config/calendars");
        std::fs::create_dir_all(&calendars).unwrap();
        std::fs::write(folder.join("watchlist.toml"), NAMING).unwrap();
        std::fs::write(calendars.join("README.md"), "no calendar").unwrap();
        let notifier = Arc::new(RecordingNotifier::default());
        let source = WatchlistSource::file(folder.join("watchlist.toml"), notifier.clone());
        let unknown = calendar(&source).await.unwrap_err();
        assert!(unknown.contains("line 3, groups.a.calendar: no calendar is known by the name \"XNAI\""), "{unknown}");
        std::fs::write(calendars.join("XNAI.toml"), CALENDAR).unwrap();
        let first = calendar(&source).await.unwrap();
        assert!(first.starts_with("XNAI file XNAI.toml "), "{first}");
        assert_eq!(calendar(&source).await.unwrap(), first);
        std::fs::write(calendars.join("XNAI.toml"), CALENDAR.replace("09:30", "9.30")).unwrap();
        let broken = calendar(&source).await.unwrap_err();
        assert!(
            broken.starts_with("fix the calendar ") && broken.contains("config/calendars/XNAI.toml: line 6: 9.30 is")
        );
        assert_eq!(calendar(&source).await.unwrap_err(), broken);
        std::fs::write(calendars.join("XNAI.toml"), CALENDAR.replace("15:00", "15:30")).unwrap();
        assert_ne!(calendar(&source).await.unwrap(), first);
        std::fs::remove_dir_all(&folder).unwrap();
        let firing = notifier.of(State::Firing);
        let resolved = notifier.of(State::Resolved);
        assert_eq!((firing.len(), resolved.len()), (2, 2), "each once: {firing:?}");
        assert!(firing[1].starts_with("bad_watchlist ") && firing[1].contains("line 6"), "{firing:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn calendars_in_the_bucket_are_read_again_when_one_of_them_changed() {
        let store = Arc::new(MemoryStore::default());
        let location = "s3://b/config/watchlist.toml".parse().unwrap();
        let mut source =
            WatchlistSource::new(location, |_| MemoryStore::default(), Arc::new(RecordingNotifier::default()));
        source.store = Some(Arc::clone(&store) as Arc<dyn ObjectStore>);
        let put = async |key: &str, text: String| {
            let object = NewObject { body: text.into(), content_type: "text/plain", metadata: Metadata::new() };
            store.put(key, object, PutIf::Always).await.unwrap();
        };
        put("config/watchlist.toml", NAMING.to_owned()).await;
        put("config/calendars/old/XNAI.toml", "not read".to_owned()).await;
        assert!(calendar(&source).await.is_err());
        put("config/calendars/XNAI.toml", CALENDAR.to_owned()).await;
        let first = calendar(&source).await.unwrap();
        let one = source.read().await.unwrap();
        let other = source.read().await.unwrap();
        assert!(Arc::ptr_eq(&one, &other), "unchanged files are not parsed again");
        put("config/calendars/XNAI.toml", CALENDAR.replace("15:00", "15:30")).await;
        assert_eq!(calendar(&source).await.unwrap(), first, "the bucket is not listed at each read");
        tokio::time::advance(calendar_files::LIST_AGAIN_AFTER).await;
        assert_ne!(calendar(&source).await.unwrap(), first);
        tokio::time::advance(calendar_files::LIST_AGAIN_AFTER).await;
        put("config/calendars/XNAI.toml", " ".repeat(600 << 10)).await;
        let error = calendar(&source).await.unwrap_err();
        assert!(error.contains("s3://b/config/calendars/XNAI.toml: it has more than"), "{error}");
        store.remove("config/calendars/XNAI.toml");
        assert!(calendar(&source).await.unwrap_err().contains("no calendar is known"));
    }

    /// The process that reported the invalid list may be gone, and its successor has only seen the valid one.
    #[tokio::test]
    async fn the_first_good_look_of_a_process_ends_what_the_one_before_it_told() {
        let path = std::env::temp_dir().join(format!("candlewick-successor-{}.toml", std::process::id()));
        std::fs::write(&path, BROKEN).unwrap();
        let notifier = Arc::new(RecordingNotifier::default());
        let process = || WatchlistSource::file(path.clone(), notifier.clone());
        assert!(symbols(&process()).await.is_err());
        assert_eq!(notifier.of(State::Resolved), [""; 0]);
        let successor = process();
        for text in [GOOD, OTHER] {
            std::fs::write(&path, text).unwrap();
            symbols(&successor).await.unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        let resolved = format!("bad_watchlist {}: it is valid", path.display());
        assert_eq!(notifier.of(State::Resolved), [resolved], "reported once");
    }
}
