//! The recent requests, for tests to look at. No key is ever in it.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::api::parameters::Parameters;
use crate::faults::Kind;

/// How many requests are remembered.
const CAPACITY: usize = 1000;

/// One request and how it was answered. Parameters are as they were written.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts all requests from 1.
    pub number: u64,
    /// The simulated time.
    pub at: Timestamp,
    pub path: String,
    /// `symbol`.
    pub symbol: Option<String>,
    /// `interval`.
    pub interval: Option<String>,
    /// `start_date`.
    pub start_date: Option<String>,
    /// `end_date`.
    pub end_date: Option<String>,
    /// `outputsize`.
    pub outputsize: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The credits charged or, where the answer is 429, refused.
    pub credits: u32,
    /// The faults that struck.
    pub faults: Vec<Kind>,
}

/// The newest requests, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    entries: VecDeque<Entry>,
    count: u64,
}

impl Entry {
    /// The entry of a request that is still to be numbered and answered.
    pub fn new(path: &str, parameters: &Parameters, at: Timestamp) -> Self {
        Self {
            number: 0,
            at,
            path: path.to_owned(),
            symbol: parameters.owned("symbol"),
            interval: parameters.owned("interval"),
            start_date: parameters.owned("start_date"),
            end_date: parameters.owned("end_date"),
            outputsize: parameters.owned("outputsize"),
            status: 0,
            credits: 0,
            faults: Vec::new(),
        }
    }
}

impl RequestLog {
    /// Adds a request and forgets the oldest where there are too many.
    pub fn push(&mut self, entry: Entry) {
        self.count += 1;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { number: self.count, ..entry });
    }

    /// Forgets all requests, but goes on counting.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The remembered requests, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_requests_are_remembered() {
        let mut log = RequestLog::default();
        for _ in 0..CAPACITY + 5 {
            log.push(Entry::new("/time_series", &Parameters::default(), Timestamp::UNIX_EPOCH));
        }
        let numbers: Vec<_> = log.entries().iter().map(|entry| entry.number).collect();
        assert_eq!((numbers.len(), numbers[0]), (CAPACITY, 6));
    }
}
