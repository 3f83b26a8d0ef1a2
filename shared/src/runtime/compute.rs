//! Runs CPU-bound work outside of the thread that extends the leases.

use std::panic::resume_unwind;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// One permit per processor: more concurrent work would only use more memory.
fn threads() -> Arc<Semaphore> {
    static THREADS: OnceLock<Arc<Semaphore>> = OnceLock::new();
    let processors = || available_parallelism().map_or(1, usize::from);
    Arc::clone(THREADS.get_or_init(|| Arc::new(Semaphore::new(processors()))))
}

/// Runs `work` on a blocking thread, so that timers and the extension of leases are not delayed. A panic of the work
/// resumes in the caller.
///
/// The work continues when the caller is dropped, so it must be short and must not hold much memory.
///
/// # Errors
///
/// Returns an error if the runtime is shutting down.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    // The permit is awaited on the blocking thread: a runtime with paused time would take a wait for the permit of another
    // runtime for idleness, and advance its clock.
    let computed = spawn_blocking(move || {
        let permit = Handle::current().block_on(threads().acquire_owned());
        let _permit = permit.context("wait for a processor")?;
        Ok(work())
    });
    match computed.await {
        Ok(value) => value,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(error) => Err(error).context("compute"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The services use this kind of runtime: with one thread, work that blocked it would keep the timer from firing.
    #[tokio::test(flavor = "current_thread")]
    async fn others_go_on_while_something_is_computed() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let waiting = compute(move || receiver.recv_timeout(std::time::Duration::from_secs(20)).is_ok());
        let (was_received, ()) = tokio::join!(waiting, async {
            tokio::task::yield_now().await;
            sender.send(()).unwrap();
        });
        assert!(was_received.unwrap());
    }

    #[tokio::test]
    #[should_panic(expected = "no luck")]
    async fn a_panic_goes_on_in_the_caller() {
        let _ = compute(|| panic!("no luck")).await;
    }
}
