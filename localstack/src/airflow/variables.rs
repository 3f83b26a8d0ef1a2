//! The environment of Airflow's programs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::files;
use super::settings::Settings;

const BUNDLE: &str = "airflow.dag_processing.bundles.local.LocalDagBundle";
const EXAMPLES: &str = "candlewick_provider/example_dags";

/// Settings of Airflow that suit one machine, and that the owner's environment may change. Each slot of the executor is a process,
/// and tasks that wait for Candlewick hold none, so few are enough. The example DAG is not paused, because it drives. The timeout
/// is for a machine that is busy. The container uses the same.
const DEFAULTS: &str = include_str!("../../../integrations/airflow/settings.json");

/// Variables of the example DAG.
const OF_THE_EXAMPLE: [&str; 2] = ["CANDLEWICK_SYMBOLS", "CANDLEWICK_OWNER"];

/// What the environment is made of.
pub(super) struct Values<'a> {
    pub(super) home: &'a Path,
    pub(super) settings: &'a Settings,
    /// Since when the example DAG is scheduled.
    pub(super) since: String,
    /// The address of Airflow's database, with its password.
    pub(super) database: SecretString,
    /// Signs the tokens of Airflow's programs and pages. A run has its own.
    pub(super) secret: SecretString,
}

/// The variables, from the weakest: settings that suit most, the owner's (`AIRFLOW_…`), and those that make the stack.
pub(super) fn all(
    values: &Values,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Vec<(String, String)>> {
    let defaults: BTreeMap<String, String> = serde_json::from_str(DEFAULTS).context("read the settings of Airflow")?;
    let mut variables: Vec<_> = defaults.into_iter().collect();
    variables.push(("CANDLEWICK_SYMBOLS".to_owned(), values.settings.symbols.join(",")));
    variables.extend(environment.filter_map(inherited));
    variables.extend(fixed(values).into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(variables)
}

fn inherited((name, value): (OsString, OsString)) -> Option<(String, String)> {
    let name = name.into_string().ok()?;
    let is_meant = name.starts_with("AIRFLOW_") || OF_THE_EXAMPLE.contains(&name.as_str());
    let value = value.into_string().ok().filter(|value| is_meant && !value.is_empty())?;
    Some((name, value))
}

fn fixed(values: &Values) -> Vec<(&'static str, String)> {
    let Values { home, settings, since, database, secret } = values;
    let address = format!("http://127.0.0.1:{}", settings.port);
    vec![
        ("AIRFLOW_HOME", home.display().to_string()),
        ("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", format!("{address}/execution/")),
        ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", files::passwords(home).display().to_string()),
        ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "False".to_owned()),
        ("AIRFLOW__API__BASE_URL", address),
        ("AIRFLOW__API__HOST", "127.0.0.1".to_owned()),
        ("AIRFLOW__API__PORT", settings.port.to_string()),
        ("AIRFLOW__API_AUTH__JWT_SECRET", secret.expose_secret().to_owned()),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database.expose_secret().to_owned()),
        ("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles(home)),
        ("AIRFLOW_CONN_CANDLEWICK_DEFAULT", connection(settings)),
        ("CANDLEWICK_SINCE", since.clone()),
        ("PYTHONPATH", files::provider(home).display().to_string()),
    ]
}

/// Where DAGs are: those of the owner, and the example as it is in the provider.
fn bundles(home: &Path) -> String {
    let bundle = |name: &str, path: &Path| json!({"name": name, "classpath": BUNDLE, "kwargs": {"path": path}});
    let own = bundle("dags-folder", &home.join("dags"));
    json!([own, bundle("candlewick-example", &files::provider(home).join(EXAMPLES))]).to_string()
}

fn connection(settings: &Settings) -> String {
    json!({"conn_type": "candlewick", "host": settings.dashboard, "password": settings.token.expose_secret()})
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(environment: &[(&str, &str)]) -> BTreeMap<String, String> {
        let settings = Settings {
            python_home: ".local".into(),
            provider: "integrations/airflow".into(),
            port: 8080,
            symbols: vec!["AAPL".to_owned(), "BTC/USD".to_owned()],
            dashboard: "http://127.0.0.1:8470".to_owned(),
            token: "tok\"en".into(),
        };
        let home = Path::new("/state/airflow");
        let since = "2024-12-30T22:00:00Z".to_owned();
        let values = Values { home, settings: &settings, since, database: "postgresql://x".into(), secret: "s".into() };
        let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        // As for a process, the last of two wins.
        all(&values, environment).unwrap().into_iter().collect()
    }

    #[test]
    fn the_owner_may_change_what_does_not_make_the_stack() {
        let own = [
            ("AIRFLOW__CORE__PARALLELISM", "16"),
            ("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://x"),
            ("AIRFLOW__API__HOST", "0.0.0.0"),
            ("CANDLEWICK_OWNER", "me@example.org"),
            ("TWELVEDATA_API_KEY", "secret"),
        ];
        let variables = variables(&own);
        assert_eq!(variables["AIRFLOW__CORE__PARALLELISM"], "16");
        assert_eq!(variables["AIRFLOW_CONN_SMTP_DEFAULT"], "smtp://x");
        assert_eq!(variables["CANDLEWICK_OWNER"], "me@example.org");
        assert_eq!(variables["AIRFLOW__API__HOST"], "127.0.0.1", "nobody else can reach it");
        let user = &variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"];
        assert_eq!(user.split(':').next(), Some(files::USER), "its password is in the file");
        assert!(!variables.contains_key("TWELVEDATA_API_KEY"));
    }

    #[test]
    fn the_example_has_the_symbols_of_the_watchlist_unless_others_are_set() {
        assert_eq!(variables(&[("CANDLEWICK_SYMBOLS", "")])["CANDLEWICK_SYMBOLS"], "AAPL,BTC/USD");
        assert_eq!(variables(&[("CANDLEWICK_SYMBOLS", "MSFT")])["CANDLEWICK_SYMBOLS"], "MSFT");
    }

    #[test]
    fn the_connection_leads_to_the_dashboard_with_the_token() {
        let connection: serde_json::Value =
            serde_json::from_str(&variables(&[])["AIRFLOW_CONN_CANDLEWICK_DEFAULT"]).unwrap();
        assert_eq!(connection["host"], "http://127.0.0.1:8470");
        assert_eq!(connection["password"], "tok\"en");
    }
}
