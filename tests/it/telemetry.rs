//! The services' traces and lineage.

use anyhow::{Context, ensure};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::collector::Seen;
use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![a_trace_follows_a_candle_from_the_api_to_its_row, lineage_is_told_of_each_transform_and_load]
}

/// One trace, from the API to the row: each service's work is the child of the previous one, and the ledger records the
/// trace.
fn a_trace_follows_a_candle_from_the_api_to_its_row() -> anyhow::Result<()> {
    let stack = Stack::get();
    let loaded = stack.span("a span of the load that the ledger has", |seen| {
        let is_load =
            seen.service == "candlewick-loader" && seen.attribute("key").is_some_and(|key| key.contains("=MSFT/"));
        is_load && stack.count(OF_TRACE, &hex(&seen.span.trace_id)).is_ok_and(|objects| objects == 1)
    })?;
    let transformed = parent(stack, &loaded, "candlewick-transform")?;
    let fetched = parent(stack, &transformed, "candlewick-ingest")?;
    ensure!(fetched.attribute("series").is_some_and(|series| series.contains("MSFT")), "{fetched:?}");
    let names = [&fetched, &transformed, &loaded].map(|seen| seen.span.name.as_str());
    ensure!(names == ["fetch", "transform", "load"], "{names:?}");
    Ok(())
}

const OF_TRACE: &str = "select count(*) from objects where symbol = 'MSFT' and trace_id = $1";

/// Lineage is sent over HTTP and stored as lines next to the report; the transform's output is the loader's input.
fn lineage_is_told_of_each_transform_and_load() -> anyhow::Result<()> {
    let stack = Stack::get();
    let report = "reports/interval=1day/symbol=MSFT/candles";
    for (job, from, to) in
        [("transform", "raw/", "transformed/"), ("load", "transformed/", "candlewick.public.candles")]
    {
        let name = |side: &Value| side[0]["name"].as_str().unwrap_or_default().to_owned();
        let sent = stack.lineage(&format!("the end of a {job} of MSFT"), |event| {
            let of_msft = name(&event["inputs"]).contains("symbol=MSFT/");
            of_msft && event["job"]["name"] == job && event["eventType"] == "COMPLETE"
        })?;
        ensure!(name(&sent["inputs"]).starts_with(from) && name(&sent["outputs"]).starts_with(to), "{sent}");
        stack.eventually("the lineage next to the report", || {
            Ok(stack.object(&format!("{report}.{job}.openlineage.jsonl")).is_ok())
        })?;
        let kept = stack.object(&format!("{report}.{job}.openlineage.jsonl"))?;
        let lines: Result<Vec<Value>, _> = kept
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(serde_json::from_slice)
            .collect();
        let kinds: Vec<_> = lines?.iter().map(|event| event["eventType"].clone()).collect();
        ensure!(kinds == ["START", "COMPLETE"], "{kinds:?}");
    }
    Ok(())
}

fn parent(stack: &Stack, child: &Seen, service: &str) -> anyhow::Result<Seen> {
    let trace = child.span.trace_id.clone();
    let parent = child.span.parent_span_id.clone();
    let is_it = |seen: &Seen| seen.span.span_id == parent && seen.span.trace_id == trace && seen.service == service;
    stack.span(&format!("the parent of {} in {service}", child.span.name), is_it).context("follow the trace")
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
