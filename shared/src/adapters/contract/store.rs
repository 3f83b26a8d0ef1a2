//! Contract tests for [`ObjectStore`].

use anyhow::{Context, Result, ensure};
use futures::future::{join_all, try_join_all};

use crate::core::metadata::Metadata;
use crate::ports::store::{NewObject, ObjectStore, Put, PutIf};

/// A key with characters that have to be encoded somewhere on the way.
const AWKWARD: &str = "contract/interval=1day/symbol=BTC%2FUSD+x y/é\u{1f56f}&?#.csv";

/// More objects than one page of an S3 listing has.
const MANY: usize = 1_005;

/// Checks that a store keeps its contract. There must be no objects under `contract/`, and no other writers.
///
/// # Errors
///
/// Returns the first promise that the store breaks.
pub async fn store(store: &dyn ObjectStore) -> Result<()> {
    absent_is_no_error(store).await.context("an absent object")?;
    a_read_returns_what_was_written(store).await.context("writing and reading")?;
    an_empty_object_is_an_object(store).await.context("an empty object")?;
    a_write_obeys_its_condition(store).await.context("conditional writes")?;
    of_many_writers_one_wins(store).await.context("a race of conditional writes")?;
    a_listing_is_complete_and_in_order(store).await.context("listing")
}

fn csv(body: &str, metadata: &[(&str, &str)]) -> NewObject {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    NewObject::csv(body.as_bytes().to_vec(), metadata.iter().map(owned).collect())
}

async fn write(store: &dyn ObjectStore, key: &str, object: NewObject) -> Result<String> {
    match store.put(key, object, PutIf::Always).await? {
        Put::Written { etag } => Ok(etag),
        Put::Changed => anyhow::bail!("an unconditional write was refused"),
    }
}

async fn body(store: &dyn ObjectStore, key: &str) -> Result<Vec<u8>> {
    Ok(store.get(key).await?.context("there is no object")?.body.to_vec())
}

async fn absent_is_no_error(store: &dyn ObjectStore) -> Result<()> {
    ensure!(store.get(AWKWARD).await?.is_none(), "get found an absent object");
    ensure!(store.head(AWKWARD).await?.is_none(), "head found an absent object");
    ensure!(store.list("contract/").await?.is_empty(), "list found an absent object");
    Ok(())
}

async fn a_read_returns_what_was_written(store: &dyn ObjectStore) -> Result<()> {
    let metadata = [("fetched-at", "2024-12-30T22:00:00Z"), ("run", "a b=c")];
    let first = write(store, AWKWARD, csv("one\n", &metadata)).await?;
    let object = store.get(AWKWARD).await?.context("there is no object")?;
    ensure!(object.body == "one\n" && object.info.size == 4 && object.info.key == AWKWARD, "wrong body, size or key");
    ensure!(object.info.etag == first && !first.contains('"'), "wrong entity tag: {} and {first}", object.info.etag);
    ensure!(object.info.metadata == csv("", &metadata).metadata, "wrong metadata: {:?}", object.info.metadata);
    ensure!(store.head(AWKWARD).await?.as_ref() == Some(&object.info), "head and get differ");
    let second = write(store, AWKWARD, csv("two\n", &[])).await?;
    let now = store.get(AWKWARD).await?.context("there is no object")?;
    ensure!(
        now.body == "two\n" && now.info.etag == second && first != second,
        "wrong body or entity tag after the second write"
    );
    ensure!(
        now.info.metadata.is_empty() && now.info.last_modified >= object.info.last_modified,
        "wrong metadata or time after the second write"
    );
    Ok(())
}

async fn an_empty_object_is_an_object(store: &dyn ObjectStore) -> Result<()> {
    write(store, "contract/empty", csv("", &[])).await?;
    let object = store.get("contract/empty").await?.context("there is no object")?;
    ensure!(object.body.is_empty() && object.info.size == 0, "the object is not empty");
    Ok(())
}

async fn a_write_obeys_its_condition(store: &dyn ObjectStore) -> Result<()> {
    let key = "contract/condition";
    let gone = PutIf::Matches("0123456789abcdef0123456789abcdef".to_owned());
    ensure!(
        store.put(key, csv("no", &[]), gone).await? == Put::Changed,
        "written although the expected object is absent"
    );
    ensure!(store.head(key).await?.is_none(), "a refused write left an object");
    let Put::Written { etag: first } = store.put(key, csv("first", &[]), PutIf::still(None)).await? else {
        anyhow::bail!("not written although there was no object");
    };
    ensure!(
        store.put(key, csv("no", &[]), PutIf::Absent).await? == Put::Changed,
        "written although there was an object"
    );
    let previous = store.head(key).await?;
    let Put::Written { etag: second } = store.put(key, csv("second", &[]), PutIf::still(previous.as_ref())).await?
    else {
        anyhow::bail!("not written over the version that was read");
    };
    let stale = PutIf::Matches(first);
    ensure!(store.put(key, csv("no", &[]), stale).await? == Put::Changed, "written over a version that was not read");
    ensure!(body(store, key).await? == b"second", "a refused write changed the object");
    ensure!(store.head(key).await?.is_some_and(|info| info.etag == second), "a refused write changed the entity tag");
    Ok(())
}

async fn of_many_writers_one_wins(store: &dyn ObjectStore) -> Result<()> {
    let key = "contract/race";
    for round in 0..5 {
        let previous = store.head(key).await?;
        let texts: Vec<_> = (0..8).map(|writer| format!("{round}/{writer}")).collect();
        let writes = texts.iter().map(|text| store.put(key, csv(text, &[]), PutIf::still(previous.as_ref())));
        let mut won = Vec::new();
        for (text, put) in texts.iter().zip(join_all(writes).await) {
            if put? != Put::Changed {
                won.push(text);
            }
        }
        ensure!(won.len() == 1, "in round {round}, {} of 8 writers succeeded", won.len());
        ensure!(body(store, key).await? == won[0].as_bytes(), "in round {round}, the object has another writer's body");
    }
    Ok(())
}

async fn a_listing_is_complete_and_in_order(store: &dyn ObjectStore) -> Result<()> {
    let keys: Vec<_> = (0..MANY).map(|at| format!("contract/many/a b+{at:05}")).collect();
    for chunk in keys.chunks(50) {
        try_join_all(chunk.iter().map(|key| write(store, key, csv(key, &[("run", "r")])))).await?;
    }
    write(store, "contract/many0", csv("outside the prefix", &[])).await?;
    let listed = store.list("contract/many/").await?;
    ensure!(
        listed.iter().map(|info| &info.key).eq(&keys),
        "listed {} of {MANY} keys, or in the wrong order",
        listed.len()
    );
    let one = store.head(&keys[0]).await?.context("there is no object")?;
    let bare = crate::ports::store::ObjectInfo { metadata: Metadata::new(), version_id: None, ..one };
    ensure!(listed[0] == bare, "wrong entry in the listing: {:?}", listed[0]);
    Ok(())
}
