//! Lineage in the format of OpenLineage: one `START` and one `COMPLETE` or `FAIL` event per piece of work.
//!
//! The shape is that of OpenLineage's specification 2-0-2 (`RunEvent`), with the facets that readers of lineage use
//! most.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The producer named in each event.
const PRODUCER: &str = concat!("candlewick/", env!("CARGO_PKG_VERSION"));

const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

const FACETS: &str = "https://openlineage.io/spec/facets";

/// A piece of work that ended, with its input and output.
#[derive(Clone, Debug)]
pub struct LineageEvent<'a> {
    /// The kind of work: `transform` or `load`.
    pub job: &'static str,
    /// When the work began.
    pub began: Timestamp,
    /// When the work ended.
    pub ended: Timestamp,
    /// The object that was read.
    pub input: Dataset<'a>,
    /// The object or table that was written.
    pub output: Dataset<'a>,
    /// The error message if the work failed.
    pub error: Option<&'a str>,
}

/// An object or a table that was read or written.
#[derive(Clone, Copy, Debug)]
pub struct Dataset<'a> {
    /// The bucket or server, such as `s3://bucket` or `postgres://host:port`.
    pub namespace: &'a str,
    /// The name in its namespace: an object key, or a table such as `candlewick.public.candles`.
    pub name: &'a str,
    /// The entity tag of an object.
    pub version: Option<&'a str>,
    /// How many rows were read from it or written to it, if known.
    pub rows: Option<u64>,
}

/// An OpenLineage event, which serializes to the JSON of the specification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunEvent(Value);

impl LineageEvent<'_> {
    /// Creates the start event and the end event. The run id is derived from job and input, so repeated work is the
    /// same run.
    #[must_use]
    pub fn events(&self) -> [RunEvent; 2] {
        let end = if self.error.is_some() { "FAIL" } else { "COMPLETE" };
        [self.event("START", self.began), self.event(end, self.ended)]
    }

    fn event(&self, kind: &str, time: Timestamp) -> RunEvent {
        let error = self
            .error
            .filter(|_| kind == "FAIL")
            .map(|error| facet("1-0-1/ErrorMessageRunFacet", json!({"message": error, "programmingLanguage": "Rust"})));
        let facets = error.map_or_else(|| json!({}), |error| json!({"errorMessage": error}));
        RunEvent(json!({
            "eventType": kind,
            "eventTime": time.to_string(),
            "producer": PRODUCER,
            "schemaURL": SCHEMA,
            "run": {"runId": self.run_id(), "facets": facets},
            "job": {"namespace": "candlewick", "name": self.job},
            "inputs": [self.input.to_json("inputFacets", input_rows)],
            "outputs": [self.output.to_json("outputFacets", output_rows)],
        }))
    }

    /// A UUID of version 8, whose bits are free to choose.
    fn run_id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.job, self.input.namespace, self.input.name, self.input.version.unwrap_or_default()] {
            hash.update(part);
            hash.update([0]);
        }
        let digest = hash.finalize();
        let mut id = u128::from_be_bytes(std::array::from_fn(|at| digest[at]));
        id = (id & !(0xf << 76) & !(0x3 << 62)) | (0x8 << 76) | (0x2 << 62);
        let hex = format!("{id:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

impl Dataset<'_> {
    fn to_json(self, own_facets: &str, rows: fn(u64) -> Value) -> Value {
        let version =
            self.version.map(|version| facet("1-0-1/DatasetVersionDatasetFacet", json!({"datasetVersion": version})));
        let facets = version.map_or_else(|| json!({}), |version| json!({"version": version}));
        let counted = self.rows.map_or_else(|| json!({}), rows);
        json!({"namespace": self.namespace, "name": self.name, "facets": facets, own_facets: counted})
    }
}

fn input_rows(rows: u64) -> Value {
    json!({"dataQualityMetrics": facet("1-0-2/DataQualityMetricsInputDatasetFacet", json!({"rowCount": rows, "columnMetrics": {}}))})
}

fn output_rows(rows: u64) -> Value {
    json!({"outputStatistics": facet("1-0-2/OutputStatisticsOutputDatasetFacet", json!({"rowCount": rows}))})
}

/// Adds the producer and the schema to a facet.
fn facet(schema: &str, mut content: Value) -> Value {
    let name = schema.split('/').next_back().unwrap_or_default();
    content["_producer"] = json!(PRODUCER);
    content["_schemaURL"] = json!(format!("{FACETS}/{schema}.json#/$defs/{name}"));
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work<'a>(error: Option<&'a str>) -> LineageEvent<'a> {
        let input = Dataset { namespace: "s3://b", name: "raw/a.csv", version: Some("e1"), rows: Some(3) };
        let output = Dataset { name: "transformed/a.csv", version: None, rows: Some(2), ..input };
        let ended = "1970-01-01T00:00:01Z".parse().unwrap();
        LineageEvent { job: "transform", began: Timestamp::UNIX_EPOCH, ended, input, output, error }
    }

    #[test]
    fn work_that_is_done_starts_and_completes_in_one_run() {
        let [RunEvent(start), RunEvent(end)] = work(None).events();
        assert_eq!((&start["eventType"], &end["eventType"]), (&json!("START"), &json!("COMPLETE")));
        assert_eq!(end["eventTime"], "1970-01-01T00:00:01Z");
        assert_eq!(start["run"]["runId"], end["run"]["runId"]);
        assert_eq!(end["inputs"][0]["facets"]["version"]["datasetVersion"], "e1");
        assert_eq!(end["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"], 2);
        assert_eq!(end["run"]["facets"], json!({}));
    }

    #[test]
    fn work_that_failed_says_why_at_its_end() {
        let [RunEvent(start), RunEvent(end)] = work(Some("no header")).events();
        assert_eq!((&end["eventType"], &start["run"]["facets"]), (&json!("FAIL"), &json!({})));
        assert_eq!(end["run"]["facets"]["errorMessage"]["message"], "no header");
    }

    #[test]
    fn a_run_has_a_valid_id_that_its_input_decides() {
        let id = work(None).run_id();
        assert_eq!((id.len(), &id[14..15]), (36, "8"));
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        let mut other = work(None);
        other.input.version = Some("e2");
        assert_eq!((work(Some("x")).run_id() == id, other.run_id() == id), (true, false));
    }
}
