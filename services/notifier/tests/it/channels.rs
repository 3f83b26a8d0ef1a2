//! The ways to the owner, each against another side in this process.

use std::sync::Arc;

use candlewick_notifier::channel::email::Email;
use candlewick_notifier::channel::slack::Slack;
use candlewick_notifier::channel::webhook::Webhook;
use candlewick_notifier::channel::{Channel, http};
use candlewick_notifier::heartbeat::Heartbeat;
use candlewick_notifier::message::Message;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::world::World;
use crate::{sinks, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_webhook_gets_json_and_a_key_that_stays", a_webhook_gets_json),
        trial("slack_gets_its_own_shape", slack_gets_its_own_shape),
        trial("a_refusal_is_an_error_without_the_address", a_refusal_is_an_error),
        trial("an_e_mail_has_its_name_as_its_id", an_e_mail_has_its_name),
        trial("a_failed_attempt_is_noted_and_the_next_one_delivers", a_failed_attempt_is_noted),
        trial("the_heart_beats_unless_messages_do_not_get_through", the_heart_beats),
    ]
}

fn message() -> Message {
    let payload = json!({"type": "alert", "kind": "dead_letter", "state": "firing"});
    Message { name: "alert-1".to_owned(), subject: "Candlewick: ä".to_owned(), body: "line 3\n".to_owned(), payload }
}

async fn a_webhook_gets_json(_: World) {
    let (url, posts) = sinks::http(204).await;
    let webhook = Webhook { http: http::client().unwrap(), url: url.into() };
    webhook.send(&message()).await.unwrap();
    let (key, body) = posts.lock().unwrap()[0].clone();
    let expected = json!({"id": "alert-1", "subject": "Candlewick: ä", "text": "line 3\n",
        "type": "alert", "kind": "dead_letter", "state": "firing"});
    assert_eq!((key.as_str(), serde_json::from_str::<Value>(&body).unwrap()), ("alert-1", expected));
}

async fn slack_gets_its_own_shape(_: World) {
    let (url, posts) = sinks::http(200).await;
    Slack { http: http::client().unwrap(), url: url.into() }.send(&message()).await.unwrap();
    let body: Value = serde_json::from_str(&posts.lock().unwrap()[0].1).unwrap();
    assert_eq!(body, json!({"text": "*Candlewick: ä*\n```line 3\n```"}));
}

async fn a_refusal_is_an_error(_: World) {
    let (url, _) = sinks::http(404).await;
    let webhook = |url: &str| Webhook { http: http::client().unwrap(), url: url.into() };
    let refused = format!("{:#}", webhook(&url).send(&message()).await.unwrap_err());
    assert!(refused.contains("404") && !refused.contains("s3cret"), "{refused}");
    let nobody = format!("{:?}", webhook("http://127.0.0.1:1/s3cret").send(&message()).await.unwrap_err());
    assert!(!nobody.contains("s3cret"), "{nobody}");
}

async fn an_e_mail_has_its_name(_: World) {
    let (url, mail) = sinks::mail().await;
    let email = Email::new(&url.into(), "Candlewick <c@example.org>", "a@example.org, b@example.org").unwrap();
    email.send(&message()).await.unwrap();
    let mail = mail.await.unwrap();
    for line in [
        "RCPT TO:<a@example.org>",
        "RCPT TO:<b@example.org>",
        "Message-ID: <alert-1@example.org>",
        "To: a@example.org, b@example.org",
    ] {
        assert!(mail.contains(line), "{line}\n---\n{mail}");
    }
    assert!(mail.contains("line 3") && mail.contains("Subject: Candlewick: =?utf-8?b?w6Q=?="), "{mail}");
}

async fn a_failed_attempt_is_noted(world: World) {
    world.raise("AAPL").await;
    world.pass(30);
    world.plan().await;
    let (broken, _) = sinks::http(500).await;
    let webhook = |url: String| Arc::new(Webhook { http: http::client().unwrap(), url: url.into() });
    world.sender(webhook(broken)).send_due().await.unwrap();
    let noted = "select error from alert_deliveries where attempts = 1 and sent_at is null";
    let noted: String = sqlx::query_scalar(noted).fetch_one(&world.pool).await.unwrap();
    assert!(noted.contains("500"), "{noted}");
    world.pass(6);
    let (url, posts) = sinks::http(200).await;
    world.sender(webhook(url)).send_due().await.unwrap();
    assert_eq!(posts.lock().unwrap().len(), 1);
    assert!(world.claim().await.is_none());
}

async fn the_heart_beats(world: World) {
    let (url, posts) = sinks::http(200).await;
    let (pool, now) = (world.pool.clone(), world.clock());
    let heartbeat = Heartbeat { http: http::client().unwrap(), url: url.into(), pool, now };
    heartbeat.beat().await;
    assert_eq!(posts.lock().unwrap().len(), 1);
    world.raise("AAPL").await;
    world.pass(30);
    world.plan().await;
    world.pass(3601);
    heartbeat.beat().await;
    assert_eq!(posts.lock().unwrap().len(), 1, "a message waits for an hour, and the heart beats on");
}
