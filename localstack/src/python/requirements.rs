//! Requirements of a virtual environment.

/// The requirements of one virtual environment, locked by hashes.
#[derive(Debug, Clone, Copy)]
pub struct Requirements {
    /// The name in messages, such as `LocalStack 4.12`.
    pub title: &'static str,
    /// The approximate size in messages, such as `130 MB`.
    pub size: &'static str,
    /// The contents of the requirements files, in the order of installation.
    pub locks: &'static [&'static str],
    /// A Python program to run once after the installation.
    pub prepare: Option<&'static str>,
    /// What else the user can do if the installation fails. It is appended to the hint to check the network and may be empty.
    pub otherwise: &'static str,
}
