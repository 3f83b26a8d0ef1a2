//! Whether an emulator keeps what the end state stands on, asked at each start: another version may not.

use anyhow::{Context, bail};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, Put, PutIf};
use futures::future::try_join_all;

use super::kind::Emulator;

/// A bucket of its own, because no program deletes an object; the emulator forgets it when it stops.
const BUCKET: &str = "candlewick-check";
const KEY: &str = "check";

/// How many write at once.
const WRITERS: usize = 8;

/// Tries conditional writes: they keep a late writer from overwriting a newer object.
pub async fn check(emulator: Emulator, aws: &Aws) -> anyhow::Result<()> {
    aws.s3().create_bucket().bucket(BUCKET).send().await.with_context(|| format!("create bucket {BUCKET}"))?;
    let tried = lack(&aws.store(BUCKET)).await;
    match tried.with_context(|| format!("try conditional writes on {}", emulator.title()))? {
        Some(lack) => bail!(words(emulator, lack)),
        None => Ok(()),
    }
}

fn words(emulator: Emulator, lack: &str) -> String {
    let others = Emulator::ALL.into_iter().filter(|other| *other != emulator).map(Emulator::name);
    format!(
        "{} {lack}. A late writer would overwrite a newer object, so nothing is started on it: use --emulator {} \
         (docs/emulators.md)",
        emulator.title(),
        others.collect::<Vec<_>>().join(" or ")
    )
}

/// What conditional writes lack, in words. Several write at once, because looking and then writing is not enough.
async fn lack(store: &impl ObjectStore) -> anyhow::Result<Option<&'static str>> {
    if written(store, 0, &PutIf::Absent).await? != 1 {
        return Ok(Some("does not keep to If-None-Match: of several that write a new object, one alone must succeed"));
    }
    let seen = store.head(KEY).await?.context("find the object that was written")?;
    if written(store, WRITERS, &PutIf::Matches(seen.etag)).await? != 1 {
        return Ok(Some("does not keep to If-Match: of several that replace what they saw, one alone must succeed"));
    }
    Ok(None)
}

/// How many of several writers succeed, each with content of its own.
async fn written(store: &impl ObjectStore, first: usize, condition: &PutIf) -> anyhow::Result<usize> {
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

    /// A store that forgets one of the conditions.
    struct Careless {
        store: MemoryStore,
        forgets: fn(&PutIf) -> bool,
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
            let condition = if (self.forgets)(&condition) { PutIf::Always } else { condition };
            self.store.put(key, object, condition).await
        }

        async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
            self.store.list(prefix).await
        }
    }

    async fn lack_of(forgets: fn(&PutIf) -> bool) -> Option<&'static str> {
        lack(&Careless { store: MemoryStore::default(), forgets }).await.unwrap()
    }

    #[tokio::test]
    async fn a_store_that_forgets_a_condition_is_found_out() {
        assert_eq!(lack_of(|_| false).await, None);
        assert!(lack_of(|condition| *condition == PutIf::Absent).await.unwrap().contains("If-None-Match"));
        assert!(lack_of(|condition| matches!(condition, PutIf::Matches(_))).await.unwrap().contains(" If-Match"));
    }

    #[test]
    fn the_words_name_the_emulator_what_it_lacks_and_the_others() {
        let words = words(Emulator::Moto, "does not keep to If-Match");
        assert!(words.starts_with("moto does not keep to If-Match"), "{words}");
        assert!(words.contains("--emulator localstack or ministack"), "{words}");
    }
}
