//! What wakes a service: S3 notifications in every wrapping they come in.
//!
//! A message body is recognised by its own shape, with no setting to get wrong: S3's own, S3's inside an SNS envelope,
//! EventBridge's, EventBridge's inside an SNS envelope, and S3's test event in each. SNS's raw delivery leaves the body as
//! S3 wrote it. Sources: the Amazon S3 User Guide, "Event message structure" and "EventBridge event message structure";
//! the Amazon SNS Developer Guide, "HTTP/HTTPS notification JSON format".

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// S3 tests that it may write to the queue: nothing happened.
    Test,
    /// Something happened to these objects.
    Objects(Vec<ObjectEvent>),
}

/// What happened to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// Whether the object was written or removed.
    pub kind: EventKind,
    /// The bucket it is in.
    pub bucket: String,
    /// Its key, decoded.
    pub key: String,
    /// Its size in bytes, where the event says it.
    pub size: Option<u64>,
    /// Its entity tag, where the event says it, without quotes.
    pub etag: Option<String>,
    /// Its version, in buckets that keep versions.
    pub version_id: Option<String>,
    /// When it happened, where the event says it.
    pub time: Option<Timestamp>,
}

/// The two things that happen to objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was written: put, posted, copied, uploaded in parts, or restored.
    Created,
    /// It was removed, or a delete marker hides it.
    Removed,
}

/// Why a message is no notification that Candlewick understands.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EventError {
    /// It is not JSON.
    #[error("the message is not JSON: {0}")]
    NotJson(String),
    /// It is JSON of another shape.
    #[error("the message is no S3 event: it has neither Records, nor Event, nor detail, nor an SNS Message")]
    UnknownShape,
    /// It has the shape, and a part that is missing or wrong.
    #[error("the S3 event is malformed: {0}")]
    Malformed(String),
    /// Its schema is none of those that are understood.
    #[error("the S3 event has schema {0}: only 2.x is understood")]
    Schema(String),
    /// It tells of something else than the writing or removing of an object.
    #[error(
        "the event {0:?} is about neither the writing nor the removing of an object: take it out of the notification"
    )]
    OtherEvent(String),
    /// Its key is not percent-encoded UTF-8.
    #[error("the event's key {0:?} is not percent-encoded UTF-8")]
    Key(String),
}

/// Reads the body of a message.
///
/// # Errors
/// [`EventError`], where it is no notification about objects.
pub fn parse(body: &str) -> Result<Notification, EventError> {
    match read(body)? {
        Body { topic_arn: Some(_), message: Some(message), .. } => read(&message)?.notification(),
        body => body.notification(),
    }
}

/// An SNS envelope inside another one is read as a body, and refused: no message can nest without end.
fn read(text: &str) -> Result<Body, EventError> {
    let value: Value = serde_json::from_str(text).map_err(|error| EventError::NotJson(error.to_string()))?;
    if !value.is_object() {
        return Err(EventError::UnknownShape);
    }
    serde_json::from_value(value).map_err(|error| malformed(&error))
}

/// Any of the shapes: each has fields of its own by which it is known, and fields nobody reads are ignored.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "Records")]
    records: Option<Vec<Value>>,
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    detail: Option<Value>,
    time: Option<Value>,
    #[serde(rename = "TopicArn")]
    topic_arn: Option<String>,
    #[serde(rename = "Message")]
    message: Option<String>,
}

impl Body {
    fn notification(self) -> Result<Notification, EventError> {
        if let Some(records) = self.records {
            let objects: Result<_, _> = records.into_iter().map(object_of_record).collect();
            return Ok(Notification::Objects(objects?));
        }
        match (self.event.as_deref(), self.detail_type, self.detail) {
            (Some("s3:TestEvent"), _, _) => Ok(Notification::Test),
            (Some(event), _, _) => Err(EventError::OtherEvent(event.to_owned())),
            (None, Some(kind), Some(detail)) => {
                let object = object_of_detail(&kind, detail, time(self.time.as_ref()))?;
                Ok(Notification::Objects(vec![object]))
            }
            _ => Err(EventError::UnknownShape),
        }
    }
}

/// The time is for measurements alone: where it cannot be read, the event is as good without.
fn time(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_version: String,
    event_name: String,
    event_time: Option<Value>,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    size: Option<u64>,
    #[serde(alias = "eTag")]
    etag: Option<String>,
    #[serde(rename = "versionId", alias = "version-id")]
    version_id: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

fn malformed(error: &serde_json::Error) -> EventError {
    EventError::Malformed(error.to_string())
}

fn object_of_record(record: Value) -> Result<ObjectEvent, EventError> {
    let record: Record = serde_json::from_value(record).map_err(|error| malformed(&error))?;
    if !record.event_version.starts_with("2.") {
        return Err(EventError::Schema(record.event_version));
    }
    let kind = kind_of_event(&record.event_name)?;
    let key = decode_form_key(&record.s3.object.key)?;
    Ok(object_event(kind, record.s3.bucket, record.s3.object, key, time(record.event_time.as_ref())))
}

/// EventBridge leaves keys as they are: only S3's own events encode them. LocalStack encodes both, so that behind it an
/// EventBridge event's key is read right only where nothing in it needs encoding.
fn object_of_detail(detail_type: &str, detail: Value, time: Option<Timestamp>) -> Result<ObjectEvent, EventError> {
    let kind = match detail_type {
        "Object Created" | "Object Restore Completed" => EventKind::Created,
        "Object Deleted" => EventKind::Removed,
        other => return Err(EventError::OtherEvent(other.to_owned())),
    };
    let Detail { bucket, object } = serde_json::from_value(detail).map_err(|error| malformed(&error))?;
    let key = object.key.clone();
    Ok(object_event(kind, bucket, object, key, time))
}

fn object_event(kind: EventKind, bucket: Bucket, object: Object, key: String, time: Option<Timestamp>) -> ObjectEvent {
    let etag = object.etag.map(|etag| etag.trim_matches('"').to_owned());
    ObjectEvent { kind, bucket: bucket.name, key, size: object.size, etag, version_id: object.version_id, time }
}

/// The kind of `ObjectCreated:Put`, with or without the `s3:` that configurations write before it.
fn kind_of_event(name: &str) -> Result<EventKind, EventError> {
    match name.trim_start_matches("s3:").split_once(':') {
        Some(("ObjectCreated", _) | ("ObjectRestore", "Completed")) => Ok(EventKind::Created),
        Some(("ObjectRemoved" | "LifecycleExpiration", _)) => Ok(EventKind::Removed),
        _ => Err(EventError::OtherEvent(name.to_owned())),
    }
}

/// Decodes a key as S3 encodes it in its events and its listings: as a form does, a space as `+` and the rest
/// percent-encoded.
///
/// # Errors
/// What is not percent-encoded UTF-8.
pub fn decode_form_key(key: &str) -> Result<String, EventError> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| EventError::Key(key.to_owned()))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn record(name: &str, key: &str) -> serde_json::Value {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": name,
            "eventTime": "2024-12-30T22:00:00.000Z",
            "s3": {"bucket": {"name": "candlewick", "arn": "arn:aws:s3:::candlewick"},
                   "object": {"key": key, "size": 42, "eTag": "abc", "versionId": "v1", "sequencer": "0055AED6DCD90281E5"}}
        })
    }

    fn event_bridge(detail_type: &str, key: &str) -> serde_json::Value {
        json!({
            "version": "0", "detail-type": detail_type, "source": "aws.s3", "time": "2024-12-30T22:00:00Z",
            "detail": {"version": "0", "bucket": {"name": "candlewick"}, "object": {"key": key, "size": 42, "etag": "abc", "version-id": "v1"}}
        })
    }

    fn in_sns(body: &serde_json::Value) -> String {
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:0:raw", "Message": body.to_string()})
            .to_string()
    }

    fn keys(body: &str) -> Vec<String> {
        match parse(body).unwrap() {
            Notification::Test => vec![],
            Notification::Objects(objects) => objects.into_iter().map(|object| object.key).collect(),
        }
    }

    #[test]
    fn an_event_is_the_same_in_every_wrapping() {
        let direct = json!({"Records": [record("ObjectCreated:Put", "raw/a.csv")]});
        let bridge = event_bridge("Object Created", "raw/a.csv");
        let expected = parse(&direct.to_string()).unwrap();
        for body in [in_sns(&direct), bridge.to_string(), in_sns(&bridge)] {
            assert_eq!(parse(&body).unwrap(), expected);
        }
        let Notification::Objects(objects) = expected else { panic!("no objects") };
        assert_eq!(
            (objects[0].size, objects[0].etag.as_deref(), objects[0].version_id.as_deref()),
            (Some(42), Some("abc"), Some("v1"))
        );
    }

    #[test]
    fn the_test_event_is_known_in_every_wrapping() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "candlewick"});
        assert_eq!(parse(&test.to_string()), Ok(Notification::Test));
        assert_eq!(parse(&in_sns(&test)), Ok(Notification::Test));
    }

    #[test]
    fn every_record_of_a_message_counts() {
        let records = json!({"Records": [record("ObjectCreated:Put", "raw/a"), record("ObjectCreated:Copy", "raw/b")]});
        assert_eq!(keys(&records.to_string()), ["raw/a", "raw/b"]);
    }

    #[test]
    fn keys_are_decoded_as_each_shape_encodes_them() {
        for (encoded, key) in [
            ("a+b", "a b"),
            ("a%2Bb", "a+b"),
            ("a%252Fb", "a%2Fb"),
            ("%C3%A9", "é"),
            ("a%2Fb", "a/b"),
            ("a%20b", "a b"),
        ] {
            assert_eq!(keys(&json!({"Records": [record("ObjectCreated:Put", encoded)]}).to_string()), [key]);
        }
        assert_eq!(keys(&event_bridge("Object Created", "a+b%2F").to_string()), ["a+b%2F"]);
    }

    #[test]
    fn a_removed_object_is_told_from_a_written_one() {
        for body in
            [json!({"Records": [record("ObjectRemoved:Delete", "raw/a")]}), event_bridge("Object Deleted", "raw/a")]
        {
            let Notification::Objects(objects) = parse(&body.to_string()).unwrap() else { panic!("no objects") };
            assert_eq!(objects[0].kind, EventKind::Removed);
        }
    }

    #[test]
    fn any_schema_of_version_two_will_do_and_no_other() {
        let mut event = record("ObjectCreated:Put", "raw/a");
        event["eventVersion"] = json!("2.6");
        event["s3"]["object"]["somethingNew"] = json!({"deep": [1]});
        assert_eq!(keys(&json!({"Records": [event.clone()]}).to_string()), ["raw/a"]);
        event["eventVersion"] = json!("3.0");
        assert_eq!(parse(&json!({"Records": [event]}).to_string()), Err(EventError::Schema("3.0".to_owned())));
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        let nested = in_sns(&serde_json::from_str(&in_sns(&json!({"Records": []}))).unwrap());
        for (body, words) in [
            ("hello", "not JSON"),
            ("{}", "no S3 event"),
            ("[]", "no S3 event"),
            (r#"{"Records":[{}]}"#, "malformed"),
            (r#"{"Records":"x"}"#, "malformed"),
            (r#"{"Event":"s3:Other"}"#, "neither the writing nor the removing"),
            (
                &json!({"Records": [record("ObjectTagging:Put", "raw/a")]}).to_string(),
                "neither the writing nor the removing",
            ),
            (&json!({"Records": [record("ObjectCreated:Put", "%FF")]}).to_string(), "not percent-encoded UTF-8"),
            (&nested, "no S3 event"),
        ] {
            let error = parse(body).unwrap_err().to_string();
            assert!(error.contains(words), "{body}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_key_encoded_as_s3_does_is_decoded(key in "\\PC{1,40}") {
            let encoded = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%20", "+");
            prop_assert_eq!(keys(&json!({"Records": [record("ObjectCreated:Put", &encoded)]}).to_string()), vec![key]);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
