//! Airflow as a part of the stack.

use candlewick_shared::runtime::env::Env;
use secrecy::SecretString;

use super::options::{AirflowOptions, Options};
use crate::airflow::{self, Settings};
use crate::state::StateDir;

/// The setting of the dashboard with the token that requests runs.
pub(super) const WRITE_TOKEN: &str = "DASHBOARD_WRITE_TOKEN";

/// The owner's token, or a new one for this run, which is also in a file.
pub(super) fn write_token(env: &Env, state: &StateDir) -> anyhow::Result<SecretString> {
    match env.secret(WRITE_TOKEN) {
        Some(token) => Ok(token),
        None => airflow::write_token(state),
    }
}

pub(super) fn settings(
    options: &Options,
    own: &AirflowOptions,
    at: &Env,
    token: SecretString,
) -> anyhow::Result<Settings> {
    let port = at.required("AIRFLOW_URL")?.rsplit(':').next().and_then(|port| port.parse().ok());
    Ok(Settings {
        python_home: options.python_home.clone(),
        provider: own.provider.clone(),
        port: port.unwrap_or_default(),
        symbols: own.symbols.clone(),
        dashboard: at.required("DASHBOARD_URL")?.to_owned(),
        token,
    })
}
