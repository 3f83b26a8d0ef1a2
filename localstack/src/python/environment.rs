//! An installed virtual environment.

use std::path::{Path, PathBuf};

/// An installed virtual environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    dir: PathBuf,
}

impl Environment {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.dir.join("bin").join("python")
    }

    /// The file that is written last. Without it the installation was interrupted.
    pub(super) fn marker(&self) -> PathBuf {
        self.dir.join("complete")
    }
}
