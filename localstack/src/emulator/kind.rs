//! Which emulator to run, and how.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A program that stands in for AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emulator {
    /// LocalStack 4.12, the last that runs without an account on every Python that Candlewick does.
    #[default]
    LocalStack,
    /// MiniStack, which is maintained.
    MiniStack,
    /// The server of moto, which is maintained.
    Moto,
}

impl Emulator {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::LocalStack, Self::MiniStack, Self::Moto];

    /// Its name in settings, and that of its process, log and directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalStack => "localstack",
            Self::MiniStack => "ministack",
            Self::Moto => "moto",
        }
    }

    /// Its name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Self::LocalStack => "LocalStack",
            Self::MiniStack => "MiniStack",
            Self::Moto => "moto",
        }
    }
}

impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of an emulator's.
#[derive(Debug, thiserror::Error)]
#[error("there is no emulator {0:?}: it is localstack, ministack or moto")]
pub struct UnknownEmulator(String);

impl FromStr for Emulator {
    type Err = UnknownEmulator;

    fn from_str(name: &str) -> Result<Self, UnknownEmulator> {
        Self::ALL.into_iter().find(|emulator| emulator.name() == name).ok_or_else(|| UnknownEmulator(name.to_owned()))
    }
}

/// How an emulator is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which one.
    pub emulator: Emulator,
    /// The loopback port of its one endpoint.
    pub port: u16,
    /// The services to offer, by their AWS names: `s3`, `sqs`, `sns`, ….
    pub services: Vec<String>,
    /// How long it may take to get ready.
    pub patience: Duration,
}
