//! How many answers in a second, and how late the slowest hundredth: the API by `wrk`, against the API's own query by
//! `pgbench`, with as many at once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use candlewick_test_support::figures::median;

use crate::support::Environment;
use crate::{Extent, program};

/// How many ask at once.
const CLIENTS: &str = "8";

/// What a round measured: answers in a second, and the 99th percentile in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Measured {
    rate: f64,
    p99: f64,
}

pub async fn measure(environment: &Environment, extent: &Extent) {
    let wrk = program("wrk", "the API's rate");
    let pgbench = program("pgbench", "PostgreSQL's rate");
    let Some(wrk) = wrk else { return };
    let script = script(environment).await;
    let mut apis = Vec::new();
    let mut others = Vec::new();
    let mut queries = Vec::new();
    for _ in 0..extent.rounds {
        apis.push(ask_api(environment, Command::new(&wrk), extent));
        println!("answers, API: {:.0} a second, p99 {:.2} ms", apis[apis.len() - 1].rate, apis[apis.len() - 1].p99);
        let mut each = Command::new(&wrk);
        each.arg("--script").arg(each_other(environment));
        others.push(ask_api(environment, each, extent));
        let Some(pgbench) = &pgbench else { continue };
        let query = ask_postgres(environment, Command::new(pgbench), &script, extent);
        println!("answers, PostgreSQL: {:.0} a second, p99 {:.2} ms", query.rate, query.p99);
        queries.push(query);
    }
    report("five years of days", &apis, &queries);
    report("the same, no request like another", &others, &queries);
}

/// A script of `wrk` with which no request is like an earlier one, though all have the same candles.
fn each_other(environment: &Environment) -> PathBuf {
    let file = environment.folder().join("each_other.lua");
    let script = format!(
        "local last = 0\nfunction setup(thread) thread:set('first', last); last = last + 20000 end\n\
         function request() first = first + 1; return wrk.format('GET', '{PATH}?limit=' .. (2000 + first % 48000)) end\n"
    );
    fs::write(&file, script).unwrap();
    file
}

fn report(name: &str, apis: &[Measured], queries: &[Measured]) {
    let middle = |all: &[Measured]| Measured {
        rate: median(all.iter().map(|each| each.rate).collect()),
        p99: median(all.iter().map(|each| each.p99).collect()),
    };
    let api = middle(apis);
    println!("answers, {name}: {:.0} a second, p99 {:.2} ms", api.rate, api.p99);
    if !queries.is_empty() {
        let query = middle(queries);
        println!(
            "of PostgreSQL alone ({:.0} a second, p99 {:.2} ms): rate {:.2}, p99 {:.2}",
            query.rate,
            query.p99,
            api.rate / query.rate,
            api.p99 / query.p99
        );
    }
}

const PATH: &str = "/api/v1/series/AAPL/1day/candles";

fn ask_api(environment: &Environment, mut wrk: Command, extent: &Extent) -> Measured {
    wrk.args(["-t2", &format!("-c{CLIENTS}"), &format!("-d{}s", extent.seconds), "--latency"]);
    let said = said(wrk.arg(format!("{}{PATH}", environment.dashboard)));
    assert!(!said.contains("Non-2xx"), "not all was answered: {said}");
    let behind = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim).unwrap();
    Measured { rate: behind("Requests/sec:").parse().unwrap(), p99: milliseconds(behind("99%")) }
}

/// `wrk` writes times as `870.00us`, `1.20ms` or `1.01s`.
fn milliseconds(text: &str) -> f64 {
    let (unit, factor) =
        [("us", 0.001), ("ms", 1.0), ("s", 1_000.0)].into_iter().find(|(unit, _)| text.ends_with(unit)).unwrap();
    text.trim_end_matches(unit).parse::<f64>().unwrap() * factor
}

/// The statement that the API has just sent, as a script of `pgbench`: taken from the server, so that it is the same. CSV
/// is read with the same statement, and is not kept.
async fn script(environment: &Environment) -> String {
    reqwest::get(format!("{}{PATH}.csv", environment.dashboard)).await.unwrap().error_for_status().unwrap();
    let sent = "select query from pg_stat_activity where application_name = 'candlewick-dashboard' and query like '%from candles%'
        order by query_start desc limit 1";
    let query: String = sqlx::query_scalar(sent).fetch_one(&environment.pool).await.unwrap();
    let names = ["symbol", "interval", "first", "last", "most"];
    (1..).zip(names).fold(query, |query, (at, name)| query.replace(&format!("${at}"), &format!(":{name}")))
}

fn ask_postgres(environment: &Environment, mut pgbench: Command, script: &str, extent: &Extent) -> Measured {
    let file = environment.folder().join("query.sql");
    let log = environment.folder().join("latencies");
    fs::write(&file, format!("{script};\n")).unwrap();
    pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", CLIENTS, "--log"]);
    pgbench.args(["--define=symbol=AAPL", "--define=interval=1day", "--define=first=1900-01-01"]);
    pgbench.args(["--define=last=2100-01-01", "--define=most=50001"]);
    pgbench.arg(format!("--time={}", extent.seconds)).arg(format!("--log-prefix={}", log.display()));
    let said = said(pgbench.arg("--file").arg(&file).arg(environment.postgres.url()));
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")).and_then(|rest| rest.split(' ').next());
    Measured { rate: rate.unwrap().parse().unwrap(), p99: p99(environment) }
}

/// The 99th percentile of the latencies that `pgbench` logged; they are the third column, in microseconds.
fn p99(environment: &Environment) -> f64 {
    let mut latencies = Vec::new();
    for entry in fs::read_dir(environment.folder()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("latencies") {
            let text = fs::read_to_string(entry.path()).unwrap();
            latencies
                .extend(text.lines().map(|line| line.split(' ').nth(2).unwrap().parse::<f64>().unwrap() / 1_000.0));
            fs::remove_file(entry.path()).unwrap();
        }
    }
    latencies.sort_by(f64::total_cmp);
    latencies[latencies.len() * 99 / 100]
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
