//! No message makes the reader of events panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = candlewick_shared::core::event::parse(text);
});
