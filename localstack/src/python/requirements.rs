//! Locked requirements of a virtual environment.

/// A set of requirements, locked by hashes, for one virtual environment.
#[derive(Debug, Clone, Copy)]
pub struct Requirements {
    /// What they are for, in messages: `LocalStack 4.12`.
    pub title: &'static str,
    /// The size to expect, in messages: `130 MB`.
    pub size: &'static str,
    /// The texts of the requirements files, installed in this order.
    pub locks: &'static [&'static str],
    /// A Python program to run once after the installation.
    pub prepare: Option<&'static str>,
    /// What to do when they can't be installed, besides looking at the network.
    pub otherwise: &'static str,
}
