//! IAM logins to PostgreSQL on RDS: the password is a token that is signed here and valid for 15 minutes.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use aws_sdk_sqs::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use crate::adapters::aws::Aws;

/// How long a token can be used to log in. Connections may live longer.
///
/// Source: the Amazon RDS User Guide, "IAM database authentication".
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How often a new token is signed: early enough that the old one is still valid after one or two failures.
const RENEWAL: Duration = Duration::from_secs(10 * 60);

/// How long after a failure signing is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Signs login tokens for one user of one server.
#[derive(Debug)]
pub struct IamLogin {
    credentials: SharedCredentialsProvider,
    region: String,
    options: PgConnectOptions,
}

impl IamLogin {
    /// A login for the user and the server that the options name.
    ///
    /// # Errors
    ///
    /// Returns an error if the AWS configuration has no credentials or no region.
    pub fn new(aws: &Aws, options: PgConnectOptions) -> anyhow::Result<Self> {
        let credentials = aws.config().credentials_provider().context("find AWS credentials for DATABASE_IAM")?;
        let region = aws.config().region().context("find the region for DATABASE_IAM: set AWS_REGION")?.to_string();
        Ok(Self { credentials, region, options })
    }

    /// The connection options with a newly signed token as the password.
    ///
    /// # Errors
    ///
    /// Returns an error if AWS credentials cannot be loaded.
    pub async fn options(&self) -> anyhow::Result<PgConnectOptions> {
        let credentials = self.credentials.provide_credentials().await.context("get AWS credentials")?;
        let address = format!("{}:{}", self.options.get_host(), self.options.get_port());
        let token = token(&address, self.options.get_username(), &self.region, credentials, SystemTime::now())?;
        Ok(self.options.clone().password(&token))
    }

    /// Gives the pool a new token every ten minutes until the pool is closed. Open connections are not affected.
    pub fn renew(self, pool: &PgPool) {
        tokio::spawn(renew(pool.clone(), async move || self.options().await));
    }
}

async fn renew(pool: PgPool, sign: impl AsyncFn() -> anyhow::Result<PgConnectOptions>) {
    let renewing = async {
        let mut pause = RENEWAL;
        loop {
            tokio::time::sleep(pause).await;
            pause = match sign().await {
                Ok(options) => {
                    pool.set_connect_options(options);
                    RENEWAL
                }
                Err(error) => {
                    tracing::warn!("the database login was not renewed and will be retried: {error:#}");
                    RETRY
                }
            };
        }
    };
    tokio::select! {
        () = pool.close_event() => {}
        () = renewing => {}
    }
}

/// A token is the URL of a connect request that is signed in its query.
fn token(address: &str, user: &str, region: &str, credentials: Credentials, now: SystemTime) -> anyhow::Result<String> {
    let identity = Identity::from(credentials);
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(LIFETIME);
    settings.signature_location = SignatureLocation::QueryParams;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()
        .context("prepare the login to the database")?;
    let url = format!("https://{address}/?Action=connect&DBUser={}", encoded(user));
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]));
    let signed = sign(request.context("prepare the login to the database")?, &parameters.into());
    let (instructions, _) = signed.context("sign the login to the database")?.into_parts();
    let signature: String =
        instructions.params().iter().map(|(name, value)| format!("&{name}={}", encoded(value))).collect();
    Ok(format!("{}{signature}", url.trim_start_matches("https://")))
}

/// Encodes everything but the unreserved characters of RFC 3986, as the signature requires.
fn encoded(text: &str) -> impl Display {
    const ESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, &ESCAPED)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sqlx::postgres::PgPoolOptions;

    use super::*;

    /// Signed by another implementation (botocore 1.42, `generate_db_auth_token`) at the same time with the same credentials.
    const SIGNED: &str = "candlewick.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=candlewick_loader\
        &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-central-1%2Frds-db%2Faws4_request\
        &X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=106f75cff6b74cc0a29c2dbc0fd14b448e94ea4eff27644da3d6674fd6fff526";
    const SIGNED_IN_SESSION: &str = "62048013cc80463e11237c4e323bffb773d27ce68be8b67141f90df014f68a92";

    fn signed(session: Option<&str>) -> String {
        let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", key, session.map(str::to_owned), None, "test");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        let address = "candlewick.abc.eu-central-1.rds.amazonaws.com:5432";
        token(address, "candlewick_loader", "eu-central-1", credentials, now).unwrap()
    }

    #[test]
    fn a_token_is_what_others_sign() {
        assert_eq!(signed(None), SIGNED);
    }

    #[test]
    fn a_token_of_a_role_carries_its_session() {
        let token = signed(Some("session/token=="));
        assert!(token.contains("&X-Amz-Security-Token=session%2Ftoken%3D%3D"), "{token}");
        assert!(token.contains(SIGNED_IN_SESSION), "{token}");
    }

    fn options(user: u32) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().username(&user.to_string())
    }

    /// Signs a new user each time, and fails the second time.
    fn pool_with_renewal() -> (PgPool, tokio::task::JoinHandle<()>) {
        static SIGNED: AtomicU32 = AtomicU32::new(0);
        let pool = PgPoolOptions::new().connect_lazy_with(options(0));
        let sign = async || match SIGNED.fetch_add(1, Ordering::Relaxed) + 1 {
            2 => anyhow::bail!("no credentials"),
            time => Ok(options(time)),
        };
        (pool.clone(), tokio::spawn(renew(pool, sign)))
    }

    /// At once, at 10 min a token, at 20 min a failure, at 20.5 min the next token.
    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_before_it_ends_and_again_after_a_failure() {
        let (pool, renewal) = pool_with_renewal();
        for (seconds, user) in [(599, "0"), (2, "1"), (600, "1"), (30, "3")] {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            assert_eq!(pool.connect_options().get_username(), user, "{seconds} s later");
        }
        pool.close().await;
        renewal.await.unwrap();
    }
}
