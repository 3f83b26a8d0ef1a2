//! Locates the checkout, the state directory and the running deployment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use candlewick_localstack::env_file;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::runtime::database;
use candlewick_shared::runtime::env::Env;
use sqlx::PgPool;

/// The checkout that this program was built from, and the state directory.
#[derive(Clone, Debug)]
pub struct Place {
    pub root: PathBuf,
    /// The directory for data, logs and addresses of `up`.
    pub state: PathBuf,
}

/// The running services, queues, bucket and database that a command works on.
pub struct Deployment {
    pub env: Env,
    /// AWS or an emulator of it.
    pub aws: Aws,
}

/// The checkout that this program was built from.
fn checkout() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("find the checkout")
}

/// Adds the settings in the checkout's `.env` to the environment. Variables that are already set keep their values.
pub fn load_settings() -> anyhow::Result<()> {
    let file = checkout()?.join(".env");
    match dotenvy::from_path(&file) {
        Err(error) if !error.not_found() => Err(error).with_context(|| format!("read {}", file.display())),
        _ => Ok(()),
    }
}

impl Place {
    /// The state directory is `.local` in the checkout, unless the user named one.
    pub fn find(state: Option<PathBuf>) -> anyhow::Result<Self> {
        let root = checkout()?.to_owned();
        let state = match state {
            Some(state) => std::path::absolute(state).context("resolve the state directory")?,
            None => root.join(".local"),
        };
        Ok(Self { root, state })
    }

    /// The deployment at the environment's addresses, completed by those that `up` wrote. Fails if its AWS emulator
    /// does not answer.
    pub async fn running(&self) -> anyhow::Result<Deployment> {
        Deployment::at(self.env()?).await
    }

    /// The deployment at these addresses, which override the environment's. Credentials come from the environment.
    pub async fn deployment_at(&self, addresses: BTreeMap<String, String>) -> anyhow::Result<Deployment> {
        Deployment::at(Env::from_variables(addresses).or(Env::of_process())).await
    }

    /// AWS or an emulator of it, also if the environment and `up` set no addresses.
    pub async fn aws(&self) -> anyhow::Result<Aws> {
        aws_of(&Env::of_process().or(Env::from_variables(self.written_settings()?.unwrap_or_default()))).await
    }

    /// The addresses that `up` wrote, if it did.
    pub fn written_settings(&self) -> anyhow::Result<Option<env_file::Settings>> {
        env_file::read(&self.state.join("env"))
    }

    fn env(&self) -> anyhow::Result<Env> {
        let process = Env::of_process();
        match self.written_settings()? {
            Some(settings) => Ok(process.or(Env::from_variables(settings))),
            None if process.optional("BUCKET").is_some() => Ok(process),
            None => bail!(
                "no deployment found: {} does not exist and BUCKET is not set; start one with `cargo run -- up`",
                self.state.join("env").display()
            ),
        }
    }
}

async fn aws_of(env: &Env) -> anyhow::Result<Aws> {
    match (env.optional("AWS_ENDPOINT_URL"), env.optional("AWS_REGION")) {
        (Some(endpoint), _) => {
            reachable(endpoint).await?;
            let id = env.required("AWS_ACCESS_KEY_ID")?;
            let secret = env.required("AWS_SECRET_ACCESS_KEY")?;
            Ok(Aws::at(endpoint, env.required("AWS_REGION")?, id, secret).await)
        }
        (None, Some(region)) => Ok(Aws::in_region(region).await),
        (None, None) => Ok(Aws::from_env().await),
    }
}

impl Deployment {
    async fn at(env: Env) -> anyhow::Result<Self> {
        let aws = aws_of(&env).await?;
        Ok(Self { env, aws })
    }

    /// Connects to the database, with the password of the URL or with IAM.
    pub async fn pool(&self) -> anyhow::Result<PgPool> {
        self.env.required("DATABASE_URL")?;
        let url = self.env.secret("DATABASE_URL").context("read DATABASE_URL")?;
        database::connect(&self.env, &self.aws, &url, 2).await
    }
}

/// Fails early if an emulator is down. Otherwise the clients would retry for a long time.
async fn reachable(endpoint: &str) -> anyhow::Result<()> {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    if endpoint.starts_with("https://") {
        return Ok(());
    }
    let connected = tokio::time::timeout(Duration::from_secs(3), tokio::net::TcpStream::connect(address)).await;
    match connected {
        Ok(Ok(_)) => Ok(()),
        _ => bail!("nothing answers at {endpoint}: start Candlewick with `cargo run -- up`, in another terminal"),
    }
}
