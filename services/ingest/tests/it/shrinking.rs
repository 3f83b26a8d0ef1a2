//! Answers that lack what an earlier one had: nothing is lost, and the owner hears of it once.

use candlewick_ingest::credits::budget::Plan;
use candlewick_shared::core::alert::State;
use candlewick_shared::ports::notifier::Kind;
use candlewick_shared::runtime::outcome::{Setback, Settled};
use candlewick_simulator::settings::Settings;
use serde_json::{Value, json};

use crate::support::{KEY, NOW, World, class, deliver, fetch_in, replace_in, world};
use crate::vendor::{Vendor, answer, candle, meta};

const RAW: &str = "raw/interval=1day/symbol=ABC/candles.csv";

/// One, two and three days after the first refresh.
pub const LATER: [&str; 3] = ["2024-12-31T22:00:30Z", "2025-01-01T22:00:30Z", "2025-01-02T22:00:30Z"];

pub const WHOLE: &str = include_str!("../../../../tests/cases/api/api-short-answer-1-first-day.json");
pub const SHORT: &str = include_str!("../../../../tests/cases/api/api-short-answer-2-next-day-only-two-rows.json");
const HOLE: &str = include_str!("../../../../tests/cases/api/api-hole-2-next-day-one-candle-left-out.json");
const NOT_FOUND: &str = include_str!("../../../../tests/cases/api/api-data-not-found-404.json");
const PLAN: &str = include_str!("../../../../tests/cases/api/api-plan-code-400.json");
const NO_VOLUME: &str = include_str!("../../../../tests/cases/api/api-volume-absent-in-older-rows.json");

/// A vendor, and a world whose API it is.
pub async fn asking(now: &str) -> (Vendor, World) {
    let vendor = Vendor::start().await;
    let mut world = world(Settings::default()).await;
    world.url = vendor.url.clone();
    set_time(&mut world, now);
    (vendor, world)
}

/// Sets how far back the history of ABC reaches.
pub fn reach_back(world: &World, date: &str) {
    std::fs::write(&world.watchlist, format!("[groups.a]\nsymbols = [\"ABC\"]\nhistory = \"{date}\"\n")).unwrap();
}

pub fn set_time(world: &mut World, now: &str) {
    let now = now.parse().unwrap();
    world.now = std::sync::Arc::new(move || now);
}

/// The same on the day after a refresh that had all of it.
async fn after_a_whole_answer(whole: &str) -> (Vendor, World) {
    let (vendor, mut world) = asking(NOW).await;
    vendor.says(200, whole);
    assert_eq!(refresh(&world, "run-1").await, Settled::Done);
    assert_eq!(vendor.times_asked(), 1);
    set_time(&mut world, LATER[0]);
    (vendor, world)
}

async fn refresh(world: &World, run: &str) -> Settled {
    world.deliver(&fetch_in(run, "ABC", "1day")).await.unwrap()
}

/// The dates that are marked as from an earlier answer, and the time of that answer.
pub async fn marks(world: &World, key: &str) -> Vec<(String, String)> {
    let lines = world.lines(key).await;
    let cells = lines.iter().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    cells
        .filter(|cells| cells.len() == 7 && !cells[6].is_empty())
        .map(|cells| (cells[0].clone(), cells[6].clone()))
        .collect()
}

fn shrank(world: &World, state: State) -> usize {
    world.heard.told(Kind::HistoryShrank, state).len()
}

#[tokio::test]
async fn a_shorter_history_is_asked_for_again_and_what_it_lacks_stays() {
    let (vendor, mut world) = after_a_whole_answer(WHOLE).await;
    let second_day = SHORT.replace("120.50", "120.75");
    vendor.says(200, &second_day);
    assert_eq!(refresh(&world, "run-2").await, Settled::Done);
    assert_eq!(vendor.times_asked(), 2, "asked again");
    let lines = world.lines(RAW).await;
    assert_eq!(lines.len(), 20);
    assert!(lines[0].starts_with("2024-12-30,") && lines[0].ends_with(",120.75,1019,"), "{}", lines[0]);
    let marks = marks(&world, RAW).await;
    assert!(marks.len() == 18 && marks.iter().all(|(_, mark)| mark == NOW), "{marks:?}");
    let text = world.heard.text();
    for words in ["ABC 1day", "18 candles", "2024-12-02", "2024-12-26", "candlewick refresh ABC --replace"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // It stays so: told once, and asked once a day.
    set_time(&mut world, LATER[1]);
    refresh(&world, "run-3").await;
    assert_eq!((vendor.times_asked(), shrank(&world, State::Firing), world.lines(RAW).await.len()), (1, 1, 20));
    assert!(self::marks(&world, RAW).await.iter().all(|(_, mark)| mark == NOW), "each keeps its mark");
    // The source has them again.
    vendor.says(200, WHOLE);
    set_time(&mut world, LATER[2]);
    refresh(&world, "run-4").await;
    assert_eq!((shrank(&world, State::Resolved), self::marks(&world, RAW).await), (1, vec![]));
    assert_eq!(world.metadata(RAW).await.instrument.calendar.as_deref(), Some("XNGS"));
}

#[tokio::test]
async fn a_candle_that_is_left_out_in_the_middle_stays() {
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    vendor.says(200, HOLE);
    refresh(&world, "run-2").await;
    assert_eq!((vendor.times_asked(), marks(&world, RAW).await), (2, vec![("2024-12-17".to_owned(), NOW.to_owned())]));
    let lines = world.lines(RAW).await;
    assert_eq!((lines.len(), &lines[8][..10]), (20, "2024-12-17"), "in its place");
    assert!(world.heard.text().contains("the candle of 2024-12-17"));
}

#[tokio::test]
async fn what_the_second_answer_has_was_not_lost() {
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    let mut answers = vec![HOLE, SHORT];
    vendor.answers(move |_| (200, answers.pop().unwrap().to_owned()));
    refresh(&world, "run-2").await;
    // The first of the two has two candles, and the second all but one.
    assert_eq!(marks(&world, RAW).await.len(), 1);
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    let mut answers = vec![WHOLE, SHORT];
    vendor.answers(move |_| (200, answers.pop().unwrap().to_owned()));
    refresh(&world, "run-2").await;
    assert_eq!((vendor.times_asked(), world.heard.kinds(), marks(&world, RAW).await.len()), (2, vec![], 0));
}

#[tokio::test]
async fn a_loss_that_grows_is_told_again() {
    let (vendor, mut world) = after_a_whole_answer(WHOLE).await;
    vendor.says(200, HOLE);
    refresh(&world, "run-2").await;
    set_time(&mut world, LATER[1]);
    vendor.says(200, SHORT);
    refresh(&world, "run-3").await;
    let told = world.heard.told(Kind::HistoryShrank, State::Firing);
    assert_eq!(told.len(), 2);
    assert!(told[0].class != told[1].class && told[1].text.contains("17 candles"), "{told:?}");
    set_time(&mut world, LATER[2]);
    vendor.says(200, WHOLE);
    refresh(&world, "run-4").await;
    assert_eq!(shrank(&world, State::Resolved), 2);
}

#[tokio::test]
async fn however_many_losses_a_series_has_each_is_told_once_and_costs_one_credit() {
    let days: Vec<_> =
        (0..24).map(|day| jiff::civil::date(2024, 12, 1).saturating_add(jiff::Span::new().days(day))).collect();
    let says = |vendor: &Vendor, first: usize| {
        let candles: Vec<_> = days[first..].iter().rev().map(|day| candle(&day.to_string(), 100.0)).collect();
        vendor.says(
            200,
            &answer(&json!({"symbol": "BTC/USD", "interval": "1day", "type": "Digital Currency"}), &candles),
        );
    };
    let (vendor, mut world) = asking("2024-12-30T22:00:30Z").await;
    std::fs::write(&world.watchlist, "[groups.a]\nsymbols = [\"BTC/USD\"]\nhistory = \"2024-12-01\"\n").unwrap();
    // Each refresh lacks one candle more, so each loss is one of its own.
    for refresh in 0..23 {
        says(&vendor, refresh);
        set_time(&mut world, &format!("2025-01-{:02}T22:00:30Z", refresh + 1));
        let run = format!("run-{refresh}");
        world.deliver(&fetch_in(&run, "BTC/USD", "1day")).await.unwrap();
        assert_eq!((vendor.times_asked(), shrank(&world, State::Firing)), (1 + usize::from(refresh > 0), refresh));
    }
    set_time(&mut world, "2025-02-01T22:00:30Z");
    world.deliver(&fetch_in("again", "BTC/USD", "1day")).await.unwrap();
    assert_eq!((vendor.times_asked(), shrank(&world, State::Firing)), (1, 22), "none of them is new");
    says(&vendor, 0);
    set_time(&mut world, "2025-02-02T22:00:30Z");
    world.deliver(&fetch_in("all", "BTC/USD", "1day")).await.unwrap();
    assert_eq!(shrank(&world, State::Resolved), 22);
}

#[tokio::test]
async fn an_answer_with_nothing_in_it_takes_nothing_away() {
    let nothing = r#"{"code":400,"message":"No data is available on the specified dates.","status":"error"}"#;
    for (status, body) in [(200, r#"{"meta":{},"values":[],"status":"ok"}"#), (400, nothing)] {
        let (vendor, world) = after_a_whole_answer(WHOLE).await;
        vendor.says(status, body);
        refresh(&world, "run-2").await;
        assert_eq!((vendor.times_asked(), marks(&world, RAW).await.len(), shrank(&world, State::Firing)), (2, 20, 1));
        let instrument = world.metadata(RAW).await.instrument;
        assert_eq!(instrument.calendar.as_deref(), Some("XNGS"), "what is known of the instrument stays too");
    }
}

#[tokio::test]
async fn the_owner_can_accept_a_loss() {
    let (vendor, mut world) = after_a_whole_answer(WHOLE).await;
    vendor.says(200, SHORT);
    refresh(&world, "run-2").await;
    set_time(&mut world, LATER[1]);
    world.deliver(&replace_in("run-3", "ABC", "1day")).await.unwrap();
    assert_eq!((world.lines(RAW).await.len(), shrank(&world, State::Resolved)), (2, 1));
    let no_symbols = world.deliver(r#"{"kind":"refresh","replace":true}"#).await;
    assert_eq!(class(&no_symbols), "bad_message");
    let asked =
        world.deliver_as("message-2", r#"{"kind":"refresh","run":"r","symbols":["AAPL"],"replace":true}"#).await;
    assert_eq!(asked.unwrap(), Settled::Done);
    let messages = world.messages().await;
    let all = messages.iter().all(|message| serde_json::to_string(message).unwrap().contains(r#""replace":true"#));
    assert!(messages.len() == 2 && all, "{messages:?}");
}

#[tokio::test]
async fn the_second_question_has_a_credit_of_its_own_or_waits() {
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    vendor.says(200, SHORT);
    let before = world.object(RAW).await;
    let one = Plan { per_minute: Some(100), per_day: Some(1) };
    let outcome = deliver(world.ingest(one, KEY), &fetch_in("run-2", "ABC", "1day")).await;
    let Err(Setback::Later { reason, .. }) = outcome else { panic!("not later: {outcome:?}") };
    assert!(reason.contains("credits of this day"), "{reason}");
    assert_eq!((vendor.times_asked(), world.object(RAW).await), (1, before));
    refresh(&world, "run-2").await;
    assert_eq!(world.lines(RAW).await.len(), 20);
}

#[tokio::test]
async fn what_the_window_leaves_behind_stays_without_a_word() {
    let (vendor, mut world) = after_a_whole_answer(WHOLE).await;
    reach_back(&world, "2024-12-16");
    let from = |asked: &crate::vendor::Asked, body: &str| {
        let mut body: Value = serde_json::from_str(body).unwrap();
        let Value::Array(values) = body["values"].take() else { panic!("no values") };
        let is_after = |value: &Value| value["datetime"].as_str().unwrap() >= asked["start_date"].as_str();
        body["values"] = values.into_iter().filter(is_after).collect();
        (200, body.to_string())
    };
    vendor.answers(move |asked| from(asked, WHOLE));
    refresh(&world, "run-2").await;
    assert_eq!((vendor.times_asked(), world.lines(RAW).await.len(), world.heard.kinds()), (1, 20, vec![]));
    assert_eq!(marks(&world, RAW).await.len(), 10);
    // A split rewrites them too: they are asked for once more.
    set_time(&mut world, LATER[1]);
    let mut split: Value = serde_json::from_str(WHOLE).unwrap();
    for value in split["values"].as_array_mut().unwrap() {
        for name in ["open", "high", "low", "close"] {
            let price: f64 = value[name].as_str().unwrap().parse().unwrap();
            value[name] = format!("{:.4}", price / 4.0).into();
        }
    }
    vendor.answers(move |asked| from(asked, &split.to_string()));
    refresh(&world, "run-3").await;
    assert_eq!((vendor.times_asked(), world.heard.kinds()), (2, vec![Kind::SplitFound]));
    let closes: Vec<f64> =
        world.lines(RAW).await.iter().map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect();
    assert!(closes.len() == 20 && closes.iter().all(|close| *close < 40.0), "{closes:?}");
    // Who accepts what the source has now is given the older ones as well.
    set_time(&mut world, LATER[2]);
    world.deliver(&replace_in("run-4", "ABC", "1day")).await.unwrap();
    assert_eq!(world.lines(RAW).await.len(), 20);
}

#[tokio::test]
async fn a_symbol_that_has_loaded_is_not_unknown_because_there_is_no_data_today() {
    let unknown = r#"{"code":404,"message":"**symbol** or **figi** parameter is missing or invalid","status":"error"}"#;
    for body in [NOT_FOUND, unknown] {
        let (vendor, world) = asking(NOW).await;
        world.deliver(r#"{"kind":"refresh","run":"run-2","symbols":["AAPL"]}"#).await.unwrap();
        let fetch = |run: &str| fetch_in(run, "AAPL", "1day");
        vendor.says(200, &WHOLE.replace("ABC", "AAPL"));
        world.deliver(&fetch("run-1")).await.unwrap();
        vendor.says(404, body);
        let settled = world.deliver(&fetch("run-2")).await.unwrap();
        assert!(matches!(&settled, Settled::Superseded(why) if why.starts_with("no_data: AAPL 1day")), "{settled:?}");
        let told = world.book.entry("run-2").series["AAPL 1day"].clone();
        assert!(told.contains("no_data") && told.contains("the stored candles stay"), "{told}");
        assert_eq!(world.lines("raw/interval=1day/symbol=AAPL/candles.csv").await.len(), 20);
    }
}

#[tokio::test]
async fn a_month_without_data_does_not_hold_up_the_others() {
    let (vendor, world) = asking(NOW).await;
    reach_back(&world, "2024-10-01");
    vendor.answers(|asked| match asked.get("start_date").map(|from| &from[..7]) {
        None => (200, json!({"datetime": "2024-10-01"}).to_string()),
        Some("2024-11") => (404, NOT_FOUND.to_owned()),
        Some(month) => (200, answer(&meta("ABC", "1h"), &[candle(&format!("{month}-15 15:30:00"), 100.0)])),
    });
    assert_eq!(world.deliver(&fetch_in("run-1", "ABC", "1h")).await.unwrap(), Settled::Done);
    assert_eq!(world.store.keys().len(), 2);
    // Another interval of it is of the same symbol, which is therefore known.
    vendor.says(404, NOT_FOUND);
    let settled = world.deliver(&fetch_in("run-1", "ABC", "1day")).await.unwrap();
    assert!(matches!(&settled, Settled::Superseded(why) if why.starts_with("no_data")), "{settled:?}");
}

#[tokio::test]
async fn of_a_symbol_that_never_loaded_the_list_of_shares_decides() {
    for (listed, expected) in [(json!([]), None), (json!([{"symbol": "ABC"}]), Some("no_data"))] {
        let (vendor, world) = asking(NOW).await;
        let stocks = json!({"data": listed, "count": 1, "status": "ok"}).to_string();
        vendor.answers(
            move |asked| if asked["path"] == "/stocks" { (200, stocks.clone()) } else { (404, NOT_FOUND.to_owned()) },
        );
        let outcome = world.deliver(&fetch_in("run-1", "ABC", "1day")).await;
        match expected {
            None => assert_eq!(class(&outcome), "unknown_symbol"),
            Some(class) => {
                assert!(matches!(&outcome, Ok(Settled::Superseded(why)) if why.starts_with(class)), "{outcome:?}")
            }
        }
        assert_eq!(vendor.times_asked(), 2);
    }
}

#[tokio::test]
async fn a_plan_that_lacks_a_symbol_says_so_whatever_its_code() {
    for status in [200, 400, 403, 404] {
        let (vendor, world) = asking(NOW).await;
        vendor.says(status, PLAN);
        assert_eq!(class(&world.deliver(&fetch_in("run-1", "ABC", "1day")).await), "plan");
    }
}

#[tokio::test]
async fn a_row_without_volume_has_an_empty_cell_and_costs_no_other_one() {
    let (vendor, world) = asking(NOW).await;
    vendor.says(200, NO_VOLUME);
    refresh(&world, "run-1").await;
    let lines = world.lines(RAW).await;
    assert_eq!((lines.len(), lines.iter().filter(|line| line.ends_with(',')).count()), (20, 10));
}

/// ABC with these values where the first answer had others: by date and close; none is a candle of nulls.
fn with(changes: &[(&str, Option<&str>)]) -> String {
    let mut body: Value = serde_json::from_str(WHOLE).unwrap();
    for value in body["values"].as_array_mut().unwrap() {
        let change = changes.iter().find(|(date, _)| value["datetime"] == *date);
        for name in ["open", "high", "low", "close"] {
            if let Some((_, price)) = change {
                value[name] = price.map_or(Value::Null, Into::into);
            }
        }
    }
    body.to_string()
}

#[tokio::test]
async fn what_is_no_candle_replaces_none() {
    let nulls = with(&[("2024-12-17", None), ("2024-12-18", Some("0"))]);
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    vendor.says(200, &nulls);
    refresh(&world, "run-2").await;
    let lines = world.lines(RAW).await;
    let of = |date: &str| lines.iter().filter(|line| line.starts_with(date)).collect::<Vec<_>>();
    assert_eq!((lines.len(), of("2024-12-17").len(), of("2024-12-18").len()), (22, 2, 2));
    assert!(of("2024-12-17")[1].contains(",112.50,") && of("2024-12-17")[1].ends_with(NOW), "{lines:?}");
    assert_eq!((vendor.times_asked(), shrank(&world, State::Firing)), (2, 1));
    // One answer more with the same nulls: neither is kept twice.
    vendor.says(200, &nulls);
    refresh(&world, "run-3").await;
    assert_eq!(world.lines(RAW).await.len(), 22);
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_takes_nothing_away() {
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    let mut body: Value = serde_json::from_str(WHOLE).unwrap();
    let values = body["values"].as_array_mut().unwrap();
    let mut twice = values[9].clone();
    twice["close"] = "110.25".into();
    values.insert(10, twice);
    vendor.says(200, &body.to_string());
    refresh(&world, "run-2").await;
    let lines = world.lines(RAW).await;
    assert_eq!((lines.len(), shrank(&world, State::Firing)), (20, 1), "{lines:?}");
    assert!(lines[9].ends_with(NOW), "{}", lines[9]);
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_stored() {
    let (vendor, world) = after_a_whole_answer(WHOLE).await;
    let before = world.object(RAW).await;
    for body in [WHOLE.replace("\"ABC\"", "\"XYZ\""), WHOLE.replace("\"1day\"", "\"1week\"")] {
        vendor.says(200, &body);
        let outcome = world.deliver(&fetch_in("run-2", "ABC", "1day")).await;
        assert!(matches!(&outcome, Err(Setback::Retry(error)) if error.to_string().contains("about")), "{outcome:?}");
        assert_eq!(world.object(RAW).await, before);
    }
}

#[tokio::test]
async fn a_page_that_repeats_the_last_candle_of_the_one_before_gives_it_once() {
    let (vendor, world) = asking(NOW).await;
    std::fs::write(&world.watchlist, "[groups.a]\nsymbols = [\"BTC/USD\"]\nhistory = \"2005-01-01\"\n").unwrap();
    let days: Vec<_> =
        jiff::civil::date(2005, 1, 1).series(jiff::Span::new().days(1)).take(6000).map(|day| day.to_string()).collect();
    let all = days.clone();
    vendor.answers(move |asked| {
        let within = |day: &&String| *day >= &asked["start_date"] && *day <= &asked["end_date"];
        let values: Vec<_> = all.iter().rev().filter(within).take(5000).map(|day| candle(day, 100.0)).collect();
        (200, answer(&json!({"symbol": "BTC/USD", "interval": "1day", "type": "Digital Currency"}), &values))
    });
    world.deliver(&fetch_in("run-1", "BTC/USD", "1day")).await.unwrap();
    let mut written: Vec<_> = world
        .lines("raw/interval=1day/symbol=BTC%2FUSD/candles.csv")
        .await
        .iter()
        .map(|line| line[..10].to_owned())
        .collect();
    written.reverse();
    assert!(written == days, "{} of 6000", written.len());
}

#[tokio::test]
async fn a_month_of_hours_keeps_what_its_answer_lacks() {
    const DECEMBER: &str = "raw/interval=1h/symbol=ABC/2024-12.csv";
    let (vendor, mut world) = asking(NOW).await;
    reach_back(&world, "2024-11-25");
    let hours: Vec<_> = ["2024-11-26", "2024-11-27", "2024-12-26", "2024-12-27"]
        .iter()
        .flat_map(|day| (14..20).map(move |hour| format!("{day} {hour}:30:00")))
        .collect();
    let says = |vendor: &Vendor, left_out: &'static [&'static str]| {
        let hours = hours.clone();
        vendor.answers(move |asked| {
            if asked["path"] == "/earliest_timestamp" {
                return (200, json!({"datetime": "2024-11-26"}).to_string());
            }
            let bound = |name: &str| asked[name].replace('T', " ");
            let is_given = |hour: &&String| **hour >= bound("start_date") && **hour < bound("end_date");
            let is_there = |hour: &&String| !left_out.contains(&hour.as_str());
            let values: Vec<_> =
                hours.iter().rev().filter(is_given).filter(is_there).map(|hour| candle(hour, 100.0)).collect();
            (200, answer(&meta("ABC", "1h"), &values))
        });
    };
    says(&vendor, &[]);
    world.deliver(&fetch_in("run-1", "ABC", "1h")).await.unwrap();
    assert_eq!((vendor.times_asked(), world.store.keys().len()), (3, 2));
    set_time(&mut world, LATER[0]);
    says(&vendor, &["2024-12-26 15:30:00", "2024-12-26 16:30:00", "2024-11-26 15:30:00"]);
    world.deliver(&fetch_in("run-2", "ABC", "1h")).await.unwrap();
    assert_eq!(vendor.times_asked(), 2, "of November nothing was asked");
    let marks = marks(&world, DECEMBER).await;
    assert_eq!(
        marks.iter().map(|(time, _)| time.as_str()).collect::<Vec<_>>(),
        ["2024-12-26 16:30:00", "2024-12-26 15:30:00"]
    );
    let text = world.heard.text();
    assert!(text.contains("ABC 1h 2024-12") && text.contains("2 candles from 2024-12-26T15:30:00"), "{text}");
    set_time(&mut world, LATER[1]);
    world.deliver(&replace_in("run-3", "ABC", "1h")).await.unwrap();
    assert_eq!((world.lines(DECEMBER).await.len(), shrank(&world, State::Resolved)), (10, 1));
    assert_eq!(world.lines("raw/interval=1h/symbol=ABC/2024-11.csv").await.len(), 11, "all of the series is replaced");
}
