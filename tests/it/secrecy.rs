//! The API key appears nowhere except where it was configured.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use candlewick_localstack::stack::BUCKET;
use candlewick_shared::ports::store::ObjectStore;
use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::candlewick::program;
use crate::stack::Stack;

/// As long as a real key, and unlike anything else that is ever written.
const KEY: &str = "5ec2e7b0a1d94c3f8e6b7a2c9d0f1e3a";

/// Symbols that the API has and does not have, so that errors of each kind occur too.
const SYMBOLS: [&str; 3] = ["SECRECY", "NOSUCHSECRECY", "GROWSECRECY"];

pub fn trials() -> Vec<Trial> {
    trials![the_key_is_in_nothing_that_the_system_writes]
}

fn the_key_is_in_nothing_that_the_system_writes() -> anyhow::Result<()> {
    let stack = Stack::get();
    let queue = own_queue(stack)?;
    let key = tempfile::NamedTempFile::new().context("make a file")?;
    fs::write(key.path(), KEY)?;
    let mut ingest = start_ingest(stack, &queue, key.path())?;
    let work = fetch_all(stack, &queue);
    kill(Pid::from_raw(ingest.id().try_into()?), Signal::SIGTERM).context("stop ingest")?;
    ensure!(ingest.wait().context("wait for ingest")?.success(), "ingest did not stop as it should");
    work?;
    let log = fs::read_to_string(stack.state().join("secrecy.err"))?;
    ensure!(log.contains("TRACE") && log.contains("SECRECY"), "nothing is logged, so that nothing is proved");
    let written = written(stack, &queue)?;
    ensure!(written.is_empty(), "the key is in {written:?}");
    Ok(())
}

/// A queue that only this test's ingest serves, and its dead-letter queue.
fn own_queue(stack: &Stack) -> anyhow::Result<String> {
    let sqs = stack.sqs();
    let create = |name: &'static str| sqs.create_queue().queue_name(name).send();
    stack.run(create("secrecy-dlq")).context("create a queue")?;
    let queue = stack.run(create("secrecy")).context("create a queue")?;
    queue.queue_url.context("find the queue's address")
}

/// Starts ingest with the key in a file, and with all logs down to level trace.
fn start_ingest(stack: &Stack, queue: &str, key: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program("candlewick-ingest"));
    command.env_clear().envs(stack.settings()).env("INGEST_QUEUE_URL", queue);
    command.env("TWELVEDATA_API_KEY_FILE", key).env("RUST_LOG", "trace").stdout(Stdio::null());
    command.stderr(File::create(stack.state().join("secrecy.err"))?).spawn().context("start ingest")
}

/// Sends a message for each symbol, and waits until each has become a row or a dead letter.
fn fetch_all(stack: &Stack, queue: &str) -> anyhow::Result<()> {
    for symbol in SYMBOLS {
        let body = format!(
            r#"{{"kind":"fetch","run":"secrecy","symbol":"{symbol}","interval":"1day","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}"#
        );
        stack.send_to(queue, body)?;
    }
    stack.eventually("rows of the one, and letters of the others", || {
        Ok(stack.rows(SYMBOLS[0])? > 1000 && stack.browse(&format!("{queue}-dlq"))?.len() == 2)
    })
}

/// The places where the key was found, by name.
fn written(stack: &Stack, queue: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    look_into_files(stack.state(), &mut found)?;
    look_into_objects(stack, &mut found)?;
    let queues =
        stack.settings().into_iter().filter(|(name, _)| name.ends_with("_QUEUE_URL") || name.ends_with("_DLQ_URL"));
    for url in queues.map(|(_, url)| url).chain([format!("{queue}-dlq")]) {
        note(&mut found, &url, format!("{:?}", stack.browse(&url)?).as_bytes());
    }
    look_into_tables(stack, &mut found)?;
    Ok(found)
}

fn note(found: &mut Vec<String>, place: &str, bytes: &[u8]) {
    if bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()) {
        found.push(place.to_owned());
    }
}

/// Searches the logs, the env file and the copy of `raw/`: everything that the stack keeps on disk and anybody may
/// read.
fn look_into_files(folder: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            look_into_files(&path, found)?;
        } else if let Ok(bytes) = fs::read(&path) {
            note(found, &path.display().to_string(), &bytes);
        }
    }
    Ok(())
}

fn look_into_objects(stack: &Stack, found: &mut Vec<String>) -> anyhow::Result<()> {
    let store = stack.store();
    let objects = stack.run(store.list(""))?;
    ensure!(objects.iter().any(|info| info.key.contains("symbol=SECRECY/")), "{BUCKET} has no object of this test");
    for info in objects {
        // Other tests write objects that cannot be read, and delete some.
        let Ok(Some(object)) = stack.run(store.get(&info.key)) else { continue };
        note(found, &info.key, &object.body);
        note(found, &info.key, format!("{:?}", object.info).as_bytes());
    }
    Ok(())
}

/// Searches every row of every table, as text.
fn look_into_tables(stack: &Stack, found: &mut Vec<String>) -> anyhow::Result<()> {
    let pool = stack.pool();
    let sql = "select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'";
    let tables: Vec<String> = stack.run(sqlx::query_scalar(sql).fetch_all(&pool))?;
    ensure!(tables.iter().any(|table| table == "candles"), "the tables are elsewhere: {tables:?}");
    for table in tables {
        let sql = format!("select count(*) from \"{table}\" as row where row::text like '%' || $1 || '%'");
        let sql = sqlx::AssertSqlSafe(sql);
        let rows: i64 = stack.run(sqlx::query_scalar(sql).bind(KEY).fetch_one(&pool))?;
        if rows > 0 {
            found.push(table);
        }
    }
    Ok(())
}
