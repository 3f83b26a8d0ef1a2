//! The ways to the owner, each against another side in this process.

use std::sync::Arc;

use candlewick_notifier::channel::discord::Discord;
use candlewick_notifier::channel::email::Email;
use candlewick_notifier::channel::pagerduty::PagerDuty;
use candlewick_notifier::channel::slack::Slack;
use candlewick_notifier::channel::teams::Teams;
use candlewick_notifier::channel::telegram::Telegram;
use candlewick_notifier::channel::webhook::Webhook;
use candlewick_notifier::channel::{Channel, http};
use candlewick_notifier::heartbeat::Heartbeat;
use candlewick_notifier::message::Notice;
use candlewick_notifier::outbox;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::sinks;
use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        a_webhook_gets_json_and_a_key_that_stays,
        slack_gets_its_own_shape,
        discord_gets_its_own_shape_and_nobody_is_mentioned,
        telegram_gets_plain_text_for_its_chat,
        teams_gets_a_card_without_markup,
        pagerduty_gets_an_incident_and_its_end,
        a_redirect_is_not_followed_and_no_address_is_shown,
        what_is_well_again_is_not_told_before_what_was_wrong,
        a_refusal_is_an_error_without_the_address,
        an_e_mail_has_its_name_as_its_id,
        a_failed_attempt_is_noted_and_the_next_one_delivers,
        the_heart_beats_unless_messages_do_not_get_through
    ]
}

fn message() -> Notice {
    let payload = json!({"type": "alert", "kind": "dead_letter", "state": "firing"});
    Notice { name: "alert-1".to_owned(), subject: "Candlewick: ä".to_owned(), body: "line 3\n".to_owned(), payload }
}

async fn a_webhook_gets_json_and_a_key_that_stays(_: World) {
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

async fn discord_gets_its_own_shape_and_nobody_is_mentioned(_: World) {
    let (url, taken) = sinks::server(204, None, "").await;
    let url = format!("{url}/api/webhooks/1/s3cret").into();
    let mut message = message();
    message.body = "@everyone ``` <@1> [x](http://evil)\n".to_owned();
    Discord { http: http::client().unwrap(), url }.send(&message).await.unwrap();
    let taken = taken.lock().unwrap()[0].clone();
    assert_eq!(taken.path, "/api/webhooks/1/s3cret");
    let content = "```\nCandlewick: ä\n\n@everyone ''' <@1> [x](http://evil)\n```";
    let expected = json!({"content": content, "allowed_mentions": {"parse": []}, "flags": 4});
    assert_eq!(serde_json::from_str::<Value>(&taken.body).unwrap(), expected);
}

async fn telegram_gets_plain_text_for_its_chat(_: World) {
    let (api, taken) = sinks::server(200, None, r#"{"ok": true, "result": {}}"#).await;
    let bot = |api: &str| Telegram::new(http::client().unwrap(), api, &"12:s3cret".into(), "-100123".to_owned());
    bot(&format!("{api}/")).send(&message()).await.unwrap();
    let taken = taken.lock().unwrap()[0].clone();
    let text = "Candlewick: ä\n\nline 3";
    let expected = json!({"chat_id": "-100123", "text": text, "link_preview_options": {"is_disabled": true}});
    assert_eq!(taken.path, "/bot12:s3cret/sendMessage");
    assert_eq!(serde_json::from_str::<Value>(&taken.body).unwrap(), expected);
    assert_eq!(taken.headers["content-type"], "application/json");

    let (api, _) = sinks::server(400, None, r#"{"ok": false, "description": "Bad Request: chat not found"}"#).await;
    let refused = format!("{:#}", bot(&api).send(&message()).await.unwrap_err());
    assert!(refused.contains("400") && refused.contains("chat not found") && !refused.contains("s3cret"), "{refused}");
}

async fn teams_gets_a_card_without_markup(_: World) {
    let (url, taken) = sinks::server(202, None, "").await;
    let teams = |url: &str| Teams { http: http::client().unwrap(), url: format!("{url}/workflows/s3cret").into() };
    let mut message = message();
    message.body = "line 1\n\n[x](http://evil)\n".to_owned();
    teams(&url).send(&message).await.unwrap();
    let run = |text: &str| json!({"type": "RichTextBlock", "spacing": "None", "inlines": [{"type": "TextRun", "text": text}]});
    let mut subject = run("Candlewick: ä");
    subject["inlines"][0]["weight"] = json!("Bolder");
    let card = json!({"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"}, "body": [subject, run("line 1"), run(" "), run("[x](http://evil)")]});
    let kind = "application/vnd.microsoft.card.adaptive";
    let attachment = json!({"contentType": kind, "contentUrl": null, "content": card});
    let body: Value = serde_json::from_str(&taken.lock().unwrap()[0].body).unwrap();
    assert_eq!(body, json!({"type": "message", "attachments": [attachment]}));

    let lost = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
    let (url, _) = sinks::server(200, None, lost).await;
    assert!(teams(&url).send(&message).await.is_err(), "a lost message counts as delivered");
}

async fn pagerduty_gets_an_incident_and_its_end(_: World) {
    let (events, taken) = sinks::server(202, None, r#"{"status": "success"}"#).await;
    let pager = |events: &str| PagerDuty::new(http::client().unwrap(), events, "s3cret-key".into());
    let mut message = message();
    for (state, still_firing) in [("firing", 2), ("resolved", 1), ("resolved", 0)] {
        message.payload = json!({"type": "alert", "kind": "dead_letter", "stage": "loader", "severity": "error",
            "state": state, "still_firing": still_firing});
        pager(&events).send(&message).await.unwrap();
    }
    let notice = json!({"kind": "split_found", "stage": "ingest", "severity": "notice", "still_firing": 0});
    for payload in [json!({"type": "digest", "errors": 1}), notice] {
        pager(&events).send(&Notice { payload, ..message.clone() }).await.unwrap();
    }
    let taken = taken.lock().unwrap().clone();
    let bodies: Vec<Value> = taken.iter().map(|taken| serde_json::from_str(&taken.body).unwrap()).collect();
    let actions: Vec<_> = bodies.iter().map(|body| body["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "resolve"]);
    let expected = json!({"routing_key": "s3cret-key", "event_action": "trigger", "dedup_key": "candlewick/loader/dead_letter",
        "client": "Candlewick", "payload": {"summary": "Candlewick: ä", "source": "candlewick-loader", "severity": "error",
        "component": "loader", "class": "dead_letter", "custom_details": {"id": "alert-1", "text": "line 3\n"}}});
    assert_eq!((&bodies[0], taken[0].path.as_str()), (&expected, "/v2/enqueue"));

    let refusal = r#"{"message": "Event object is invalid", "errors": ["'routing_key' is unknown"]}"#;
    let (events, _) = sinks::server(400, None, refusal).await;
    message.payload["still_firing"] = json!(1);
    let refused = format!("{:#}", pager(&events).send(&message).await.unwrap_err());
    assert!(refused.contains("'routing_key' is unknown") && !refused.contains("s3cret"), "{refused}");
}

/// The receiver of a webhook could otherwise have us call an address of our own network, and tell others the secret one.
async fn a_redirect_is_not_followed_and_no_address_is_shown(world: World) {
    let (elsewhere, followed) = sinks::server(200, None, "").await;
    let (url, taken) = sinks::server(307, Some(("location", elsewhere)), "").await;
    let secret = || format!("{url}/T0/s3cret").into();
    let client = || http::client().unwrap();
    let channels: [Box<dyn Channel>; 6] = [
        Box::new(Webhook { http: client(), url: secret() }),
        Box::new(Slack { http: client(), url: secret() }),
        Box::new(Teams { http: client(), url: secret() }),
        Box::new(Discord { http: client(), url: secret() }),
        Box::new(Telegram::new(client(), &url, &"1:s3cret".into(), "1".to_owned())),
        Box::new(PagerDuty::new(client(), &url, "s3cret".into())),
    ];
    let payload = json!({"type": "alert", "kind": "k", "stage": "s", "severity": "error"});
    for channel in channels {
        let error = channel.send(&Notice { payload: payload.clone(), ..message() }).await;
        let error = format!("{:#}", error.unwrap_err());
        assert!(error.contains("307") && !error.contains("s3cret"), "{}: {error}", channel.name());
    }
    let pool = world.pool.clone();
    let now = world.clock();
    Heartbeat { http: client(), url: secret(), pool, now }.beat().await;
    let taken = taken.lock().unwrap().clone();
    assert!(taken.len() == 7 && taken.iter().all(|taken| !taken.headers.contains_key("referer")), "{taken:?}");
    assert!(followed.lock().unwrap().is_empty(), "{:?}", followed.lock().unwrap());
}

/// The first message fails and waits longer than the second one does.
async fn what_is_well_again_is_not_told_before_what_was_wrong(world: World) {
    for name in ["wrong", "well again"] {
        let payload = json!({"kind": "dead_letter", "stage": "loader"});
        let message = Notice { name: name.to_owned(), payload, ..message() };
        let mut database = world.pool.acquire().await.unwrap();
        outbox::put(&mut database, &["webhook".to_owned()], &message, world.now()).await.unwrap();
        drop(database);
        if name == "wrong" {
            let delivery = world.claim().await.unwrap();
            outbox::record_failure(&world.pool, &delivery, "down", world.now()).await.unwrap();
        }
    }
    assert!(world.claim().await.is_none(), "the second message overtakes the first");
    let next = outbox::next_due(&world.pool, "webhook").await.unwrap().unwrap();
    assert!(next > world.now(), "the sender would look again at once, and for ever");
    world.pass(600);
    for name in ["wrong", "well again"] {
        let delivery = world.claim().await.unwrap();
        assert_eq!(delivery.message.name, name);
        outbox::record_sent(&world.pool, &delivery, world.now()).await.unwrap();
    }
}

async fn a_refusal_is_an_error_without_the_address(_: World) {
    let (url, _) = sinks::http(404).await;
    let webhook = |url: &str| Webhook { http: http::client().unwrap(), url: url.into() };
    let refused = format!("{:#}", webhook(&url).send(&message()).await.unwrap_err());
    assert!(refused.contains("404") && !refused.contains("s3cret"), "{refused}");
    let nobody = format!("{:?}", webhook("http://127.0.0.1:1/s3cret").send(&message()).await.unwrap_err());
    assert!(!nobody.contains("s3cret"), "{nobody}");
}

async fn an_e_mail_has_its_name_as_its_id(_: World) {
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

async fn a_failed_attempt_is_noted_and_the_next_one_delivers(world: World) {
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

async fn the_heart_beats_unless_messages_do_not_get_through(world: World) {
    let (url, posts) = sinks::http(200).await;
    let pool = world.pool.clone();
    let now = world.clock();
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
