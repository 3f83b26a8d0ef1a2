//! Limits the memory of a service and shares it between objects.

use anyhow::ensure;

use crate::adapters::budget::{Budget, Share};
use crate::core::byte_size::ByteSize;
use crate::runtime::env::Env;
use crate::runtime::outcome::Failure;

/// The memory of an idle service with its connections and buffers, in bytes.
const IDLE: u64 = 64 << 20;

/// The limit if neither a setting nor a container sets one.
const DEFAULT_LIMIT: ByteSize = ByteSize(1 << 30);

/// The smallest limit with which a service can work.
const MIN_LIMIT: ByteSize = ByteSize(128 << 20);

/// The memory of a service: a quarter is for the bodies of objects, three quarters for work on them. A task that holds
/// a share for work never waits for a share for a body, so tasks cannot deadlock.
#[derive(Clone, Debug)]
pub struct Memory {
    bodies: Budget,
    work: Budget,
}

impl Memory {
    /// The memory that `MEMORY_LIMIT` sets, otherwise the container's limit, otherwise 1 GiB.
    ///
    /// # Errors
    ///
    /// Returns an error if the setting is not a size, or if the limit is too small.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let limit = env.parsed_or("MEMORY_LIMIT", of_container().unwrap_or(DEFAULT_LIMIT))?;
        ensure!(limit >= MIN_LIMIT, "MEMORY_LIMIT, or the container's limit, is {limit}: give it at least {MIN_LIMIT}");
        Ok(Self::new(limit))
    }

    /// A memory of this size, including that of the idle service.
    #[must_use]
    pub fn new(limit: ByteSize) -> Self {
        let rest = limit.0.saturating_sub(IDLE);
        Self { bodies: Budget::new(rest / 4), work: Budget::new(rest / 4 * 3) }
    }

    /// How many bytes of objects may be in process at once, by the sizes in their events: `BYTES_IN_FLIGHT`, by default
    /// everything that is for bodies, at most 64 MiB.
    ///
    /// # Errors
    ///
    /// Returns an error if the setting is not a number.
    pub fn bytes_in_flight(&self, env: &Env) -> anyhow::Result<u32> {
        let default = u32::try_from(self.bodies.bytes()).unwrap_or(u32::MAX).min(64 << 20);
        env.parsed_or("BYTES_IN_FLIGHT", default)
    }

    /// The memory for the bodies of objects.
    #[must_use]
    pub fn bodies(&self) -> &Budget {
        &self.bodies
    }

    /// The memory for work on objects.
    #[must_use]
    pub fn work(&self) -> &Budget {
        &self.work
    }

    /// Waits for `bytes` bytes to work on an object; `what` describes the work in the error.
    ///
    /// # Errors
    ///
    /// Returns a failure of the object if it needs more memory than there is for work.
    pub async fn take_for(&self, what: &str, bytes: u64) -> Result<Share, Failure> {
        let needed = ByteSize(bytes);
        let limit = ByteSize(self.work.bytes());
        let message = || {
            format!("{what} takes {needed} of memory, but one object may take {limit}: split it, or raise MEMORY_LIMIT")
        };
        self.work.take(bytes).await.map_err(|_| Failure::new("object_too_large", message()))
    }
}

fn of_container() -> Option<ByteSize> {
    let file = |path| std::fs::read_to_string(path).ok();
    let version_2 = file("/sys/fs/cgroup/memory.max");
    let version_1 = file("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    container_limit(version_2.as_deref()).or_else(|| container_limit(version_1.as_deref()))
}

/// The limit of a control group; `None` if it is unlimited, for which version 1 has a number beyond any memory.
fn container_limit(text: Option<&str>) -> Option<ByteSize> {
    let bytes: u64 = text?.trim().parse().ok()?;
    (bytes < 1 << 50).then_some(ByteSize(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_says_its_limit_in_either_version() {
        assert_eq!(container_limit(Some("201326592\n")), Some(ByteSize(192 << 20)));
        assert_eq!(container_limit(Some("max\n")), None);
        assert_eq!(container_limit(Some("9223372036854771712\n")), None);
        assert_eq!(container_limit(None), None);
    }

    #[test]
    fn a_setting_goes_before_the_container_and_must_leave_room_to_work() {
        let env = |limit: &str| Env::from_variables([("MEMORY_LIMIT".to_owned(), limit.to_owned())].into());
        assert_eq!(Memory::from_env(&env("320MiB")).unwrap().work().bytes(), 192 << 20);
        let error = Memory::from_env(&env("32MiB")).unwrap_err().to_string();
        assert!(error.contains("MEMORY_LIMIT") && error.contains("128 MiB"), "{error}");
    }

    #[tokio::test]
    async fn what_there_never_is_enough_for_is_refused_in_words() {
        let failure = Memory::new(ByteSize(IDLE + (1 << 20))).take_for("a file of 9 rows", 2 << 20).await.unwrap_err();
        assert_eq!(failure.class, "object_too_large");
        assert!(failure.message.contains("a file of 9 rows takes 2 MiB"), "{}", failure.message);
    }
}
