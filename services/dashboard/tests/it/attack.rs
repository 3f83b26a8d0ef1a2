//! A bounded attack from one address on the dashboard as it is deployed, in its own process, while another address
//! works: slow readers of large responses, a thousand event streams, half-open connections and floods of wrong tokens.
//! Both come through a proxy, so that this machine can have two addresses.
//!
//! An attacker has a machine of its own. Here it shares the processors with what it attacks, so its thread runs at the
//! lowest priority: it takes what the dashboard, the database and the other client leave, and no more of their time than
//! its requests cost them. That is as much as the two can do, so the other client's times are compared with those on a machine
//! that is as busy with something else. `ATTACKED_DASHBOARD` names another program to attack, such as that of a release build.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use candlewick_test_support::programs::root;
use candlewick_test_support::server::free_port;
use futures::future::join_all;
use libtest_mimic::Trial;
use rustix::process::setpriority_process;
use sqlx::ConnectOptions;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::World;

const TOKEN: &str = "open-sesame-open-sesame";
const ATTACKER: &str = "203.0.113.7";
const OTHER: &str = "203.0.113.8";

/// How many requests the other client makes before the attack, and again during it.
const REQUESTS: usize = 200;

/// How long it pauses between two requests. One address may make 50 requests per second.
const PAUSE: Duration = Duration::from_millis(20);

/// How many rounds are tried: one round in which nothing else disturbs the machine is enough.
const ROUNDS: usize = 5;

/// How many threads keep each processor busy in comparison: those of the dashboard, and those of the database.
const BUSY_PER_PROCESSOR: usize = 2;

/// How many times as long as on a busy machine a response may take.
const SLOWER: u32 = 2;

/// The lowest priority of a thread.
const LOWEST: i32 = 19;

const RANGE: &str = "/api/v1/series/LARGE/1min/candles?limit=50000";

pub fn trials() -> Vec<Trial> {
    trials![others_are_answered_in_the_middle_of_an_attack]
}

/// The dashboard in its own process, until this is dropped.
struct Dashboard {
    process: Child,
    address: SocketAddr,
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Dashboard {
    async fn start(world: &World) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let nowhere = format!("http://127.0.0.1:{}", free_port());
        let built = || OsString::from(env!("CARGO_BIN_EXE_candlewick-dashboard"));
        let process = Command::new(std::env::var_os("ATTACKED_DASHBOARD").unwrap_or_else(built))
            .env_clear()
            .env("DATABASE_URL", world.owner.connect_options().to_url_lossy().as_str())
            .envs([("BUCKET", "b"), ("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", &nowhere), ("RUST_LOG", "error")])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
            .envs([("DASHBOARD_TOKEN", TOKEN), ("DASHBOARD_TRUSTED_PROXIES", "1")])
            .env("DASHBOARD_LISTEN", address.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let dashboard = Self { process, address };
        while !reqwest::get(format!("http://{address}/readyz")).await.is_ok_and(|answer| answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        dashboard
    }

    /// The peak memory of the process, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

/// Threads that keep the processors busy until this is dropped.
struct Busy {
    is_over: Arc<AtomicBool>,
}

impl Busy {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..thread::available_parallelism().unwrap().get() * BUSY_PER_PROCESSOR {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || while !is_over.load(Ordering::Relaxed) {});
        }
        Self { is_over }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Work on a thread with its own runtime, until this is dropped.
struct OwnThread {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl OwnThread {
    fn start(priority: i32, work: impl Future<Output = ()> + Send + 'static) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let thread = thread::spawn(move || {
            // On Linux this is the priority of the calling thread.
            setpriority_process(None, priority).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! { () = work => {}, () = stopped => {} }
            });
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// The other client's 99th percentiles in one round.
struct Round {
    calm: Duration,
    busy: Duration,
    attacked: Duration,
}

impl Round {
    async fn run(address: SocketAddr) -> Self {
        let calm = requests(address).await;
        let others = Busy::start();
        let busy = requests(address).await;
        drop(others);
        let attack = OwnThread::start(LOWEST, attack(address));
        let attacked = requests(address).await;
        drop(attack);
        Self { calm, busy, attacked }
    }

    fn is_answered(&self) -> bool {
        self.attacked <= self.busy.max(self.calm) * SLOWER
    }
}

/// The container's memory limit, the same for all services in compose: `mem_limit: 192m`.
fn memory_limit() -> u64 {
    let compose = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let service = compose.split("x-service:").nth(1).unwrap();
    let limit = service.lines().find_map(|line| line.trim().strip_prefix("mem_limit: ")).unwrap();
    limit.trim_end_matches('m').parse::<u64>().unwrap() << 20
}

/// The 99th percentile of the other client's response times.
async fn requests(address: SocketAddr) -> Duration {
    let client = reqwest::Client::new();
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        let request = client.get(format!("http://{address}/api/v1/series/AAPL/1day/candles"));
        let answer = request.bearer_auth(TOKEN).header("x-forwarded-for", OTHER).send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        assert_eq!(status, 200, "the other one is turned away: {body}");
        times.push(begun.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    times.sort();
    times[REQUESTS * 99 / 100]
}

fn request(path: &str, token: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {ATTACKER}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

async fn send(address: SocketAddr, text: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(text.as_bytes()).await.ok()?;
    Some(stream)
}

/// Keeps this many connections open. Each sends a request and reads nothing of the response for a while.
async fn hold(address: SocketAddr, text: String, at_once: usize, held_for: Duration) {
    loop {
        let held = join_all((0..at_once).map(|_| send(address, &text))).await;
        tokio::time::sleep(held_for).await;
        drop(held);
    }
}

/// Sends one request after the other, fifty per second.
async fn flood(address: SocketAddr, path: &str, token: &str) {
    let client = reqwest::Client::new();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        let request = client.get(format!("http://{address}{path}")).bearer_auth(token);
        let _ = request.header("x-forwarded-for", ATTACKER).timeout(Duration::from_secs(1)).send().await;
    }
}

/// Opens a thousand event streams in 5 s, far more than the 512 allowed connections; most are refused.
async fn attack(address: SocketAddr) {
    tokio::join!(
        hold(address, request(RANGE, TOKEN), 20, Duration::from_secs(2)),
        hold(address, request("/api/v1/events", TOKEN), 200, Duration::from_secs(1)),
        hold(address, "GET / HTTP/1.1\r\nHost: local".to_owned(), 100, Duration::from_secs(1)),
        flood(address, "/api/v1/series", "wrong"),
        flood(address, RANGE, TOKEN),
    );
}

#[expect(clippy::print_stdout, reason = "figures are for people")]
async fn others_are_answered_in_the_middle_of_an_attack(world: World) {
    world.load("AAPL", "2024-12-01", &["1", "2", "3"]).await;
    let object = "insert into objects (key, symbol, interval) values ('transformed/large', 'LARGE', '1min')";
    world.run(object).await;
    world
        .run(
            "insert into candles select 'LARGE', '1min', '2024-01-01'::timestamptz + n * interval '1 minute',
                101.25, 102.5, 100.125, 101.75, 123456, false, (select id from objects where symbol = 'LARGE')
            from generate_series(1, 200000) n",
        )
        .await;
    let dashboard = Dashboard::start(&world).await;
    let address = dashboard.address;
    // The first requests open connections to the database.
    requests(address).await;
    let mut is_answered = false;
    for _ in 0..ROUNDS {
        let round = Round::run(address).await;
        let Round { calm, busy, attacked } = &round;
        println!("the other one's p99: {calm:.1?} calm, {busy:.1?} on a busy machine, {attacked:.1?} under attack");
        is_answered = round.is_answered();
        if is_answered {
            break;
        }
    }
    let peak = dashboard.peak();
    let limit = memory_limit();
    println!("memory: {} MiB", peak >> 20);
    assert!(is_answered, "the attack slows the other one down by more than a busy machine explains");
    assert!(peak < limit, "{} MiB were used, and the container has {}", peak >> 20, limit >> 20);
}
