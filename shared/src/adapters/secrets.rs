//! Reads secrets from the environment, a file or AWS Secrets Manager.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use secrecy::SecretString;

use crate::adapters::aws::Aws;
use crate::adapters::aws_error::words;

/// Where a secret is. It is read once, when a service starts: restart the service after a change.
#[derive(Debug)]
pub enum SecretSource {
    /// The value of an environment variable.
    Here(SecretString),
    /// A file, for example one that is mounted into a container. Surrounding white space is ignored.
    File(PathBuf),
    /// The name or ARN of a secret in Secrets Manager: the text, or the only value of a JSON object.
    Manager(String),
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// Returns an error that names the place if the secret is missing or empty.
    pub async fn read(self, aws: &Aws) -> anyhow::Result<SecretString> {
        match self {
            Self::Here(secret) => Ok(secret),
            Self::File(path) => {
                let text = tokio::fs::read_to_string(&path).await;
                let text = text.with_context(|| format!("read the secret in {}", path.display()))?;
                secret(&text).with_context(|| format!("read the secret in {}", path.display()))
            }
            Self::Manager(id) => {
                let text = from_manager(aws, &id).await;
                text.and_then(|text| only_value(&text)).with_context(|| format!("read secret {id} in Secrets Manager"))
            }
        }
    }
}

async fn from_manager(aws: &Aws, id: &str) -> anyhow::Result<String> {
    let answer = aws.secrets_manager().get_secret_value().secret_id(id).send().await;
    let answer = answer.map_err(|error| anyhow::anyhow!("{}", words(&error)))?;
    answer.secret_string.context("it is binary: store the secret as text")
}

/// The AWS console stores secrets as JSON objects by default.
fn only_value(text: &str) -> anyhow::Result<SecretString> {
    match serde_json::from_str::<BTreeMap<String, String>>(text) {
        Ok(values) if values.len() == 1 => {
            values.into_values().next().map_or_else(|| secret(""), |value| secret(&value))
        }
        Ok(values) => {
            bail!("it is a JSON object of {} values: store one with only this secret", values.len())
        }
        Err(_) => secret(text),
    }
}

fn secret(text: &str) -> anyhow::Result<SecretString> {
    match text.trim() {
        "" => bail!("it is empty"),
        text => Ok(SecretString::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_a_text_or_the_only_value_of_an_object() {
        for text in ["abc", " abc\n", r#"{"key": "abc"}"#] {
            assert_eq!(only_value(text).unwrap().expose_secret(), "abc", "{text}");
        }
        let error = only_value(r#"{"one": "abc", "other": "def"}"#).unwrap_err().to_string();
        assert!(error.contains("2 values") && !error.contains("abc"), "{error}");
        assert!(only_value(" \n").is_err() && only_value("{}").is_err());
    }

    #[tokio::test]
    async fn a_file_is_named_where_it_is_missing_or_empty() {
        let aws = Aws::at("http://127.0.0.1:1", "us-east-1", "test", "test").await;
        for path in ["/nowhere/key", "/dev/null"] {
            let error = SecretSource::File(path.into()).read(&aws).await.unwrap_err();
            assert!(format!("{error:#}").contains(path), "{error:#}");
        }
    }
}
