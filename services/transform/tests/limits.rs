//! What the service holds at most while it is sent what would fill any memory, in bytes that were asked for.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{Read, Write};
use std::sync::Arc;

use candlewick_shared::core::byte_size::ByteSize;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;
use flate2::{Compression, write::GzEncoder};
use futures::future::join_all;
use jiff::Timestamp;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a container of docker-compose.yml has.
const LIMIT: ByteSize = ByteSize(192 << 20);

/// How many messages a service has in process at once.
const SLOTS: usize = 6;

fn gzip(text: impl Read) -> Vec<u8> {
    gzip_at(Compression::fast(), text)
}

fn gzip_at(level: Compression, text: impl Read) -> Vec<u8> {
    let mut text = text;
    let mut encoder = GzEncoder::new(Vec::new(), level);
    std::io::copy(&mut text, &mut encoder).unwrap();
    encoder.flush().unwrap();
    encoder.finish().unwrap()
}

fn key(at: usize) -> String {
    format!("raw/interval=1day/symbol=S{at}/candles.csv.gz")
}

/// The outcomes of as many objects at once as the service takes, and what was held at most in addition to the objects themselves.
async fn all_at_once(body: &[u8]) -> (Vec<Outcome>, usize) {
    let bucket = Bucket::default();
    for at in 0..SLOTS {
        bucket.drop_object(&key(at), body, &[("fetched-at", "2024-12-30T22:00:00Z")]).await;
    }
    let now = || "2024-12-31T00:00:00Z".parse::<Timestamp>().unwrap();
    let transform = Transform::new(Arc::new(bucket), Arc::new(now)).with_memory(Memory::new(LIMIT));
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let outcomes = join_all((0..SLOTS).map(|at| transform.clone().handle(bucket::created(&key(at))))).await;
    (outcomes, MEMORY.peak_usage() - before)
}

fn refused(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Setback::Permanent(failure)) if failure.class == "object_too_large")
}

// One test, because what others did at the same time would be counted too.
#[tokio::test]
async fn six_objects_at_once_stay_below_the_limit_whatever_they_expand_to() {
    let header = b"datetime,open,high,low,close,volume\n";
    // A gzip file may have several parts, which expand one after another: 10 GiB of zeros, and a line of 1 GiB.
    let zeros = gzip_at(Compression::best(), std::io::repeat(0).take(1 << 27)).repeat(80);
    let long_line = [gzip(&header[..]), gzip(std::io::repeat(b'1').take(1 << 27)).repeat(8)].concat();
    let short_lines = gzip(header.chain(std::io::Cursor::new("1\n".repeat(5_000_000))));
    assert!((5_000_000..20_000_000).contains(&zeros.len()), "{} bytes of gzip", zeros.len());
    for body in [zeros, short_lines, long_line] {
        let (outcomes, peak) = all_at_once(&body).await;
        assert!(outcomes.iter().all(refused), "{outcomes:?}");
        assert!(peak < 16 << 20, "{peak} bytes to find out that an object is too large");
    }
    // As many rows as are allowed. None is a candle, and most follow the worst one: each is quarantined.
    let rows = "2024-12-27,9,99,1,10,5\n".to_owned() + &"1\n".repeat(200_000);
    let (outcomes, peak) = all_at_once(&gzip(header.chain(rows.as_bytes()))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Settled::Done))), "{outcomes:?}");
    assert!((peak as u64) < LIMIT.0, "{peak} bytes for {SLOTS} objects at once");
}
