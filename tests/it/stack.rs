//! The stack of a test run: `candlewick up`, and ways to access it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use candlewick_localstack::env_file::{self, Settings};
use candlewick_localstack::process::leftovers;
use candlewick_localstack::state::StateDir;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::adapters::sqs::SqsQueue;
use candlewick_shared::adapters::sqs_browse;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::queue::{Message, NewMessage, Queue};
use candlewick_shared::ports::store::{NewObject, Object, ObjectStore, PutIf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::alerts::Sink;
use crate::candlewick::{candlewick, root};
use crate::collector::{Collector, Seen};

/// The timeout of everything that is awaited. It only bounds failures; it is no performance limit.
const PATIENCE: Duration = Duration::from_secs(120);

/// The timeout of a start, including what it installs on a fresh machine.
const START: Duration = Duration::from_secs(900);

/// The name of the watchlist in the state directory.
const WATCHLIST: &str = "tested-watchlist.toml";

/// What saving a dashboard takes.
pub const EDIT_TOKEN: &str = "the-token-of-the-tests";

static STACK: OnceLock<Stack> = OnceLock::new();

/// `candlewick up`, running or stopped, with a state directory that outlives the process.
pub struct Stack {
    /// The state directory.
    pub state: TempDir,
    runtime: Runtime,
    collector: Collector,
    /// Settings of `up` besides the usual ones.
    settings: Vec<(&'static str, OsString)>,
    up: Mutex<Option<Up>>,
}

struct Up {
    child: Child,
    settings: Settings,
    aws: Aws,
    pool: PgPool,
}

/// A dead letter, as a reader sees it.
#[derive(Debug)]
pub struct DeadLetter {
    pub class: String,
    pub reason: String,
    pub stage: String,
    pub body: String,
}

impl Stack {
    /// The stack, started on first use.
    pub fn get() -> &'static Self {
        STACK.get_or_init(|| {
            let stack = Self::new(Vec::new()).expect("the state directory can be made");
            stack.start().expect("the stack starts");
            stack
        })
    }

    pub fn stop_if_started() {
        if let Some(stack) = STACK.get() {
            let _ = stack.stop(Signal::SIGTERM);
        }
    }

    /// Another stack, which has more settings.
    pub fn with(settings: Vec<(&'static str, OsString)>) -> anyhow::Result<Self> {
        let stack = Self::new(settings)?;
        stack.start()?;
        Ok(stack)
    }

    fn new(settings: Vec<(&'static str, OsString)>) -> anyhow::Result<Self> {
        let state = tempfile::Builder::new().prefix("candlewick-test-").tempdir().context("make a directory")?;
        // A copy, because tests edit it.
        let fixture = root().join("tests/it/fixtures/watchlist.toml");
        std::fs::copy(fixture, state.path().join(WATCHLIST)).context("copy the watchlist")?;
        let runtime = Runtime::new().context("start a runtime")?;
        let collector = runtime.block_on(Collector::start())?;
        Ok(Self { state, runtime, collector, settings, up: Mutex::new(None) })
    }

    pub fn watchlist(&self) -> PathBuf {
        self.state.path().join(WATCHLIST)
    }

    /// Starts `up` and waits until it reports that it is up.
    pub fn start(&self) -> anyhow::Result<()> {
        let mut command = candlewick(self.state.path());
        let collector = format!("http://{}", self.collector.address);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector);
        command.env("OPENLINEAGE", "objects").env("OPENLINEAGE_URL", &collector);
        command.args(["up", "--watchlist"]).arg(self.watchlist()).stdout(Stdio::piped()).stderr(self.log("up.err")?);
        command.env("DASHBOARD_EDIT_TOKEN", EDIT_TOKEN);
        command.envs(Sink::get().settings()).envs(self.settings.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().context("start candlewick up")?;
        let ready = self.await_line(&mut child, "Candlewick is up");
        let up = ready.and_then(|()| self.connect(child));
        *self.up.lock().unwrap_or_else(PoisonError::into_inner) = Some(up?);
        Ok(())
    }

    fn log(&self, name: &str) -> anyhow::Result<File> {
        File::create(self.state.path().join(name)).with_context(|| format!("create {name}"))
    }

    /// Reads the output of `up` until a line contains these words; a thread continues to read, so that the pipe never
    /// fills.
    fn await_line(&self, child: &mut Child, words: &'static str) -> anyhow::Result<()> {
        let stdout = child.stdout.take().context("open the output of up")?;
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))
        });
        let deadline = Instant::now() + START;
        let mut seen = Vec::new();
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(words) => return Ok(()),
                Ok(line) => seen.push(line),
                Err(_) => {
                    let error = std::fs::read_to_string(self.state.path().join("up.err")).unwrap_or_default();
                    bail!("up did not get up:\n{}\n{error}", seen.join("\n"));
                }
            }
        }
    }

    fn connect(&self, child: Child) -> anyhow::Result<Up> {
        let settings = env_file::read(&self.state.path().join("env"))?.context("find the env file")?;
        let setting = |name: &str| settings.get(name).with_context(|| format!("find {name} in the env file"));
        let endpoint = setting("AWS_ENDPOINT_URL")?;
        let region = setting("AWS_REGION")?;
        let aws = self.run(Aws::at(endpoint, region, "test", "test"));
        let pool = self.run(postgres::connect(setting("DATABASE_URL")?, 4))?;
        Ok(Up { child, aws, pool, settings: settings.clone() })
    }

    /// Ends `up` with a signal, and returns whether its exit code was 0.
    pub fn stop(&self, signal: Signal) -> anyhow::Result<bool> {
        let Some(mut up) = self.up.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(true) };
        self.run(up.pool.close());
        kill(Pid::from_raw(up.child.id().try_into()?), signal).context("signal up")?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match up.child.try_wait().context("wait for up")? {
                Some(status) => return Ok(status.success()),
                None if Instant::now() > deadline => bail!("up did not stop"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Runs async code to completion.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn up<T>(&self, read: impl FnOnce(&Up) -> T) -> T {
        let up = self.up.lock().unwrap_or_else(PoisonError::into_inner);
        read(up.as_ref().expect("the stack is up"))
    }

    pub fn setting(&self, name: &str) -> String {
        self.up(|up| up.settings.get(name).cloned()).unwrap_or_else(|| panic!("{name} is not in the env file"))
    }

    pub fn settings(&self) -> Settings {
        self.up(|up| up.settings.clone())
    }

    pub fn pool(&self) -> PgPool {
        self.up(|up| up.pool.clone())
    }

    pub fn aws(&self) -> Aws {
        self.up(|up| up.aws.clone())
    }

    pub fn store(&self) -> S3Store {
        self.up(|up| up.aws.store("candlewick"))
    }

    pub fn queue(&self, variable: &str) -> SqsQueue {
        let url = self.setting(variable);
        self.up(|up| up.aws.queue(&url))
    }

    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// Writes an object at any key.
    pub fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        let object = NewObject::csv(body.into(), Metadata::new());
        self.run(self.store().put(key, object, PutIf::Always)).map(|_| ()).context("put an object")
    }

    pub fn object(&self, key: &str) -> anyhow::Result<Object> {
        self.run(self.store().get(key))?.with_context(|| format!("find {key}"))
    }

    pub fn send(&self, queue: &str, body: impl Into<String>) -> anyhow::Result<()> {
        let message = NewMessage { body: body.into(), ..NewMessage::default() };
        self.run(self.queue(queue).send(&[message])).context("send a message")
    }

    pub fn send_to(&self, url: &str, body: impl Into<String>) -> anyhow::Result<()> {
        let message = NewMessage { body: body.into(), ..NewMessage::default() };
        let queue = self.up(|up| up.aws.queue(url));
        self.run(queue.send(&[message])).context("send a message")
    }

    /// The waiting messages of a queue, which remain there.
    pub fn browse(&self, url: &str) -> anyhow::Result<Vec<Message>> {
        let sqs = self.sqs();
        self.run(sqs_browse::browse(&sqs, url, 100))
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        self.up(|up| up.aws.sqs())
    }

    /// A number from the database.
    pub fn count(&self, sql: &'static str, symbol: &str) -> anyhow::Result<i64> {
        let pool = self.pool();
        Ok(self.run(sqlx::query_scalar(sql).bind(symbol).fetch_one(&pool))?)
    }

    pub fn rows(&self, symbol: &str) -> anyhow::Result<i64> {
        self.count("select count(*) from candles where symbol = $1", symbol)
    }

    /// Waits until a condition holds.
    pub fn eventually(&self, what: &str, mut holds: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !holds()? {
            ensure!(Instant::now() < deadline, "it never came to this: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Waits for the dead letter whose body contains these words, and leaves it in the queue.
    pub fn dead_letter(&self, queue: &str, words: &str) -> anyhow::Result<DeadLetter> {
        let mut found = None;
        self.eventually(&format!("a letter about {words} in {queue}"), || {
            found = self.look(queue, words)?;
            Ok(found.is_some())
        })?;
        found.context("find the letter")
    }

    /// Waits for a span of the services.
    pub fn span(&self, what: &str, is_it: impl Fn(&Seen) -> bool) -> anyhow::Result<Seen> {
        let mut found = None;
        self.eventually(what, || {
            found = self.collector.find(&is_it);
            Ok(found.is_some())
        })?;
        found.context("find the span")
    }

    /// Waits for a lineage event of the services.
    pub fn lineage(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let mut found = None;
        self.eventually(what, || {
            found = self.collector.event(&is_it);
            Ok(found.is_some())
        })?;
        found.context("find the event")
    }

    fn look(&self, queue: &str, words: &str) -> anyhow::Result<Option<DeadLetter>> {
        let url = self.setting(queue);
        let sqs = self.up(|up| up.aws.sqs());
        let messages = self.run(sqs_browse::browse(&sqs, &url, 100))?;
        Ok(messages.into_iter().find(|message| message.body.contains(words)).map(letter))
    }

    /// The running processes of this stack: their names and ids.
    pub fn running(&self) -> anyhow::Result<Vec<(String, u32)>> {
        leftovers::alive(&StateDir::open(self.state.path())?)
    }
}

fn letter(message: Message) -> DeadLetter {
    let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
    let class = attribute("class");
    let reason = attribute("reason");
    let stage = attribute("stage");
    DeadLetter { class, reason, stage, body: message.body }
}
