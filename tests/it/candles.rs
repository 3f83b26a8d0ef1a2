//! Candles from the API or from a dropped file become rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::Row;

use crate::candlewick::{candlewick, fail, succeed};
use crate::stack::Stack;

const AAPL_RAW: &str = "raw/interval=1day/symbol=AAPL/candles.csv";
const AAPL_CLEAN: &str = "transformed/interval=1day/symbol=AAPL/candles.csv";

pub fn trials() -> Vec<Trial> {
    trials![
        what_the_api_says_is_kept_as_raw_csv,
        rows_equal_the_clean_object_value_for_value,
        real_candles_arrive_with_every_digit,
        a_dropped_file_becomes_rows,
        the_same_file_dropped_twice_changes_nothing,
        rows_that_a_new_version_has_no_more_are_removed,
        a_gzipped_file_becomes_rows,
        intraday_files_are_a_month_each,
        of_two_objects_the_newer_has_the_candle,
        a_refresh_fetches_again,
        status_tells_series_and_queues,
        status_without_one_of_its_queues_tells_everything_else,
        a_service_that_dies_is_started_again,
        the_env_file_can_be_sourced_by_a_shell
    ]
}

/// Rows of a CSV file, by header.
fn table(body: &[u8]) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
    csv::Reader::from_reader(body).deserialize().collect::<Result<_, _>>().context("read CSV")
}

/// A daily file with these dates; each day's close is its number.
pub fn daily(dates: &[&str]) -> String {
    let row = |(at, date): (usize, &&str)| format!("{date},{n},{n},{n},{n},100\n", n = at + 1);
    format!("date,open,high,low,close,volume\n{}", dates.iter().enumerate().map(row).collect::<String>())
}

fn file(stack: &Stack, name: &str, body: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
    let path = stack.state().join(name);
    std::fs::write(&path, body).context("write a file")?;
    Ok(path)
}

fn drop_daily(stack: &Stack, symbol: &str, dates: &[&str]) -> anyhow::Result<String> {
    let path = file(stack, &format!("{symbol}.csv"), daily(dates))?;
    succeed(candlewick(stack.state()).arg("drop").arg(path).args(["--symbol", symbol, "--interval", "1day"]))
}

fn what_the_api_says_is_kept_as_raw_csv() -> anyhow::Result<()> {
    let stack = Stack::get();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!(
        "{}/time_series?symbol=AAPL&interval=1day&start_date=2019-12-30&outputsize=5000",
        stack.setting("TWELVEDATA_URL")
    );
    let body = stack.run(async {
        reqwest::Client::new().get(url).header("Authorization", "apikey test").send().await?.bytes().await
    })?;
    let answer: serde_json::Value = serde_json::from_slice(&body)?;
    let values = answer["values"].as_array().context("find the API's values")?;
    let rows = table(&stack.object(AAPL_RAW)?.body)?;
    ensure!(rows.len() == values.len() && rows.len() > 1200, "{} rows of {} values", rows.len(), values.len());
    for (row, value) in rows.iter().zip(values) {
        for (name, cell) in row {
            ensure!(value[name].as_str() == Some(cell), "{name}: {cell:?} is not {:?}", value[name]);
        }
    }
    let metadata = stack.object(AAPL_RAW)?.info.metadata;
    ensure!(metadata["source"] == "twelvedata" && metadata.contains_key("fetched-at"), "{metadata:?}");
    Ok(())
}

fn rows_equal_the_clean_object_value_for_value() -> anyhow::Result<()> {
    let stack = Stack::get();
    let clean = table(&stack.object(AAPL_CLEAN)?.body)?;
    let sql = "select symbol, interval, (time at time zone 'UTC')::date::text as time, open::text, high::text, low::text,
        close::text, volume::text, (volume is not null)::text as has_volume, is_filled::text from candles where symbol = 'AAPL' and interval = '1day' order by candles.time";
    let pool = stack.pool();
    let rows = stack.run(sqlx::query(sql).fetch_all(&pool))?;
    ensure!(rows.len() == clean.len(), "{} rows of {}", rows.len(), clean.len());
    for (row, clean) in rows.iter().zip(&clean) {
        for (name, cell) in clean {
            let value: String = row.try_get(name.as_str())?;
            ensure!(value == *cell, "{name} at {}: {value} is not {cell}", clean["time"]);
        }
    }
    Ok(())
}

/// Candles of a real market, as they were published: every digit is in the database.
fn real_candles_arrive_with_every_digit() -> anyhow::Result<()> {
    let stack = Stack::get();
    let published = table(include_bytes!("../../localstack/simulator/data/aapl_daily_2019_2024.csv"))?;
    let sql = "select time::date::text, open::text, high::text, low::text, close::text, volume::text
        from (select (time at time zone 'UTC') as time, open, high, low, close, volume from candles
              where symbol = 'AAPL' and interval = '1day' and not is_filled) as real";
    let pool = stack.pool();
    let rows = stack.run(sqlx::query(sql).fetch_all(&pool))?;
    let stored: BTreeMap<String, Vec<String>> =
        rows.iter().map(|row| (row.get(0), (1..=5).map(|at| row.get(at)).collect())).collect();
    let mut compared = 0;
    for day in published.iter().filter(|day| day["date"].as_str() >= "2019-12-30") {
        let values = stored.get(&day["date"]).with_context(|| format!("find {}", day["date"]))?;
        for (name, value) in ["open", "high", "low", "close", "volume"].iter().zip(values) {
            ensure!(shortest(&day[*name]) == *value, "{name} of {}: {value} is not {}", day["date"], day[*name]);
        }
        compared += 1;
    }
    ensure!(compared == stored.len(), "{compared} days were published, {} are stored", stored.len());
    Ok(())
}

/// A number without trailing zeros.
fn shortest(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

fn a_dropped_file_becomes_rows() -> anyhow::Result<()> {
    let stack = Stack::get();
    let said = drop_daily(stack, "DROPPED", &["2024-12-24", "2024-12-26", "2024-12-27"])?;
    ensure!(said.contains("raw/interval=1day/symbol=DROPPED/candles.csv"), "{said}");
    stack.eventually("three rows", || Ok(stack.rows("DROPPED")? == 3))
}

fn the_same_file_dropped_twice_changes_nothing() -> anyhow::Result<()> {
    let stack = Stack::get();
    let transformed = "select count(*) from objects where symbol = $1 and etag is not null";
    drop_daily(stack, "TWICE", &["2024-12-26", "2024-12-27"])?;
    stack.eventually("two rows", || Ok(stack.rows("TWICE")? == 2))?;
    // Compares which transactions wrote the rows, and where they are stored. The load time may change: a file that is
    // dropped again is a newer version of the same bytes, unless both arrive within a second.
    let written =
        "select string_agg(concat_ws(' ', time, ctid, xmin), ', ' order by time) from candles where symbol = $1";
    let places = || {
        let pool = stack.pool();
        anyhow::Ok(stack.run(sqlx::query_scalar::<_, String>(written).bind("TWICE").fetch_one(&pool))?)
    };
    let before = places()?;
    drop_daily(stack, "TWICE", &["2024-12-26", "2024-12-27"])?;
    // Queues are processed in order, so once this later file is loaded, the second drop has been processed too.
    drop_daily(stack, "BEHIND", &["2024-12-27"])?;
    stack.eventually("the file behind it", || Ok(stack.rows("BEHIND")? == 1))?;
    stack.eventually("quiet queues", || quiet(stack))?;
    let after = places()?;
    ensure!(after == before, "rows were touched: {before} became {after}");
    ensure!(stack.rows("TWICE")? == 2 && stack.count(transformed, "TWICE")? == 1);
    Ok(())
}

/// Whether all services are idle.
pub fn quiet(stack: &Stack) -> anyhow::Result<bool> {
    use candlewick_shared::ports::queue::Queue;
    for variable in ["RAW_QUEUE_URL", "TRANSFORMED_QUEUE_URL", "INGEST_QUEUE_URL"] {
        if !stack.run(stack.queue(variable).depth())?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn rows_that_a_new_version_has_no_more_are_removed() -> anyhow::Result<()> {
    let stack = Stack::get();
    drop_daily(stack, "SHRUNK", &["2024-12-24", "2024-12-26", "2024-12-27"])?;
    stack.eventually("three rows", || Ok(stack.rows("SHRUNK")? == 3))?;
    let path = file(stack, "SHRUNK.csv", daily(&["2024-12-24", "2024-12-26"]))?;
    succeed(candlewick(stack.state()).arg("drop").arg(path).args([
        "--symbol",
        "SHRUNK",
        "--interval",
        "1day",
        "--yes",
    ]))?;
    stack.eventually("two rows", || Ok(stack.rows("SHRUNK")? == 2))?;
    let removed = "select rows_removed from objects where symbol = $1";
    ensure!(stack.count(removed, "SHRUNK")? == 1, "the ledger does not say what was removed");
    Ok(())
}

fn a_gzipped_file_becomes_rows() -> anyhow::Result<()> {
    let stack = Stack::get();
    let plain = file(stack, "GZIPPED.csv", daily(&["2024-12-26", "2024-12-27"]))?;
    ensure!(std::process::Command::new("gzip").arg(&plain).status()?.success());
    let path = plain.with_extension("csv.gz");
    succeed(candlewick(stack.state()).arg("drop").arg(path).args(["--symbol", "GZIPPED", "--interval", "1day"]))?;
    stack.eventually("two rows", || Ok(stack.rows("GZIPPED")? == 2))
}

fn minutes(times: &[&str], price: &str) -> String {
    let row = |time: &&str| format!("{time},{price},{price},{price},{price},5\n");
    format!("datetime,open,high,low,close,volume\n{}", times.iter().map(row).collect::<String>())
}

fn intraday_files_are_a_month_each() -> anyhow::Result<()> {
    let stack = Stack::get();
    let drop = |name: &str, times: &[&str]| -> anyhow::Result<std::process::Command> {
        let path = file(stack, name, minutes(times, "7.5"))?;
        let mut command = candlewick(stack.state());
        command.arg("drop").arg(path).args([
            "--symbol",
            "MINUTES",
            "--interval",
            "1min",
            "--timezone",
            "America/New_York",
        ]);
        Ok(command)
    };
    let said = succeed(&mut drop("minutes.csv", &["2024-12-27 09:30:00", "2024-12-27 09:31:00"])?)?;
    ensure!(said.contains("raw/interval=1min/symbol=MINUTES/2024-12.csv"), "{said}");
    stack.eventually("two rows", || Ok(stack.rows("MINUTES")? == 2))?;
    let utc = "select count(*) from candles where symbol = $1 and time = '2024-12-27T14:30:00Z'";
    ensure!(stack.count(utc, "MINUTES")? == 1, "New York's half past nine is half past two in UTC");
    let both = ["2024-11-29 09:30:00", "2024-12-27 09:30:00", "2024-12-27 09:31:00"];
    let said = succeed(&mut drop("two-months.csv", &both)?)?;
    ensure!(said.contains("MINUTES/2024-11.csv: put") && said.contains("MINUTES/2024-12.csv: put"), "{said}");
    stack.eventually("a row more", || Ok(stack.rows("MINUTES")? == 3))?;
    let part = fail(&mut drop("less.csv", &["2024-11-29 09:30:00", "2024-12-27 09:31:00"])?)?;
    ensure!(part.contains("1 real candle") && !part.contains(".csv: put"), "{part}");
    Ok(())
}

/// The files of two months claim one candle. It belongs to the file that was dropped later, and to the other one once
/// that file gives it up.
fn of_two_objects_the_newer_has_the_candle() -> anyhow::Result<()> {
    let stack = Stack::get();
    let at = "2024-12-27T14:30:00Z";
    let put = |month: &str, body: String| stack.put(&format!("raw/interval=1min/symbol=CLAIMED/{month}.csv"), body);
    let price = "select close::bigint from candles where symbol = $1 and time = '2024-12-27T14:30:00Z'";
    let exists = "select count(*) from candles where symbol = $1 and time = '2024-12-27T14:30:00Z'";
    put("2024-11", minutes(&[at], "1"))?;
    stack.eventually("the first claim", || Ok(stack.count(exists, "CLAIMED")? == 1))?;
    put("2024-12", minutes(&[at, "2024-12-27T14:31:00Z"], "2"))?;
    stack.eventually("the newer claim", || Ok(stack.count(price, "CLAIMED")? == 2))?;
    put("2024-12", minutes(&["2024-12-27T14:31:00Z"], "2"))?;
    stack.eventually("the first claim again", || {
        Ok(stack.count(exists, "CLAIMED")? == 1 && stack.count(price, "CLAIMED")? == 1)
    })
}

fn a_refresh_fetches_again() -> anyhow::Result<()> {
    let stack = Stack::get();
    let fetched =
        || anyhow::Ok(stack.object("raw/interval=1day/symbol=BRK.B/candles.csv")?.info.metadata["run"].clone());
    let first = fetched()?;
    let said = succeed(candlewick(stack.state()).args(["refresh", "BRK.B"]))?;
    ensure!(said.contains("1 series"), "{said}");
    stack.eventually("another run's object", || Ok(fetched()? != first))?;
    let error = fail(candlewick(stack.state()).args(["refresh", "STRANGER"]))?;
    ensure!(error.contains("STRANGER is not on the watchlist") && error.contains("watchlist.toml"), "{error}");
    Ok(())
}

fn status_without_one_of_its_queues_tells_everything_else() -> anyhow::Result<()> {
    let stack = Stack::get();
    let gone = format!("{}-gone", stack.setting("TRANSFORMED_QUEUE_URL"));
    let table = succeed(candlewick(stack.state()).arg("status").env("TRANSFORMED_QUEUE_URL", gone))?;
    let line = |word: &str| table.lines().find(|line| line.contains(word)).unwrap_or_default();
    ensure!(line(" transformed ").contains('?') && line("transformed: ").contains("does not exist"), "{table}");
    ensure!(line(" raw ").contains('0') && !line(" raw ").contains('?'), "{table}");
    ensure!(table.contains(" AAPL "), "{table}");
    Ok(())
}

fn status_tells_series_and_queues() -> anyhow::Result<()> {
    let stack = Stack::get();
    let json: serde_json::Value =
        serde_json::from_str(&succeed(candlewick(stack.state()).args(["status", "--json"]))?)?;
    let series = json["series"].as_array().context("find the series")?;
    let bitcoin = series.iter().find(|series| series["symbol"] == "BTC/USD").context("find BTC/USD")?;
    ensure!(bitcoin["interval"] == "1day" && bitcoin["rows"].as_i64() > Some(1800), "{bitcoin}");
    ensure!(bitcoin["age_seconds"].as_i64() < Some(3 * 86_400), "it looks stale: {bitcoin}");
    let queues: Vec<_> =
        json["queues"].as_array().context("find the queues")?.iter().map(|queue| &queue["queue"]).collect();
    ensure!(queues == ["alerts", "ingest", "raw", "transformed"], "{queues:?}");
    let table = succeed(candlewick(stack.state()).arg("status"))?;
    for word in ["AAPL", "2024-12-30", "quarantined", "dead letters"] {
        ensure!(table.contains(word), "{word} is not in\n{table}");
    }
    Ok(())
}

fn a_service_that_dies_is_started_again() -> anyhow::Result<()> {
    let stack = Stack::get();
    let pid = || anyhow::Ok(stack.running()?.into_iter().find(|(name, _)| name == "transform").map(|(_, pid)| pid));
    let before = pid()?.context("find the transform")?;
    kill(Pid::from_raw(before.try_into()?), Signal::SIGKILL).context("kill the transform")?;
    drop_daily(stack, "REVIVED", &["2024-12-27"])?;
    stack.eventually("a row, by another process", || {
        Ok(stack.rows("REVIVED")? == 1 && pid()?.is_some_and(|pid| pid != before))
    })
}

fn the_env_file_can_be_sourced_by_a_shell() -> anyhow::Result<()> {
    let stack = Stack::get();
    let script = format!(
        ". {}/env && printf '%s %s %s' \"$BUCKET\" \"$RAW_QUEUE_URL\" \"$RAW_DLQ_URL\"",
        stack.state().display()
    );
    let output = std::process::Command::new("sh").args(["-euc", &script]).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(said.contains("candlewick http") && said.ends_with("/candlewick-raw-dlq"), "{said}");
    for variable in ["DATABASE_URL", "AWS_ENDPOINT_URL", "AWS_REGION", "TWELVEDATA_URL", "CLOCK", "INGEST_QUEUE_URL"] {
        stack.setting(variable);
    }
    Ok(())
}
