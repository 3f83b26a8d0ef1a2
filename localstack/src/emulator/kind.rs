//! The emulators and the settings of one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A program that emulates AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emulator {
    /// LocalStack 4.12, the last version that runs without an account on every Python version that Candlewick supports.
    #[default]
    LocalStack,
    /// MiniStack, which is still maintained.
    MiniStack,
    /// The server mode of moto, which is still maintained.
    Moto,
}

impl Emulator {
    /// All emulators, the default first.
    pub const ALL: [Self; 3] = [Self::LocalStack, Self::MiniStack, Self::Moto];

    /// Returns the name in settings, which its process, log and directory also have.
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalStack => "localstack",
            Self::MiniStack => "ministack",
            Self::Moto => "moto",
        }
    }

    /// Returns the name in messages.
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

/// The name is not that of an emulator.
#[derive(Debug, thiserror::Error)]
#[error("there is no emulator {0:?}: it is localstack, ministack or moto")]
pub struct UnknownEmulator(String);

impl FromStr for Emulator {
    type Err = UnknownEmulator;

    fn from_str(name: &str) -> Result<Self, UnknownEmulator> {
        Self::ALL.into_iter().find(|emulator| emulator.name() == name).ok_or_else(|| UnknownEmulator(name.to_owned()))
    }
}

/// The settings of an emulator.
#[derive(Debug, Clone)]
pub struct Settings {
    pub emulator: Emulator,
    /// The loopback port of its only endpoint.
    pub port: u16,
    /// The AWS names of the services to offer: `s3`, `sqs`, `sns`, ….
    pub services: Vec<String>,
    /// The maximum time until it is ready.
    pub patience: Duration,
}
