//! Decides what an error of S3, KMS, SQS or PostgreSQL says about the message that was being handled. These tables are
//! the only place that decides it.
//!
//! A row says what follows from the error alone. For errors that can have either cause, and for all errors without a
//! row, [`Blame::Evidence`] leaves the decision to what other messages experience (`runtime::evidence`).

/// What an error is to be blamed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// This message or object alone. No retry can succeed, so the message becomes a dead letter of this class.
    Message(&'static str),
    /// This message alone, but a retry may succeed.
    Try,
    /// A dependency of the work. Every message would fail in the same way, so none is given up because of it.
    Dependency,
    /// This message, with this class, unless other messages fail in the same way and none succeeds in the meantime.
    Evidence(&'static str),
}

/// Which kind of object a request to S3 was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// An input object, possibly written by a third party. It may be defective itself.
    Read,
    /// An object that the service writes, or the bucket itself.
    Own,
}

/// An error code of S3, what to blame if an input object was read, and what to blame otherwise.
type S3Row = (&'static str, Blame, Blame);

use Blame::{Dependency, Evidence, Message, Try};

/// Error codes of S3, and of KMS as S3 passes them on. A `*` matches any suffix.
const S3: &[S3Row] = &[
    // The object is in an archive (Glacier, Deep Archive, an archive tier of Intelligent-Tiering).
    ("InvalidObjectState", Message("archived_object"), Dependency),
    // The object is encrypted with a customer-provided key (SSE-C), so it cannot be read without that key.
    ("InvalidRequest", Message("unreadable_object"), Evidence("refused_by_s3")),
    ("KMS.Throttling*", Dependency, Dependency),
    ("KMS.Internal*", Dependency, Dependency),
    ("KMS.DependencyTimeout*", Dependency, Dependency),
    ("KMS.KeyUnavailable*", Dependency, Dependency),
    ("KMS.*", Evidence("key_refused"), Dependency),
    ("AccessDenied", Evidence("access_denied"), Dependency),
    ("KeyTooLongError", Message("bad_key"), Message("bad_key")),
    ("EntityTooLarge", Message("object_too_large"), Message("object_too_large")),
    ("MetadataTooLarge", Message("bad_metadata"), Message("bad_metadata")),
    ("NoSuchBucket", Dependency, Dependency),
    ("InvalidBucketName", Dependency, Dependency),
    ("InvalidAccessKeyId", Dependency, Dependency),
    ("SignatureDoesNotMatch", Dependency, Dependency),
    ("InvalidToken", Dependency, Dependency),
    ("ExpiredToken*", Dependency, Dependency),
    ("TokenRefreshRequired", Dependency, Dependency),
    ("InvalidSecurity", Dependency, Dependency),
    ("NotSignedUp", Dependency, Dependency),
    ("AccountProblem", Dependency, Dependency),
    ("AllAccessDisabled", Dependency, Dependency),
    ("RequestTimeTooSkewed", Dependency, Dependency),
    ("AuthorizationHeaderMalformed", Dependency, Dependency),
    ("PermanentRedirect", Dependency, Dependency),
    ("TemporaryRedirect", Dependency, Dependency),
    ("SlowDown", Dependency, Dependency),
    ("Throttling*", Dependency, Dependency),
    ("TooManyRequests*", Dependency, Dependency),
    ("RequestLimitExceeded", Dependency, Dependency),
    ("BandwidthLimitExceeded", Dependency, Dependency),
    ("ServiceUnavailable", Dependency, Dependency),
    ("InternalError", Dependency, Dependency),
    ("InternalFailure", Dependency, Dependency),
    ("RequestTimeout", Dependency, Dependency),
    ("OperationAborted", Dependency, Dependency),
];

/// Error codes of SQS, without the prefix of its older query protocol.
const SQS: &[(&str, Blame)] = &[
    ("InvalidMessageContents", Message("bad_message")),
    ("BatchRequestTooLong", Message("bad_message")),
    ("InvalidAttributeValue", Message("bad_message")),
    ("*", Dependency),
];

/// SQLSTATE codes and classes (`*`), from the appendix on error codes of the PostgreSQL documentation.
const POSTGRES: &[(&str, Blame)] = &[
    // The connection to the server.
    ("08*", Dependency),
    // The login: a wrong or changed password, or a role that may not log in.
    ("28*", Dependency),
    // The database or the schema does not exist.
    ("3D*", Dependency),
    ("3F*", Dependency),
    // A table, column, function or type does not exist, usually because a migration has not run yet.
    ("42P01", Dependency),
    ("42703", Dependency),
    ("42883", Dependency),
    ("42704", Dependency),
    // Missing privileges.
    ("42501", Dependency),
    // The database accepts no connections, or another session holds a lock on the table (lock_timeout).
    ("55000", Dependency),
    ("55P03", Dependency),
    ("55006", Dependency),
    // The former primary is a standby now, or a transaction was idle for too long.
    ("25006", Dependency),
    ("25P03", Dependency),
    // Disk, memory or connections are used up.
    ("53*", Dependency),
    // The cause of a statement timeout can be one large object or a slow server.
    ("57014", Evidence("statement_timeout")),
    // The server is starting, is stopping or has crashed.
    ("57*", Dependency),
    ("58*", Dependency),
    // Rolled back because of a conflict with another transaction.
    ("40*", Try),
    // Values and rows that violate a type or a constraint.
    ("22*", Message("refused_by_database")),
    ("23*", Try),
];

impl Blame {
    /// Classifies an error response of S3 by its code or, if it has no code (as for HEAD), by its HTTP status. If it
    /// has neither, there was no response.
    #[must_use]
    pub fn of_s3(access: Access, code: Option<&str>, status: Option<u16>) -> Self {
        let row = code.and_then(|code| S3.iter().find(|(pattern, ..)| matches(pattern, code)));
        match (row, access, status) {
            (Some((_, read, _)), Access::Read, _) => *read,
            (Some((_, _, own)), Access::Own, _) => *own,
            (None, _, None | Some(429 | 500..)) => Dependency,
            (None, Access::Own, Some(401 | 403)) => Dependency,
            (None, Access::Read, Some(401 | 403)) => Evidence("access_denied"),
            (None, ..) => Evidence("refused_by_s3"),
        }
    }

    /// Classifies an error of SQS by its code, if it has one.
    #[must_use]
    pub fn of_sqs(code: Option<&str>) -> Self {
        let code = code.unwrap_or_default();
        find(SQS, code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)).unwrap_or(Dependency)
    }

    /// Classifies an error of PostgreSQL by its SQLSTATE.
    #[must_use]
    pub fn of_postgres(sqlstate: &str) -> Self {
        find(POSTGRES, sqlstate).unwrap_or(Evidence("gave_up"))
    }
}

fn find(table: &[(&str, Blame)], code: &str) -> Option<Blame> {
    table.iter().find(|(pattern, _)| matches(pattern, code)).map(|(_, blame)| *blame)
}

fn matches(pattern: &str, code: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == code, |prefix| code.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_whole_code_or_by_its_class() {
        assert_eq!(Blame::of_postgres("28P01"), Dependency);
        assert_eq!(Blame::of_postgres("57014"), Evidence("statement_timeout"), "the narrower row comes first");
        assert_eq!(Blame::of_postgres("57P01"), Dependency);
        assert_eq!(Blame::of_sqs(Some("AWS.SimpleQueueService.NonExistentQueue")), Dependency);
        assert_eq!(Blame::of_sqs(Some("InvalidMessageContents")), Message("bad_message"));
    }

    #[test]
    fn what_has_no_row_is_settled_by_evidence() {
        assert_eq!(Blame::of_postgres("42601"), Evidence("gave_up"));
        assert_eq!(Blame::of_postgres(""), Evidence("gave_up"));
        assert_eq!(Blame::of_s3(Access::Read, Some("Novelty"), Some(400)), Evidence("refused_by_s3"));
    }

    #[test]
    fn an_answer_of_s3_without_a_code_goes_by_its_status() {
        assert_eq!(Blame::of_s3(Access::Own, None, Some(403)), Dependency);
        assert_eq!(Blame::of_s3(Access::Read, None, Some(403)), Evidence("access_denied"));
        assert_eq!(Blame::of_s3(Access::Read, Some("Novelty"), Some(503)), Dependency);
        assert_eq!(Blame::of_s3(Access::Read, None, None), Dependency, "nobody answered");
    }
}
