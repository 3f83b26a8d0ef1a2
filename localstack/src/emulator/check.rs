//! Checks at each start that the emulator supports conditional writes, on which a correct end state depends. Another version
//! of the emulator may not.

use anyhow::{Context, bail};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, Put, PutIf};
use futures::future::try_join_all;

use super::kind::Emulator;

/// A separate bucket, because no program deletes objects. The emulator forgets it when it stops.
const BUCKET: &str = "candlewick-check";
const KEY: &str = "check";

/// The number of concurrent writers.
const WRITERS: usize = 8;

/// Checks that conditional writes work: they keep a late writer from overwriting a newer object.
pub async fn check(emulator: Emulator, aws: &Aws) -> anyhow::Result<()> {
    aws.s3().create_bucket().bucket(BUCKET).send().await.with_context(|| format!("create bucket {BUCKET}"))?;
    let checked = find_defect(&aws.store(BUCKET)).await;
    match checked.with_context(|| format!("try conditional writes on {}", emulator.title()))? {
        Some(defect) => bail!(message(emulator, defect)),
        None => Ok(()),
    }
}

fn message(emulator: Emulator, defect: &str) -> String {
    let others = Emulator::ALL.into_iter().filter(|other| *other != emulator).map(Emulator::name);
    format!(
        "{} {defect}. A late writer would overwrite a newer object, so the services are not started: use --emulator {} \
         (docs/emulators.md)",
        emulator.title(),
        others.collect::<Vec<_>>().join(" or ")
    )
}

/// Describes what is wrong with conditional writes, if anything. Several writers run concurrently, because an emulator that
/// first reads and then writes passes when there is only one.
async fn find_defect(store: &impl ObjectStore) -> anyhow::Result<Option<&'static str>> {
    if count_written(store, 0, &PutIf::Absent).await? != 1 {
        return Ok(Some(
            "does not honor If-None-Match: of several concurrent creations of an object exactly one must succeed",
        ));
    }
    let current = store.head(KEY).await?.context("find the object that was written")?;
    if count_written(store, WRITERS, &PutIf::Matches(current.etag)).await? != 1 {
        return Ok(Some(
            "does not honor If-Match: of several concurrent replacements of an object exactly one must succeed",
        ));
    }
    Ok(None)
}

/// Runs several writers with different contents and returns how many succeed.
async fn count_written(store: &impl ObjectStore, first: usize, condition: &PutIf) -> anyhow::Result<usize> {
    let put = |n: usize| {
        let object = NewObject::csv(n.to_string().into_bytes(), Metadata::new());
        store.put(KEY, object, condition.clone())
    };
    let puts = try_join_all((first..first + WRITERS).map(put)).await?;
    Ok(puts.iter().filter(|put| matches!(put, Put::Written { .. })).count())
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use candlewick_shared::adapters::memory_store::MemoryStore;
    use candlewick_shared::ports::store::{Object, ObjectInfo, StoreError};

    use super::*;

    /// A store that ignores one of the conditions.
    struct Careless {
        store: MemoryStore,
        ignores: fn(&PutIf) -> bool,
    }

    #[async_trait]
    impl ObjectStore for Careless {
        async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
            self.store.get_within(key, most).await
        }

        async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
            self.store.head(key).await
        }

        async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
            let condition = if (self.ignores)(&condition) { PutIf::Always } else { condition };
            self.store.put(key, object, condition).await
        }

        async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
            self.store.list(prefix).await
        }
    }

    async fn defect_when(ignores: fn(&PutIf) -> bool) -> Option<&'static str> {
        find_defect(&Careless { store: MemoryStore::default(), ignores }).await.unwrap()
    }

    #[tokio::test]
    async fn a_store_that_forgets_a_condition_is_found_out() {
        assert_eq!(defect_when(|_| false).await, None);
        assert!(defect_when(|condition| *condition == PutIf::Absent).await.unwrap().contains("If-None-Match"));
        assert!(defect_when(|condition| matches!(condition, PutIf::Matches(_))).await.unwrap().contains(" If-Match"));
    }

    #[test]
    fn the_words_name_the_emulator_what_it_lacks_and_the_others() {
        let text = message(Emulator::Moto, "does not honor If-Match");
        assert!(text.starts_with("moto does not honor If-Match"), "{text}");
        assert!(text.contains("--emulator localstack or ministack"), "{text}");
    }
}
