//! Events as the Amazon S3 User Guide documents them ("Event message structure", "EventBridge event message structure"), and
//! as the Amazon SNS Developer Guide wraps them ("HTTP/HTTPS notification JSON format").

use candlewick_shared::core::event::{self, EventKind, Notification, ObjectEvent};
use proptest::prelude::*;
use serde_json::json;

const S3_CREATED: &str = include_str!("../fixtures/events/s3_created.json");
const S3_REMOVED: &str = include_str!("../fixtures/events/s3_removed.json");
const S3_TEST: &str = include_str!("../fixtures/events/s3_test.json");
const EVENTBRIDGE_CREATED: &str = include_str!("../fixtures/events/eventbridge_created.json");
const EVENTBRIDGE_DELETED: &str = include_str!("../fixtures/events/eventbridge_deleted.json");
const ALL: [&str; 5] = [S3_CREATED, S3_REMOVED, S3_TEST, EVENTBRIDGE_CREATED, EVENTBRIDGE_DELETED];

fn in_sns(message: &str) -> String {
    json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
        "Subject": "Amazon S3 Notification",
        "Message": message,
        "Timestamp": "2012-05-02T00:54:06.655Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLEw6JRN…",
        "SigningCertURL": "https://sns.us-west-2.amazonaws.com/SimpleNotificationService.pem",
        "UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
    })
    .to_string()
}

fn objects(body: &str) -> Vec<ObjectEvent> {
    match event::parse(body).unwrap() {
        Notification::Test => panic!("a test event"),
        Notification::Objects(objects) => objects,
    }
}

fn kinds_and_keys(body: &str) -> Vec<(EventKind, String)> {
    objects(body).into_iter().map(|object| (object.kind, object.key)).collect()
}

fn owned(expected: &[(EventKind, &str)]) -> Vec<(EventKind, String)> {
    expected.iter().map(|(kind, key)| (*kind, (*key).to_owned())).collect()
}

#[test]
fn every_documented_event_is_read_bare_and_in_an_sns_envelope() {
    for (body, expected) in [
        (
            S3_CREATED,
            &[
                (EventKind::Created, "raw/interval=1day/symbol=BTC%2FUSD/red flower.csv"),
                (EventKind::Created, "raw/a+bé.csv"),
            ][..],
        ),
        (S3_REMOVED, &[(EventKind::Removed, "raw/red flower.csv"), (EventKind::Removed, "raw/old.csv")][..]),
        (EVENTBRIDGE_CREATED, &[(EventKind::Created, "raw/interval=1day/symbol=BTC%2FUSD/a+b c.csv")][..]),
        (EVENTBRIDGE_DELETED, &[(EventKind::Removed, "raw/a.csv")][..]),
    ] {
        assert_eq!(kinds_and_keys(body), owned(expected));
        assert_eq!(kinds_and_keys(&in_sns(body)), owned(expected));
    }
    assert_eq!(event::parse(S3_TEST), Ok(Notification::Test));
    assert_eq!(event::parse(&in_sns(S3_TEST)), Ok(Notification::Test));
}

#[test]
fn what_an_event_says_beside_the_key_is_read() {
    let of_s3 = &objects(S3_CREATED)[0];
    assert_eq!((of_s3.size, of_s3.time), (Some(1024), Some("1970-01-01T00:00:00Z".parse().unwrap())));
    assert_eq!(of_s3.etag.as_deref(), Some("d41d8cd98f00b204e9800998ecf8427e"));
    assert_eq!(of_s3.version_id.as_deref(), Some("096fKKXTRTtl3on89fVO.nfljtsv6qko"));
    let of_bridge = &objects(EVENTBRIDGE_CREATED)[0];
    assert_eq!((of_bridge.size, of_bridge.time), (Some(5), Some("2021-11-12T00:00:00Z".parse().unwrap())));
    assert_eq!(of_bridge.etag.as_deref(), Some("b1946ac92492d2347c6235b4d2611184"));
    assert_eq!(of_bridge.version_id.as_deref(), Some("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"));
    assert!(
        ALL.into_iter().filter(|body| *body != S3_TEST).all(|body| objects(body)[0].bucket == "amzn-s3-demo-bucket")
    );
}

#[test]
fn a_time_that_cannot_be_read_does_not_spoil_an_event() {
    for time in ["\"yesterday\"", "12", "null"] {
        let body = S3_CREATED.replace("\"1970-01-01T00:00:00.000Z\"", time);
        assert_eq!((objects(&body).len(), objects(&body)[0].time), (2, None), "{time}");
        let body = EVENTBRIDGE_CREATED.replace("\"2021-11-12T00:00:00Z\"", time);
        assert_eq!(objects(&body)[0].time, None, "{time}");
    }
}

#[test]
fn a_restored_object_is_a_written_one_and_one_still_on_its_way_is_neither() {
    let completed = S3_CREATED.replace("ObjectCreated:Put", "ObjectRestore:Completed");
    assert_eq!(objects(&completed)[0].kind, EventKind::Created);
    let completed = EVENTBRIDGE_CREATED.replace("Object Created", "Object Restore Completed");
    assert_eq!(objects(&completed)[0].kind, EventKind::Created);
    let begun = S3_CREATED.replace("ObjectCreated:Put", "ObjectRestore:Post");
    assert!(event::parse(&begun).unwrap_err().to_string().contains("ObjectRestore:Post"));
}

#[test]
fn what_sns_says_on_its_own_account_is_refused() {
    let confirmation =
        in_sns("You have chosen to subscribe to the topic.").replace("Notification", "SubscriptionConfirmation");
    assert!(event::parse(&confirmation).unwrap_err().to_string().contains("not JSON"));
}

proptest! {
    #[test]
    fn an_event_with_any_part_overwritten_is_read_or_refused(which in 0..ALL.len(), at in 0_usize..900, by in "\\PC{0,6}", sns: bool) {
        let mut body: Vec<char> = if sns { in_sns(ALL[which]) } else { ALL[which].to_owned() }.chars().collect();
        let at = at.min(body.len());
        let end = (at + by.chars().count()).min(body.len());
        body.splice(at..end, by.chars());
        let _ = event::parse(&body.into_iter().collect::<String>());
    }
}
