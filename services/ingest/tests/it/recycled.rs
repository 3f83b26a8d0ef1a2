//! Another instrument under a known name: nothing of it is mixed with what is kept until the owner accepts it.

use candlewick_shared::core::alert::State;
use candlewick_shared::ports::notifier::Kind;
use candlewick_shared::runtime::outcome::Settled;
use serde_json::{Value, json};

use crate::shrinking::{LATER, asking, reach_back, set_time};
use crate::support::{NOW, World, fetch_in, replace_in};
use crate::vendor::{Asked, Vendor, answer, candle, meta};

const RAW: &str = "raw/interval=1day/symbol=ABC/candles.csv";

/// Sessions of New York in December 2024, oldest first.
const DAYS: [&str; 20] = [
    "2024-12-02",
    "2024-12-03",
    "2024-12-04",
    "2024-12-05",
    "2024-12-06",
    "2024-12-09",
    "2024-12-10",
    "2024-12-11",
    "2024-12-12",
    "2024-12-13",
    "2024-12-16",
    "2024-12-17",
    "2024-12-18",
    "2024-12-19",
    "2024-12-20",
    "2024-12-23",
    "2024-12-24",
    "2024-12-26",
    "2024-12-27",
    "2024-12-30",
];

/// Closes that go their own way, by a phase.
fn close(day: usize, from: f64, phase: f64) -> f64 {
    from * (1.0 + 0.04 * (day as f64 * 1.7 + phase).sin() + 0.002 * day as f64)
}

fn values(days: std::ops::Range<usize>, close: impl Fn(usize) -> f64) -> Vec<Value> {
    days.rev().map(|day| candle(DAYS[day], close(day))).collect()
}

async fn after_ten_days() -> (Vendor, World) {
    let (vendor, mut world) = asking(NOW).await;
    world.deliver(r#"{"kind":"refresh","run":"run-2","symbols":["AAPL"]}"#).await.unwrap();
    vendor.says(200, &answer(&meta("ABC", "1day"), &values(0..18, |day| close(day, 100.0, 0.0))));
    world.deliver(&fetch_in("run-1", "ABC", "1day")).await.unwrap();
    set_time(&mut world, LATER[0]);
    vendor.times_asked();
    (vendor, world)
}

async fn is_refused(vendor: &Vendor, world: &World, body: &str) -> bool {
    let before = world.object(RAW).await;
    vendor.says(200, body);
    let settled = world.deliver(&fetch_in("run-2", "ABC", "1day")).await.unwrap();
    let told = world.heard.told(Kind::OtherInstrument, State::Firing).len();
    let is_refused = matches!(&settled, Settled::Superseded(why) if why.starts_with("other_instrument"));
    assert_eq!(is_refused, told == 1, "{settled:?}");
    assert_eq!(is_refused, world.object(RAW).await == before, "{settled:?}");
    is_refused
}

#[tokio::test]
async fn prices_with_nothing_in_common_are_not_stored_until_the_owner_accepts_them() {
    let (vendor, mut world) = after_ten_days().await;
    let other = answer(&meta("ABC", "1day"), &values(0..20, |day| close(day, 31.0, 2.0)));
    assert!(is_refused(&vendor, &world, &other).await);
    assert_eq!(vendor.times_asked(), 2, "asked again");
    let text = world.heard.text();
    assert!(text.contains("another instrument") && text.contains("candlewick refresh ABC --replace"), "{text}");
    // Told once for as long as it lasts.
    set_time(&mut world, LATER[1]);
    world.deliver(&fetch_in("run-3", "ABC", "1day")).await.unwrap();
    assert_eq!(world.heard.told(Kind::OtherInstrument, State::Firing).len(), 1);
    world.deliver(&replace_in("run-4", "ABC", "1day")).await.unwrap();
    let lines = world.lines(RAW).await;
    assert!(lines.len() == 20 && lines.iter().all(|line| line.split(',').nth(4).unwrap() < "40"), "{lines:?}");
}

#[tokio::test]
async fn a_mix_up_that_is_over_at_the_second_question_leaves_nothing_behind() {
    let (vendor, world) = after_ten_days().await;
    let right = answer(&meta("ABC", "1day"), &values(0..19, |day| close(day, 100.0, 0.0)));
    let mut answers = vec![right, answer(&meta("ABC", "1day"), &values(0..20, |day| close(day, 31.0, 2.0)))];
    vendor.answers(move |_: &Asked| (200, answers.pop().unwrap()));
    world.deliver(&fetch_in("run-2", "ABC", "1day")).await.unwrap();
    let lines = world.lines(RAW).await;
    assert_eq!(
        (lines.len(), world.heard.kinds()),
        (19, vec![]),
        "the first answer had a day more, of another instrument"
    );
}

#[tokio::test]
async fn a_recycled_name_with_a_short_history_is_not_mixed_with_the_old_one() {
    for (days, from) in [(17..20, 31.0), (16..18, 31.0), (18..20, 350.0), (10..20, 98.0)] {
        let (vendor, world) = after_ten_days().await;
        let body = answer(&meta("ABC", "1day"), &values(days.clone(), |day| close(day, from, 2.5)));
        assert!(is_refused(&vendor, &world, &body).await, "{days:?} {from}");
    }
}

#[tokio::test]
async fn a_constant_factor_is_a_split_unless_something_else_explains_it_better() {
    let times = |factor: f64| values(0..20, move |day| close(day, 100.0, 0.0) * factor);
    let (vendor, world) = after_ten_days().await;
    assert!(!is_refused(&vendor, &world, &answer(&meta("ABC", "1day"), &times(0.25))).await);
    assert_eq!(world.heard.kinds(), [Kind::SplitFound]);
    for (factor, changed) in
        [(100.0, json!({})), (0.01, json!({})), (0.8, json!({"currency": "EUR"})), (2.0, json!({"type": "ETF"}))]
    {
        let (vendor, world) = after_ten_days().await;
        let mut meta = meta("ABC", "1day");
        meta.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        assert!(is_refused(&vendor, &world, &answer(&meta, &times(factor))).await, "{factor} {changed}");
    }
}

#[tokio::test]
async fn what_is_restated_or_renamed_at_the_same_prices_is_the_same_instrument() {
    let (vendor, world) = after_ten_days().await;
    let dividends = values(0..20, |day| close(day, 100.0, 0.0) * if day < 9 { 0.93 } else { 1.0 });
    assert!(!is_refused(&vendor, &world, &answer(&meta("ABC", "1day"), &dividends)).await);
    let (vendor, world) = after_ten_days().await;
    let moved = json!({"symbol": "ABC", "interval": "1day", "currency": "EUR", "mic_code": "XNYS", "type": "ADR"});
    let same = values(0..20, |day| close(day, 100.0, 0.0));
    assert!(!is_refused(&vendor, &world, &answer(&moved, &same)).await);
    assert_eq!(world.heard.kinds(), []);
}

#[tokio::test]
async fn a_new_month_of_another_instrument_does_not_follow_the_old_ones() {
    let (vendor, mut world) = asking(NOW).await;
    reach_back(&world, "2024-12-01");
    let hours = |day: &str, price: f64| {
        (14..20).rev().map(|hour| candle(&format!("{day} {hour}:30:00"), price)).collect::<Vec<_>>()
    };
    let old = hours("2024-12-30", 100.0);
    let new = hours("2025-01-08", 20.0);
    let says = |vendor: &Vendor, meta: Value| {
        let old = old.clone();
        let new = new.clone();
        vendor.answers(move |asked| {
            match (asked["path"].as_str(), asked.get("start_date").map_or("", String::as_str)) {
                ("/earliest_timestamp", _) => (200, json!({"datetime": "2024-12-30"}).to_string()),
                (_, from) if from.starts_with("2025") => (200, answer(&meta, &new)),
                _ => (200, answer(&crate::vendor::meta("ABC", "1h"), &old)),
            }
        });
    };
    says(&vendor, meta("ABC", "1h"));
    world.deliver(&fetch_in("run-1", "ABC", "1h")).await.unwrap();
    set_time(&mut world, "2025-01-03T22:00:30Z");
    world.deliver(&fetch_in("run-2", "ABC", "1h")).await.unwrap();
    world.store.remove("raw/interval=1h/symbol=ABC/2025-01.csv");
    set_time(&mut world, "2025-01-08T22:00:30Z");
    says(&vendor, json!({"symbol": "ABC", "interval": "1h", "type": "ETF", "currency": "EUR", "mic_code": "XETR"}));
    world.deliver(&fetch_in("run-3", "ABC", "1h")).await.unwrap();
    assert_eq!((world.heard.kinds(), world.store.keys().len()), (vec![Kind::OtherInstrument], 1));
}
