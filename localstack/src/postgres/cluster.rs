//! The data directory and its password. Both are created together, so that neither exists without the other.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use rand::distr::{Alphanumeric, SampleString};
use tokio::process::Command;

use super::account;
use super::binaries::Binaries;
use super::settings::ROLE;
use crate::process::Identity;
use crate::progress::Reporter;

const PASSWORD_LENGTH: usize = 32;

/// A directory with the server's `data/` and `password`.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    home: PathBuf,
}

impl Cluster {
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.home.join("password")
    }

    /// Returns the data directory and the major version that created it, or `None` if there is no data yet.
    pub(super) fn existing_data(&self) -> anyhow::Result<Option<(PathBuf, String)>> {
        let data = self.data();
        if !data.exists() {
            return Ok(None);
        }
        let major = fs::read_to_string(data.join("PG_VERSION"))
            .with_context(|| format!("read PG_VERSION of the data in {}", data.display()))?;
        Ok(Some((data, major.trim().to_owned())))
    }

    /// Creates the data directory if it does not exist. It is renamed to its final name once it is complete.
    pub(super) async fn ensure(
        &self,
        binaries: &Binaries,
        identity: Option<&Identity>,
        progress: &Reporter,
    ) -> anyhow::Result<()> {
        if self.data().exists() {
            return Ok(());
        }
        let new = self.home.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("remove {}", new.display()))?;
        }
        progress.line("postgres", &format!("creating a database in {}", self.data().display()));
        self.write_password(identity)?;
        self.initdb(binaries, &new, identity).await?;
        fs::rename(&new, self.data()).with_context(|| format!("rename {}", new.display()))
    }

    pub(super) fn password(&self) -> anyhow::Result<String> {
        let file = self.password_file();
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "read the database's password from {}; if it is lost, move its directory away to start with an empty database",
                file.display()
            )
        })?;
        Ok(text.trim().to_owned())
    }

    fn write_password(&self, identity: Option<&Identity>) -> anyhow::Result<()> {
        let path = self.password_file();
        let write = || -> std::io::Result<()> {
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            writeln!(file, "{}", Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH))
        };
        write().with_context(|| format!("write {}", path.display()))?;
        account::set_owner(&path, identity)
    }

    /// Locale C sorts by bytes, which does not depend on the system or the version of its C library.
    async fn initdb(&self, binaries: &Binaries, data: &Path, identity: Option<&Identity>) -> anyhow::Result<()> {
        let program = account::program("initdb", &binaries.initdb(), identity)
            .args(["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username", ROLE, "--pwfile"])
            .args([self.password_file().as_path(), Path::new("--pgdata"), data]);
        let mut command = Command::from(program.to_command());
        let output = command.stdin(Stdio::null()).output().await.context("run initdb")?;
        if !output.status.success() {
            bail!("initdb failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}
