//! Tests each row of the table of `core::blame` for S3 and SQS, from the response on the wire to the error.

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::budget::Budget;
use candlewick_shared::core::blame::Blame::{self, Dependency, Evidence, Message};
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf, StoreError};
use futures::future::join_all;

use crate::server::{answer, serve};

/// The maximum number of requests of the SDK, which retries some responses.
const TRIES: usize = 4;

/// An S3 code, its status, and the blame for a reader and for a writer.
const S3: [(&str, u16, Blame, Blame); 41] = [
    ("InvalidObjectState", 403, Message("archived_object"), Dependency),
    ("InvalidRequest", 400, Message("unreadable_object"), Evidence("refused_by_s3")),
    ("KMS.ThrottlingException", 400, Dependency, Dependency),
    ("KMS.InternalException", 500, Dependency, Dependency),
    ("KMS.DependencyTimeoutException", 500, Dependency, Dependency),
    ("KMS.KeyUnavailableException", 500, Dependency, Dependency),
    ("KMS.DisabledException", 400, Evidence("key_refused"), Dependency),
    ("KMS.NotFoundException", 400, Evidence("key_refused"), Dependency),
    ("KMS.KMSInvalidStateException", 400, Evidence("key_refused"), Dependency),
    ("AccessDenied", 403, Evidence("access_denied"), Dependency),
    ("KeyTooLongError", 400, Message("bad_key"), Message("bad_key")),
    ("EntityTooLarge", 400, Message("object_too_large"), Message("object_too_large")),
    ("MetadataTooLarge", 400, Message("bad_metadata"), Message("bad_metadata")),
    ("NoSuchBucket", 404, Dependency, Dependency),
    ("InvalidBucketName", 400, Dependency, Dependency),
    ("InvalidAccessKeyId", 403, Dependency, Dependency),
    ("SignatureDoesNotMatch", 403, Dependency, Dependency),
    ("InvalidToken", 400, Dependency, Dependency),
    ("ExpiredToken", 400, Dependency, Dependency),
    ("ExpiredTokenException", 400, Dependency, Dependency),
    ("TokenRefreshRequired", 400, Dependency, Dependency),
    ("InvalidSecurity", 403, Dependency, Dependency),
    ("NotSignedUp", 403, Dependency, Dependency),
    ("AccountProblem", 403, Dependency, Dependency),
    ("AllAccessDisabled", 403, Dependency, Dependency),
    ("RequestTimeTooSkewed", 403, Dependency, Dependency),
    ("AuthorizationHeaderMalformed", 400, Dependency, Dependency),
    ("PermanentRedirect", 301, Dependency, Dependency),
    ("TemporaryRedirect", 307, Dependency, Dependency),
    ("SlowDown", 503, Dependency, Dependency),
    ("ThrottlingException", 400, Dependency, Dependency),
    ("TooManyRequestsException", 429, Dependency, Dependency),
    ("RequestLimitExceeded", 503, Dependency, Dependency),
    ("BandwidthLimitExceeded", 503, Dependency, Dependency),
    ("ServiceUnavailable", 503, Dependency, Dependency),
    ("InternalError", 500, Dependency, Dependency),
    ("InternalFailure", 500, Dependency, Dependency),
    ("RequestTimeout", 400, Dependency, Dependency),
    ("OperationAborted", 409, Dependency, Dependency),
    // Codes without a row: decided by the status or by evidence.
    ("Novelty", 500, Dependency, Dependency),
    ("Novelty", 400, Evidence("refused_by_s3"), Evidence("refused_by_s3")),
];

fn said(code: &str, status: u16) -> String {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Because of {code}.</Message></Error>");
    answer(&format!("{status} Status"), &body)
}

/// A client whose server gives the same response to everything.
async fn aws(answer: &str) -> (Aws, String) {
    let server = serve(vec![answer.to_owned(); TRIES]).await;
    (Aws::at(&server.url, "us-east-1", "test", "test").await, server.url)
}

async fn get_error(answer: &str) -> StoreError {
    aws(answer).await.0.store("b").get("raw/x").await.unwrap_err()
}

async fn put_error(answer: &str) -> StoreError {
    let object = NewObject::csv(b"x".to_vec(), [].into());
    aws(answer).await.0.store("b").put("transformed/x", object, PutIf::Always).await.unwrap_err()
}

#[tokio::test]
async fn each_code_of_s3_is_whose_failure_the_table_says() {
    let rows = S3.iter().map(|(code, status, read, own)| async move {
        let answer = said(code, *status);
        let got = get_error(&answer).await;
        let put = put_error(&answer).await;
        ((got.blame, put.blame) != (*read, *own)).then(|| format!("{code}: {:?} {:?}: {got}", got.blame, put.blame))
    });
    let wrong: Vec<_> = join_all(rows).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The codes and patterns of one of the tables, without the `*` of a pattern.
fn rows_of_table(name: &str) -> Vec<&'static str> {
    let code = include_str!("../../src/core/blame.rs");
    let table = code.split(&format!("const {name}: ")).nth(1).and_then(|rest| rest.split("];").next());
    let lines = table.expect("the table is there").lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("(\"")?.split('"').next())
        .map(|code| code.trim_end_matches('*'))
        .collect()
}

#[test]
fn every_row_for_s3_has_a_test() {
    let rows = rows_of_table("S3");
    let is_tested = |row: &&&str| S3.iter().any(|(code, ..)| code.starts_with(**row));
    assert!(rows.len() > 30, "the table was not read: {rows:?}");
    assert_eq!(rows.iter().filter(|row| !is_tested(row)).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[tokio::test]
async fn an_error_of_s3_is_one_sentence() {
    let error = get_error(&said("InvalidObjectState", 403)).await.to_string();
    assert_eq!(error, "get object \"raw/x\": Because of InvalidObjectState (InvalidObjectState)");
}

#[tokio::test]
async fn nobody_who_answers_is_the_dependencys_failure_and_said_in_words() {
    let store = Aws::at("http://127.0.0.1:9", "us-east-1", "test", "test").await.store("b");
    let error = store.get("raw/x").await.unwrap_err();
    assert_eq!(error.blame, Dependency);
    let words = error.to_string();
    assert!(words.contains("refused") && !words.contains('{') && words.len() < 300, "{words}");
}

/// The response to HEAD has no body, and therefore no code.
#[tokio::test]
async fn a_refused_look_at_the_services_own_object_is_the_dependencys_failure() {
    for (status, blame) in [("403 Forbidden", Dependency), ("400 Bad Request", Evidence("refused_by_s3"))] {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
        let error = aws(&head).await.0.store("b").head("transformed/x").await.unwrap_err();
        assert_eq!(error.blame, blame, "{error}");
    }
}

#[tokio::test]
async fn each_code_of_sqs_is_whose_failure_the_table_says() {
    let rows = [
        ("com.amazonaws.sqs#InvalidMessageContents", Message("bad_message")),
        ("com.amazonaws.sqs#BatchRequestTooLong", Message("bad_message")),
        ("com.amazonaws.sqs#InvalidAttributeValue", Message("bad_message")),
        ("com.amazonaws.sqs#QueueDoesNotExist", Dependency),
        ("AWS.SimpleQueueService.NonExistentQueue", Dependency),
        ("com.amazonaws.sqs#KmsDisabled", Dependency),
        ("com.amazonaws.sqs#KmsAccessDenied", Dependency),
        ("com.amazonaws.sqs#AccessDeniedException", Dependency),
        ("com.amazonaws.sqs#OverLimit", Dependency),
    ];
    for (code, blame) in rows {
        let (aws, url) =
            aws(&answer("400 Bad Request", &format!("{{\"__type\":\"{code}\",\"message\":\"why\"}}"))).await;
        let error = aws.queue(&format!("{url}/q")).send(&[NewMessage::default()]).await.unwrap_err();
        assert_eq!(error.blame, blame, "{code}: {error}");
        assert!(error.to_string().contains("why (") && error.to_string().len() < 200, "{error}");
    }
}

/// Keys may contain any character of UTF-8, but XML does not allow all of them.
#[tokio::test]
async fn a_listing_that_xml_cannot_say_is_asked_for_with_encoded_keys() {
    let contents = "<Contents><Key>raw/%1B%5B2J+a%2Bb%C3%A4</Key><ETag>\"e\"</ETag><Size>1</Size>\
        <LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>";
    let page = format!("<ListBucketResult><EncodingType>url</EncodingType>{contents}</ListBucketResult>");
    let bare = "<ListBucketResult><Contents><Key>raw/\u{1b}[2J</Key></Contents></ListBucketResult>";
    let server = serve(vec![answer("200 OK", bare), answer("200 OK", &page)]).await;
    let store = Aws::at(&server.url, "us-east-1", "test", "test").await.store("b");
    let listed = store.list("raw/").await.unwrap();
    assert_eq!(listed[0].key, "raw/\u{1b}[2J a+bä");
    let requests = server.requests.await.unwrap();
    assert!(!requests[0].contains("encoding-type") && requests[1].contains("encoding-type=url"));
}

#[tokio::test]
async fn the_body_of_an_object_that_is_too_large_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\nETag: \"e\"\r\n\
        Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: close\r\n\r\n";
    let error = aws(head).await.0.store("b").get_within("raw/x", 1 << 20).await.unwrap_err();
    assert_eq!(error.blame, Message("object_too_large"));
    assert!(error.to_string().contains("1099511627776 bytes"), "{error}");
}

/// A body that waits for memory would be given up as stalled, so it is requested again.
#[tokio::test]
async fn what_there_is_no_memory_for_is_asked_for_again_when_there_is() {
    let body = "x".repeat(1 << 20);
    let head = "ETag: \"e\"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n";
    let whole = answer("200 OK", &body).replacen("\r\n", &format!("\r\n{head}"), 1);
    let server = serve(vec![whole.clone(), whole.clone(), whole]).await;
    let store = Aws::at(&server.url, "us-east-1", "test", "test").await.store("b").within(Budget::new(3 << 19));
    let first = store.get("raw/x").await.unwrap().unwrap();
    let second = tokio::spawn(async move { store.get("raw/x").await });
    drop(first);
    assert_eq!(second.await.unwrap().unwrap().unwrap().body.len(), 1 << 20);
}
