//! What Airflow runs with.

use std::path::PathBuf;

use secrecy::SecretString;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of the Python environments.
    pub python_home: PathBuf,
    /// The sources of the provider, `integrations/airflow` of the checkout.
    pub provider: PathBuf,
    pub port: u16,
    /// The symbols of the example DAG.
    pub symbols: Vec<String>,
    /// The address of the dashboard.
    pub dashboard: String,
    /// The token that requests runs there.
    pub token: SecretString,
}
