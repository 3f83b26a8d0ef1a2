//! `candlewick up --airflow`: Airflow next to the rest.

use anyhow::bail;
use candlewick_localstack::airflow;
use candlewick_localstack::ports::Wish;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::{AirflowOptions, Running, Stack};
use candlewick_localstack::state::StateDir;
use candlewick_shared::core::watchlist::Watchlist;

use crate::place::Place;
use crate::terminal;

#[derive(Debug, clap::Args)]
pub struct Airflow {
    /// Also start Apache Airflow, whose example DAG then fetches the watchlist instead of the schedule (docs/airflow.md)
    #[arg(long, conflicts_with = "once")]
    airflow: bool,
    /// The port of Airflow [default: the last port used, or any free port]
    #[arg(long, value_name = "PORT", env = "AIRFLOW_PORT")]
    airflow_port: Option<u16>,
}

impl Airflow {
    /// The schedule of Candlewick itself: both would fetch, so it is off while Airflow drives.
    pub fn schedule<'a>(&self, own: &'a str) -> &'a str {
        if self.airflow { "off" } else { own }
    }

    pub fn options(&self, place: &Place, watchlist: &Watchlist) -> Option<AirflowOptions> {
        let port =
            self.airflow_port.map_or(Wish::Any, |port| Wish::Demanded { port, setting: "--airflow-port".to_owned() });
        let mut symbols: Vec<_> = watchlist.series().map(|series| series.symbol.to_string()).collect();
        symbols.dedup();
        self.airflow.then(|| AirflowOptions { port, provider: place.root.join("integrations/airflow"), symbols })
    }

    /// Installs it while the services are built.
    pub async fn install(&self, place: &Place, progress: &Reporter) -> anyhow::Result<()> {
        if self.airflow {
            airflow::install(&place.root.join(".local"), progress).await?;
        }
        Ok(())
    }

    /// Starts it, and waits until it is healthy.
    pub async fn start(&self, stack: &mut Stack, running: &Running, progress: &Reporter) -> anyhow::Result<()> {
        let prepared = tokio::select! {
            prepared = stack.prepare_airflow(running) => prepared?,
            died = stack.died() => bail!(died),
        };
        let Some(airflow) = prepared else { return Ok(()) };
        stack.start_airflow(&airflow)?;
        progress.line("airflow", "starting");
        tokio::select! {
            ready = airflow.until_ready(progress) => ready,
            died = stack.died() => bail!(died),
        }
    }

    pub fn show(&self, running: &Running, state: &StateDir) {
        let Some(url) = running.addresses.get("AIRFLOW_URL") else { return };
        let home = state.root().join("airflow");
        terminal::result(&format!(
            "Airflow      {url}, user admin, with the password in {}/passwords.json",
            home.display()
        ));
        terminal::result(&format!("DAGs         {}/dags, and the example candlewick_daily", home.display()));
    }
}
