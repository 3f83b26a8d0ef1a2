//! A book of runs in memory: what is written in it is what the tests look at.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::run::Run;
use candlewick_shared::ports::runs::{Runs, RunsError, Written};
use jiff::Timestamp;

/// A book of runs in memory.
#[derive(Debug, Default)]
pub struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    runs: BTreeMap<String, Entry>,
    /// What answers instead, while there is something.
    down: bool,
}

/// What the book says of a run.
#[derive(Clone, Debug)]
pub struct Entry {
    pub run: Run,
    pub message: String,
    pub pages: u32,
    pub is_laid_out: bool,
    pub error: Option<String>,
    pub has_ended: bool,
    /// What became of each series, so far.
    pub series: BTreeMap<String, String>,
}

impl Book {
    /// Makes it unreachable, or reachable again.
    pub fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    pub fn entry(&self, run: &str) -> Entry {
        self.0.lock().unwrap().runs[run].clone()
    }

    /// Records a run and the time of its request, and nothing else.
    pub fn note(&self, run: Run) {
        self.0.lock().unwrap().runs.insert(run.id.clone(), Entry::new(run, ""));
    }

    fn pages(&self) -> Result<std::sync::MutexGuard<'_, Pages>, RunsError> {
        let pages = self.0.lock().unwrap();
        if pages.down { Err(RunsError::Down("the database is away".to_owned())) } else { Ok(pages) }
    }

    fn change(&self, run: &str, change: impl FnOnce(&mut Entry)) -> Result<(), RunsError> {
        self.pages()?.runs.get_mut(run).map(change);
        Ok(())
    }
}

impl Entry {
    fn new(run: Run, message: &str) -> Self {
        let pages = 0;
        let is_laid_out = false;
        let error = None;
        let has_ended = false;
        let series = BTreeMap::new();
        Self { run, message: message.to_owned(), pages, is_laid_out, error, has_ended, series }
    }
}

#[async_trait]
impl Runs for Book {
    async fn begin(&self, run: &Run, message: &str, _: Timestamp) -> Result<bool, RunsError> {
        let mut pages = self.pages()?;
        let entry = pages.runs.entry(run.id.clone()).or_insert_with(|| Entry::new(run.clone(), message));
        let is_first = entry.message == message;
        entry.error = None;
        Ok(is_first && !entry.has_ended)
    }

    async fn pages(&self, run: &str) -> Result<Option<u32>, RunsError> {
        Ok(self.pages()?.runs.get(run).filter(|entry| !entry.has_ended).map(|entry| entry.pages))
    }

    async fn expect(&self, run: &str, series: &[Series]) -> Result<(), RunsError> {
        self.change(run, |entry| {
            for series in series {
                entry.series.entry(series.to_string()).or_insert_with(|| "expected".to_owned());
            }
            entry.error = None;
        })
    }

    async fn page_done(&self, run: &str, page: u32, is_last: bool) -> Result<(), RunsError> {
        self.change(run, |entry| {
            entry.pages = entry.pages.max(page + 1);
            entry.is_laid_out |= is_last;
        })
    }

    async fn waits(&self, run: &str, reason: &str) -> Result<(), RunsError> {
        self.change(run, |entry| entry.error = Some(reason.to_owned()))
    }

    async fn give_up(&self, run: &str, reason: &str) -> Result<(), RunsError> {
        self.change(run, |entry| {
            entry.error = Some(reason.to_owned());
            entry.has_ended = true;
        })
    }

    async fn is_fetched(&self, run: &str, series: &Series) -> Result<bool, RunsError> {
        let pages = self.pages()?;
        let state = pages.runs.get(run).and_then(|entry| entry.series.get(&series.to_string()));
        Ok(state.is_some_and(|state| state.starts_with("fetched")))
    }

    async fn fetched(&self, run: &str, series: &Series, written: &[Written]) -> Result<(), RunsError> {
        let keys: Vec<_> = written.iter().map(|written| written.path.raw_key()).collect();
        self.change(run, |entry| drop(entry.series.insert(series.to_string(), format!("fetched {}", keys.join(" ")))))
    }

    async fn failed(&self, run: &str, series: &Series, reason: &str) -> Result<(), RunsError> {
        self.change(run, |entry| drop(entry.series.insert(series.to_string(), format!("failed {reason}"))))
    }

    async fn newest_whole(&self, by: Timestamp) -> Result<Option<Timestamp>, RunsError> {
        let pages = self.pages()?;
        let whole = pages.runs.values().filter(|entry| entry.run.is_whole && entry.run.requested_at <= by);
        Ok(whole.map(|entry| entry.run.requested_at).max())
    }
}
