//! No bytes make cleaning panic, or lose a row. A moment of it runs always; `CANDLEWICK_FUZZ_SECONDS` makes it run longer, on
//! other bytes each time, and a failure prints the seed that brings it back by `CANDLEWICK_FUZZ_SEED`.

use std::env;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::support::Case;

/// What files are made of, so that random ones come near to real ones.
const PIECES: [&[u8]; 40] = [
    b"\n",
    b"\r\n",
    b"\r",
    b",",
    b",",
    b",",
    b";",
    b"\"",
    b"\"\"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b" ",
    b".",
    b"-",
    b"e9",
    b"0",
    b"1",
    b"1.5",
    b"2.25",
    b"100",
    b"1e-7",
    b"1e36",
    b"999999999999999999",
    b"0.0000000000000000001",
    b"nan",
    b"N/A",
    b"2024-11-29",
    b"2024-11-29 09:30:00",
    b"2024-03-10 02:30:00",
    b"2024-11-29T14:30:00Z",
    b"9999-12-31",
    b"-009999-01-01",
    b"2027-11-23",
    b"2024-11-29,1,2,1,1.5,7\n",
    b"2024-12-02,1,2,1,2,5\n",
    b"2024-11-29 10:30:00,1,2,1,2,5\n",
    b"2024-11-29 10:31:00,1.25,2,1,2,5\n",
    b"date,open,high,low,close",
    b"true",
];

const HEADERS: [&[u8]; 5] = [
    b"datetime,open,high,low,close,volume\n",
    b"date;open;high;low;close\r\n",
    b"symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n",
    b"close,low,high,open,timestamp\n",
    b"",
];

fn bytes(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = HEADERS.choose(random).copied().unwrap_or_default().to_vec();
    for _ in 0..random.random_range(0..80) {
        match random.random_ratio(1, 20) {
            true => bytes.push(random.random()),
            false => bytes.extend_from_slice(PIECES.choose(random).copied().unwrap_or_default()),
        }
    }
    bytes
}

fn case(random: &mut StdRng) -> Case {
    let interval = ["1min", "45min", "8h", "1day", "1week", "1month"].choose(random).copied().unwrap();
    let calendar = ["none", "XNYS", "XHKG", "24/7"].choose(random).copied().unwrap();
    let zone = ["UTC", "America/New_York", "Africa/Casablanca"].choose(random).copied().unwrap();
    let now = ["1970-01-01T00:00:00Z", "2024-11-29T15:00:00Z", "2029-01-01T00:00:00Z"].choose(random).copied().unwrap();
    let case = Case::new(interval).calendar(calendar).zone(zone).now(now).max_fill(random.random_range(0..9));
    if random.random() { case.month(2024, 11) } else { case }
}

/// Cleans random bytes, and what comes of them once more. The case checks every promise of a cleaning's outcome.
fn round(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let case = case(&mut random);
    let bytes = bytes(&mut random);
    if case.try_clean(&bytes).is_ok_and(|outcome| outcome.report.rows.written > 0) {
        let once = case.clean(&bytes);
        assert_eq!(case.clean(&once.csv).csv, once.csv, "cleaning what is clean changes nothing");
    }
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn no_bytes_make_it_panic_or_lose_a_row() {
    if let Some(seed) = variable("CANDLEWICK_FUZZ_SEED") {
        return round(seed);
    }
    let run = |seed| {
        let outcome = std::panic::catch_unwind(|| round(seed));
        assert!(outcome.is_ok(), "run this again with CANDLEWICK_FUZZ_SEED={seed}");
    };
    (0..400).for_each(run);
    if let Some(seconds) = variable("CANDLEWICK_FUZZ_SECONDS") {
        let begun = Instant::now();
        let mut seed = rand::random::<u64>();
        while begun.elapsed() < Duration::from_secs(seconds) {
            run(seed);
            seed = seed.wrapping_add(1);
        }
    }
}
