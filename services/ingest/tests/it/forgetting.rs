//! A vendor that forgets: over hundreds of refreshes it leaves candles out, for once or for good, gives them back, restates
//! and splits them, gives nulls, and gives another instrument under the old name. No real candle is lost or mixed with
//! another's, and each loss is reported once.

#![allow(clippy::print_stdout, reason = "a test says which seed it ran")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use candlewick_ingest::context::Ingest;
use candlewick_shared::core::alert::State;
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::event::{EventKind, ObjectEvent};
use candlewick_shared::core::watchlist::History;
use candlewick_shared::ports::notifier::Kind;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::outcome::Settled;
use candlewick_transform::handler::Transform;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

use crate::shrinking::asking;
use crate::support::{KEY, PLENTY, World, deliver, fetch_in, replace_in};
use crate::vendor::{Asked, Vendor, answer, candle, meta};

const RAW: &str = "raw/interval=1day/symbol=ABC/candles.csv";
const CLEAN: &str = "transformed/interval=1day/symbol=ABC/candles.csv";

/// When the first refresh is, after the close in New York.
const START: &str = "2023-06-01T22:00:30Z";

/// How many refreshes a seed is taken through.
const REFRESHES: usize = 220;

/// Closes by date.
type Closes = BTreeMap<Date, f64>;

/// Numbers that follow from a seed alone (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// From -1 to 1.
    fn signed(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A price as the API writes it.
fn rounded(price: f64) -> f64 {
    (price * 10_000.0).round() / 10_000.0
}

/// What the vendor does at one refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Nothing,
    ForgetsForOnce,
    Forgets,
    Remembers,
    Restates,
    GivesNulls,
    Splits,
    Recycles,
}

const EVENTS: [Event; 20] = {
    use Event::{Forgets, ForgetsForOnce, GivesNulls, Nothing, Recycles, Remembers, Restates, Splits};
    [
        Nothing,
        Nothing,
        Nothing,
        Nothing,
        ForgetsForOnce,
        ForgetsForOnce,
        ForgetsForOnce,
        Forgets,
        Forgets,
        Forgets,
        Forgets,
        Remembers,
        Remembers,
        Remembers,
        Restates,
        Restates,
        GivesNulls,
        GivesNulls,
        Splits,
        Recycles,
    ]
};

/// The vendor's side: what it has, and what of it it does not give.
struct Market {
    random: Random,
    has: Closes,
    hidden: BTreeSet<Date>,
    last: Date,
}

impl Market {
    fn new(seed: u64) -> Self {
        let mut market =
            Self { random: Random(seed), has: Closes::new(), hidden: BTreeSet::new(), last: date(2022, 3, 1) };
        market.go_on(date(2023, 6, 1));
        market
    }

    fn sessions(from: Date, through: Date) -> impl Iterator<Item = Date> {
        let calendar = Calendar::for_mic("XNYS").unwrap().unwrap();
        calendar.sessions(from..=through).unwrap().map(|session| session.date)
    }

    /// A candle for each session up to a date.
    fn go_on(&mut self, through: Date) {
        for day in Self::sessions(self.last.tomorrow().unwrap(), through) {
            let before = self.has.values().next_back().copied().unwrap_or(100.0);
            self.has.insert(day, rounded(before * (1.0 + 0.03 * self.random.signed())));
        }
        self.last = through;
    }

    /// What it gives of the time from a date on.
    fn visible(&self, from: Date) -> Closes {
        let is_given = |(day, _): &(&Date, &f64)| **day >= from && !self.hidden.contains(*day);
        self.has.iter().filter(is_given).map(|(day, close)| (*day, *close)).collect()
    }

    /// Some of its dates from a date on: one, a few, the oldest, the newest but one or two, or all.
    fn some(&mut self, from: Date) -> BTreeSet<Date> {
        let days: Vec<_> = self.visible(from).into_keys().collect();
        if days.is_empty() {
            return BTreeSet::new();
        }
        match self.random.below(8) {
            0..=2 => [days[self.random.below(days.len())]].into(),
            3..=4 => (0..1 + self.random.below(20)).map(|_| days[self.random.below(days.len())]).collect(),
            5 => days[..self.random.below(days.len())].iter().copied().collect(),
            6 => days[..days.len() - days.len().min(2)].iter().copied().collect(),
            _ => days.into_iter().collect(),
        }
    }

    /// Moves every price by a factor that keeps them readable.
    fn split(&mut self) {
        let newest = self.has.values().next_back().copied().unwrap_or_default();
        let factor =
            if newest > 60.0 { [0.5, 0.25, 0.1][self.random.below(3)] } else { [2.0, 4.0, 10.0][self.random.below(3)] };
        self.has.values_mut().for_each(|close| *close = rounded(*close * factor));
    }

    /// Another instrument, of some of the same dates, at prices of its own.
    fn other(&mut self) -> Closes {
        let skipped = self.random.below(self.has.len() - 40);
        let factor = if self.random.below(2) == 0 { 0.2 } else { 4.0 };
        let mut price = self.has.values().next_back().copied().unwrap_or_default() * factor;
        let mut step = || {
            price *= 1.0 + 0.03 * self.random.signed();
            rounded(price)
        };
        self.has.keys().skip(skipped).map(|day| (*day, step())).collect()
    }
}

/// What must hold, told by the plainest means: every candle that the source gave stays as it was last given.
#[derive(Default)]
struct Expected {
    stored: Closes,
    /// What the source lacks and the owner has heard of.
    lost: BTreeSet<Date>,
    losses: usize,
    others: usize,
}

impl Expected {
    /// Takes in an answer about the time from a date on.
    fn given(&mut self, visible: &Closes, from: Date) {
        let lacks = self.stored.keys().filter(|day| **day >= from && !visible.contains_key(*day));
        let lacks: BTreeSet<_> = lacks.copied().collect();
        self.losses += usize::from(!lacks.is_subset(&self.lost));
        self.lost = lacks;
        self.stored.extend(visible);
    }
}

/// A run of refreshes.
struct Course {
    seed: u64,
    vendor: Vendor,
    world: World,
    /// One handler for all refreshes, as a process has it.
    ingest: Ingest,
    time: Arc<Mutex<Timestamp>>,
    market: Market,
    expected: Expected,
    number: usize,
    event: Event,
    seen: BTreeMap<Event, usize>,
}

fn body(closes: &Closes, nulls: &BTreeSet<Date>, asked: &Asked) -> (u16, String) {
    let within = |(day, _): &(&Date, &f64)| {
        let day = day.to_string();
        (asked["start_date"].as_str()..asked["end_date"].as_str()).contains(&day.as_str())
    };
    let value = |(day, close): (&Date, &f64)| {
        let mut value = candle(&day.to_string(), *close);
        if nulls.contains(day) {
            ["open", "high", "low", "close"].iter().for_each(|name| value[*name] = Value::Null);
        }
        value
    };
    let values: Vec<_> = closes.iter().rev().filter(within).map(value).collect();
    if values.is_empty() {
        return (
            400,
            json!({"code": 400, "message": "No data is available on the specified dates.", "status": "error"})
                .to_string(),
        );
    }
    (200, answer(&meta("ABC", "1day"), &values))
}

impl Course {
    async fn begin(seed: u64) -> Self {
        let (vendor, mut world) = asking(START).await;
        let time = Arc::new(Mutex::new(START.parse().unwrap()));
        let clock = Arc::clone(&time);
        world.now = Arc::new(move || *clock.lock().unwrap());
        std::fs::write(&world.watchlist, "[groups.a]\nsymbols = [\"ABC\"]\nhistory = 1\n").unwrap();
        let market = Market::new(seed);
        let expected = Expected::default();
        let seen = BTreeMap::new();
        let ingest = world.ingest(PLENTY, KEY);
        let mut course =
            Self { seed, vendor, world, ingest, time, market, expected, number: 0, event: Event::Nothing, seen };
        course.ordinary(&BTreeSet::new(), &BTreeSet::new()).await;
        course
    }

    fn from(&self) -> Date {
        History::Years(1).first_date(self.market.last)
    }

    fn next_day(&mut self) {
        let next =
            self.market.last.checked_add(jiff::Span::new().days(1 + self.market.random.below(3) as i64)).unwrap();
        self.market.go_on(next);
        *self.time.lock().unwrap() = format!("{next}T22:00:30Z").parse().unwrap();
    }

    async fn refresh(&mut self, replace: bool) -> Settled {
        self.number += 1;
        let run = format!("run-{}", self.number);
        let message = if replace { replace_in(&run, "ABC", "1day") } else { fetch_in(&run, "ABC", "1day") };
        deliver(self.ingest.clone(), &message).await.unwrap()
    }

    /// A refresh at which the vendor gives what it has, but for some dates at the first question, and with nulls for others.
    async fn ordinary(&mut self, at_first: &BTreeSet<Date>, nulls: &BTreeSet<Date>) {
        let all = self.market.visible(Date::MIN);
        let first: Closes =
            all.iter().filter(|(day, _)| !at_first.contains(*day)).map(|(day, close)| (*day, *close)).collect();
        let given_nulls = nulls.clone();
        let mut is_first = true;
        self.vendor
            .answers(move |asked| body(if std::mem::take(&mut is_first) { &first } else { &all }, &given_nulls, asked));
        let is_done = self.refresh(false).await;
        assert_eq!(is_done, Settled::Done, "seed {} refresh {}", self.seed, self.number);
        let mut visible = self.market.visible(self.from());
        visible.retain(|day, _| !nulls.contains(day));
        self.expected.given(&visible, self.from());
    }

    /// Splits what the vendor has; what is older than the window is asked for too.
    async fn split(&mut self) {
        let given = self.market.visible(self.from());
        let known =
            given.keys().filter(|day| self.expected.stored.contains_key(*day) && !self.expected.lost.contains(*day));
        if known.count() < 20 {
            return self.ordinary(&BTreeSet::new(), &BTreeSet::new()).await;
        }
        self.market.split();
        self.ordinary(&BTreeSet::new(), &BTreeSet::new()).await;
        let oldest = self.expected.stored.keys().next().copied().unwrap_or_default();
        self.expected.stored.extend(self.market.visible(oldest));
    }

    /// For some refreshes another instrument has the name; then the old one is back, or the owner accepts the new one.
    async fn recycle(&mut self) {
        let mut other = self.market.other();
        self.expected.others += 1;
        for _ in 0..1 + self.market.random.below(4) {
            let answer = other.clone();
            self.vendor.answers(move |asked| body(&answer, &BTreeSet::new(), asked));
            let settled = self.refresh(false).await;
            let is_refused = matches!(&settled, Settled::Superseded(why) if why.starts_with("other_instrument"));
            assert!(is_refused, "seed {} refresh {}: {settled:?}", self.seed, self.number);
            self.check().await;
            self.next_day();
            let last = other.values().next_back().copied().unwrap_or_default();
            let new = self
                .market
                .has
                .keys()
                .filter(|day| !other.contains_key(*day) && **day > other.keys().next_back().copied().unwrap());
            let new: Vec<_> = new.copied().collect();
            other.extend(new.into_iter().map(|day| (day, rounded(last * 1.01))));
        }
        if self.market.random.below(3) == 0 {
            (self.market.has, self.market.hidden) = (other, BTreeSet::new());
            let all = self.market.visible(Date::MIN);
            self.vendor.answers(move |asked| body(&all, &BTreeSet::new(), asked));
            self.refresh(true).await;
            let oldest = self.expected.stored.keys().next().copied().unwrap_or_default().min(self.from());
            self.expected.stored = self.market.visible(oldest);
            self.expected.lost.clear();
        } else {
            self.ordinary(&BTreeSet::new(), &BTreeSet::new()).await;
        }
    }

    async fn step(&mut self) {
        self.next_day();
        let event = EVENTS[self.market.random.below(EVENTS.len())];
        self.event = event;
        *self.seen.entry(event).or_default() += 1;
        let from = self.from();
        let none = BTreeSet::new();
        match event {
            Event::Nothing => self.ordinary(&none, &none).await,
            Event::ForgetsForOnce => {
                // Of a day that is new nobody can know that it is missing.
                let mut some = self.market.some(from);
                some.retain(|day| self.expected.stored.contains_key(day));
                self.ordinary(&some, &none).await;
            }
            Event::Forgets => {
                let some = self.market.some(from);
                self.market.hidden.extend(some);
                self.ordinary(&none, &none).await;
            }
            Event::Remembers => {
                self.market.hidden.clear();
                self.ordinary(&none, &none).await;
            }
            Event::Restates => {
                self.restate(from);
                self.ordinary(&none, &none).await;
            }
            Event::GivesNulls => {
                let nulls =
                    self.market.visible(from).into_keys().filter(|_| self.market.random.below(30) == 0).collect();
                self.ordinary(&none, &nulls).await;
            }
            Event::Splits => self.split().await,
            Event::Recycles => self.recycle().await,
        }
        self.check().await;
    }

    fn restate(&mut self, from: Date) {
        let days: Vec<_> = self.market.visible(from).into_keys().collect();
        for _ in 0..days.len().min(20) / 5 {
            let day = days[self.market.random.below(days.len())];
            let by = 1.0 + 0.2 * self.market.random.signed();
            self.market.has.entry(day).and_modify(|close| *close = rounded(*close * by));
        }
    }

    /// What cleaning makes of the raw object is what the source gave, and what was reported is what happened.
    async fn check(&self) {
        let place = format!("seed {} refresh {} {:?}", self.seed, self.number, self.event);
        let real = self.cleaned().await;
        for (day, close) in &self.expected.stored {
            let found = real.get(day).copied();
            let is_right = found.is_some_and(|found| (found - close).abs() < 1e-9);
            assert!(is_right, "{place}: {day} is {found:?} for {close}: {:?}", self.raw(*day).await);
        }
        assert_eq!(real.len(), self.expected.stored.len(), "{place}: candles that nobody gave");
        let told = |kind| self.world.heard.told(kind, State::Firing).len();
        assert_eq!(told(Kind::HistoryShrank), self.expected.losses, "{place}: losses told");
        assert_eq!(told(Kind::OtherInstrument), self.expected.others, "{place}: other instruments told");
    }

    /// The rows of a day in the raw object.
    async fn raw(&self, day: Date) -> Vec<String> {
        let lines = self.world.lines(RAW).await;
        lines.into_iter().filter(|line| line.starts_with(&day.to_string())).collect()
    }

    /// The real candles of the transformed object, by the closes that it has.
    async fn cleaned(&self) -> Closes {
        let store = Arc::clone(&self.world.store) as Arc<dyn ObjectStore>;
        let event = ObjectEvent {
            kind: EventKind::Created,
            bucket: "candles".to_owned(),
            key: RAW.to_owned(),
            size: None,
            etag: None,
            version_id: None,
            time: None,
        };
        Transform::new(store, Arc::clone(&self.world.now)).handle(event).await.unwrap();
        let object = self.world.object(CLEAN).await;
        let text = String::from_utf8(object.body.to_vec()).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let place = |name: &str| header.split(',').position(|column| column == name).unwrap();
        let time = place("time");
        let close = place("close");
        let is_filled = place("is_filled");
        let cells = rows.lines().map(|row| row.split(',').collect::<Vec<_>>());
        let real = cells.filter(|cells| cells[is_filled] == "false");
        real.map(|cells| (cells[time].parse().unwrap(), cells[close].parse().unwrap())).collect()
    }

    /// Everything comes back, and every loss that was reported is resolved.
    async fn end(mut self) {
        self.next_day();
        self.market.hidden.clear();
        self.ordinary(&BTreeSet::new(), &BTreeSet::new()).await;
        self.check().await;
        let classes = |state| -> BTreeSet<_> {
            self.world.heard.told(Kind::HistoryShrank, state).into_iter().map(|alert| alert.class).collect()
        };
        assert_eq!(classes(State::Firing), classes(State::Resolved), "seed {}", self.seed);
        println!(
            "seed {}: {} refreshes, {} candles, {} losses and {} other instruments told; {:?}",
            self.seed,
            self.number,
            self.expected.stored.len(),
            self.expected.losses,
            self.expected.others,
            self.seen
        );
        assert_eq!(self.seen.len(), 8, "seed {}: an event never happened", self.seed);
        assert!(self.expected.losses > 10 && self.expected.others > 2, "seed {}: too little happened", self.seed);
    }
}

async fn through(seed: u64) {
    println!("seed {seed}: FORGETTING_SEED={seed} repeats it");
    let mut course = Course::begin(seed).await;
    course.check().await;
    while course.number < REFRESHES {
        course.step().await;
    }
    course.end().await;
}

#[tokio::test]
async fn a_vendor_that_forgets_loses_no_candle_and_every_loss_is_told_once() {
    match std::env::var("FORGETTING_SEED") {
        Ok(seed) => through(seed.parse().unwrap()).await,
        Err(_) => {
            for seed in [1, 2] {
                through(seed).await;
            }
        }
    }
}
