//! A webhook that receives events signed as the Standard Webhooks specification says (symmetric signatures, version 1).

use anyhow::{Context, anyhow, ensure};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use candlewick_shared::core::loaded_event::LoadedEvent;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

use super::sink::Sink;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// The lengths that the specification allows, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The key of the signatures.
#[derive(Clone, Debug)]
pub struct SigningKey(SecretBox<[u8]>);

impl SigningKey {
    /// Parses a secret: `whsec_` and 24 to 64 bytes in base64. The error does not show it.
    pub fn parse(secret: &SecretString) -> anyhow::Result<Self> {
        let text = secret.expose_secret();
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| anyhow!("it is not base64: write {PREFIX} and 24 to 64 bytes in base64"))?;
        let length = bytes.len();
        ensure!(LENGTHS.contains(&length), "it has {length} bytes: 24 to 64 are allowed (openssl rand -base64 32)");
        Ok(Self(bytes.into_boxed_slice().into()))
    }

    /// Signs a message that is sent at `second` since 1970.
    pub fn sign(&self, id: &str, second: i64, body: &str) -> anyhow::Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).context("use the signing key")?;
        mac.update(format!("{id}.{second}.{body}").as_bytes());
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

pub struct SignedWebhook {
    pub http: Client,
    pub url: SecretString,
    pub key: SigningKey,
}

#[async_trait]
impl Sink for SignedWebhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, event: &LoadedEvent) -> anyhow::Result<()> {
        let body = serde_json::to_string(event).context("write the event")?;
        let second = Timestamp::now().as_second();
        let request = self
            .http
            .post(self.url.expose_secret())
            .header("content-type", "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", second.to_string())
            .header("webhook-signature", self.key.sign(&event.id, second, &body)?);
        // The error would otherwise show the address.
        let response = request.body(body).send().await.map_err(|error| anyhow!(error.without_url()))?;
        ensure!(response.status().is_success(), "the server answered {}", response.status());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let key = SigningKey::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_in_base64() {
        for length in [24, 32, 64] {
            assert!(
                SigningKey::parse(&format!("whsec_{}", STANDARD.encode(vec![7; length])).into()).is_ok(),
                "{length}"
            );
        }
        for bad in ["", "whsec_", "whsec_!", "s3cret", &STANDARD.encode([7; 23]), &STANDARD.encode([7; 65])] {
            let error = format!("{:#}", SigningKey::parse(&bad.into()).unwrap_err());
            assert!(error.contains("24 to 64") && !error.contains("s3cret"), "{bad}: {error}");
        }
    }
}
