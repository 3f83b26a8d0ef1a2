//! Evaluates whether a queue's policy lets the bucket, or the rule of a consumer, send messages.

use serde_json::Value;

/// Who may send messages to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Allowed,
    /// The writer may, and so may everyone else.
    OpenToAll,
    /// The writer may not.
    Refused,
}

/// What should be able to send messages to a queue.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The principal.
    pub service: &'static str,
    pub arn: String,
}

impl Writer {
    pub fn bucket(name: &str) -> Self {
        Self { service: "s3.amazonaws.com", arn: format!("arn:aws:s3:::{name}") }
    }
}

/// Evaluates a policy for a writer.
pub fn writes(policy: Option<&Value>, queue_arn: &str, writer: &Writer) -> Writes {
    let statements = policy.map(|policy| many(&policy["Statement"])).unwrap_or_default();
    let about_sending = |statement: &&&Value| {
        is_one(&statement["Action"], &["sqs:SendMessage", "SQS:SendMessage", "sqs:*", "SQS:*", "*"])
            && is_one(&statement["Resource"], &[queue_arn, "*"])
    };
    let statements: Vec<_> = statements.iter().filter(about_sending).collect();
    let with_effect = |effect: &'static str| statements.iter().filter(move |statement| statement["Effect"] == effect);
    // A conditional deny, such as one for connections without TLS, does not affect S3.
    if with_effect("Deny").any(|statement| is_about(statement, writer.service) && statement["Condition"].is_null()) {
        return Writes::Refused;
    }
    let allowing: Vec<_> = with_effect("Allow").filter(|statement| is_about(statement, writer.service)).collect();
    if allowing.iter().any(|statement| is_everybody(statement) && statement["Condition"].is_null()) {
        return Writes::OpenToAll;
    }
    if allowing.iter().any(|statement| is_for(statement, &writer.arn)) { Writes::Allowed } else { Writes::Refused }
}

/// The values of a list, or a single value: policies allow both everywhere.
fn many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

fn is_one(value: &Value, accepted: &[&str]) -> bool {
    many(value).iter().any(|value| value.as_str().is_some_and(|text| accepted.contains(&text)))
}

fn is_everybody(statement: &Value) -> bool {
    statement["Principal"] == "*" || is_one(&statement["Principal"]["AWS"], &["*"])
}

fn is_about(statement: &Value, service: &str) -> bool {
    is_everybody(statement) || is_one(&statement["Principal"]["Service"], &[service])
}

/// Whether every condition on the source covers the writer.
fn is_for(statement: &Value, writer_arn: &str) -> bool {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    let sources = operators.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    let mut sources = sources.filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"));
    sources.all(|(_, arns)| many(arns).iter().any(|arn| arn.as_str().is_some_and(|arn| covers(arn, writer_arn))))
}

/// Whether a pattern covers an ARN. Only a `*` at the end is supported.
fn covers(pattern: &str, arn: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == arn, |beginning| arn.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:1:q";

    fn of(statement: Value) -> Writes {
        writes(Some(&json!({"Statement": statement})), QUEUE, &Writer::bucket("b"))
    }

    fn allow(source: &str) -> Value {
        json!({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": ["sqs:SendMessage"],
            "Resource": QUEUE, "Condition": {"ArnLike": {"aws:SourceArn": source}, "StringEquals": {"aws:SourceAccount": "1"}}})
    }

    #[test]
    fn a_bucket_that_is_let_in_may_write() {
        assert_eq!(of(allow("arn:aws:s3:::b")), Writes::Allowed);
        assert_eq!(of(json!([allow("arn:aws:s3:::*")])), Writes::Allowed);
        let tls = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        assert_eq!(of(json!([tls, allow("arn:aws:s3:::b")])), Writes::Allowed);
    }

    #[test]
    fn one_that_is_not_let_in_may_not() {
        assert_eq!(writes(None, QUEUE, &Writer::bucket("b")), Writes::Refused);
        assert_eq!(of(allow("arn:aws:s3:::other")), Writes::Refused);
        let mut other_queue = allow("arn:aws:s3:::b");
        other_queue["Resource"] = json!("arn:aws:sqs:eu-west-1:1:other");
        assert_eq!(of(other_queue), Writes::Refused);
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"});
        assert_eq!(of(json!([allow("arn:aws:s3:::b"), deny])), Writes::Refused);
    }

    #[test]
    fn a_rule_may_write_only_where_it_is_let_in_itself() {
        let of_rule = |statement: Value| {
            let writer =
                Writer { service: "events.amazonaws.com", arn: "arn:aws:events:eu-west-1:1:rule/r".to_owned() };
            writes(Some(&json!({"Statement": statement})), QUEUE, &writer)
        };
        let mut allowed = allow("arn:aws:events:eu-west-1:1:rule/r");
        assert_eq!(of_rule(allowed.clone()), Writes::Refused, "S3 is not EventBridge");
        allowed["Principal"] = json!({"Service": "events.amazonaws.com"});
        assert_eq!(of_rule(allowed), Writes::Allowed);
    }

    #[test]
    fn a_queue_that_is_open_to_all_is_told_from_others() {
        assert_eq!(
            of(json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"})),
            Writes::OpenToAll
        );
    }
}
