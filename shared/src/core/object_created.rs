//! The message by which S3 tells of an object, written for objects whose own message got lost, or is wanted again.
//!
//! It has the shape of the Amazon S3 User Guide, "Event message structure", as far as anybody reads it, so that the work
//! goes the same way as ever.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// What S3 leaves as it is in the keys of its events.
const OUTSIDE_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-').remove(b'*');

/// An object that a message is to tell of.
#[derive(Clone, Copy, Debug)]
pub struct ObjectCreated<'a> {
    /// The bucket it is in.
    pub bucket: &'a str,
    /// Its key.
    pub key: &'a str,
    /// Its entity tag, without quotes.
    pub etag: &'a str,
    /// Its size in bytes.
    pub size: u64,
    /// When the message is written.
    pub time: Timestamp,
}

impl ObjectCreated<'_> {
    /// The body of the message.
    #[must_use]
    pub fn body(&self) -> String {
        let object = json!({"key": form_key(self.key), "size": self.size, "eTag": self.etag});
        let record = json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "eventTime": self.time.to_string(), "s3": {"bucket": {"name": self.bucket}, "object": object}
        });
        json!({"Records": [record]}).to_string()
    }
}

/// A key as S3 encodes it in its events: as a form does, a space as `+`.
fn form_key(key: &str) -> String {
    utf8_percent_encode(key, OUTSIDE_KEY).to_string().replace("%20", "+")
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
            form_key("raw/interval=1day/symbol=BTC%2FUSD/a b.csv"),
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
