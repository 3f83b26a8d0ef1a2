//! How much memory a service may take, and who has how much of it at a time.

use anyhow::ensure;

use crate::adapters::budget::{Budget, Share};
use crate::core::byte_size::ByteSize;
use crate::runtime::env::Env;
use crate::runtime::outcome::Failure;

/// What a service takes at rest, with connections and buffers, in bytes.
const AT_REST: u64 = 64 << 20;

/// What a service may take where neither a setting nor a container says so.
const OTHERWISE: ByteSize = ByteSize(1 << 30);

/// The least that it can work with.
const LEAST: ByteSize = ByteSize(128 << 20);

/// The memory of a service, shared out: a quarter is for the bodies of objects, three quarters for work on them. Who has a share
/// for work never waits for one of a body, so that nobody waits for each other.
#[derive(Clone, Debug)]
pub struct Memory {
    bodies: Budget,
    work: Budget,
}

impl Memory {
    /// The memory that `MEMORY_LIMIT` says, or else the container's limit, or else 1 GiB.
    ///
    /// # Errors
    /// A setting that is no size, or a limit that is too small to work with.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let limit = env.parsed_or("MEMORY_LIMIT", of_the_container().unwrap_or(OTHERWISE))?;
        ensure!(limit >= LEAST, "MEMORY_LIMIT, or the container's limit, is {limit}: give it at least {LEAST}");
        Ok(Self::new(limit))
    }

    /// A memory of that size; what a service takes at rest is part of it.
    #[must_use]
    pub fn new(limit: ByteSize) -> Self {
        let rest = limit.0.saturating_sub(AT_REST);
        Self { bodies: Budget::new(rest / 4), work: Budget::new(rest / 4 * 3) }
    }

    /// How many bytes of objects may be in process at once, by what their events say: `BYTES_IN_FLIGHT`, or all that is for
    /// bodies, 64 MiB at the most.
    ///
    /// # Errors
    /// A setting that is no number.
    pub fn bytes_in_flight(&self, env: &Env) -> anyhow::Result<u32> {
        let otherwise = u32::try_from(self.bodies.bytes()).unwrap_or(u32::MAX).min(64 << 20);
        env.parsed_or("BYTES_IN_FLIGHT", otherwise)
    }

    /// What is for the bodies of objects.
    #[must_use]
    pub fn bodies(&self) -> &Budget {
        &self.bodies
    }

    /// What is for work on them.
    #[must_use]
    pub fn work(&self) -> &Budget {
        &self.work
    }

    /// Waits for so many bytes to work on an object; `what` says what takes so much.
    ///
    /// # Errors
    /// A failure of the object where it takes more than there is at all.
    pub async fn take_for(&self, what: &str, bytes: u64) -> Result<Share, Failure> {
        let (wanted, all) = (ByteSize(bytes), ByteSize(self.work.bytes()));
        let words = || {
            format!("{what} takes {wanted} of memory, and {all} are for one object: split it, or raise MEMORY_LIMIT")
        };
        self.work.take(bytes).await.map_err(|_| Failure::new("object_too_large", words()))
    }
}

fn of_the_container() -> Option<ByteSize> {
    let file = |path| std::fs::read_to_string(path).ok();
    let (second, first) = (file("/sys/fs/cgroup/memory.max"), file("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    container_limit(second.as_deref()).or_else(|| container_limit(first.as_deref()))
}

/// What a control group allows; none where it allows everything, which its first version says by a number beyond all memory.
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
        let failure =
            Memory::new(ByteSize(AT_REST + (1 << 20))).take_for("a file of 9 rows", 2 << 20).await.unwrap_err();
        assert_eq!(failure.class, "object_too_large");
        assert!(failure.message.contains("a file of 9 rows takes 2 MiB"), "{}", failure.message);
    }
}
