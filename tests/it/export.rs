//! Exports of candles to files.

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::candlewick::{candlewick, fail, succeed};
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![
        an_export_has_every_candle_in_the_columns_that_are_promised,
        an_export_ends_where_it_is_told_to,
        an_export_of_what_is_not_there_says_so,
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
