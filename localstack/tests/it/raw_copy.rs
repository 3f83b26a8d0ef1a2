use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use candlewick_localstack::raw_copy::RawCopy;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};

/// The directory of the copy, for the process that is killed.
const COPY: &str = "CANDLEWICK_TEST_COPY";

const TEST: [&str; 3] = ["--exact", "raw_copy::a_copy_that_is_killed_is_one_version_and_never_two", "--nocapture"];

const KEY: &str = "raw/interval=1day/symbol=AAPL/candles.csv";

#[tokio::test]
async fn a_copy_that_is_killed_is_one_version_and_never_two() {
    if let Ok(dir) = std::env::var(COPY) {
        return copy_version_after_version(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    for versions in 1..=25 {
        kill_after(versions, dir.path());
        let store = MemoryStore::default();
        RawCopy::open(dir.path(), "raw/").unwrap().restore(&store).await.unwrap();
        let object = store.get(KEY).await.unwrap().unwrap();
        assert_eq!(object.body, object.info.metadata["version"].as_bytes(), "the metadata is that of the bytes");
        assert_eq!(files_in(&dir.path().join("objects")), 1, "nothing else is left");
    }
}

/// Copies new versions of one object until it is killed.
#[expect(clippy::print_stdout, reason = "the process that kills this one counts the lines")]
async fn copy_version_after_version(dir: &Path) {
    let store = MemoryStore::default();
    let mut copy = RawCopy::open(dir, "raw/").unwrap();
    for version in 1_u64.. {
        let metadata = Metadata::from([("version".to_owned(), version.to_string())]);
        store.put(KEY, NewObject::csv(version.to_string().into(), metadata), PutIf::Always).await.unwrap();
        copy.reconcile(&store).await.unwrap();
        println!("copied {version}");
    }
}

/// Runs the copying in another process and kills it after so many versions, at whatever it is doing then.
fn kill_after(versions: usize, dir: &Path) {
    let mut copying = Command::new(std::env::current_exe().unwrap());
    copying.args(TEST).env(COPY, dir).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut copying = copying.spawn().unwrap();
    let lines = BufReader::new(copying.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.filter(|line| line.starts_with("copied")).take(versions).count(), versions);
    copying.kill().unwrap();
    copying.wait().unwrap();
}

fn files_in(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}
