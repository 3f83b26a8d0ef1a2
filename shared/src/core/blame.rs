//! Whose failure an error of S3, KMS, SQS or PostgreSQL is. This table is the only place that says so.
//!
//! A row says what follows from the error alone. Where an error can be either, [`Blame::Evidence`] leaves it to what other
//! messages meet (`runtime::evidence`). That also holds for every error that has no row.

/// Whose failure an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Of this message or object alone, and no further try will change it: a dead letter of this class.
    Message(&'static str),
    /// Of this message alone, but a further try may succeed.
    Try,
    /// Of what the work needs: every message would meet it, so that none is given up for it.
    Dependency,
    /// Of this message, with this class, unless other messages meet it too and none succeeds meanwhile.
    Evidence(&'static str),
}

/// What was asked of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// An object that somebody wrote, perhaps a stranger: what is wrong with it is its own.
    Read,
    /// The service's own targets, or the bucket as a whole.
    Own,
}

/// An error code of S3, and whose failure it is where an object is read, and elsewhere.
type S3Row = (&'static str, Blame, Blame);

use Blame::{Dependency, Evidence, Message, Try};

/// Codes of S3, and of KMS as S3 passes them on. A `*` stands for any ending.
const S3: &[S3Row] = &[
    // The object is in an archive (Glacier, Deep Archive, an archive tier of Intelligent-Tiering).
    ("InvalidObjectState", Message("archived_object"), Dependency),
    // A plain read is invalid where the object is encrypted with a key that its writer kept (SSE-C).
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

/// Codes of SQS, with and without the name of its older protocol before them.
const SQS: &[(&str, Blame)] = &[
    ("InvalidMessageContents", Message("bad_message")),
    ("BatchRequestTooLong", Message("bad_message")),
    ("InvalidAttributeValue", Message("bad_message")),
    ("*", Dependency),
];

/// Codes and classes (`*`) of SQLSTATE, from the appendix of PostgreSQL's documentation on error codes.
const POSTGRES: &[(&str, Blame)] = &[
    // The way to the server.
    ("08*", Dependency),
    // The login: a wrong or changed password, a role that must not log in.
    ("28*", Dependency),
    // The database or the schema does not exist.
    ("3D*", Dependency),
    ("3F*", Dependency),
    // Tables, columns, functions and types of a schema that is not there, or not there yet.
    ("42P01", Dependency),
    ("42703", Dependency),
    ("42883", Dependency),
    ("42704", Dependency),
    // Rights that are missing.
    ("42501", Dependency),
    // The database takes no connections; another session holds the table (lock_timeout).
    ("55000", Dependency),
    ("55P03", Dependency),
    ("55006", Dependency),
    // What was the primary is a standby now; a transaction that idled for too long.
    ("25006", Dependency),
    ("25P03", Dependency),
    // Disk, memory or connections are used up.
    ("53*", Dependency),
    // A statement that took too long may be one large object, or a slow server.
    ("57014", Evidence("statement_timeout")),
    // The server stops, starts or crashed.
    ("57*", Dependency),
    ("58*", Dependency),
    // Rolled back for the sake of another transaction.
    ("40*", Try),
    // Values and rows that the tables do not take.
    ("22*", Message("refused_by_database")),
    ("23*", Try),
];

impl Blame {
    /// Whose failure an answer of S3 is, by its code and, where an answer has none (that of HEAD), by its status.
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

    /// Whose failure an answer of SQS is.
    #[must_use]
    pub fn of_sqs(code: Option<&str>) -> Self {
        let code = code.unwrap_or_default();
        find(SQS, code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)).unwrap_or(Dependency)
    }

    /// Whose failure an error of PostgreSQL is, by its SQLSTATE.
    #[must_use]
    pub fn of_postgres(sqlstate: &str) -> Self {
        find(POSTGRES, sqlstate).unwrap_or(Evidence("gave_up"))
    }
}

fn find(table: &[(&str, Blame)], code: &str) -> Option<Blame> {
    table.iter().find(|(pattern, _)| matches(pattern, code)).map(|(_, blame)| *blame)
}

fn matches(pattern: &str, code: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == code, |beginning| code.starts_with(beginning))
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
