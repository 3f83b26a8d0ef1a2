//! Users of a PostgreSQL of RDS that log in with IAM.

use std::str::FromStr;

use anyhow::{Context, ensure};
use sqlx::{AssertSqlSafe, PgPool};

/// What a user that has no group of its own may do with every table: what a service does that writes.
const WRITES: &str = "select, insert, update, delete";

/// A user that logs in with IAM: `NAME`, who may read and write, or `NAME=GROUP`, who may do what a group of the schema may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IamUser {
    name: String,
    group: Option<String>,
}

impl FromStr for IamUser {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, group) = match text.split_once('=') {
            Some((name, group)) => (name, Some(group.to_owned())),
            None => (text, None),
        };
        for part in [Some(name), group.as_deref()].into_iter().flatten() {
            let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            ensure!(plain, "{text:?} is no user: write NAME or NAME=GROUP, in small letters and underscores");
        }
        Ok(Self { name: name.to_owned(), group })
    }
}

/// Makes users that log in with IAM, or brings them up to date. It can be repeated.
///
/// # Errors
/// A database without the role `rds_iam`, which is none of RDS, or a group that the schema does not have.
pub async fn allow(pool: &PgPool, users: &[IamUser]) -> anyhow::Result<()> {
    for user in users {
        let sql = AssertSqlSafe(statements(user));
        sqlx::raw_sql(sql).execute(pool).await.with_context(|| {
            format!("let {} log in with IAM (rds_iam is there on RDS only, and groups after a migration)", user.name)
        })?;
    }
    Ok(())
}

/// The names have letters and underscores only: nothing in them ends a name.
fn statements(user: &IamUser) -> String {
    let name = &user.name;
    let rights = match &user.group {
        Some(group) => format!("grant {group} to {name};"),
        None => format!(
            "grant {WRITES} on all tables in schema public to {name};
             grant usage on all sequences in schema public to {name};
             alter default privileges in schema public grant {WRITES} on tables to {name};
             alter default privileges in schema public grant usage on sequences to {name};"
        ),
    };
    format!(
        "do $$ begin
             if not exists (select from pg_roles where rolname = '{name}') then create role {name} login; end if;
         end $$;
         grant rds_iam to {name};
         grant usage on schema public to {name};
         {rights}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_name_or_a_name_and_its_group() {
        let reader: IamUser = "candlewick_dashboard=dashboard_readonly".parse().unwrap();
        assert_eq!(reader.group.as_deref(), Some("dashboard_readonly"));
        assert!(statements(&reader).contains("grant dashboard_readonly to candlewick_dashboard;"));
        assert!(!statements(&reader).contains("insert"), "who has a group has its rights and no more");
    }

    #[test]
    fn what_could_end_a_name_is_refused() {
        for text in ["", "=", "a=", "a;drop table candles", "a b", "a'b", "Aa"] {
            let error = text.parse::<IamUser>().unwrap_err().to_string();
            assert!(error.contains("NAME=GROUP"), "{text:?}: {error}");
        }
    }
}
