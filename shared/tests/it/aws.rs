//! Requests to S3 and SQS and the handling of their responses, for responses that the stand-ins never give.

use std::time::Duration;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::blame::Blame;
use candlewick_shared::ports::queue::{Lease, NewMessage, Queue, Receipt};
use candlewick_shared::ports::store::{NewObject, ObjectStore, Put, PutIf};
use serde_json::{Value, json};

use crate::server::{Server, answer, serve};

async fn aws(answers: Vec<String>) -> (Aws, Server) {
    let server = serve(answers).await;
    (Aws::at(&server.url, "us-east-1", "test", "test").await, server)
}

async fn bodies(server: Server) -> Vec<Value> {
    let requests = server.requests.await.unwrap();
    requests.iter().map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()).collect()
}

fn ok(body: &Value) -> String {
    answer("200 OK", &body.to_string())
}

fn receipts(texts: &[&str]) -> Vec<Receipt> {
    texts.iter().map(|text| Receipt((*text).to_owned())).collect()
}

#[tokio::test]
async fn a_receive_names_the_lease_and_asks_for_the_receive_count() {
    let (aws, server) = aws(vec![ok(&json!({}))]).await;
    let queue = aws.queue(&format!("{}/q", server.url));
    assert_eq!(queue.receive(7, Duration::from_millis(59_500)).await.unwrap(), []);
    let asked = bodies(server).await.remove(0);
    assert_eq!((&asked["VisibilityTimeout"], &asked["MaxNumberOfMessages"]), (&json!(60), &json!(7)));
    assert_eq!(asked["WaitTimeSeconds"], 20);
    assert!(asked.to_string().contains("ApproximateReceiveCount"), "{asked}");
}

#[tokio::test]
async fn the_entries_of_a_deletion_are_told_apart_by_index_and_each_that_remains_is_an_error() {
    let failed =
        |code: &str| json!({"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Code": code, "SenderFault": false}]});
    let answers = [failed("InternalError"), failed("ReceiptHandleIsInvalid"), failed("InvalidParameterValue")];
    let (aws, server) = aws(answers.iter().map(ok).collect()).await;
    let queue = aws.queue(&format!("{}/q", server.url));
    let same = receipts(&["same", "same"]);
    let error = queue.delete(&same).await.unwrap_err().to_string();
    assert!(error.contains("1 remain: InternalError"), "{error}");
    queue.delete(&same).await.expect("a receipt that is dead under one code");
    queue.delete(&same).await.expect("and under the other");
    let asked = bodies(server).await.remove(0);
    let ids: Vec<_> = asked["Entries"].as_array().unwrap().iter().map(|entry| entry["Id"].clone()).collect();
    assert_eq!(ids, ["0", "1"]);
}

#[tokio::test]
async fn a_message_that_was_not_sent_is_an_error_though_the_call_succeeded() {
    let partly = json!({"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "x"}],
        "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": false}]});
    let (aws, server) = aws(vec![ok(&partly)]).await;
    let messages = ["a", "b"].map(|body| NewMessage { body: body.to_owned(), ..NewMessage::default() });
    let error = aws.queue(&format!("{}/q", server.url)).send(&messages).await.unwrap_err().to_string();
    assert!(error.contains("1 of 2 were not sent: InternalError"), "{error}");
}

/// A batch is answered message by message, with the same codes as a single one.
#[tokio::test]
async fn a_message_of_a_batch_that_is_refused_is_to_blame_unless_the_queue_is() {
    let failed = |codes: &[&str]| {
        let failed = |(at, code): (usize, &&str)| json!({"Id": at.to_string(), "Code": code, "SenderFault": true});
        json!({"Successful": [], "Failed": codes.iter().enumerate().map(failed).collect::<Vec<_>>()})
    };
    let refused = failed(&["InvalidMessageContents"]);
    let down = failed(&["InvalidMessageContents", "InternalError"]);
    let (aws, server) = aws(vec![ok(&refused), ok(&down)]).await;
    let queue = aws.queue(&format!("{}/q", server.url));
    let messages = [NewMessage::default(), NewMessage::default()];
    for blame in [Blame::Message("bad_message"), Blame::Dependency] {
        assert_eq!(queue.send(&messages).await.unwrap_err().blame, blame);
    }
}

#[tokio::test]
async fn a_dead_receipt_is_a_lost_lease_under_each_of_its_codes() {
    let codes = ["ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"];
    let refused =
        |code: &str| answer("400 Bad Request", &json!({"__type": format!("com.amazonaws.sqs#{code}")}).to_string());
    let (aws, server) = aws(codes.map(refused).into()).await;
    let queue = aws.queue(&format!("{}/q", server.url));
    for code in codes {
        assert_eq!(
            queue.extend(&Receipt("r".to_owned()), Duration::from_secs(1)).await.unwrap(),
            Lease::Lost,
            "{code}"
        );
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_no_shorter_object() {
    let head = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nLast-Modified: Mon, 30 Dec 2024 22:00:00 GMT\r\n";
    let broken = format!("{head}Content-Length: 100\r\nConnection: close\r\n\r\nonly this");
    let (aws, _server) = aws(vec![broken; 4]).await;
    let error = aws.store("b").get("raw/a").await.unwrap_err().to_string();
    assert!(error.contains("read object \"raw/a\""), "{error}");
}

#[tokio::test]
async fn an_object_of_no_bytes_is_an_object() {
    let head = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nLast-Modified: Mon, 30 Dec 2024 22:00:00 GMT\r\n";
    let (aws, _server) = aws(vec![format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n")]).await;
    let object = aws.store("b").get("raw/a").await.unwrap().expect("an object");
    assert_eq!((object.info.size, object.body.len()), (0, 0));
}

/// A stalled body is not given up at once: a short network fault must not discard what has arrived already.
#[tokio::test]
async fn a_body_may_rest_for_a_while_before_it_is_given_up() {
    let aws = Aws::at("http://127.0.0.1:1", "us-east-1", "test", "test").await;
    let protection = aws.config().stalled_stream_protection().expect("it is set on purpose");
    assert!(protection.download_enabled());
    assert_eq!(protection.grace_period(), Duration::from_secs(20));
}

#[tokio::test]
async fn a_conditional_write_names_its_condition() {
    let written = || "HTTP/1.1 200 OK\r\nETag: \"n\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    let (aws, server) = aws(vec![written(), written(), written()]).await;
    for condition in [PutIf::Always, PutIf::Absent, PutIf::Matches("e".to_owned())] {
        let put = aws.store("b").put("k", NewObject::csv(vec![], [].into()), condition).await.unwrap();
        assert_eq!(put, Put::Written { etag: "n".to_owned() });
    }
    let requests: Vec<_> = server.requests.await.unwrap().iter().map(|request| request.to_lowercase()).collect();
    let says = |header: &str| requests.iter().map(|request| request.contains(header)).collect::<Vec<_>>();
    assert_eq!(says("\r\nif-none-match: *\r\n"), [false, true, false]);
    assert_eq!(says("\r\nif-match: \"e\"\r\n"), [false, false, true]);
}

#[tokio::test]
async fn a_write_that_another_crossed_was_not_made_and_a_forbidden_one_is_an_error() {
    let xml = |status, code| answer(status, &format!("<Error><Code>{code}</Code></Error>"));
    let answers = vec![
        xml("412 Precondition Failed", "PreconditionFailed"),
        xml("409 Conflict", "ConditionalRequestConflict"),
        xml("404 Not Found", "NoSuchKey"),
        xml("403 Forbidden", "AccessDenied"),
    ];
    let (aws, _server) = aws(answers).await;
    let put = || async { aws.store("b").put("k", NewObject::csv(vec![], [].into()), PutIf::Matches("e".into())).await };
    for _ in 0..3 {
        assert_eq!(put().await.unwrap(), Put::Changed);
    }
    assert!(put().await.unwrap_err().to_string().contains("AccessDenied"));
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_object() {
    let missing = |code| answer("404 Not Found", &format!("<Error><Code>{code}</Code></Error>"));
    let (aws, _server) = aws(vec![missing("NoSuchKey"), missing("NoSuchBucket")]).await;
    assert_eq!(aws.store("b").get("k").await.unwrap(), None);
    assert!(aws.store("b").get("k").await.is_err());
}
