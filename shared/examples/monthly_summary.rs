//! A complete consumer: for every transformed object it writes a summary with one row per month under `summaries/`.
//!
//! One entry in `topology.json` gives it a queue and the events: `"consumers": {"summaries": {"of": "transformed/"}}`.
//! docs/consumers.md explains the rest.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::{
    candle::Candle, clean_csv, event::ObjectEvent, key::TransformedKey, metadata::Metadata, topology::Topology,
};
use candlewick_shared::ports::store::{NewObject, ObjectStore, Put, PutIf};
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use candlewick_shared::runtime::{env::Env, objects::Scope, objects::objects, service};
use tokio_util::sync::CancellationToken;

/// The name in `topology.json`.
const NAME: &str = "summaries";

#[tokio::main]
async fn main() -> ExitCode {
    service::run(NAME, start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let aws = Aws::from_env().await;
    let consumer = service::consumer(NAME, NAME, &env, &aws).await?;
    let scope = Scope::of_consumer(NAME, &env)?;
    let store: Arc<dyn ObjectStore> = Arc::new(aws.store(&scope.bucket));
    let handler = tower::service_fn(move |event| summarise(Arc::clone(&store), event));
    consumer.run(objects(scope, handler), stop).await;
    Ok(())
}

/// Writes the summary of the object that is now at the event's key, unless someone else has written it in the meantime.
pub async fn summarise(store: Arc<dyn ObjectStore>, event: ObjectEvent) -> Outcome {
    let key: TransformedKey = event.key.parse().map_err(|error| Failure::new("bad_key", error))?;
    let target = event.key.replacen(&Topology::built_in().prefixes.transformed, "summaries/", 1);
    let previous = store.head(&target).await?;
    let Some(object) = store.get(&event.key).await? else {
        return Ok(Settled::Superseded("the object is gone".to_owned()));
    };
    let transformed =
        clean_csv::read(&object.body, &key.path.series).map_err(|error| Failure::new("unreadable", error))?;
    let month = |candle: &Candle| candle.time.display(key.path.series.interval).to_string()[..7].to_owned();
    let mut csv = "month,candles,first,last,open,close\n".to_owned();
    for candles in transformed.candles.chunk_by(|one, next| month(one) == month(next)) {
        let ([first, ..], [.., last]) = (candles, candles) else { continue };
        let days = [first, last].map(|candle| candle.time.display(key.path.series.interval).to_string()).join(",");
        csv += &format!("{},{},{days},{},{}\n", month(first), candles.len(), first.open, last.close);
    }
    let summary = NewObject::csv(csv.into_bytes(), Metadata::new());
    match store.put(&target, summary, PutIf::still(previous.as_ref())).await? {
        Put::Written { .. } => Ok(Settled::Done),
        Put::Changed => Err(Setback::Retry(anyhow!("{target} was written in the meantime"))),
    }
}
