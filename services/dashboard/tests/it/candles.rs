//! The candles of a series: every digit, every page, every version.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use candlewick_columnar::batch::batch;
use candlewick_columnar::names::Names;
use candlewick_columnar::read::read;
use candlewick_dashboard::app::App;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::Series;
use libtest_mimic::Trial;
use serde_json::json;

use crate::support::{World, header, open_guard};

const AAPL: &str = "/api/v1/series/AAPL/1day/candles";

pub fn trials() -> Vec<Trial> {
    trials![
        candles_have_every_digit,
        csv_has_the_same_rows,
        a_range_holds_both_its_ends,
        pages_join_without_a_gap,
        merged_candles_keep_what_a_chart_shows,
        an_answer_is_kept_until_the_series_changes,
        a_corrected_calendar_changes_what_is_derived_by_it,
        who_has_the_answer_gets_no_body_until_it_changes,
        answers_are_packed,
        a_wrong_parameter_is_a_problem_that_names_it,
        five_years_of_days_come_in_one_answer,
        only_the_fields_that_were_asked_for_are_sent,
        merged_candles_have_only_the_fields_that_were_asked_for,
        the_description_lists_the_fields,
        csv_has_every_candle_however_many_there_are,
        the_last_candles_of_a_range_come_by_pages_too,
        longer_intervals_are_derived_by_sessions,
        a_gap_longer_than_a_page_hides_no_derived_candle,
        gaps_of_an_unknown_series_are_not_found,
        every_problem_is_described_as_it_is_sent,
        columns_have_every_digit,
        columns_of_fields,
        columns_of_several_series,
        columns_have_tags_and_problems,
        candles_as_of_a_moment_are_those_of_then
    ]
}

async fn candles_have_every_digit(world: World) {
    world.load("AAPL", "2024-12-27", &["0.10000000000000000001", "123456789012345678.5"]).await;
    let expected = json!({
        "symbol": "AAPL", "interval": "1day", "merged": 1, "in_range": null, "time": ["2024-12-27", "2024-12-28"],
        "open": ["0.10000000000000000001", "123456789012345678.5"],
        "high": ["1.10000000000000000001", "123456789012345679.5"],
        "low": ["-0.39999999999999999999", "123456789012345678.0"],
        "close": ["0.10000000000000000001", "123456789012345678.5"],
        "volume": ["100", "200"], "filled": [], "next": null,
    });
    assert_eq!(world.json(AAPL).await, expected);
}

/// A load on the next day that restates a day and adds one.
const RESTATED: &str = "begin;
    update candles set close = 7, high = 9 where close = 2;
    insert into candles select symbol, interval, '2025-01-01T00:00:00Z', open, high, low, 8, volume, is_filled, object_id
        from candles where close = 7;
    update objects set loaded_at = '2024-12-31T22:00:00Z', etag = 'e2', inserted_from = '2025-01-01T00:00:00Z';
    commit;";

async fn candles_as_of_a_moment_are_those_of_then(world: World) {
    world.load("AAPL", "2024-12-29", &["1", "2"]).await;
    let before = world.json(AAPL).await;
    let week = world.json("/api/v1/series/AAPL/1week/candles").await;
    let merged = world.json(&format!("{AAPL}?points=1")).await;
    let parquet = async |query: &str| world.get(&format!("{AAPL}.parquet{query}")).await.bytes().await.unwrap();
    let columns = parquet("").await;
    world.run(RESTATED).await;
    assert_eq!(world.json(AAPL).await["close"], json!(["1", "7", "8"]));
    for then in ["2024-12-30", "2024-12-30T23:30:00Z"] {
        assert_eq!(world.json(&format!("{AAPL}?as_of={then}")).await, before);
        assert_eq!(world.json(&format!("/api/v1/series/AAPL/1week/candles?as_of={then}")).await, week);
        assert_eq!(world.json(&format!("{AAPL}?points=1&as_of={then}")).await, merged);
        assert_eq!(parquet(&format!("?as_of={then}")).await, columns);
    }
    let csv = world.get(&format!("{AAPL}.csv?as_of=2024-12-30&fields=close")).await.text().await.unwrap();
    assert_eq!(csv, "close\n1\n2\n");
    assert_eq!(world.json(&format!("{AAPL}?as_of=2024-12-31")).await["close"], json!(["1", "7", "8"]));
    world.run("insert into history_begins values ('AAPL', '1day', '2024-12-31T00:00:00Z')").await;
    let refused = world.get(&format!("{AAPL}?as_of=2024-12-30")).await;
    assert_eq!(refused.status(), 404);
    let text = refused.text().await.unwrap();
    assert!(text.contains("the history of AAPL 1day begins at 2024-12-31T00:00:00Z"), "{text}");
    assert_eq!(world.get(&format!("{AAPL}?as_of=then")).await.status(), 400);
}

async fn csv_has_the_same_rows(world: World) {
    world.load("AAPL", "2024-12-27", &["1.50", "2.50"]).await;
    world.run("update candles set is_filled = true, volume = null where close = 2.50").await;
    let response = world.get("/api/v1/series/AAPL/1day/candles.csv").await;
    assert_eq!(header(&response, "content-type"), "text/csv; charset=utf-8");
    assert_eq!(header(&response, "content-disposition"), "attachment; filename=\"AAPL_1day.csv\"");
    let expected = "time,open,high,low,close,volume,is_filled\n2024-12-27,1.50,2.50,1.00,1.50,100,false\n\
        2024-12-28,2.50,3.50,2.00,2.50,,true\n";
    assert_eq!(response.text().await.unwrap(), expected);
}

const ARROW: (&str, &str) = ("accept", "application/vnd.apache.arrow.stream");

/// The batches of an Arrow stream.
fn batches(stream: &[u8]) -> Vec<RecordBatch> {
    StreamReader::try_new(stream, None).unwrap().map(Result::unwrap).collect()
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|column| column.name().clone()).collect()
}

async fn columns_have_every_digit(world: World) {
    world.load("AAPL", "2024-12-27", &["0.10000000000000000001", "12345678901234567.5"]).await;
    world.run("update candles set is_filled = true, volume = null where close > 1").await;
    let series = Series { symbol: "AAPL".parse().unwrap(), interval: "1day".parse().unwrap() };
    let rows = "AAPL,1day,2024-12-27,0.10000000000000000001,1.10000000000000000001,-0.39999999999999999999,\
        0.10000000000000000001,100,true,false\nAAPL,1day,2024-12-28,12345678901234567.5,12345678901234568.5,\
        12345678901234567,12345678901234567.5,0,false,true\n";
    let candles = clean_csv::read_rows(rows.as_bytes(), &series).unwrap().candles;
    let expected = batch(&Names::of(std::slice::from_ref(&series)), &series, &candles).unwrap();
    let parquet = world.get(&format!("{AAPL}.parquet")).await;
    assert_eq!(header(&parquet, "content-type"), "application/vnd.apache.parquet");
    assert_eq!(read(parquet.bytes().await.unwrap()).unwrap().batches, std::slice::from_ref(&expected));
    let arrow = world.get_with(AAPL, &[ARROW]).await;
    assert_eq!((header(&arrow, "content-type").as_str(), header(&arrow, "vary").contains("accept")), (ARROW.1, true));
    assert_eq!(batches(&arrow.bytes().await.unwrap()), [expected]);
}

async fn columns_of_fields(world: World) {
    world.load("AAPL", "2024-12-01", &["1", "2", "3", "4", "5"]).await;
    let query = "fields=close,time&indicators=sma2&from=2024-12-02&to=2024-12-04";
    for (path, headers) in [
        (format!("{AAPL}?{query}"), &[ARROW][..]),
        (format!("/api/v1/candles.arrow?symbols=AAPL&interval=1day&{query}"), &[]),
    ] {
        let batches = batches(&world.get_with(&path, headers).await.bytes().await.unwrap());
        let [batch] = &batches[..] else { panic!("{} batches", batches.len()) };
        assert_eq!(names(batch), ["symbol", "interval", "time", "close", "sma2"]);
        let sma = batch.column(4).as_primitive::<Float64Type>().values().to_vec();
        assert_eq!(sma, [1.5, 2.5, 3.5], "{path}");
    }
    let last = world.get_with(&format!("{AAPL}?fields=volume&last=2"), &[ARROW]).await.bytes().await.unwrap();
    assert_eq!(names(&batches(&last)[0]), ["symbol", "interval", "volume", "has_volume"]);
    assert_eq!(batches(&last)[0].num_rows(), 2);
}

async fn columns_of_several_series(world: World) {
    world.load("BTC/USD", "2024-12-01", &["3"]).await;
    world.load("AAPL", "2024-12-01", &["1", "2"]).await;
    let query = "symbols=BTC/USD,AAPL&interval=1day";
    let parquet = world.get(&format!("/api/v1/candles.parquet?{query}")).await.bytes().await.unwrap();
    let symbols = |batches: &[RecordBatch]| -> Vec<String> {
        let column = |batch: &RecordBatch| {
            let column = batch.column(0).as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
            column.into_iter().map(|symbol| symbol.unwrap().to_owned()).collect::<Vec<_>>()
        };
        batches.iter().flat_map(column).collect()
    };
    assert_eq!(symbols(&read(parquet).unwrap().batches), ["AAPL", "AAPL", "BTC/USD"]);
    let arrow = world.get(&format!("/api/v1/candles.arrow?{query}")).await.bytes().await.unwrap();
    assert_eq!(symbols(&batches(&arrow)), ["AAPL", "AAPL", "BTC/USD"]);
}

async fn columns_have_tags_and_problems(world: World) {
    world.load("AAPL", "2024-12-01", &["1"]).await;
    let json = world.get(AAPL).await;
    let arrow = world.get_with(AAPL, &[ARROW]).await;
    assert_ne!(header(&json, "etag"), header(&arrow, "etag"), "a cache must not mix them up");
    let paths = [(AAPL.to_owned(), vec![ARROW], "2024-12-02"), (format!("{AAPL}.parquet"), vec![], "2024-12-03")];
    for (path, headers, next) in paths {
        let tag = header(&world.get_with(&path, &headers).await, "etag");
        let known = [&headers[..], &[("if-none-match", tag.as_str())]].concat();
        assert_eq!(world.get_with(&path, &known).await.status(), 304, "{path}");
        world.load("AAPL", next, &["2"]).await;
        assert_eq!(world.get_with(&path, &known).await.status(), 200, "{path}");
    }
    let many = "/api/v1/candles.arrow?interval=1day&symbols=";
    for (path, status, words) in [
        (format!("{many}AAPL,NOBODY"), 404, "NOBODY"),
        (format!("{many}AAPL,"), 400, "a symbol is empty"),
        (format!("{many}{}", (0..101).map(|n| format!("S{n}")).collect::<Vec<_>>().join(",")), 400, "at most 100"),
        (format!("{AAPL}?points=5"), 400, "points"),
    ] {
        let response = world.get_with(&path, &[ARROW]).await;
        assert_eq!(response.status(), status, "{path}");
        assert!(response.text().await.unwrap().contains(words), "{path}");
    }
    world.run("update candles set close = 1234567890123456789").await;
    let response = world.get(&format!("{AAPL}.parquet")).await;
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("close 1234567890123456789"), "a value is named, and not rounded");
}

async fn a_range_holds_both_its_ends(world: World) {
    world.load("AAPL", "2024-12-01", &["1", "2", "3", "4", "5"]).await;
    let closes = async |query: &str| world.json(&format!("{AAPL}?{query}")).await["close"].clone();
    assert_eq!(closes("from=2024-12-02&to=2024-12-04").await, json!(["2", "3", "4"]));
    assert_eq!(closes("to=2024-12-02T00:00:00Z").await, json!(["1", "2"]));
    assert_eq!(closes("from=2025-01-01").await, json!([]));
}

async fn pages_join_without_a_gap(world: World) {
    world.load("AAPL", "2024-12-01", &["1", "2", "3", "4", "5"]).await;
    let mut closes = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.json(&format!("{AAPL}?limit=2{after}")).await;
        closes.extend(page["close"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(json!(closes), json!(["1", "2", "3", "4", "5"]));
}

async fn merged_candles_keep_what_a_chart_shows(world: World) {
    world.load("AAPL", "2024-12-01", &["5", "9", "2", "7", "3"]).await;
    let merged = world.json(&format!("{AAPL}?points=2")).await;
    assert_eq!((&merged["merged"], &merged["in_range"]), (&json!(3), &json!(5)));
    let columns = ["time", "open", "high", "low", "close", "volume"].map(|name| merged[name].clone());
    let expected = [
        json!(["2024-12-01", "2024-12-04"]),
        json!(["5", "7"]),
        json!(["10", "8"]),
        json!(["1.5", "2.5"]),
        json!(["2", "3"]),
        json!(["600", "900"]),
    ];
    assert_eq!(columns, expected);
}

async fn who_has_the_answer_gets_no_body_until_it_changes(world: World) {
    world.load("AAPL", "2024-12-01", &["1"]).await;
    let tag = header(&world.get(AAPL).await, "etag");
    let again = world.get_with(AAPL, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, tag.clone()));
    assert!(again.bytes().await.unwrap().is_empty());
    let other_range = world.get_with(&format!("{AAPL}?limit=1"), &[("if-none-match", &tag)]).await;
    assert_eq!(other_range.status(), 200);
    world.load("AAPL", "2024-12-02", &["2"]).await;
    assert_eq!(world.get_with(AAPL, &[("if-none-match", &tag)]).await.status(), 200);
}

/// The rows are deleted as no load does it, so only a kept response has them.
async fn an_answer_is_kept_until_the_series_changes(world: World) {
    world.load("AAPL", "2024-12-01", &["1"]).await;
    let first = world.json(AAPL).await;
    world.run("delete from candles").await;
    assert_eq!(world.json(AAPL).await, first);
    assert_eq!(world.json(&format!("{AAPL}?limit=1")).await["close"], json!([]));
    world.load("AAPL", "2024-12-02", &["2"]).await;
    assert_eq!(world.json(AAPL).await["close"], json!(["2"]));
}

async fn a_corrected_calendar_changes_what_is_derived_by_it(world: World) {
    let folder = tempfile::tempdir().unwrap();
    let calendars = folder.path().join("config/calendars");
    std::fs::create_dir_all(&calendars).unwrap();
    std::fs::write(folder.path().join("watchlist.toml"), "[groups.stocks]\nsymbols = [\"AAPL\"]\n").unwrap();
    let calendar = |closed: &str| {
        let text = format!(
            "code = \"24/7\"\ntimezone = \"UTC\"\nfirst = 2024-01-01\nlast = 2024-12-31\n\
             days = [\"Mon\", \"Tue\", \"Wed\", \"Thu\", \"Fri\", \"Sat\", \"Sun\"]\n\
             hours = [{{ from = 2024-01-01, open = \"00:00\", close = \"24:00\" }}]\nclosed = [{closed}]\n"
        );
        std::fs::write(calendars.join("all.toml"), text).unwrap();
    };
    calendar("");
    let source = WatchlistSource::file(folder.path().join("watchlist.toml"), Arc::new(LogNotifier));
    let address = world.serve(App { watchlist: Some(Arc::new(source)), ..world.app() }, open_guard()).await;
    world.load("AAPL", "2024-12-01", &["1", "2", "3"]).await;
    let path = "/api/v1/series/AAPL/1month/candles";
    let first = world.ask(address, path, &[]).await;
    let tag = header(&first, "etag");
    assert_eq!(first.status(), 200, "{}", first.text().await.unwrap());
    assert_eq!(world.ask(address, path, &[("if-none-match", &tag)]).await.status(), 304);
    calendar("2024-12-01");
    let second = world.ask(address, path, &[("if-none-match", &tag)]).await;
    assert_eq!((second.status().as_u16(), header(&second, "etag") == tag), (200, false));
}

async fn answers_are_packed(world: World) {
    let closes: Vec<String> = (0..300).map(|close| close.to_string()).collect();
    world.load("AAPL", "2024-01-01", &closes.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let packed = world.get_with(AAPL, &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    let packed = packed.bytes().await.unwrap();
    let plain = world.get(AAPL).await.bytes().await.unwrap();
    assert!(packed.len() * 2 < plain.len() && packed.starts_with(&[0x1f, 0x8b]));
}

async fn a_wrong_parameter_is_a_problem_that_names_it(world: World) {
    world.load("AAPL", "2024-12-01", &["1"]).await;
    for (path, status, word) in [
        ("/api/v1/series/AAPL/1day/candles?from=yesterday", 400, "yesterday"),
        ("/api/v1/series/AAPL/1day/candles?limit=many", 400, "limit"),
        ("/api/v1/series/AAPL/1day/candles?fro=2024-01-01", 400, "fro"),
        ("/api/v1/series/AAPL/1day/candles.csv?points=5", 400, "points"),
        ("/api/v1/series/AAPL/1day/candles?last=5&limit=5", 400, "last"),
        ("/api/v1/series/AAPL/1day/candles?points=5&indicators=sma2", 400, "points"),
        ("/api/v1/series/AAPL/1week/candles?points=5", 400, "points"),
        ("/api/v1/series/AAPL/1day/candles?indicators=sma0", 400, "sma0"),
        ("/api/v1/series/AAPL/1min/candles", 404, "AAPL"),
        ("/api/v1/series/AAPL/1day/candles?fields=time,vwap", 400, "\"vwap\" is no field"),
        ("/api/v1/series/AAPL/1day/candles.csv?fields=", 400, "time, open, high, low, close, volume, is_filled"),
        ("/api/v1/series/AAPL/5h/candles", 400, "5h"),
        ("/api/v1/series/A%20B/1day/candles", 400, "A B"),
        ("/api/v1/series/NONE/1day/candles", 404, "NONE"),
        ("/api/v1/series/AAPL/1day/lineage?time=2024-12-05", 404, "2024-12-05"),
        ("/api/v1/objects/999", 404, "999"),
        ("/api/v1/nothing", 404, "nothing is at this address"),
    ] {
        let response = world.get(path).await;
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (status, "application/problem+json".to_owned()),
            "{path}"
        );
        let problem: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
}

async fn five_years_of_days_come_in_one_answer(world: World) {
    let closes: Vec<String> = (0..1_830).map(|close| close.to_string()).collect();
    world.load("AAPL", "2019-12-30", &closes.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let all = world.json(AAPL).await;
    assert_eq!((all["time"].as_array().unwrap().len(), &all["next"]), (1_830, &json!(null)));
}

async fn only_the_fields_that_were_asked_for_are_sent(world: World) {
    world.load("AAPL", "2024-12-27", &["1.50", "2.50", "3.50"]).await;
    world.run("update candles set is_filled = true, volume = null where close = 2.50").await;
    let expected = json!({
        "symbol": "AAPL", "interval": "1day", "merged": 1, "in_range": null, "close": ["1.50", "2.50"], "filled": [1],
        "next": "2024-12-28",
    });
    assert_eq!(world.json(&format!("{AAPL}?limit=2&fields=is_filled,close")).await, expected);
    let csv = world.get(&format!("{AAPL}.csv?fields=is_filled,volume,time")).await;
    let expected = "is_filled,volume,time\nfalse,100,2024-12-27\ntrue,,2024-12-28\nfalse,300,2024-12-29\n";
    let tag = header(&csv, "etag");
    assert_eq!(csv.text().await.unwrap(), expected);
    let others = world.get_with(&format!("{AAPL}.csv?fields=time"), &[("if-none-match", &tag)]).await;
    assert_eq!((others.status().as_u16(), others.text().await.unwrap().lines().next()), (200, Some("time")));
}

async fn merged_candles_have_only_the_fields_that_were_asked_for(world: World) {
    world.load("AAPL", "2024-12-01", &["5", "9", "2", "7", "3"]).await;
    let expected = json!({
        "symbol": "AAPL", "interval": "1day", "merged": 3, "in_range": 5, "time": ["2024-12-01", "2024-12-04"],
        "high": ["10", "8"], "next": null,
    });
    assert_eq!(world.json(&format!("{AAPL}?points=2&fields=high,time")).await, expected);
}

async fn the_description_lists_the_fields(world: World) {
    let document = world.json("/api/openapi.json").await;
    for path in ["", ".csv", ".parquet"].map(|end| format!("/api/v1/series/{{symbol}}/{{interval}}/candles{end}")) {
        let parameters = document["paths"][&path]["get"]["parameters"].as_array().unwrap();
        let fields = parameters.iter().find(|parameter| parameter["name"] == "fields").unwrap();
        let names = json!(["time", "open", "high", "low", "close", "volume", "is_filled"]);
        assert_eq!((&fields["schema"]["items"]["enum"], &fields["explode"]), (&names, &json!(false)), "{fields}");
    }
}

/// More candles than one part of a read, and more than the default limit of JSON.
async fn csv_has_every_candle_however_many_there_are(world: World) {
    world.load("BTC/USD", "2024-12-01", &["1"]).await;
    world
        .run(
            "insert into candles select 'BTC/USD', '1day', '1700-01-01'::timestamptz + n * interval '1 day', n, n + 1, n - 1, n, 5, false,
                (select id from objects) from generate_series(1, 60000) as n",
        )
        .await;
    let csv =
        world.get("/api/v1/series/BTC%2FUSD/1day/candles.csv?fields=open&to=2000-01-01").await.text().await.unwrap();
    let opens = (1..=60_000).map(|open| open.to_string()).take(csv.lines().count() - 1);
    assert!(csv.lines().count() > 50_001 && csv.lines().skip(1).eq(opens), "{} lines", csv.lines().count());
    let few =
        world.get("/api/v1/series/BTC%2FUSD/1day/candles.csv?fields=open&limit=10001").await.text().await.unwrap();
    assert_eq!(few.lines().count(), 10_002);
}

async fn the_last_candles_of_a_range_come_by_pages_too(world: World) {
    world.load("AAPL", "2024-12-01", &["1", "2", "3", "4", "5"]).await;
    let page = async |query: &str| {
        let page = world.json(&format!("{AAPL}?last=2&fields=close{query}")).await;
        (page["close"].clone(), page["previous"].clone(), page["next"].clone())
    };
    assert_eq!(page("").await, (json!(["4", "5"]), json!("2024-12-04"), json!(null)));
    assert_eq!(page("&before=2024-12-04").await, (json!(["2", "3"]), json!("2024-12-02"), json!(null)));
    assert_eq!(page("&before=2024-12-02").await, (json!(["1"]), json!(null), json!(null)));
    assert_eq!(page("&from=2024-12-04").await, (json!(["4", "5"]), json!(null), json!(null)));
    assert_eq!(page("&before=2024-12-01").await, (json!([]), json!(null), json!(null)));
}

async fn longer_intervals_are_derived_by_sessions(world: World) {
    // Monday the second of December is the first day of a week.
    world.load("AAPL", "2024-11-29", &["5", "9", "2", "7", "3"]).await;
    world.run("update candles set is_filled = true where close = 5 or close = 9").await;
    let expected = json!({
        "symbol": "AAPL", "interval": "1week", "derived_from": "1day", "merged": 1, "in_range": null,
        "time": ["2024-11-25", "2024-12-02"], "open": ["5", "7"], "high": ["10", "8"], "low": ["1.5", "2.5"], "close": ["2", "3"],
        "volume": ["600", "900"], "filled": [], "next": null,
    });
    assert_eq!(world.json("/api/v1/series/AAPL/1week/candles").await, expected);
    let months = world.json("/api/v1/series/AAPL/1month/candles?last=1").await;
    assert_eq!(
        (&months["time"], &months["close"], &months["previous"]),
        (&json!(["2024-12-01"]), &json!(["3"]), &json!("2024-12-01"))
    );
    let csv = world.get("/api/v1/series/AAPL/1month/candles.csv?fields=time,close").await.text().await.unwrap();
    assert_eq!(csv, "time,close\n2024-11-01,9\n2024-12-01,3\n");
    assert!(world.page("/symbol/AAPL/1week").await.contains("derived from 1day"));
}

/// Two hours of a market that never closes, months apart: more slots than are read at once.
async fn a_gap_longer_than_a_page_hides_no_derived_candle(world: World) {
    world.run("insert into objects (key, symbol, interval, rows_total) values ('m', 'MIN', '1min', 120)").await;
    world
        .run(
            "insert into candles select 'MIN', '1min', start + n * interval '1 minute', n, n, n, n, null, false, (select id from objects)
            from (values ('2024-01-01T00:00:00Z'::timestamptz), ('2024-11-01T00:00:00Z')) as s (start), generate_series(0, 59) as n",
        )
        .await;
    let all = world.json("/api/v1/series/MIN/30min/candles").await;
    let times = ["2024-01-01T00:00:00Z", "2024-01-01T00:30:00Z", "2024-11-01T00:00:00Z", "2024-11-01T00:30:00Z"];
    assert_eq!((&all["time"], &all["close"]), (&json!(times), &json!(["29", "59", "29", "59"])));
    let csv = world
        .get("/api/v1/series/MIN/5min/candles.csv?fields=time&from=2024-01-01T00:10:00Z")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(csv.lines().count(), 1 + 10 + 12);
    let last = world.json("/api/v1/series/MIN/30min/candles?last=3&fields=time").await;
    assert_eq!((&last["time"], &last["previous"]), (&json!(&times[2..]), &json!(times[2])));
    let before = world.json("/api/v1/series/MIN/30min/candles?last=3&fields=time&before=2024-11-01T00:00:00Z").await;
    assert_eq!((&before["time"], &before["previous"]), (&json!(&times[..2]), &json!(null)));
}

async fn gaps_of_an_unknown_series_are_not_found(world: World) {
    assert_eq!(world.get("/api/v1/series/NOPE/1day/gaps").await.status(), 404);
    world.load("AAPL", "2024-12-01", &["1"]).await;
    assert_eq!(world.json("/api/v1/series/AAPL/1day/gaps?from=2024-01-01").await, json!([]));
    assert_eq!(world.get("/api/v1/series/AAPL/1day/gaps?from=soon").await.status(), 400);
}

async fn every_problem_is_described_as_it_is_sent(world: World) {
    let document = world.json("/api/openapi.json").await;
    for (path, operation) in document["paths"].as_object().unwrap() {
        let get = &operation["get"];
        let has_parameters = get["parameters"].as_array().is_some_and(|all| !all.is_empty());
        let problems = ["401", "403", "421", "429", "503", "504"].into_iter().chain(has_parameters.then_some("400"));
        for status in problems.chain(path.contains('{').then_some("404")) {
            let schema = &get["responses"][status]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{path} {status}");
        }
        let interval =
            get["parameters"].as_array().into_iter().flatten().find(|parameter| parameter["name"] == "interval");
        if let Some(interval) = interval.filter(|_| path.contains("{interval}")) {
            assert_eq!(interval["schema"]["enum"].as_array().unwrap().len(), 12, "{path}");
        }
    }
}
