//! Tower layers around every handler, each with one concern.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tower::layer::layer_fn;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tracing::Instrument;

use crate::core::trace::TraceParent;
use crate::ports::queue::{Lease, Message, Queue, XRAY};
use crate::runtime::measures;
use crate::runtime::outcome::{Setback, Settled};
use crate::runtime::{losses, telemetry};

/// A received message. The layers share it instead of copying it.
pub type Delivery = Arc<Message>;

/// A service that settles messages: a handler, or a handler with layers around it.
pub type MessageService = BoxCloneSyncService<Delivery, Settled, Setback>;

/// Opens a span for everything that is logged about a message, named by OpenTelemetry's conventions for messaging. It
/// continues the trace that S3 passed on, if there is one.
pub fn span(stage: &'static str) -> impl Layer<MessageService, Service = MessageService> + Clone {
    layer_fn(move |inner: MessageService| {
        MessageService::new(service_fn(move |delivery: Delivery| {
            let span = tracing::info_span!(
                "message",
                stage,
                id = delivery.id,
                attempt = delivery.receive_count,
                otel.name = format!("process {stage}"),
                otel.kind = "consumer",
                messaging.system = "aws_sqs",
                messaging.operation.name = "process",
                messaging.operation.type = "process",
                messaging.message.id = delivery.id,
            );
            let header = delivery.attributes.get(XRAY);
            let span = telemetry::follow(span, header.and_then(|header| TraceParent::from_xray(header)));
            inner.clone().oneshot(delivery).instrument(span)
        }))
    })
}

/// Measures the duration of the work, labelled with its outcome.
pub fn measure(stage: &'static str) -> impl Layer<MessageService, Service = MessageService> + Clone {
    layer_fn(move |inner: MessageService| {
        MessageService::new(service_fn(move |delivery: Delivery| {
            let begun = Instant::now();
            let work = inner.clone().oneshot(delivery);
            work.map(move |outcome| {
                measures::processed(stage, &outcome, begun.elapsed());
                outcome
            })
        }))
    })
}

/// Extends the lease from the moment of receipt until the work ends, and drops the work when the lease is lost.
///
/// The lease is extended by a task of its own, so that work that blocks its thread cannot starve it.
pub fn lease(queue: Arc<dyn Queue>, length: Duration) -> impl Layer<MessageService, Service = MessageService> + Clone {
    layer_fn(move |inner: MessageService| {
        let queue = Arc::clone(&queue);
        MessageService::new(service_fn(move |delivery: Delivery| {
            let lost = until_lost(Arc::clone(&queue), Arc::clone(&delivery), length).in_current_span();
            let inner = inner.clone();
            async move {
                let lost = AbortOnDropHandle::new(tokio::spawn(lost));
                // Lets the new task set its first timer before the work begins: it cannot run while this thread is
                // busy.
                tokio::task::yield_now().await;
                tokio::select! {
                    biased;
                    outcome = inner.oneshot(delivery) => outcome,
                    by_queue = lost => Err(Setback::LeaseLost { by_queue: by_queue.unwrap_or(true) }),
                }
            }
        }))
    })
}

/// Extends a lease three times per length, and sooner after an extension that failed, so that several may fail before
/// the lease ends. Returns when the lease is lost: true if the queue failed to extend it.
async fn until_lost(queue: Arc<dyn Queue>, message: Delivery, length: Duration) -> bool {
    let mut held_until = Instant::now() + length;
    let mut next = Instant::now() + length / 3;
    let mut has_failed = false;
    loop {
        sleep_until(next.min(held_until)).await;
        let asked = Instant::now();
        // A late extension is not sent: the queue might grant it although another consumer has already received the
        // message.
        if asked >= held_until {
            return has_failed;
        }
        next = asked + length / 3;
        match timeout_at(held_until, queue.extend(&message.receipt, length)).await {
            Ok(Ok(Lease::Held)) => (held_until, has_failed) = (asked + length, false),
            Ok(Ok(Lease::Lost)) => return has_failed,
            Err(_) => return true,
            Ok(Err(error)) => {
                has_failed = true;
                next = asked + length / 10;
                tracing::warn!("the lease was not extended: {error}");
            }
        }
    }
}

/// Starts a message at its last chance only when nothing else is in process, and starts nothing else until it ends.
pub fn exclusive(
    permits: Arc<Semaphore>,
    all: u32,
    most_lost: u32,
) -> impl Layer<MessageService, Service = MessageService> + Clone {
    layer_fn(move |inner: MessageService| {
        let permits = Arc::clone(&permits);
        MessageService::new(service_fn(move |delivery: Delivery| {
            let permits = Arc::clone(&permits);
            let inner = inner.clone();
            async move {
                let is_exclusive = losses::is_at_its_last_chance(&delivery, most_lost);
                let others = if is_exclusive { all.saturating_sub(1) } else { 0 };
                let _others = permits.acquire_many(others).await.map_err(anyhow::Error::from)?;
                inner.oneshot(delivery).await
            }
        }))
    })
}

/// Ends work that takes longer than `most`, so that it cannot reduce the concurrency forever.
pub fn deadline(most: Duration) -> impl Layer<MessageService, Service = MessageService> + Clone {
    layer_fn(move |inner: MessageService| {
        MessageService::new(service_fn(move |delivery: Delivery| {
            let work = tokio::time::timeout(most, inner.clone().oneshot(delivery));
            work.map(move |done| done.unwrap_or_else(|_| Err(Setback::Retry(anyhow!("not done within {most:?}")))))
        }))
    })
}

/// Turns a panic in the handler into a setback of its message.
pub fn guard() -> impl Layer<MessageService, Service = MessageService> + Clone {
    layer_fn(|inner: MessageService| {
        MessageService::new(service_fn(move |delivery: Delivery| {
            let work = AssertUnwindSafe(inner.clone().oneshot(delivery)).catch_unwind();
            work.map(|done| {
                done.unwrap_or_else(|panic| Err(Setback::Retry(anyhow!("panicked: {}", panic_message(&*panic)))))
            })
        }))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
