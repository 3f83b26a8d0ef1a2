//! Input that nobody should send: each is rejected with a reason, and other work continues.

use std::io::Read;
use std::net::TcpListener;
use std::process::Command;

use anyhow::{Context, ensure};
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::ports::store::ObjectStore;
use flate2::{Compression, write::GzEncoder};
use libtest_mimic::Trial;
use serde_json::json;

use crate::candles::daily;
use crate::candlewick::{fail, program};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        a_broken_file_is_given_up_with_its_reason_while_others_go_on,
        files_that_are_no_candles_are_given_up_with_what_is_wrong,
        a_key_that_names_no_series_is_given_up,
        an_object_that_is_gone_is_given_up,
        archived_objects_are_given_up_and_stop_nobody,
        what_expands_without_end_is_given_up,
        what_tools_leave_is_settled_without_a_letter,
        a_key_with_control_characters_is_given_up_and_can_be_listed,
        a_message_that_is_no_event_is_given_up,
        the_test_event_of_s3_is_passed_over,
        a_symbol_that_the_api_does_not_know_is_given_up,
        a_loader_without_its_database_says_so,
        a_clean_object_of_another_hand_that_is_not_clean_is_given_up
    ]
}

fn a_broken_file_is_given_up_with_its_reason_while_others_go_on() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.put("raw/interval=1day/symbol=BROKEN/candles.csv", "date,open,high,low\n2024-12-27,1,2,1\n")?;
    stack.put("raw/interval=1day/symbol=HEALTHY/candles.csv", daily(&["2024-12-27"]))?;
    stack.eventually("the healthy file's row", || Ok(stack.rows("HEALTHY")? == 1))?;
    let letter = stack.dead_letter("RAW_DLQ_URL", "symbol%3DBROKEN")?;
    ensure!(letter.class == "unreadable_object" && letter.stage == "transform", "{letter:?}");
    ensure!(
        letter.reason.contains("symbol=BROKEN") && letter.reason.contains("column \"close\" is missing"),
        "{letter:?}"
    );
    ensure!(letter.body.contains("\"Records\""), "the letter is not the message as it was: {letter:?}");
    Ok(())
}

fn files_that_are_no_candles_are_given_up_with_what_is_wrong() -> anyhow::Result<()> {
    let stack = Stack::get();
    let files: [(&str, &[u8], &str); 5] = [
        ("NOTCSV", b"\x89PNG\r\n\x1a\n\0\0\0", "line 1 is not a header"),
        ("NOHEADER", b"2024-12-27,1,2,1,2,5\n", "line 1 is not a header"),
        ("EMPTY", b"", "the file is empty"),
        ("APIERROR", br#"{"code":429,"message":"You have run out of API credits","status":"error"}"#, "JSON, not CSV"),
        ("HTML", b"<html><body>Bad gateway</body></html>", "a web page (HTML)"),
    ];
    for (symbol, body, _) in files {
        stack.put(&format!("raw/interval=1day/symbol={symbol}/candles.csv"), body)?;
    }
    for (symbol, _, words) in files {
        let letter = stack.dead_letter("RAW_DLQ_URL", &format!("symbol%3D{symbol}/"))?;
        ensure!(letter.class == "unreadable_object" && letter.reason.contains(words), "{symbol}: {letter:?}");
    }
    Ok(())
}

fn a_key_that_names_no_series_is_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    for (key, mark, words) in [
        ("raw/somewhere/candles.csv", "raw/somewhere", "is not of the form"),
        ("raw/interval=5h/symbol=AAPL/candles.csv", "interval%3D5h", "unknown interval"),
        ("raw/interval=1day/symbol=/candles.csv", "symbol%3D/", "a symbol is empty"),
    ] {
        stack.put(key, daily(&["2024-12-27"]))?;
        let letter = stack.dead_letter("RAW_DLQ_URL", mark)?;
        ensure!(letter.class == "bad_key" && letter.reason.contains(words), "{key}: {letter:?}");
    }
    Ok(())
}

fn event(key: &str) -> String {
    let object = json!({"key": key, "size": 1});
    json!({"Records": [{"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "candlewick"}, "object": object}}]})
        .to_string()
}

fn an_object_that_is_gone_is_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.send("RAW_QUEUE_URL", event("raw/interval%3D1day/symbol%3DGONE/candles.csv"))?;
    let letter = stack.dead_letter("RAW_DLQ_URL", "symbol%3DGONE")?;
    ensure!(letter.class == "object_missing" && letter.reason.contains("put it there again"), "{letter:?}");
    Ok(())
}

fn archived_objects_are_given_up_and_stop_nobody() -> anyhow::Result<()> {
    let stack = Stack::get();
    for at in 0..13 {
        let key = format!("raw/interval=1day/symbol=FROZEN{at}/candles.csv");
        let put = stack.aws().s3().put_object().bucket("candlewick").key(key);
        let body = daily(&["2024-12-27"]).into_bytes().into();
        stack.run(put.set_storage_class(Some("GLACIER".into())).body(body).send())?;
    }
    stack.put("raw/interval=1day/symbol=BESIDEFROZEN/candles.csv", daily(&["2024-12-27"]))?;
    stack.eventually("the row of the other object", || Ok(stack.rows("BESIDEFROZEN")? == 1))?;
    for at in 0..13 {
        let letter = stack.dead_letter("RAW_DLQ_URL", &format!("symbol%3DFROZEN{at}/"))?;
        ensure!(letter.class == "archived_object" && letter.stage == "transform", "{letter:?}");
    }
    Ok(())
}

/// One line of half a gigabyte, and five million lines of one byte, both in less than a megabyte.
fn what_expands_without_end_is_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    let packed = |text: &mut dyn Read| -> anyhow::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::copy(text, &mut encoder).context("pack a text")?;
        encoder.finish().context("pack a text")
    };
    let lines = "datetime,open,high,low,close,volume\n".to_owned() + &"1\n".repeat(5_000_000);
    stack.put("raw/interval=1day/symbol=ZEROS/candles.csv.gz", packed(&mut std::io::repeat(0).take(1 << 29))?)?;
    stack.put("raw/interval=1day/symbol=SHORTLINES/candles.csv.gz", packed(&mut lines.as_bytes())?)?;
    stack.put("raw/interval=1day/symbol=BESIDEZEROS/candles.csv", daily(&["2024-12-27"]))?;
    stack.eventually("the row of the other object", || Ok(stack.rows("BESIDEZEROS")? == 1))?;
    for (symbol, words) in [("ZEROS", "line 1 is longer than"), ("SHORTLINES", "MEMORY_LIMIT")] {
        let letter = stack.dead_letter("RAW_DLQ_URL", &format!("symbol%3D{symbol}/"))?;
        ensure!(letter.class == "object_too_large" && letter.reason.contains(words), "{letter:?}");
    }
    Ok(())
}

fn what_tools_leave_is_settled_without_a_letter() -> anyhow::Result<()> {
    let stack = Stack::get();
    let folder = "raw/interval=1day/symbol=TOOLS";
    for name in ["_SUCCESS", ".candles.csv.crc", "candles.csv.tmp", "_temporary/0/candles.csv", ".DS_Store", ""] {
        stack.put(&format!("{folder}/{name}"), "")?;
    }
    stack.put(&format!("{folder}_$folder$"), "")?;
    stack.put(&format!("{folder}/candles.csv"), daily(&["2024-12-27"]))?;
    stack.eventually("the row of the file among them", || Ok(stack.rows("TOOLS")? == 1))?;
    stack.eventually("an empty queue", || Ok(stack.run(stack.queue("RAW_QUEUE_URL").depth())?.is_empty()))?;
    let letters = stack.browse(&stack.setting("RAW_DLQ_URL"))?;
    ensure!(!letters.iter().any(|letter| letter.body.contains("symbol%3DTOOLS")), "{letters:?}");
    Ok(())
}

fn a_key_with_control_characters_is_given_up_and_can_be_listed() -> anyhow::Result<()> {
    let stack = Stack::get();
    let key = "raw/interval=1day/symbol=\u{1b}[2J\u{7}/candles.csv";
    stack.put(key, daily(&["2024-12-27"]))?;
    let letter = stack.dead_letter("RAW_DLQ_URL", "%1B%5B2J")?;
    ensure!(letter.class == "bad_key" && !letter.reason.contains('\u{1b}'), "{letter:?}");
    let listed = stack.run(stack.store().list("raw/"))?;
    ensure!(listed.iter().any(|object| object.key == key), "it is not in the listing");
    Ok(())
}

fn a_message_that_is_no_event_is_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    for (queue, letters, stage) in [
        ("RAW_QUEUE_URL", "RAW_DLQ_URL", "transform"),
        ("TRANSFORMED_QUEUE_URL", "TRANSFORMED_DLQ_URL", "loader"),
        ("INGEST_QUEUE_URL", "INGEST_DLQ_URL", "ingest"),
        ("ALERTS_QUEUE_URL", "ALERTS_DLQ_URL", "notifier"),
    ] {
        stack.send(queue, "hello there")?;
        let letter = stack.dead_letter(letters, "hello there")?;
        ensure!(letter.class == "bad_message" && letter.stage == stage && letter.body == "hello there", "{letter:?}");
    }
    Ok(())
}

fn the_test_event_of_s3_is_passed_over() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.send(
        "RAW_QUEUE_URL",
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "candlewick"}).to_string(),
    )?;
    stack.put("raw/interval=1day/symbol=AFTERTEST/candles.csv", daily(&["2024-12-27"]))?;
    stack.eventually("the row behind it", || Ok(stack.rows("AFTERTEST")? == 1))?;
    stack.eventually("an empty queue", || Ok(stack.run(stack.queue("RAW_QUEUE_URL").depth())?.is_empty()))?;
    let log = std::fs::read_to_string(stack.state().join("logs/transform.log"))?;
    ensure!(!log.contains("TestEvent"), "it was taken for something else");
    Ok(())
}

fn a_symbol_that_the_api_does_not_know_is_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let fetch =
        json!({"kind": "fetch", "run": "by-hand", "symbol": "NOSUCH", "interval": "1day", "traceparent": trace});
    stack.send("INGEST_QUEUE_URL", fetch.to_string())?;
    let letter = stack.dead_letter("INGEST_DLQ_URL", "NOSUCH")?;
    ensure!(letter.class == "unknown_symbol" && letter.reason.contains("correct it in the watchlist"), "{letter:?}");
    Ok(())
}

fn a_clean_object_of_another_hand_that_is_not_clean_is_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    let body = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\nUNCLEAN,1day,2024-12-27,1,2,1,,0,false,false\n";
    stack.put("transformed/interval=1day/symbol=UNCLEAN/candles.csv", body)?;
    let letter = stack.dead_letter("TRANSFORMED_DLQ_URL", "symbol%3DUNCLEAN")?;
    ensure!(letter.reason.contains("line 2, column close"), "{letter:?}");
    let noted =
        "select count(*) from objects where symbol = $1 and error_line = 2 and error_column = 'close' and etag is null";
    ensure!(stack.count(noted, "UNCLEAN")? == 1, "the ledger does not say why");
    Ok(())
}

fn a_loader_without_its_database_says_so() -> anyhow::Result<()> {
    let stack = Stack::get();
    let mut loader = Command::new(program("candlewick-loader"));
    for (variable, value) in stack.settings() {
        loader.env(variable, value);
    }
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let error = fail(loader.env("DATABASE_URL", format!("postgres://someone:s3cret@127.0.0.1:{closed}/candles")))?;
    ensure!(error.contains(&format!("connect to PostgreSQL at 127.0.0.1:{closed}/candles")), "{error}");
    ensure!(!error.contains("s3cret"), "the password is in the error: {error}");
    Ok(())
}
