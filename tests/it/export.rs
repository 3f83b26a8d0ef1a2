//! Exports of candles to files.

use std::process::Stdio;

use anyhow::ensure;
use candlewick_columnar::batch::batch;
use candlewick_columnar::names::Names;
use candlewick_columnar::read::read;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::Series;
use jiff::Timestamp;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, fail, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        an_export_has_every_candle_in_the_columns_that_are_promised,
        an_export_ends_where_it_is_told_to,
        an_export_of_what_is_not_there_says_so,
        an_export_in_columns_has_every_value_of_the_table,
        one_file_takes_several_series_and_shows_progress,
        an_export_as_of_a_moment_has_the_candles_of_then,
        a_reader_that_has_read_enough_is_no_error,
        the_role_for_reports_reads_the_views_and_nothing_else
    ]
}

const HEADER: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled";

/// Uploads candles of a symbol that no other test uses, and waits until they are loaded.
fn load(stack: &Stack, symbol: &str, key: &str, csv: &str, rows: i64) -> anyhow::Result<()> {
    stack.put(key, csv)?;
    stack.eventually("the rows", || Ok(stack.rows(symbol)? == rows))
}

fn export(stack: &Stack, arguments: &[&str]) -> anyhow::Result<String> {
    succeed(candlewick(stack.state()).arg("export").args(arguments))
}

fn an_export_has_every_candle_in_the_columns_that_are_promised() -> anyhow::Result<()> {
    let stack = Stack::get();
    let csv = "date,open,high,low,close,volume\n2024-12-26,1.10,2,1,1.5,10\n2024-12-27,1.5,2.5000,1,2,\n";
    load(stack, "O'EXP", "raw/interval=1day/symbol=O%27EXP/candles.csv", csv, 2)?;
    let minutes = "datetime,open,high,low,close\n2024-12-27T14:30:00Z,1,2,1,1.5\n";
    load(stack, "EXPMIN", "raw/interval=1min/symbol=EXPMIN/2024-12.csv", minutes, 1)?;
    let folder = tempfile::tempdir()?;
    let out = folder.path().display().to_string();
    let said = export(stack, &["--symbol", "O'EXP", "--symbol", "EXPMIN", "--out", &out])?;
    ensure!(said.contains("O'EXP 1day") && said.contains("EXPMIN 1min"), "{said}");
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file));
    let days = "O'EXP,1day,2024-12-26,1.1,2,1,1.5,10,true,false\nO'EXP,1day,2024-12-27,1.5,2.5,1,2,0,false,false\n";
    ensure!(read("1day/O%27EXP.csv")? == format!("{HEADER}\n{days}"));
    ensure!(
        read("1min/EXPMIN.csv")? == format!("{HEADER}\nEXPMIN,1min,2024-12-27T14:30:00Z,1,2,1,1.5,0,false,false\n")
    );
    Ok(())
}

fn an_export_ends_where_it_is_told_to() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.eventually("the candles of AAPL", || Ok(stack.rows("AAPL")? > 1_000))?;
    let aapl = ["--symbol", "AAPL", "--interval", "1day", "--out", "-"];
    let days = |from: &str, to: &str| {
        let said = export(stack, &[&aapl[..], &["--from", from, "--to", to]].concat())?;
        anyhow::Ok(
            said.lines().skip(1).map(|line| line.split(',').nth(2).unwrap_or_default().to_owned()).collect::<Vec<_>>(),
        )
    };
    ensure!(days("2024-12-23", "2024-12-26")? == ["2024-12-23", "2024-12-24", "2024-12-26"]);
    ensure!(days("2024-12-25", "2024-12-25")?.is_empty());
    let said =
        fail(candlewick(stack.state()).args(["export", "--from", "2024-12-26", "--to", "2024-12-25", "--out", "-"]))?;
    ensure!(said.contains("is after --to"), "{said}");
    let all = export(stack, &aapl)?.lines().count() as i64;
    ensure!(all - 1 == stack.count("select count(*) from candles where symbol = $1 and interval = '1day'", "AAPL")?);
    Ok(())
}

fn an_export_of_what_is_not_there_says_so() -> anyhow::Result<()> {
    let stack = Stack::get();
    let said = fail(candlewick(stack.state()).args(["export", "--symbol", "NOBODY", "--out", "-"]))?;
    ensure!(said.contains("no such candles of NOBODY") && said.contains("candlewick status"), "{said}");
    Ok(())
}

/// Values that a float would change, an unknown volume, and a filled day.
pub const EXACT: &str = "date,open,high,low,close,volume\n\
    2024-12-23,0.00000000000000000001,99999999999.000000000000000001,0.00000000000000000001,1.5,10\n\
    2024-12-26,1.1,2,1,1.30000000000000000007,\n\
    2024-12-27,1.5,2.5,1,2,12345678901234567.8\n";

fn an_export_in_columns_has_every_value_of_the_table() -> anyhow::Result<()> {
    let stack = Stack::get();
    load(stack, "EXACT", "raw/interval=1day/symbol=EXACT/candles.csv", EXACT, 3)?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).display().to_string();
    for name in ["all.csv", "all.parquet"] {
        export(stack, &["--symbol", "EXACT", "--out", &file(name)])?;
    }
    let series = Series { symbol: "EXACT".parse()?, interval: "1day".parse()? };
    let csv = std::fs::read(file("all.csv"))?;
    let candles = clean_csv::read(&csv, &series)?.candles;
    ensure!(candles.len() == 3 && candles[1].volume.is_none(), "{candles:?}");
    let parquet = read(std::fs::read(file("all.parquet"))?.into())?;
    ensure!(parquet.batches == [batch(&Names::of(std::slice::from_ref(&series)), &series, &candles)?]);
    ensure!(parquet.about.contains(&("symbol".to_owned(), "EXACT".to_owned())), "{:?}", parquet.about);
    Ok(())
}

fn an_export_as_of_a_moment_has_the_candles_of_then() -> anyhow::Result<()> {
    let stack = Stack::get();
    let key = "raw/interval=1day/symbol=FROZEN/candles.csv";
    load(stack, "FROZEN", key, "date,open,high,low,close,volume\n2024-12-26,1,2,1,1.5,10\n", 1)?;
    let frozen = ["--symbol", "FROZEN", "--out", "-"];
    let before = export(stack, &frozen)?;
    let loaded = "select (extract(epoch from max(loaded_at)) * 1000000)::bigint from loads where symbol = $1";
    let moment = Timestamp::from_microsecond(stack.count(loaded, "FROZEN")?)?.to_string();
    let restated =
        "date,open,high,low,close,volume\n2024-12-24,1,2,1,1,5\n2024-12-26,1,2,1,1.75,10\n2024-12-27,1,2,1,2,7\n";
    load(stack, "FROZEN", key, restated, 3)?;
    let as_of = |moment: &str| export(stack, &[&frozen[..], &["--as-of", moment]].concat());
    ensure!(as_of(&moment)? == before, "{} is not {before}", as_of(&moment)?);
    ensure!(export(stack, &frozen)?.lines().count() == 4);
    ensure!(as_of("2000-01-01")?.lines().count() == 1, "there were candles before the first load");
    Ok(())
}

fn one_file_takes_several_series_and_shows_progress() -> anyhow::Result<()> {
    let stack = Stack::get();
    let csv = "date,open,high,low,close,volume\n2024-12-26,1.10,2,1,1.5,10\n";
    for symbol in ["SHAREDB", "SHAREDA"] {
        load(stack, symbol, &format!("raw/interval=1day/symbol={symbol}/candles.csv"), csv, 1)?;
    }
    let folder = tempfile::tempdir()?;
    let both = ["--symbol", "SHAREDA", "--symbol", "SHAREDB"];
    let out = folder.path().join("both.csv");
    let said = export(stack, &[&both[..], &["--out", &out.display().to_string()]].concat())?;
    ensure!(said.contains("1. SHAREDA 1day: 1 candles") && said.contains("2. SHAREDB 1day: 1 candles"), "{said}");
    let rows = ["A", "B"].map(|end| format!("SHARED{end},1day,2024-12-26,1.1,2,1,1.5,10,true,false\n"));
    ensure!(std::fs::read_to_string(&out)? == format!("{HEADER}\n{}", rows.concat()));
    let out = folder.path().join("both.parquet");
    export(stack, &[&both[..], &["--out", &out.display().to_string()]].concat())?;
    let rows: usize = read(std::fs::read(&out)?.into())?.batches.iter().map(|batch| batch.num_rows()).sum();
    ensure!(rows == 2, "{rows} rows");
    let said = fail(
        candlewick(stack.state()).args(["export", "--format", "arrow", "--out"]).arg(folder.path().join("both.csv")),
    )?;
    ensure!(said.contains("does not end in .arrow"), "{said}");
    Ok(())
}

fn a_reader_that_has_read_enough_is_no_error() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.eventually("the candles of AAPL", || Ok(stack.rows("AAPL")? > 1_000))?;
    for format in ["csv", "arrow"] {
        let mut command = candlewick(stack.state());
        command.args(["export", "--symbol", "AAPL", "--interval", "1day", "--format", format, "--out", "-"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // The rest is more than a pipe holds, so the program meets the closed pipe.
        drop(child.stdout.take());
        let ended = child.wait_with_output()?;
        ensure!(ended.status.success(), "{format}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    Ok(())
}

fn the_role_for_reports_reads_the_views_and_nothing_else() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.run(async {
        let mut database = stack.pool().acquire().await?;
        sqlx::raw_sql("begin; set local role bi_readonly").execute(&mut *database).await?;
        sqlx::query("select symbol, interval, time, open, high, low, close, volume, is_filled from bi_candles limit 1")
            .execute(&mut *database)
            .await?;
        sqlx::query("select symbol, interval, candles, first_time, last_time, filled from bi_series limit 1")
            .execute(&mut *database)
            .await?;
        let refused = sqlx::query("select 1 from candles limit 1").execute(&mut *database).await;
        sqlx::raw_sql("rollback").execute(&mut *database).await?;
        let refused = refused.err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(refused.contains("permission denied"), "the role reads a table: {refused:?}");
        Ok(())
    })
}
