//! Indicators: their values equal those of TA-Lib, and are the same in every range.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        indicators_are_those_of_ta_lib,
        a_candle_has_the_same_indicators_in_every_range,
        the_vwap_of_a_session_begins_with_it,
        csv_has_the_columns_of_indicators
    ]
}

/// Candles with TA-Lib's values, made by `indicators/generate.py`.
const EXPECTED: &str = include_str!("../indicators/expected.csv");

const NAMES: &str = "sma20,ema20,bb20x2,rsi14,macd12x26x9,vwap20";

/// The first candle from which both agree: TA-Lib starts the faster average of MACD with later closes than the first
/// ones.
fn agrees_from(column: &str) -> usize {
    if column.starts_with("macd") { 400 } else { 0 }
}

fn expected() -> (Vec<String>, Vec<Vec<Option<f64>>>) {
    let mut lines = EXPECTED.lines().map(|line| line.split(','));
    let names = lines.next().unwrap().map(str::to_owned).collect();
    (names, lines.map(|cells| cells.map(|cell| cell.parse().ok()).collect()).collect())
}

/// Loads the candles of the file, as days from 2020 on.
async fn load(world: &World) {
    let (_, rows) = expected();
    let closes: Vec<String> = rows.iter().map(|row| row[2].unwrap().to_string()).collect();
    world.load("AAPL", "2020-01-01", &closes.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let sql = "update candles set high = $2::text::numeric, low = $3::text::numeric, volume = $4::text::numeric
        where time = '2020-01-01'::timestamptz + $1 * interval '1 day'";
    for (at, row) in rows.iter().enumerate() {
        let text = |column: usize| row[column].unwrap().to_string();
        let query = sqlx::query(sql).bind(at as i32).bind(text(0)).bind(text(1)).bind(text(3));
        query.execute(&world.owner).await.unwrap();
    }
}

async fn columns(world: &World, query: &str) -> Value {
    world.json(&format!("/api/v1/series/AAPL/1day/candles?indicators={NAMES}&{query}")).await
}

async fn indicators_are_those_of_ta_lib(world: World) {
    load(&world).await;
    let found = columns(&world, "").await["indicators"].clone();
    let (names, rows) = expected();
    for (column, name) in names.iter().enumerate().skip(4) {
        let values = found[name].as_array().unwrap();
        assert_eq!(values.len(), rows.len());
        for (at, row) in rows.iter().enumerate().skip(agrees_from(name)) {
            match (values[at].as_f64(), row[column]) {
                (Some(one), Some(other)) => {
                    assert!((one - other).abs() < 1e-8 * other.abs().max(1.0), "{name} at {at}: {one}, not {other}");
                }
                (one, other) => assert_eq!(one, other, "{name} at {at}"),
            }
        }
    }
}

async fn a_candle_has_the_same_indicators_in_every_range(world: World) {
    load(&world).await;
    let whole = columns(&world, "").await;
    for query in ["from=2021-06-01", "from=2021-06-01&limit=10", "last=400", "last=7&to=2021-12-31", "after=2022-05-01"]
    {
        let part = columns(&world, query).await;
        let begin = whole["time"].as_array().unwrap().iter().position(|time| *time == part["time"][0]).unwrap();
        for (name, values) in part["indicators"].as_object().unwrap() {
            let values = values.as_array().unwrap();
            let same = &whole["indicators"][name].as_array().unwrap()[begin..begin + values.len()];
            assert_eq!(values, same, "{name} with {query}");
        }
    }
}

/// Two sessions in New York, five minutes each.
async fn minutes(world: &World) {
    world.run("insert into objects (key, symbol, interval, rows_total) values ('m', 'MIN', '1min', 10)").await;
    world
        .run(
            "insert into candles select 'MIN', '1min', start + n * interval '1 minute', 10 + n, 12 + n, 9 + n, 11 + n, 100 + n, false,
                (select id from objects where key = 'm')
            from (values ('2024-12-26T14:30:00Z'::timestamptz), ('2024-12-27T14:30:00Z')) as s (start), generate_series(0, 4) as n",
        )
        .await;
    world
        .run(
            r#"insert into quality (object_id, rows_read, kept, filled, quarantined, report)
            select id, 10, 10, 0, 0, '{"calendar": {"code": "XNYS"}, "gaps": []}' from objects where key = 'm'"#,
        )
        .await;
}

async fn the_vwap_of_a_session_begins_with_it(world: World) {
    minutes(&world).await;
    let all = world.json("/api/v1/series/MIN/1min/candles?indicators=vwap").await["indicators"]["vwap"].clone();
    let values = all.as_array().unwrap();
    assert_eq!(values[..5], values[5..]);
    let hlc3 = |n: f64| (12.0 + n + 9.0 + n + 11.0 + n) / 3.0;
    let second = (hlc3(0.0) * 100.0 + hlc3(1.0) * 101.0) / 201.0;
    assert!((values[1].as_f64().unwrap() - second).abs() < 1e-9);
    let part = world.json("/api/v1/series/MIN/1min/candles?indicators=vwap&last=2").await["indicators"]["vwap"].clone();
    assert_eq!(part.as_array().unwrap()[..], values[8..]);
}

async fn csv_has_the_columns_of_indicators(world: World) {
    world.load("AAPL", "2024-12-01", &["1", "2", "4"]).await;
    let csv = world.get("/api/v1/series/AAPL/1day/candles.csv?fields=time,close&indicators=sma2,bb2").await;
    let expected = "time,close,sma2,bb2x2_lower,bb2x2_middle,bb2x2_upper\n2024-12-01,1,,,,\n2024-12-02,2,1.5,0.5,1.5,2.5\n\
        2024-12-03,4,3,1,3,5\n";
    assert_eq!(csv.text().await.unwrap(), expected);
    let derived = world.json("/api/v1/series/AAPL/1week/candles?indicators=sma2").await;
    assert_eq!(derived["indicators"], json!({"sma2": [null, 2.5]}));
}
