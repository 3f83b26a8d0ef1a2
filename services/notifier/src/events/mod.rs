//! Sends the events `candles.loaded` to programs outside (docs/events.md).
//!
//! The loader's transaction adds a delivery for each registered sink ([`outbox`]). A [`relay`] for each [`sink`] sends
//! them: at least once, and for each series in the order of its loads.

pub mod event_bus;
pub mod listen;
pub mod outbox;
pub mod relay;
pub mod signed_webhook;
pub mod sink;
pub mod sinks;
pub mod sns;
