//! Where things are: the checkout, the state directory, and the addresses of what runs.

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
    /// The checkout.
    pub root: PathBuf,
    /// Where `up` keeps its data, logs and addresses.
    pub state: PathBuf,
}

/// What a command works on.
pub struct Running {
    /// Its settings.
    pub env: Env,
    /// Its AWS, or what stands in for it.
    pub aws: Aws,
}

/// The checkout: where this program was built.
fn checkout() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("find the checkout")
}

/// Adds what the checkout's `.env` says to the environment; what is set there already goes before it.
pub fn load_settings() -> anyhow::Result<()> {
    let file = checkout()?.join(".env");
    match dotenvy::from_path(&file) {
        Err(error) if !error.not_found() => Err(error).with_context(|| format!("read {}", file.display())),
        _ => Ok(()),
    }
}

impl Place {
    /// The checkout is where this program was built; the state directory is `.local` in it, or where the user says.
    pub fn find(state: Option<PathBuf>) -> anyhow::Result<Self> {
        let root = checkout()?.to_owned();
        let state = match state {
            Some(state) => std::path::absolute(state).context("resolve the state directory")?,
            None => root.join(".local"),
        };
        Ok(Self { root, state })
    }

    /// What runs: the environment's addresses, or those that `up` wrote. It must answer.
    pub async fn running(&self) -> anyhow::Result<Running> {
        Running::at(self.env()?).await
    }

    /// What runs at these addresses, which go before the environment's; credentials come from there.
    pub async fn deployed(&self, addresses: BTreeMap<String, String>) -> anyhow::Result<Running> {
        Running::at(Env::from_variables(addresses).or(Env::of_process())).await
    }

    /// AWS, or what stands in for it, as far as anything says where that is.
    pub async fn aws(&self) -> anyhow::Result<Aws> {
        aws_of(&Env::of_process().or(Env::from_variables(self.written()?.unwrap_or_default()))).await
    }

    /// What `up` wrote, where it did.
    pub fn written(&self) -> anyhow::Result<Option<env_file::Settings>> {
        env_file::read(&self.state.join("env"))
    }

    fn env(&self) -> anyhow::Result<Env> {
        let process = Env::of_process();
        match self.written()? {
            Some(settings) => Ok(process.or(Env::from_variables(settings))),
            None if process.optional("BUCKET").is_some() => Ok(process),
            None => bail!(
                "nothing has run here: there is no {} and the environment has no BUCKET; start with `cargo run -- up`",
                self.state.join("env").display()
            ),
        }
    }
}

/// AWS, or what stands in for it, as the settings say.
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

impl Running {
    async fn at(env: Env) -> anyhow::Result<Self> {
        let aws = aws_of(&env).await?;
        Ok(Self { env, aws })
    }

    /// The database, with the URL's password or with IAM, as the settings say.
    pub async fn pool(&self) -> anyhow::Result<PgPool> {
        self.env.required("DATABASE_URL")?;
        let url = self.env.secret("DATABASE_URL").context("read DATABASE_URL")?;
        database::connect(&self.env, &self.aws, &url, 2).await
    }
}

/// Tells a stack that is down from one that is slow, before any client starts to try again.
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
