//! Creates the event that S3 sends for a new object, for objects whose event was lost or is to be repeated.
//!
//! It has the fields of the Amazon S3 User Guide, "Event message structure", that the consumer reads, so that such an
//! object is handled like any other.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// The characters that S3 encodes in the keys of its events.
const ESCAPED_IN_KEYS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-').remove(b'*');

/// The event that an object was created.
#[derive(Clone, Copy, Debug)]
pub struct ObjectCreated<'a> {
    /// The name of the object's bucket.
    pub bucket: &'a str,
    /// The plain key, which is encoded in the message.
    pub key: &'a str,
    /// The entity tag without quotes.
    pub etag: &'a str,
    /// The size in bytes.
    pub size: u64,
    /// The time of the event.
    pub time: Timestamp,
}

impl ObjectCreated<'_> {
    /// Creates the body of the message, in JSON.
    #[must_use]
    pub fn body(&self) -> String {
        let object = json!({"key": encode_form_key(self.key), "size": self.size, "eTag": self.etag});
        let record = json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "eventTime": self.time.to_string(), "s3": {"bucket": {"name": self.bucket}, "object": object}
        });
        json!({"Records": [record]}).to_string()
    }
}

/// Encodes a key as S3 does in events: like form data, with `+` for a space.
fn encode_form_key(key: &str) -> String {
    utf8_percent_encode(key, ESCAPED_IN_KEYS).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::event::{self, EventKind, Notification, ObjectEvent};

    fn read_back(key: &str) -> Vec<ObjectEvent> {
        let time = "2024-12-30T22:00:00Z".parse().unwrap();
        let body = ObjectCreated { bucket: "candlewick", key, etag: "abc", size: 42, time }.body();
        let Notification::Objects(objects) = event::parse(&body).unwrap() else { panic!("no objects") };
        objects
    }

    #[test]
    fn the_consumer_reads_what_it_would_read_of_s3() {
        let key = "raw/interval=1day/symbol=BTC%2FUSD/candles.csv";
        let expected = ObjectEvent {
            kind: EventKind::Created,
            bucket: "candlewick".to_owned(),
            key: key.to_owned(),
            size: Some(42),
            etag: Some("abc".to_owned()),
            version_id: None,
            time: Some("2024-12-30T22:00:00Z".parse().unwrap()),
        };
        assert_eq!(read_back(key), [expected]);
    }

    #[test]
    fn keys_look_as_s3_writes_them() {
        assert_eq!(
            encode_form_key("raw/interval=1day/symbol=BTC%2FUSD/a b.csv"),
            "raw/interval%3D1day/symbol%3DBTC%252FUSD/a+b.csv"
        );
    }

    proptest! {
        #[test]
        fn every_key_is_read_back(key in "\\PC{1,40}") {
            prop_assert_eq!(&read_back(&key)[0].key, &key);
        }
    }
}
