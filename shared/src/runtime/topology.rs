//! The setting `TOPOLOGY`.

use std::fs;

use anyhow::{Context, anyhow};

use crate::core::topology::Topology;
use crate::runtime::env::Env;

/// Makes the topology of `TOPOLOGY` that of the process; if it is not set, `own`, the topology that the program was
/// written for. Without either, the process has the built-in one. Call it before anything uses [`Topology::current`].
///
/// # Errors
///
/// Returns an error if the topology cannot be read or is invalid, or if the process uses another already.
pub fn adopt(env: &Env, own: Option<Topology>) -> anyhow::Result<()> {
    let set = env.optional("TOPOLOGY").map(read).transpose().context("read TOPOLOGY")?;
    let Some(topology) = set.or(own) else { return Ok(()) };
    topology.make_current().map_err(|_| anyhow!("the process uses another topology already"))
}

/// Reads a topology from a file, or from its text.
fn read(setting: &str) -> anyhow::Result<Topology> {
    if setting.trim_start().starts_with('{') {
        return Ok(setting.parse()?);
    }
    let text = fs::read_to_string(setting).with_context(|| format!("read {setting}"))?;
    text.parse().with_context(|| format!("read {setting}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../topology.json");

    fn error(setting: &str) -> String {
        let env = Env::from_variables([("TOPOLOGY".to_owned(), setting.to_owned())].into());
        format!("{:#}", adopt(&env, None).unwrap_err())
    }

    #[test]
    fn it_is_a_text_or_the_path_of_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), TEXT).unwrap();
        for setting in [TEXT, file.path().to_str().unwrap()] {
            assert_eq!(read(setting).unwrap().queues.len(), Topology::built_in().queues.len());
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_the_setting_and_the_file() {
        assert!(error("/nowhere/topology.json").starts_with("read TOPOLOGY: read /nowhere/topology.json: "));
        assert!(error("{\"version\": 1}").contains("missing field"));
        let mut wrong: serde_json::Value = serde_json::from_str(TEXT).unwrap();
        wrong["consumers"] = serde_json::json!({"Mine": {"of": "raw/"}});
        assert!(error(&wrong.to_string()).contains("consumer \"Mine\": a name has"));
    }
}
