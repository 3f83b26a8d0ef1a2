//! What the shared crate promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod calendar_sessions;
