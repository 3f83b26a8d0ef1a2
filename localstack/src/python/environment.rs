//! Virtual environments.

use std::path::{Path, PathBuf};

/// A virtual environment, which may not be installed completely yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    dir: PathBuf,
}

impl Environment {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the path of its interpreter.
    pub fn python(&self) -> PathBuf {
        self.dir.join("bin").join("python")
    }

    /// Returns the file that is written last. Without it, the installation was interrupted.
    pub(super) fn marker(&self) -> PathBuf {
        self.dir.join("complete")
    }
}
