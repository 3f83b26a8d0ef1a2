//! The recent requests, for tests to inspect. They never contain keys.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::api::parameters::Parameters;
use crate::faults::Kind;

/// The number of requests that are kept.
const CAPACITY: usize = 1000;

/// A request and the status of its answer. Parameters are as the client wrote them.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The number of the request, from 1.
    pub number: u64,
    /// The simulated time of the request.
    pub at: Timestamp,
    pub path: String,
    pub symbol: Option<String>,
    pub interval: Option<String>,
    pub start_date: Option<String>,
    pub end_date: Option<String>,
    pub outputsize: Option<String>,
    pub status: u16,
    /// The credits that were charged or, if the status is 429, refused.
    pub credits: u32,
    /// The faults that were applied.
    pub faults: Vec<Kind>,
}

/// The newest requests, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    entries: VecDeque<Entry>,
    count: u64,
}

impl Entry {
    /// Creates the entry of a request that is not numbered and answered yet.
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
    /// Adds a request, and removes the oldest if there are too many.
    pub fn push(&mut self, entry: Entry) {
        self.count += 1;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { number: self.count, ..entry });
    }

    /// Removes all requests, but does not reset their numbers.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Returns the requests, oldest first.
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
