//! Derives the AWS actions that a service's role must have from the service's code.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};

use super::code;
use crate::layering::sources;

/// The actions that each call needs. S3 distinguishes an absent object from a forbidden one only for callers who may
/// list the bucket.
const CALLS: [(&str, &[&str]); 15] = [
    (".get_object()", &["s3:GetObject", "s3:ListBucket"]),
    (".head_object()", &["s3:GetObject", "s3:ListBucket"]),
    (".put_object()", &["s3:PutObject"]),
    (".list_objects_v2()", &["s3:ListBucket"]),
    (".receive_message()", &["sqs:ReceiveMessage"]),
    (".change_message_visibility()", &["sqs:ChangeMessageVisibility"]),
    (".change_message_visibility_batch()", &["sqs:ChangeMessageVisibility"]),
    (".delete_message_batch()", &["sqs:DeleteMessage"]),
    (".send_message_batch()", &["sqs:SendMessage"]),
    (".get_queue_attributes()", &["sqs:GetQueueAttributes"]),
    (".publish()", &["sns:Publish"]),
    (".put_events()", &["events:PutEvents"]),
    (".get_secret_value()", &["secretsmanager:GetSecretValue"]),
    ("/task-protection/v1/state", &["ecs:UpdateTaskProtection"]),
    ("database::connect", &["rds-db:connect"]),
];

/// The methods of the ports that services call, how they call them, and the adapter that implements them.
const PORTS: [(&str, &str, &str); 7] = [
    ("store.get(", "open", "s3.rs"),
    ("store.get_within(", "open", "s3.rs"),
    ("store.head(", "head", "s3.rs"),
    ("store.put(", "put", "s3.rs"),
    ("store.list(", "list", "s3.rs"),
    ("queue.send(", "send_entries", "sqs.rs"),
    (".depth()", "depth", "sqs.rs"),
];

/// The actions that a service calls: by itself, through the ports' methods that it calls, through the consumer of its
/// queue, and through the other adapters that it names.
pub fn called(service: &str) -> anyhow::Result<BTreeSet<String>> {
    called_by(&code::of_service(service)?).with_context(|| format!("look at what {service} calls"))
}

/// The same for any program's code. What it reads through `shared::reads` counts as its own.
pub fn called_by(own: &str) -> anyhow::Result<BTreeSet<String>> {
    let reads = sources("shared/src/reads")?.into_iter().filter(|(path, _)| {
        let module = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        own.contains(&format!("reads::{module}"))
    });
    let own = reads.fold(own.to_owned(), |own, (_, code)| own + &code);
    let own = own.as_str();
    let mut called = through_ports(own)?;
    let consumes = own.contains("service::consumer(");
    for (path, code) in sources("shared/src/adapters")? {
        let name = path.file_stem().context("find an adapter's name")?.to_string_lossy().into_owned();
        let used = match name.as_str() {
            "s3" => false,
            // The contracts of the adapters, which only tests call.
            _ if path.parent().is_some_and(|folder| folder.ends_with("contract")) => false,
            "sqs" | "ecs" => consumes,
            other => names(own, other),
        };
        if used {
            called.extend(through_ports(&code)?);
        }
    }
    ensure!(!called.is_empty(), "it calls nothing: this test looks in the wrong place");
    Ok(called)
}

/// The actions that code calls by itself, and through the ports' methods.
fn through_ports(code: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut called = actions(code);
    for (_, method, adapter) in PORTS.iter().filter(|(call, ..)| code.contains(call)) {
        called.extend(actions(&port_method(adapter, method)?));
    }
    Ok(called)
}

fn actions(code: &str) -> BTreeSet<String> {
    let calls = CALLS.iter().filter(|(call, _)| code.contains(call));
    calls.flat_map(|(_, actions)| actions.iter().map(|action| (*action).to_owned())).collect()
}

/// Whether code uses a module of the adapters: by its path, or by its imported name.
fn names(code: &str, module: &str) -> bool {
    code.contains(&format!("adapters::{module}::")) || code.contains(&format!("{module}::"))
}

/// The code of one method of a port's adapter.
fn port_method(adapter: &str, method: &str) -> anyhow::Result<String> {
    let files = sources("shared/src/adapters")?;
    let (_, code) =
        files.iter().find(|(path, _)| path.ends_with(adapter)).with_context(|| format!("find {adapter}"))?;
    let start = code.find(&format!("async fn {method}(")).with_context(|| format!("find {method} in {adapter}"))?;
    let body = &code[start..];
    Ok(body[..body[1..].find("async fn ").map_or(body.len(), |end| end + 1)].to_owned())
}
