//! The plan of a run, which depends only on the seed.

use std::time::Duration;

use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::trace::TraceParent;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::administrator::Mistake;
use super::objects::{self, File};

/// How long objects are written.
const WRITING: Duration = Duration::from_secs(24);

/// How long faults are injected.
pub const FAILING: Duration = Duration::from_secs(32);

/// The processes, by their service.
pub const PROCESSES: [&str; 6] = ["ingest", "transform", "transform", "loader", "loader", "notifier"];

/// The number of times that each process is killed.
const KILLS: usize = 4;

/// The number of times that PostgreSQL is restarted.
const RESTARTS: u32 = 3;

/// Series that ingest is asked to fetch; the simulator knows all but one.
const FETCHED: [&str; 6] = ["AAPL", "MSFT", "BRK.B", "BTC/USD", "EUR/USD", "NOSUCH"];

/// The actions of a run, with their times.
#[derive(Debug)]
pub struct Plan {
    /// The seed that determines everything here.
    pub seed: u64,
    /// The objects, with all their versions.
    pub files: Vec<File>,
    /// The objects that are written after all other faults, during an outage.
    pub late: Vec<File>,
    /// Additional messages: the time, the role of the queue, and the body.
    pub messages: Vec<(Duration, &'static str, String)>,
    /// The time of each kill, and the index of the process.
    pub kills: Vec<(Duration, usize)>,
    /// When PostgreSQL is restarted.
    pub restarts: Vec<Duration>,
    /// What is done to the database, and when.
    pub mistakes: Vec<(Duration, Mistake)>,
    letters: Vec<Letter>,
}

/// An expected dead letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The role of the queue from which it comes.
    pub queue: &'static str,
    /// The object's key, or the message's body if that names no object.
    pub about: String,
    /// The class of the failure.
    pub class: &'static str,
    /// A part of the reason.
    pub words: &'static str,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let files = objects::files(&mut dice, WRITING);
        let late = objects::late(&mut dice);
        let kills = (0..PROCESSES.len() * KILLS).map(|at| (moment(&mut dice, FAILING), at % PROCESSES.len()));
        let mut kills: Vec<_> = kills.collect();
        kills.sort_unstable();
        let third = FAILING / RESTARTS;
        let restarts = (0..RESTARTS).map(|at| third * at + moment(&mut dice, third)).collect();
        let mistakes = mistakes(&mut dice);
        let (messages, letters) = Default::default();
        let mut plan = Self { seed, files, late, messages, kills, restarts, mistakes, letters };
        plan.add_fetches(&mut dice);
        plan.add_nonsense(&mut dice);
        plan
    }

    /// Requests each series twice.
    fn add_fetches(&mut self, dice: &mut StdRng) {
        for symbol in FETCHED {
            let series = Series { symbol: symbol.parse().expect("a symbol"), interval: "1day".parse().expect("one") };
            let trace = TraceParent::new(dice.random(), dice.random()).expect("a trace");
            let message = IngestMessage::fetch(series, "faults", trace);
            let body = serde_json::to_string(&message).expect("a message is JSON");
            if symbol == "NOSUCH" {
                self.expect("ingest", &body, "unknown_symbol", "NOSUCH");
            }
            for _ in 0..2 {
                self.messages.push((moment(dice, WRITING), "ingest", body.clone()));
            }
        }
    }

    /// Adds invalid messages, and messages about objects that do not exist.
    fn add_nonsense(&mut self, dice: &mut StdRng) {
        for queue in ["ingest", "raw", "transformed"] {
            let body = format!("hello {queue}");
            self.expect(queue, &body, "bad_message", "");
            self.messages.push((moment(dice, WRITING), queue, body));
            // SQS takes control characters only as JSON spells them, and takes marks that reverse the text after them.
            let body = format!("{{\"kind\":\"\\u001b[2J{queue}\u{202e}\"}}");
            self.expect(queue, &body, "bad_message", "");
            self.messages.push((moment(dice, WRITING), queue, body));
        }
        let gone = "raw/interval=1day/symbol=GONE/candles.csv";
        self.expect("raw", gone, "object_missing", "put it there again");
        self.messages.push((moment(dice, WRITING), "raw", objects::event(&self.bucket(), gone)));
    }

    /// All objects that are there in the end.
    pub fn objects(&self) -> impl Iterator<Item = &File> {
        self.files.iter().chain(&self.late)
    }

    fn expect(&mut self, queue: &'static str, about: &str, class: &'static str, words: &'static str) {
        self.letters.push(Letter { queue, about: about.to_owned(), class, words });
    }

    /// The name of the run's own bucket.
    pub fn bucket(&self) -> String {
        format!("faults-{}", self.seed)
    }

    /// The expected dead letters: no others are allowed.
    pub fn letters(&self) -> impl Iterator<Item = Letter> {
        self.letters.iter().cloned().chain(self.files.iter().filter_map(File::letter))
    }

    /// A summary of the numbers in the plan.
    pub fn summary(&self) -> String {
        let versions: usize = self.files.iter().map(|file| file.versions.len()).sum();
        let broken = self.files.iter().filter(|file| file.broken.is_some()).count();
        let files = self.files.len();
        let series = FETCHED.len();
        format!("{files} objects ({broken} broken) in {versions} versions, {series} series to fetch")
    }
}

/// Each mistake once, in any order, at any moment of its part of the time.
fn mistakes(dice: &mut StdRng) -> Vec<(Duration, Mistake)> {
    let mut mistakes = Mistake::ALL;
    mistakes.shuffle(dice);
    let part = WRITING / Mistake::ALL.len() as u32;
    (0..).zip(mistakes).map(|(at, mistake)| (part * at + moment(dice, part), mistake)).collect()
}

/// A random moment in a span.
pub fn moment(dice: &mut StdRng, span: Duration) -> Duration {
    span.mul_f64(dice.random_range(0.0..1.0))
}
