//! The subject of a message of any queue, for alerts and listings that name a message without handling it.

use crate::core::event::{self, Notification};
use crate::core::ingest_message::IngestMessage;
use crate::core::key::{ObjectPath, RawKey, Series, TransformedKey};

/// The series, object and run of a message, as far as the message names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSubject {
    /// The series of a fetch message, or the series of the object in an event.
    pub series: Option<Series>,
    /// The key of the object, or of the first object if there are several.
    pub key: Option<String>,
    /// The id of the run of a fetch message.
    pub run: Option<String>,
}

impl MessageSubject {
    /// Reads the subject from the body of a message. An unknown message has an empty subject.
    #[must_use]
    pub fn of(body: &str) -> Self {
        if let Ok(IngestMessage::Fetch { symbol, interval, run, .. }) = serde_json::from_str(body) {
            return Self { series: Some(Series { symbol, interval }), key: None, run: Some(run) };
        }
        let Ok(Notification::Objects(objects)) = event::parse(body) else { return Self::default() };
        let key = objects.into_iter().next().map(|object| object.key);
        let series = key.as_deref().and_then(path_of).map(|path| path.series);
        Self { series, key, run: None }
    }

    /// Returns a short name such as `AAPL 1day` or `AAPL 1min 2024-01`, or the key if it does not follow the layout.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        let path = self.key.as_deref().and_then(path_of).map(|path| path.to_string());
        path.or_else(|| self.series.as_ref().map(ToString::to_string)).or_else(|| self.key.clone())
    }
}

/// Parses a key under `raw/` or `transformed/`.
#[must_use]
pub fn path_of(key: &str) -> Option<ObjectPath> {
    let raw = key.parse::<RawKey>().map(|key| key.path);
    raw.or_else(|_| key.parse::<TransformedKey>().map(|key| key.path)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(key: &str) -> String {
        let object = json!({"key": key, "size": 1});
        let s3 = json!({"bucket": {"name": "b"}, "object": object});
        json!({"Records": [{"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": s3}]}).to_string()
    }

    #[test]
    fn a_fetch_names_its_series_and_run() {
        let work =
            MessageSubject::of(r#"{"kind":"fetch","run":"r","symbol":"BTC/USD","interval":"1h","traceparent":"x"}"#);
        assert_eq!((work.subject().unwrap().as_str(), work.run.as_deref()), ("BTC/USD 1h", Some("r")));
    }

    #[test]
    fn an_event_names_its_object() {
        let subject = |key| MessageSubject::of(&event(key)).subject().unwrap();
        assert_eq!(subject("raw/interval%3D1day/symbol%3DAAPL/candles.csv"), "AAPL 1day");
        assert_eq!(subject("transformed/interval%3D1min/symbol%3DBTC%252FUSD/2024-01.csv"), "BTC/USD 1min 2024-01");
        assert_eq!(subject("raw/elsewhere.csv"), "raw/elsewhere.csv");
    }

    #[test]
    fn what_says_nothing_is_about_nothing() {
        assert_eq!(MessageSubject::of("hello there"), MessageSubject::default());
        assert_eq!(MessageSubject::default().subject(), None);
    }
}
