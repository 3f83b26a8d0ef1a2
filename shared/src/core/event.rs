//! Parses S3 event notifications in every form in which they are delivered.
//!
//! The form is recognised from the message body, so there is no setting to get wrong: an S3 event or an EventBridge
//! event, either directly or inside an SNS envelope, and the S3 test event. With raw message delivery, SNS forwards the
//! body as S3 wrote it. Sources: the Amazon S3 User Guide, "Event message structure" and "EventBridge event message
//! structure"; the Amazon SNS Developer Guide, "HTTP/HTTPS notification JSON format".

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The test event that S3 sends when a notification is configured. It is about no object.
    Test,
    /// One event for each record of the message.
    Objects(Vec<ObjectEvent>),
}

/// The writing or removal of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// Whether the object was written or removed.
    pub kind: EventKind,
    /// The name of the object's bucket.
    pub bucket: String,
    /// The decoded key.
    pub key: String,
    /// The size in bytes, if the event has it.
    pub size: Option<u64>,
    /// The entity tag without quotes, if the event has it.
    pub etag: Option<String>,
    /// The version id, if the bucket has versioning enabled.
    pub version_id: Option<String>,
    /// When the event occurred, if the event says so.
    pub time: Option<Timestamp>,
}

impl ObjectEvent {
    /// The event of a new object, without what an event may lack. It is for tests of handlers.
    #[must_use]
    pub fn created(bucket: &str, key: &str) -> Self {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Self { kind: EventKind::Created, bucket, key, size: None, etag: None, version_id: None, time: None }
    }
}

/// The kind of an object event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The object was put, posted, copied, uploaded in parts or restored from an archive.
    Created,
    /// The object was removed, or a delete marker hides it.
    Removed,
}

/// Why a message is not a supported event notification.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EventError {
    /// The body is not JSON.
    #[error("the message is not JSON: {0}")]
    NotJson(String),
    /// The body is JSON of an unknown form.
    #[error("the message is not an S3 event: it has no Records, Event, detail or SNS Message")]
    UnknownShape,
    /// A part of the event is missing or invalid.
    #[error("the S3 event is malformed: {0}")]
    Malformed(String),
    /// The event has an unsupported schema version.
    #[error("the S3 event has schema version {0}: only 2.x is supported")]
    Schema(String),
    /// The event reports something other than the writing or removal of an object.
    #[error("event {0:?} neither creates nor removes an object: remove it from the bucket's notification")]
    OtherEvent(String),
    /// The key is not percent-encoded UTF-8.
    #[error("the event's key {0:?} is not percent-encoded UTF-8")]
    Key(String),
}

/// Parses the body of a message.
///
/// # Errors
///
/// Returns an [`EventError`] if the body is not a notification about objects.
pub fn parse(body: &str) -> Result<Notification, EventError> {
    match read(body)? {
        Body { topic_arn: Some(_), message: Some(message), .. } => read(&message)?.notification(),
        body => body.notification(),
    }
}

/// Parses one level of a message. An SNS envelope inside another one is rejected, so nesting cannot go on forever.
fn read(text: &str) -> Result<Body, EventError> {
    let value: Value = serde_json::from_str(text).map_err(|error| EventError::NotJson(error.to_string()))?;
    if !value.is_object() {
        return Err(EventError::UnknownShape);
    }
    serde_json::from_value(value).map_err(|error| malformed(&error))
}

/// Any of the forms. Each has distinctive fields, and unknown fields are ignored.
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

/// An unreadable time is ignored, because the time is only used for measurements.
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

/// EventBridge events have plain keys; only direct S3 events encode them. LocalStack encodes both, so keys in its
/// EventBridge events are read correctly only if no character of them needs encoding.
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

/// Classifies an event name such as `ObjectCreated:Put`, with or without the prefix `s3:` of notification settings.
fn kind_of_event(name: &str) -> Result<EventKind, EventError> {
    match name.trim_start_matches("s3:").split_once(':') {
        Some(("ObjectCreated", _) | ("ObjectRestore", "Completed")) => Ok(EventKind::Created),
        Some(("ObjectRemoved" | "LifecycleExpiration", _)) => Ok(EventKind::Removed),
        _ => Err(EventError::OtherEvent(name.to_owned())),
    }
}

/// Decodes a key as S3 encodes it in events and listings: like form data, with `+` for a space and percent-encoding.
///
/// # Errors
///
/// Returns [`EventError::Key`] if the key is not percent-encoded UTF-8.
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
            ("{}", "not an S3 event"),
            ("[]", "not an S3 event"),
            (r#"{"Records":[{}]}"#, "malformed"),
            (r#"{"Records":"x"}"#, "malformed"),
            (r#"{"Event":"s3:Other"}"#, "neither creates nor removes"),
            (&json!({"Records": [record("ObjectTagging:Put", "raw/a")]}).to_string(), "neither creates nor removes"),
            (&json!({"Records": [record("ObjectCreated:Put", "%FF")]}).to_string(), "not percent-encoded UTF-8"),
            (&nested, "not an S3 event"),
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
