//! The services' database users. Each is a member of the group that its service has in the schema.

use std::str::FromStr;

use anyhow::{Context, ensure};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, PgPool};

/// The group of each service that uses the database, as `migrations/` creates them. The transform does not use it.
pub const GROUPS: [(&str, &str); 4] = [
    ("ingest", "ingest_service"),
    ("loader", "loader_service"),
    ("notifier", "notifier_service"),
    ("dashboard", "dashboard_readonly"),
];

/// A database user and its group: `NAME=GROUP`. It has the group's rights and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUser {
    name: String,
    group: String,
}

impl ServiceUser {
    /// The user of a service: `candlewick_loader`, a member of `loader_service`. `None` if the service has no group.
    #[must_use]
    pub fn of_service(service: &str) -> Option<Self> {
        let (_, group) = GROUPS.iter().find(|(name, _)| *name == service)?;
        Some(Self { name: format!("candlewick_{service}"), group: (*group).to_owned() })
    }

    /// The user's name, which consists of lower-case letters and underscores.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ServiceUser {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let parts = text.split_once('=').filter(|(name, group)| is_plain(name) && is_plain(group));
        let (name, group) = parts.with_context(|| {
            format!("{text:?} is not a user and its group: write NAME=GROUP, in lower-case letters and underscores")
        })?;
        Ok(Self { name: name.to_owned(), group: group.to_owned() })
    }
}

/// Creates users that log in with IAM, or updates them.
///
/// # Errors
///
/// Returns an error if the server has no role `rds_iam`, which exists on RDS only, or if the schema lacks a group.
pub async fn allow_iam(pool: &PgPool, users: &[ServiceUser]) -> anyhow::Result<()> {
    for user in users {
        let sql = format!("{} grant rds_iam to {};", statements(user), user.name);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.with_context(|| {
            format!("let {} log in with IAM (rds_iam exists on RDS only, and groups after a migration)", user.name)
        })?;
    }
    Ok(())
}

/// Creates a user that logs in with a password, or updates it and its password.
///
/// # Errors
///
/// Returns an error if the password is empty or the schema lacks the group.
pub async fn allow_password(pool: &PgPool, user: &ServiceUser, password: &SecretString) -> anyhow::Result<()> {
    ensure!(!password.expose_secret().is_empty(), "the password of {} is empty", user.name);
    let mut transaction = pool.begin().await.context("begin a transaction")?;
    // The password is bound here and quoted by the server: it is never part of a statement's text.
    let bind = sqlx::query("select set_config('candlewick.password', $1, true)").bind(password.expose_secret());
    bind.execute(&mut *transaction).await.context("pass on a password")?;
    let set =
        format!("execute format('alter role {} password %L', current_setting('candlewick.password'));", user.name);
    let sql = format!("{} do $$ begin {set} end $$;", statements(user));
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await;
    done.with_context(|| format!("create the user {} (is the database migrated?)", user.name))?;
    transaction.commit().await.context("commit the user")
}

/// Names consist of lower-case letters and underscores only, so they are safe in the text of a statement.
fn statements(user: &ServiceUser) -> String {
    let ServiceUser { name, group } = user;
    format!(
        "do $$ begin
             if not exists (select from pg_roles where rolname = '{name}') then create role {name} login; end if;
         end $$;
         grant {group} to {name};"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_name_and_its_group() {
        let reader: ServiceUser = "candlewick_dashboard=dashboard_readonly".parse().unwrap();
        assert_eq!(Some(&reader), ServiceUser::of_service("dashboard").as_ref());
        assert!(statements(&reader).contains("grant dashboard_readonly to candlewick_dashboard;"));
        assert_eq!(ServiceUser::of_service("transform"), None);
    }

    #[test]
    fn what_could_end_a_name_is_refused_and_so_is_a_user_without_a_group() {
        for text in ["", "=", "a=", "=a", "a", "a;drop table candles=b", "a b=c", "a=b'c", "Aa=b"] {
            let error = text.parse::<ServiceUser>().unwrap_err().to_string();
            assert!(error.contains("NAME=GROUP"), "{text:?}: {error}");
        }
    }
}
