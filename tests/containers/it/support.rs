//! The network of a test run with all its containers, and ways to access them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use sqlx::PgPool;
use testcontainers::core::wait::ExitWaitStrategy;
use testcontainers::core::{AccessMode, IntoContainerPort, Mount, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, Healthcheck, ImageExt};
use tokio::runtime::Runtime;

use crate::engine::{self, LOCALSTACK, services};

/// The timeout of everything that is awaited. It only bounds failures; it is no performance limit.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long a service may take to stop: the same as in compose and on ECS.
const GRACE_SECONDS: i32 = 30;

const LOCALSTACK_IS_READY: &str = "import json, urllib.request as r; \
    s = json.load(r.urlopen('http://127.0.0.1:4566/_localstack/health'))['services']; \
    assert s['s3'] == s['sqs'] == 'running'";

static WORLD: OnceLock<World> = OnceLock::new();

/// Containers on a network.
pub struct World {
    runtime: Runtime,
    /// The name of the network, and the prefix of every container's name.
    pub name: String,
    environment: Vec<ContainerAsync<GenericImage>>,
    services: std::sync::Mutex<BTreeMap<&'static str, ContainerAsync<GenericImage>>>,
    aws: Aws,
    pub pool: PgPool,
}

impl World {
    /// The world, created on first use.
    pub fn get() -> &'static Self {
        WORLD.get_or_init(|| {
            let runtime = Runtime::new().expect("a runtime starts");
            let name = format!("candlewick-{}", std::process::id());
            let made = runtime.block_on(make(&name)).expect("the containers start");
            let (environment, services, aws, pool) = made;
            Self { runtime, name, environment, services: services.into(), aws, pool }
        })
    }

    /// Removes every container, and with the last one the network.
    pub fn stop_if_started() {
        let Some(world) = WORLD.get() else { return };
        let services = std::mem::take(&mut *world.services.lock().unwrap_or_else(PoisonError::into_inner));
        world.run(async {
            for container in services.into_values() {
                let _ = container.rm().await;
            }
            for container in &world.environment {
                let _ = engine::remove(container.id()).await;
            }
            let _ = engine::remove_network(&world.name).await;
        });
    }

    /// Runs async code to completion.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A container's name, by which others on the network find it.
    pub fn container(&self, service: &'static str) -> String {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.get(service).map(|container| container.id().to_owned()).expect("the service runs")
    }

    pub fn database(&self) -> String {
        self.environment[1].id().to_owned()
    }

    /// Starts a second container of a service, waits until it is healthy, stops the first, and returns its exit code.
    pub fn roll(&self, service: &'static str) -> anyhow::Result<Option<i64>> {
        self.run(async {
            let next = self::service(&self.name, service, "next").start().await.context("start the next container")?;
            let last = self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(service, next);
            let last = last.context("find the last container")?;
            last.stop_with_timeout(Some(GRACE_SECONDS)).await.context("stop the last container")?;
            let code = last.exit_code().await.context("read an exit code")?;
            last.rm().await.context("remove the last container")?;
            Ok(code)
        })
    }

    /// Runs the operator's command, which must succeed.
    pub fn candlewick(&self, words: &[&str]) -> anyhow::Result<()> {
        let request = operator(&self.name, words);
        self.run(async { request.start().await.context("run the command")?.rm().await.context("remove it") })
    }

    /// Tries to run a shell in an image.
    pub fn shell(&self, image: &str) -> anyhow::Result<()> {
        let name = format!("{}-shell-{image}", self.name);
        let shell = GenericImage::new(format!("candlewick/{image}"), engine::tag()).with_entrypoint("/bin/sh");
        self.run(async {
            let started = shell.with_container_name(&name).with_cmd(["-c", "true"]).start().await;
            // A container that could not be started exists nevertheless.
            let removed = engine::remove(&name).await;
            started.context("run a shell").map(drop).and(removed)
        })
    }

    /// Puts a raw file of two candles for each of these symbols.
    pub fn drop_files(&self, symbols: &[String]) -> anyhow::Result<()> {
        let body = "datetime,open,high,low,close,volume\n2024-12-26,10,12,9,11,100\n2024-12-27,11,13,10,12,200\n";
        let store = self.aws.store("candlewick");
        self.run(async {
            for symbol in symbols {
                let key = format!("raw/interval=1day/symbol={symbol}/candles.csv");
                store.put(&key, NewObject::csv(body.into(), Metadata::new()), PutIf::Always).await?;
            }
            Ok(())
        })
    }

    /// The number of candles in the database of symbols with this prefix.
    pub fn rows(&self, prefix: &str) -> anyhow::Result<i64> {
        let count = sqlx::query_scalar("select count(*) from candles where starts_with(symbol, $1)").bind(prefix);
        self.run(count.fetch_one(&self.pool)).context("count candles")
    }

    /// The number of runs that ended without failures.
    pub fn good_runs(&self) -> anyhow::Result<i64> {
        let count = sqlx::query_scalar("select count(*) from runs where ended_at is not null and failed = 0");
        self.run(count.fetch_one(&self.pool)).context("count runs")
    }

    /// Whether the transform has written the transformed file of a symbol.
    pub fn is_cleaned(&self, symbol: &str) -> anyhow::Result<bool> {
        let key = format!("transformed/interval=1day/symbol={symbol}/candles.csv");
        Ok(self.run(self.aws.store("candlewick").head(&key))?.is_some())
    }

    /// The number of messages in the dead-letter queue of the queue with this name.
    pub fn dead_letters(&self, queue: &str) -> anyhow::Result<u64> {
        let url = format!("{}-dlq", queue_url(&self.name, queue));
        Ok(self.run(self.aws.queue(&url).depth())?.waiting)
    }

    /// Waits until a condition holds.
    pub fn eventually(&self, what: &str, mut holds: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !holds()? {
            ensure!(Instant::now() < deadline, "it never came to this: {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

type Containers = Vec<ContainerAsync<GenericImage>>;
type Services = BTreeMap<&'static str, ContainerAsync<GenericImage>>;

async fn make(name: &str) -> anyhow::Result<(Containers, Services, Aws, PgPool)> {
    let environment = [localstack(name), database(name)?, simulator(name)].map(AsyncRunner::start);
    let environment = futures::future::try_join_all(environment).await.context("start what the services stand on")?;
    operator(name, &["provision"]).start().await.context("provision")?.rm().await.context("remove it")?;
    let started = services().map(|service| async move {
        Ok::<_, anyhow::Error>((service, self::service(name, service, "first").start().await?))
    });
    let services = futures::future::try_join_all(started).await.context("start the services")?;
    let endpoint =
        format!("http://{}:{}", environment[0].get_host().await?, environment[0].get_host_port_ipv4(4566).await?);
    let aws = Aws::at(&endpoint, "us-east-1", "test", "test").await;
    let address = format!("{}:{}", environment[1].get_host().await?, environment[1].get_host_port_ipv4(5432).await?);
    let pool = postgres::connect(&format!("postgres://candlewick:candlewick@{address}/candlewick"), 2).await?;
    Ok((environment, services.into_iter().collect(), aws, pool))
}

fn localstack(world: &str) -> ContainerRequest<GenericImage> {
    let check = Healthcheck::cmd(["python3", "-c", LOCALSTACK_IS_READY]).with_interval(Duration::from_secs(1));
    GenericImage::new(LOCALSTACK.0, LOCALSTACK.1)
        .with_exposed_port(4566.tcp())
        .with_wait_for(WaitFor::healthcheck())
        .with_health_check(check.with_retries(120))
        .with_startup_timeout(PATIENCE)
        .with_network(world)
        .with_container_name(format!("{world}-localstack"))
        .with_env_var("SERVICES", "s3,sqs,sns")
        .with_env_var("EAGER_SERVICE_LOADING", "1")
        .with_env_var("LOCALSTACK_HOST", format!("{world}-localstack:4566"))
        .with_env_var("SQS_ENDPOINT_STRATEGY", "path")
        .with_env_var("DISABLE_EVENTS", "1")
        .with_env_var("SKIP_SSL_CERT_DOWNLOAD", "1")
}

/// Uses a fixed port, so that the database has the same port after a restart.
fn database(world: &str) -> anyhow::Result<ContainerRequest<GenericImage>> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.context("find a free port")?.port();
    let check = Healthcheck::cmd(["pg_isready", "--host=127.0.0.1", "--username=candlewick"]);
    let (name, tag) = engine::postgres();
    let request = GenericImage::new(name, &tag)
        .with_exposed_port(5432.tcp())
        .with_wait_for(WaitFor::healthcheck())
        .with_health_check(check.with_interval(Duration::from_secs(1)).with_retries(120))
        .with_startup_timeout(PATIENCE)
        .with_network(world)
        .with_container_name(format!("{world}-postgres"))
        .with_mapped_port(port, 5432.tcp())
        .with_env_var("POSTGRES_USER", "candlewick")
        .with_env_var("POSTGRES_DB", "candlewick");
    Ok(request.with_env_var("POSTGRES_PASSWORD", "candlewick"))
}

fn simulator(world: &str) -> ContainerRequest<GenericImage> {
    confined("simulator", WaitFor::healthcheck()).with_network(world).with_container_name(format!("{world}-simulator"))
}

fn service(world: &str, name: &str, generation: &str) -> ContainerRequest<GenericImage> {
    let request = with_settings(confined(name, WaitFor::healthcheck()), world);
    request.with_container_name(format!("{world}-{name}-{generation}"))
}

fn operator(world: &str, words: &[&str]) -> ContainerRequest<GenericImage> {
    let ended = WaitFor::exit(ExitWaitStrategy::new().with_exit_code(0));
    with_settings(confined("candlewick", ended), world).with_cmd(words.iter().copied())
}

/// One of Candlewick's images, run as in compose and on ECS: read-only and without capabilities.
fn confined(name: &str, ready: WaitFor) -> ContainerRequest<GenericImage> {
    GenericImage::new(format!("candlewick/{name}"), engine::tag())
        .with_wait_for(ready)
        .with_startup_timeout(PATIENCE)
        .with_readonly_rootfs(true)
        .with_cap_drop("ALL")
        .with_security_opt("no-new-privileges:true")
}

fn with_settings(request: ContainerRequest<GenericImage>, world: &str) -> ContainerRequest<GenericImage> {
    let watchlist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../it/fixtures/watchlist.toml");
    let watchlist = Mount::bind_mount(watchlist.display().to_string(), "/etc/candlewick/watchlist.toml");
    let request = request.with_network(world).with_mount(watchlist.with_access_mode(AccessMode::ReadOnly));
    settings(world).into_iter().fold(request, |request, (name, value)| request.with_env_var(name, value))
}

fn settings(world: &str) -> Vec<(&'static str, String)> {
    let database = format!("postgres://candlewick:candlewick@{world}-postgres:5432/candlewick");
    vec![
        ("AWS_ENDPOINT_URL", format!("http://{world}-localstack:4566")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("BUCKET", "candlewick".to_owned()),
        ("ALERTS_QUEUE_URL", queue_url(world, "alerts")),
        ("INGEST_QUEUE_URL", queue_url(world, "ingest")),
        ("RAW_QUEUE_URL", queue_url(world, "raw")),
        ("TRANSFORMED_QUEUE_URL", queue_url(world, "transformed")),
        ("DASHBOARD_LISTEN", "0.0.0.0:8470".to_owned()),
        ("DASHBOARD_PASSWORD", "candlewick".to_owned()),
        ("DATABASE_URL", database),
        // Messages of a killed service return when their lease ends, and tests wait for that.
        ("LEASE_SECONDS", "10".to_owned()),
        ("SIMULATOR_URL", format!("http://{world}-simulator:8460")),
        ("WATCHLIST", "/etc/candlewick/watchlist.toml".to_owned()),
    ]
}

fn queue_url(world: &str, queue: &str) -> String {
    format!("http://{world}-localstack:4566/queue/us-east-1/000000000000/candlewick-{queue}")
}
