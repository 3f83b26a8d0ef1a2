//! What the handler promises.

mod age;
mod columns;
mod metadata;
mod outputs;
mod overwriting;
mod refused;
mod support;
