use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::blame::Blame;
use candlewick_shared::ports::store::StoreError;
use proptest::prelude::*;

use candlewick_shared::core::metadata::Metadata;

use super::files::file_name;
use super::*;

async fn put(store: &MemoryStore, key: &str, body: &str) {
    let metadata = Metadata::from([("source".to_owned(), "hand".to_owned())]);
    store.put(key, NewObject::csv(body.into(), metadata), PutIf::Always).await.unwrap();
}

async fn contents(store: &MemoryStore) -> Vec<(String, String)> {
    let mut contents = Vec::new();
    for key in store.keys() {
        let object = store.get(&key).await.unwrap().unwrap();
        contents.push((key, String::from_utf8(object.body.to_vec()).unwrap()));
    }
    contents
}

#[tokio::test]
async fn what_was_forgotten_comes_back_with_its_age() {
    let dir = tempfile::tempdir().unwrap();
    let before = MemoryStore::default();
    for (key, body) in [("raw/b", "2"), ("raw/a", "1"), ("other/c", "3")] {
        put(&before, key, body).await;
    }
    let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
    assert_eq!(copy.reconcile(&before).await.unwrap().copied, 2);
    assert_eq!(copy.reconcile(&before).await.unwrap(), Update::default(), "nothing is new");

    let after = MemoryStore::default();
    assert_eq!(RawCopy::open(dir.path(), "raw/").unwrap().restore(&after).await.unwrap(), 2);
    assert_eq!(contents(&after).await, [("raw/a".into(), "1".into()), ("raw/b".into(), "2".into())]);
    let info = after.head("raw/a").await.unwrap().unwrap();
    let written = before.head("raw/a").await.unwrap().unwrap().last_modified;
    assert_eq!(info.metadata[FIRST_WRITTEN], written.to_string());
    assert_eq!(info.metadata["source"], "hand");
}

#[tokio::test]
async fn a_second_restore_still_knows_the_first_time() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [MemoryStore::default(), MemoryStore::default(), MemoryStore::default()];
    put(&stores[0], "raw/other", "0").await;
    put(&stores[0], "raw/a", "1").await;
    for pair in stores.windows(2) {
        let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
        copy.reconcile(&pair[0]).await.unwrap();
        copy.restore(&pair[1]).await.unwrap();
    }
    let first = stores[0].head("raw/a").await.unwrap().unwrap().last_modified;
    assert_eq!(stores[2].head("raw/a").await.unwrap().unwrap().metadata[FIRST_WRITTEN], first.to_string());
}

#[tokio::test]
async fn what_was_removed_stays_removed_but_an_empty_bucket_removes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = MemoryStore::default();
    put(&store, "raw/a", "1").await;
    put(&store, "raw/b", "2").await;
    let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
    copy.reconcile(&store).await.unwrap();
    store.remove("raw/a");
    copy.reconcile(&store).await.unwrap();
    copy.reconcile(&MemoryStore::default()).await.unwrap();
    let restored = MemoryStore::default();
    copy.restore(&restored).await.unwrap();
    assert_eq!(restored.keys(), ["raw/b"]);
}

/// A store with some objects that cannot be read.
struct Archive(MemoryStore);

#[async_trait::async_trait]
impl ObjectStore for Archive {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        if key.contains("archived") {
            let operation = "get object";
            let key = key.to_owned();
            let reason = "it is archived".to_owned();
            return Err(StoreError { operation, key, reason, blame: Blame::Message("archived_object") });
        }
        self.0.get_within(key, most).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.0.head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        self.0.put(key, object, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.0.list(prefix).await
    }
}

#[tokio::test]
async fn what_cannot_be_copied_is_told_and_stops_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = Archive(MemoryStore::default());
    for key in ["raw/a", "raw/archived", "raw/z"] {
        put(&store.0, key, "1").await;
    }
    let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
    let update = copy.reconcile(&store).await.unwrap();
    assert_eq!((update.copied, update.left[0].0.as_str(), update.left.len()), (2, "raw/archived", 1));
    assert!(update.left[0].1.contains("it is archived"), "{update:?}");
    assert_eq!(copy.reconcile(&store).await.unwrap().left.len(), 1, "it is reported until it is fixed");
    store.0.remove("raw/archived");
    assert_eq!(copy.reconcile(&store).await.unwrap(), Update::default());
}

#[tokio::test]
async fn every_key_that_a_bucket_may_have_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let before = MemoryStore::default();
    let long = [format!("raw/{}.csv", "x".repeat(256)), format!("raw/{}", "ä/".repeat(300))];
    let odd = [
        "raw/",
        "raw//x.csv",
        "raw//",
        "raw/a",
        "raw/a/b",
        "raw/a/b.json/c",
        "raw/a/b.json",
        "raw/\u{1b}[2J\n",
        "raw/../x",
    ];
    for key in odd.into_iter().chain(long.iter().map(String::as_str)) {
        put(&before, key, key).await;
    }
    let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
    assert_eq!(copy.reconcile(&before).await.unwrap(), Update { copied: 11, left: Vec::new() });
    let after = MemoryStore::default();
    RawCopy::open(dir.path(), "raw/").unwrap().restore(&after).await.unwrap();
    assert_eq!(contents(&after).await, contents(&before).await);
    before.remove("raw//x.csv");
    copy.reconcile(&before).await.unwrap();
    let after = MemoryStore::default();
    copy.restore(&after).await.unwrap();
    assert_eq!(contents(&after).await, contents(&before).await);
}

proptest! {
    #[test]
    fn no_key_leads_out_of_the_copy(key in "[./a %\\PC]{0,30}") {
        let path = file_name(&key);
        prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
    }
}

#[tokio::test]
async fn what_was_restored_is_not_copied_again() {
    let dir = tempfile::tempdir().unwrap();
    let before = MemoryStore::default();
    put(&before, "raw/a", "1").await;
    put(&before, "raw/b", "2").await;
    RawCopy::open(dir.path(), "raw/").unwrap().reconcile(&before).await.unwrap();
    let after = MemoryStore::default();
    let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
    copy.restore(&after).await.unwrap();
    put(&after, "raw/b", "3").await;
    assert_eq!(copy.reconcile(&after).await.unwrap().copied, 1, "b was written anew, and a was not");
    let last = MemoryStore::default();
    RawCopy::open(dir.path(), "raw/").unwrap().restore(&last).await.unwrap();
    assert_eq!(contents(&last).await, contents(&after).await);
}

#[tokio::test]
async fn a_copy_of_an_earlier_release_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let [bytes, json] = ["objects/raw/a.csv", "beside/raw/a.csv.json"].map(|path| dir.path().join(path));
    for (path, text) in
        [(&bytes, "1"), (&json, r#"{"key":"raw/a.csv","first_written":"2024-12-30T22:00:00Z","metadata":{}}"#)]
    {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let store = MemoryStore::default();
    let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
    assert_eq!(copy.restore(&store).await.unwrap(), 1);
    assert_eq!(contents(&store).await, [("raw/a.csv".into(), "1".into())]);
    put(&store, "raw/a.csv", "2").await;
    copy.reconcile(&store).await.unwrap();
    assert!(!bytes.exists(), "the new version replaces it");
}
