//! What the shared crate promises, seen from outside.

mod calendar_sessions;
