//! Database users of the services.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::Context;
use candlewick_shared::adapters::postgres_users::{self, GROUPS, ServiceUser};
use rand::distr::{Alphanumeric, SampleString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};

const PASSWORD_LENGTH: usize = 32;

/// Creates a database user with a new password for each service that uses the database, and returns the URLs by service. A
/// service never gets the URL of the owner.
pub(super) async fn create(pool: &PgPool, owner_url: &str) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let owner = PgConnectOptions::from_str(owner_url).ok().context("read the address of the database")?;
    let mut urls = BTreeMap::new();
    for (service, _) in GROUPS {
        let user = ServiceUser::of_service(service).context("find the database user of a service")?;
        let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
        postgres_users::allow_password(pool, &user, &password.as_str().into()).await?;
        let login = owner.clone().username(user.name()).password(&password);
        urls.insert(service, login.to_url_lossy().to_string());
    }
    Ok(urls)
}
