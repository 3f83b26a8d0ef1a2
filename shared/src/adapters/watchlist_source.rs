//! The watchlist where it is kept: read anew whenever it changed.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::Mutex;

use crate::core::watchlist::{Location, Watchlist};
use crate::ports::notifier::{Alert, Kind, Notifier};
use crate::ports::store::{ObjectStore, StoreError};

/// The watchlist where it is kept. An edit needs no restart: each look sees what stands there now.
///
/// A version that is no watchlist takes the place of the one before it all the same, as an error that is told to the owner
/// once: to go on with the older one would hide that an edit has no effect.
pub struct WatchlistSource {
    location: Location,
    store: Option<Arc<dyn ObjectStore>>,
    notifier: Arc<dyn Notifier>,
    seen: Mutex<Option<Seen>>,
}

/// A version, and what was made of it.
#[derive(Clone)]
struct Seen {
    /// A file's text, or an object's entity tag; none where there is nothing.
    version: Option<String>,
    read: Result<Arc<Watchlist>, String>,
}

/// There is no watchlist to go by.
#[derive(Debug, Error)]
pub enum NoWatchlist {
    /// What stands there is none, and somebody must mend it.
    #[error("mend the watchlist {location}: {reason}")]
    Broken {
        /// Where it is.
        location: String,
        /// What is wrong with it: line, field and reason.
        reason: String,
    },
    /// The store does not answer.
    #[error("look at the watchlist: {0}")]
    Unreachable(#[from] StoreError),
}

impl WatchlistSource {
    /// The watchlist at a location; `store` opens the bucket of one that is an object, `notifier` hears of one that is broken.
    pub fn new<S>(location: Location, store: impl FnOnce(&str) -> S, notifier: Arc<dyn Notifier>) -> Self
    where
        S: ObjectStore + 'static,
    {
        let store = match &location {
            Location::File(_) => None,
            Location::Object { bucket, .. } => Some(Arc::new(store(bucket)) as Arc<dyn ObjectStore>),
        };
        Self { location, store, notifier, seen: Mutex::default() }
    }

    /// The watchlist in a file.
    #[must_use]
    pub fn file(path: PathBuf, notifier: Arc<dyn Notifier>) -> Self {
        Self { location: Location::File(path), store: None, notifier, seen: Mutex::default() }
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What it says now.
    ///
    /// # Errors
    /// [`NoWatchlist`], where it says nothing that can be gone by.
    pub async fn read(&self) -> Result<Arc<Watchlist>, NoWatchlist> {
        // One look at a time: of two that see a new version, one parses it, and tells of what is wrong with it.
        let mut seen = self.seen.lock().await;
        let now = match (&self.location, &self.store) {
            (Location::Object { key, .. }, Some(store)) => look_at_object(store.as_ref(), key, seen.as_ref()).await?,
            (Location::File(path), _) => look_at_file(path, seen.as_ref()).await,
            (Location::Object { .. }, None) => Seen::broken(None, "its bucket was not opened".to_owned()),
        };
        let is_new =
            seen.as_ref().is_none_or(|seen| (&seen.version, seen.read.is_ok()) != (&now.version, now.read.is_ok()));
        // At the first look too: whoever told that it is broken may be gone.
        let is_well_again = now.read.is_ok() && seen.as_ref().is_none_or(|seen| seen.read.is_err());
        *seen = Some(now.clone());
        let location = self.location.to_string();
        match now.read {
            Ok(watchlist) => {
                if is_well_again {
                    let alert = Alert::new(Kind::BadWatchlist, &self.location, "it is in order");
                    self.notifier.notify(alert.resolved()).await;
                }
                Ok(watchlist)
            }
            Err(reason) => {
                let problem = NoWatchlist::Broken { location, reason };
                if is_new {
                    self.tell(&problem).await;
                }
                Err(problem)
            }
        }
    }

    async fn tell(&self, problem: &NoWatchlist) {
        let text = format!("{problem}; what needs it waits, and goes on by itself once it is mended");
        self.notifier.notify(Alert::new(Kind::BadWatchlist, &self.location, text)).await;
    }
}

/// A file is read at each look: it is small, and its times say less than its text.
async fn look_at_file(path: &PathBuf, seen: Option<&Seen>) -> Seen {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => seen.filter(|seen| seen.version.as_ref() == Some(&text)).cloned().unwrap_or_else(|| {
            let read = parse(&text);
            Seen { version: Some(text), read }
        }),
        Err(error) => Seen::broken(None, error.to_string()),
    }
}

/// An object is read again when its entity tag is another one.
async fn look_at_object(store: &dyn ObjectStore, key: &str, seen: Option<&Seen>) -> Result<Seen, StoreError> {
    let current = store.head(key).await?.map(|info| info.etag);
    if let Some(seen) = seen.filter(|seen| seen.version == current && current.is_some()) {
        return Ok(seen.clone());
    }
    Ok(match store.get(key).await? {
        None => Seen::broken(None, "there is none: put one there".to_owned()),
        Some(object) => {
            let read = std::str::from_utf8(&object.body).map_err(|error| error.to_string()).and_then(parse);
            Seen { version: Some(object.info.etag), read }
        }
    })
}

fn parse(text: &str) -> Result<Arc<Watchlist>, String> {
    text.parse().map(Arc::new).map_err(|error: crate::core::watchlist::WatchlistError| error.to_string())
}

impl Seen {
    fn broken(version: Option<String>, reason: String) -> Self {
        Self { version, read: Err(reason) }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::adapters::memory_store::MemoryStore;
    use crate::core::alert::State;
    use crate::core::metadata::Metadata;
    use crate::ports::store::{NewObject, PutIf};

    #[derive(Default)]
    struct Heard(std::sync::Mutex<Vec<Alert>>);

    #[async_trait]
    impl Notifier for Heard {
        async fn notify(&self, alert: Alert) {
            self.0.lock().unwrap().push(alert);
        }
    }

    impl Heard {
        fn of(&self, state: State) -> Vec<String> {
            let heard = self.0.lock().unwrap();
            let of_state = heard.iter().filter(|alert| alert.state == state);
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
        let heard = Arc::new(Heard::default());
        let source = WatchlistSource::file(path.clone(), heard.clone());
        assert!(symbols(&source).await.unwrap_err().contains("No such file"));
        for (text, expected) in [(GOOD, Ok(1)), (OTHER, Ok(2)), (BROKEN, Err(())), (BROKEN, Err(())), (GOOD, Ok(1))] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(symbols(&source).await.map_err(|_| ()), expected, "{text}");
        }
        std::fs::remove_file(&path).unwrap();
        let told = heard.of(State::Firing);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("bad_watchlist ") && told[1].contains("line 2, groups.a.symbol"), "{told:?}");
    }

    #[tokio::test]
    async fn an_object_is_read_again_when_it_changed_and_its_loss_is_no_older_version() {
        let (store, heard) = (Arc::new(MemoryStore::default()), Arc::new(Heard::default()));
        let location = "s3://b/config/watchlist.toml".parse().unwrap();
        let mut source = WatchlistSource::new(location, |_| MemoryStore::default(), heard.clone());
        source.store = Some(Arc::clone(&store) as Arc<dyn ObjectStore>);
        let put = async |text: &str| {
            let object =
                NewObject { body: text.to_owned().into(), content_type: "text/plain", metadata: Metadata::new() };
            store.put("config/watchlist.toml", object, PutIf::Always).await.unwrap();
        };
        assert!(symbols(&source).await.unwrap_err().contains("s3://b/config/watchlist.toml: there is none"));
        put(GOOD).await;
        assert_eq!(symbols(&source).await, Ok(1));
        let (first, again) = (source.read().await.unwrap(), source.read().await.unwrap());
        assert!(Arc::ptr_eq(&first, &again), "what did not change is not parsed again");
        put(OTHER).await;
        assert_eq!(symbols(&source).await, Ok(2));
        put(BROKEN).await;
        assert!(symbols(&source).await.is_err() && symbols(&source).await.is_err());
        assert_eq!(heard.of(State::Firing).len(), 2);
        store.remove("config/watchlist.toml");
        assert!(symbols(&source).await.is_err());
        assert_eq!(heard.of(State::Firing).len(), 3);
    }
    /// Whoever told that the list is broken may be gone: its successor has never seen it so.
    #[tokio::test]
    async fn the_first_good_look_of_a_process_ends_what_the_one_before_it_told() {
        let path = std::env::temp_dir().join(format!("candlewick-successor-{}.toml", std::process::id()));
        std::fs::write(&path, BROKEN).unwrap();
        let heard = Arc::new(Heard::default());
        let process = || WatchlistSource::file(path.clone(), heard.clone());
        assert!(symbols(&process()).await.is_err());
        assert_eq!(heard.of(State::Resolved), [""; 0]);
        let successor = process();
        for text in [GOOD, OTHER] {
            std::fs::write(&path, text).unwrap();
            symbols(&successor).await.unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        let resolved = format!("bad_watchlist {}: it is in order", path.display());
        assert_eq!(heard.of(State::Resolved), [resolved], "and it is said once");
    }
}
