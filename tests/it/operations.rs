//! The operator's commands, on a stack where something went wrong. They turn notifications off and receive dead
//! letters, so they run one after the other.

use anyhow::{Context, ensure};
use candlewick_localstack::provision;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::{NewObject, Object, ObjectStore, PutIf};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::candles::{daily, quiet};
use crate::candlewick::{candlewick, fail, finish, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        reconcile_mends_lost_notifications_at_both_stages,
        reconcile_leaves_alone_what_was_given_up,
        reconcile_brings_parquet_where_it_is_missing,
        verify_names_every_candle_that_differs,
        verify_reads_the_parquet_and_replay_makes_it_again,
        verify_knows_which_of_two_objects_has_a_candle,
        dlq_shows_the_row_that_broke_and_redrives,
        dlq_drops_only_what_is_meant_and_only_when_told,
        replay_makes_the_same_bytes_and_touches_no_row,
        commands_refuse_what_they_cannot_read
    ]
}

fn raw(symbol: &str) -> String {
    format!("raw/interval=1day/symbol={symbol}/candles.csv")
}

fn clean(symbol: &str) -> String {
    format!("transformed/interval=1day/symbol={symbol}/candles.csv")
}

fn columnar(symbol: &str) -> String {
    format!("columnar/interval=1day/symbol={symbol}/candles.parquet")
}

fn say(stack: &Stack, arguments: &[&str]) -> anyhow::Result<String> {
    succeed(candlewick(stack.state()).args(arguments))
}

fn json(stack: &Stack, arguments: &[&str]) -> anyhow::Result<Value> {
    let said = say(stack, &[arguments, &["--json"]].concat())?;
    serde_json::from_str(&said).with_context(|| said)
}

/// The exit code and the output of a command.
fn code(stack: &Stack, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let (status, said) = finish(candlewick(stack.state()).args(arguments))?;
    Ok((status.code(), said))
}

/// Turns the bucket's notifications on or off.
fn set_notifications(stack: &Stack, on: bool) -> anyhow::Result<()> {
    let mut topology = Topology::built_in().clone();
    if !on {
        topology.queues.values_mut().for_each(|queue| queue.notification = None);
    }
    stack.run(provision::provision(&stack.aws(), "candlewick", &topology)).map(|_| ())
}

fn reconcile_mends_lost_notifications_at_both_stages() -> anyhow::Result<()> {
    let stack = Stack::get();
    set_notifications(stack, false)?;
    let mended = mend_what_is_lost(stack);
    set_notifications(stack, true)?;
    mended
}

fn mend_what_is_lost(stack: &Stack) -> anyhow::Result<()> {
    stack.put(&raw("LOST"), daily(&["2024-12-26", "2024-12-27"]))?;
    let reconcile = ["reconcile", "--symbol", "LOST", "--older-than", "0s", "--regardless"];
    let young = json(stack, &["reconcile", "--symbol", "LOST"])?;
    ensure!(young["raw"] == 0 && young["sent"] == 0, "it may still be on its way: {young}");
    let dry = json(stack, &[&reconcile[..], &["--dry-run"]].concat())?;
    let missing = &dry["missing"][0];
    ensure!(missing["key"] == raw("LOST") && missing["gap"] == "never_cleaned" && dry["sent"] == 0, "{dry}");
    ensure!(json(stack, &reconcile)?["sent"] == 1);
    stack.eventually("the transformed object", || Ok(stack.object(&clean("LOST")).is_ok()))?;
    ensure!(stack.rows("LOST")? == 0, "the loader was notified, so notifications are not off");
    let said = say(stack, &reconcile)?;
    ensure!(said.contains("never loaded") && said.contains("1 messages sent"), "{said}");
    stack.eventually("two rows", || Ok(stack.rows("LOST")? == 2))?;
    let after = json(stack, &reconcile)?;
    ensure!(after["missing"] == serde_json::json!([]) && after["transformed"] == 1, "{after}");
    // The same content in a newer raw object is another version: it makes the transformed object newer.
    stack.put(&raw("LOST"), daily(&["2024-12-26"]))?;
    ensure!(json(stack, &reconcile)?["missing"][0]["gap"] == "cleaned_before");
    Ok(())
}

/// An object as it was cleaned while COLUMNAR was off.
fn reconcile_brings_parquet_where_it_is_missing() -> anyhow::Result<()> {
    let stack = Stack::get();
    set_notifications(stack, false)?;
    let written = clean_without_parquet(stack);
    set_notifications(stack, true)?;
    written?;
    let reconcile = ["reconcile", "--symbol", "NOPARQUET", "--older-than", "0s", "--regardless"];
    let found = json(stack, &reconcile)?;
    let gaps: Vec<_> = found["missing"].as_array().into_iter().flatten().map(|missing| &missing["gap"]).collect();
    ensure!(gaps == ["no_columns", "never_loaded"], "{found}");
    stack.eventually("the Parquet", || Ok(stack.object(&columnar("NOPARQUET")).is_ok()))?;
    stack.eventually("one row", || Ok(stack.rows("NOPARQUET")? == 1))?;
    stack.eventually("nothing is missing", || {
        Ok(json(stack, &[&reconcile[..], &["--dry-run"]].concat())?["missing"] == serde_json::json!([]))
    })
}

fn clean_without_parquet(stack: &Stack) -> anyhow::Result<()> {
    stack.put(&raw("NOPARQUET"), daily(&["2024-12-27"]))?;
    let source = stack.object(&raw("NOPARQUET"))?.info;
    let origin = TransformedMetadata::of(source.key, source.etag, source.last_modified);
    let rows = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
        NOPARQUET,1day,2024-12-27,1,2,1,2,0,false,false\n";
    let object = NewObject::csv(rows.into(), origin.write());
    stack.run(stack.store().put(&clean("NOPARQUET"), object, PutIf::Always)).context("write an object").map(drop)
}

fn verify_reads_the_parquet_and_replay_makes_it_again() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.put(&raw("PARQUET"), daily(&["2024-12-26", "2024-12-27"]))?;
    stack.eventually("two rows", || Ok(stack.rows("PARQUET")? == 2))?;
    let verify = ["verify", "--symbol", "PARQUET"];
    let (status, said) = code(stack, &verify)?;
    ensure!(status == Some(0), "{status:?}: {said}");
    let made = stack.object(&columnar("PARQUET"))?.info.etag;
    stack.put(&columnar("PARQUET"), "no Parquet")?;
    let (status, said) = code(stack, &verify)?;
    ensure!(
        status == Some(1) && said.contains(&columnar("PARQUET")) && said.contains("not readable as Parquet"),
        "{said}"
    );
    say(stack, &["replay", &raw("PARQUET")])?;
    stack.eventually("the same Parquet", || Ok(stack.object(&columnar("PARQUET"))?.info.etag == made))?;
    stack.eventually("no difference", || Ok(code(stack, &verify)?.0 == Some(0)))
}

fn reconcile_leaves_alone_what_was_given_up() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.put(&raw("HOPELESS"), "date,open\n2024-12-27,1\n")?;
    stack.dead_letter("RAW_DLQ_URL", "symbol%3DHOPELESS")?;
    let reconciled = json(stack, &["reconcile", "--symbol", "HOPELESS", "--older-than", "0s", "--regardless"])?;
    ensure!(reconciled["missing"][0]["verdict"] == "given_up" && reconciled["sent"] == 0, "{reconciled}");
    Ok(())
}

fn tamper(stack: &Stack, sql: &'static str) -> anyhow::Result<()> {
    let pool = stack.pool();
    let done = stack.run(sqlx::query(sql).execute(&pool)).context("tamper with the table")?;
    ensure!(done.rows_affected() == 1, "{sql} touched {} rows", done.rows_affected());
    Ok(())
}

fn verify_names_every_candle_that_differs() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.put(&raw("VERIFIED"), daily(&["2024-12-24", "2024-12-26", "2024-12-27"]))?;
    stack.eventually("three rows", || Ok(stack.rows("VERIFIED")? == 3))?;
    let verify = ["verify", "--symbol", "VERIFIED"];
    let (status, said) = code(stack, &verify)?;
    ensure!(status == Some(0) && said.contains("1 series with 3 candles"), "{status:?}: {said}");
    tamper(stack, "update candles set close = close + 0.01 where symbol = 'VERIFIED' and time = '2024-12-26Z'")?;
    tamper(stack, "delete from candles where symbol = 'VERIFIED' and time = '2024-12-24Z'")?;
    tamper(
        stack,
        "insert into candles select symbol, interval, '2024-12-30Z', open, high, low, close, volume, is_filled, object_id
         from candles where symbol = 'VERIFIED' and time = '2024-12-27Z'",
    )?;
    let (status, said) = code(stack, &verify)?;
    ensure!(status == Some(1) && said.contains("3 differences"), "{status:?}: {said}");
    for words in
        ["2024-12-26: close is 2.01 in the table and 2 in", "2024-12-24: missing", "2024-12-30: in the table and in no"]
    {
        ensure!(said.contains(words), "{words} is not in\n{said}");
    }
    let (_, said) = code(stack, &["verify", "--symbol", "VERIFIED", "--json", "--limit", "1"])?;
    let found: Value = serde_json::from_str(&said)?;
    ensure!(found["differences"] == 3 && found["shown"].as_array().map(Vec::len) == Some(1), "{found}");
    ensure!(found["shown"][0]["kind"] == "missing" && found["shown"][0]["object"] == clean("VERIFIED"), "{found}");
    Ok(())
}

fn verify_knows_which_of_two_objects_has_a_candle() -> anyhow::Result<()> {
    let stack = Stack::get();
    let minute =
        |price: &str| format!("datetime,open,high,low,close\n2024-12-02T14:30:00Z,{price},{price},{price},{price}\n");
    let put = |month: &str, body: String| stack.put(&format!("raw/interval=1min/symbol=OVERLAP/{month}.csv"), body);
    put("2024-11", minute("1"))?;
    stack.eventually("the first claim", || Ok(stack.rows("OVERLAP")? == 1))?;
    put("2024-12", minute("2"))?;
    let price = "select close::bigint from candles where symbol = $1";
    stack.eventually("the newer claim", || Ok(stack.count(price, "OVERLAP")? == 2))?;
    let (status, said) = code(stack, &["verify", "--symbol", "OVERLAP"])?;
    ensure!(status == Some(0) && said.contains("1 candles"), "{status:?}: {said}");
    tamper(
        stack,
        "update candles set close = 1, object_id = (select id from objects where key like '%OVERLAP/2024-11.csv')
        where symbol = 'OVERLAP'",
    )?;
    let (status, said) = code(stack, &["verify", "--symbol", "OVERLAP"])?;
    ensure!(status == Some(1) && said.contains("2024-12.csv has the stronger claim"), "{status:?}: {said}");
    Ok(())
}

const UNCLEAN: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\nREDRIVEN,1day,2024-12-27,1,2,1,dear,0,false,false\n";

/// The only dead letter about a key, once it is there.
fn letter(stack: &Stack, key: &str) -> anyhow::Result<Value> {
    let mut letters = Value::Null;
    stack.eventually("one letter", || {
        letters = json(stack, &["dlq", "list", "--key", key, "--class", "unreadable_object"])?["letters"].take();
        Ok(letters.as_array().map(Vec::len) == Some(1))
    })?;
    Ok(letters[0].take())
}

fn dlq_shows_the_row_that_broke_and_redrives() -> anyhow::Result<()> {
    let stack = Stack::get();
    let key = clean("REDRIVEN");
    stack.put(&key, UNCLEAN)?;
    let first = letter(stack, &key)?;
    ensure!(first["stage"] == "loader" && first["symbol"] == "REDRIVEN" && first["queue"] == "transformed", "{first}");
    let id = first["id"].as_str().context("find the id")?;
    let shown = json(stack, &["dlq", "show", id])?;
    let broken = &shown["broken"];
    ensure!(broken["line"] == 2 && broken["column"] == "close", "{shown}");
    ensure!(broken["row"] == "REDRIVEN,1day,2024-12-27,1,2,1,dear,0,false,false", "{shown}");
    let said = say(stack, &["dlq", "show", id])?;
    ensure!(said.contains("line 2, column close:\n  REDRIVEN,1day"), "{said}");
    let dry = json(stack, &["dlq", "redrive", "--key", &key, "--dry-run"])?;
    ensure!(dry["dry_run"] == true && dry["redriven"][0]["id"] == id, "{dry}");
    ensure!(letter(stack, &key)?["id"] == id, "a dry run moved it");
    // It is still broken, so it returns as another dead letter, exactly once.
    ensure!(json(stack, &["dlq", "redrive", "--key", &key])?["redriven"].as_array().map(Vec::len) == Some(1));
    stack.eventually("another letter", || Ok(letter(stack, &key)?["id"] != id))?;
    stack.put(&key, UNCLEAN.replace("dear", "1.5"))?;
    stack.eventually("a row", || Ok(stack.rows("REDRIVEN")? == 1))?;
    say(stack, &["dlq", "redrive", "--key", &key, "--stage", "loader"])?;
    stack.eventually("quiet queues", || quiet(stack))?;
    let left = json(stack, &["dlq", "list", "--key", &key])?;
    ensure!(left["letters"] == serde_json::json!([]), "{left}");
    Ok(())
}

fn dlq_drops_only_what_is_meant_and_only_when_told() -> anyhow::Result<()> {
    let stack = Stack::get();
    let one = clean("DROPONE");
    let other = clean("DROPOTHER");
    stack.put(&one, "nothing\n")?;
    stack.put(&other, "nothing\n")?;
    let id = letter(stack, &one)?["id"].clone();
    let _ = letter(stack, &other)?;
    let said = say(stack, &["dlq", "drop", "--key", &one])?;
    ensure!(said.contains("1 dead letters would be dropped; to do it, add --yes"), "{said}");
    ensure!(letter(stack, &one)?["id"] == id, "it was dropped without a word");
    for missed in [["--since", "2100-01-01"], ["--until", "2020-01-01"], ["--stage", "ingest"], ["--class", "bad_key"]]
    {
        let dropped = json(stack, &[&["dlq", "drop", "--yes", "--key", one.as_str()][..], &missed].concat())?;
        ensure!(dropped["dropped"] == serde_json::json!([]), "{missed:?}: {dropped}");
    }
    let dropped = json(stack, &["dlq", "drop", "--yes", "--key", &one, "--since", "1d"])?;
    ensure!(dropped["dropped"][0]["id"] == id && dropped["dry_run"] == false, "{dropped}");
    ensure!(json(stack, &["dlq", "list", "--key", &one])?["letters"] == serde_json::json!([]));
    letter(stack, &other)?;
    Ok(())
}

fn replay_makes_the_same_bytes_and_touches_no_row() -> anyhow::Result<()> {
    let stack = Stack::get();
    let folder = "raw/interval=1day/symbol=REPLAYED/";
    stack.put(&raw("REPLAYED"), daily(&["2024-12-26", "2024-12-27"]))?;
    stack.eventually("two rows", || Ok(stack.rows("REPLAYED")? == 2))?;
    let written = "select sum(xmin::text::bigint)::bigint from candles where symbol = $1";
    let before = stack.object(&clean("REPLAYED"))?;
    let rows = stack.count(written, "REPLAYED")?;
    let dry = json(stack, &["replay", folder, "--dry-run"])?;
    ensure!(dry["keys"][0] == raw("REPLAYED") && dry["queues"] == serde_json::json!({}), "{dry}");
    let none = json(stack, &["replay", folder, "--since", "2100-01-01"])?;
    ensure!(none["keys"] == serde_json::json!([]) && none["older"] == 1, "{none}");
    let replayed = json(stack, &["replay", folder, "--since", "1h"])?;
    ensure!(replayed["queues"] == serde_json::json!({"raw": 1}), "{replayed}");
    let made = |object: &Object| object.info.metadata.get("transformed-at").cloned();
    let mut after = stack.object(&clean("REPLAYED"))?;
    stack.eventually("the object made anew", || {
        after = stack.object(&clean("REPLAYED"))?;
        Ok(made(&after) != made(&before))
    })?;
    ensure!(after.body == before.body, "other bytes");
    stack.eventually("quiet queues", || quiet(stack))?;
    ensure!(stack.count(written, "REPLAYED")? == rows, "rows were written");
    let replayed = json(stack, &["replay", "transformed/interval=1day/symbol=REPLAYED/"])?;
    ensure!(replayed["queues"] == serde_json::json!({"transformed": 1}), "{replayed}");
    stack.eventually("quiet queues", || quiet(stack))?;
    ensure!(stack.count(written, "REPLAYED")? == rows, "rows were written");
    Ok(())
}

fn commands_refuse_what_they_cannot_read() -> anyhow::Result<()> {
    let stack = Stack::get();
    for (arguments, words) in [
        (&["replay", "reports/"][..], "begins with raw/ or transformed/"),
        (&["replay", "raw/", "--since", "yesterday"], "how long ago"),
        (&["reconcile", "--older-than", "soon"], "10m"),
        (&["dlq", "show", "no-such-id"], "no dead letter has the id no-such-id"),
        (&["verify", "--interval", "5h"], "unknown interval"),
        (&["doctor", "--from-terraform", "no-such-file"], "read no-such-file"),
    ] {
        let error = fail(candlewick(stack.state()).args(arguments))?;
        ensure!(error.contains(words), "{arguments:?}: {error}");
    }
    for command in ["replay", "reconcile", "dlq", "verify", "doctor"] {
        let help = say(stack, &[command, "--help"])?;
        ensure!(help.contains("Exit code"), "{command} does not tell its exit codes: {help}");
    }
    Ok(())
}
