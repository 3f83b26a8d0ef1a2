//! E-mail by SMTP.

use anyhow::{Context, ensure};
use async_trait::async_trait;
use candlewick_shared::runtime::outgoing::is_loopback;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::Channel;
use crate::message::Notice;

pub struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// Checks that mail and passwords are not sent in plain text: only `smtps://`, `smtp://…?tls=required` and servers on this
/// machine are allowed.
pub fn require_tls(url: &SecretString) -> anyhow::Result<()> {
    let parsed: Option<Url> = url.expose_secret().parse().ok();
    let is_safe = parsed.is_some_and(|url| {
        let tls = || url.query_pairs().filter(|(name, _)| name == "tls");
        let is_required = || tls().count() > 0 && tls().all(|(_, value)| value == "required");
        match url.scheme() {
            "smtps" => true,
            "smtp" => url.host_str().is_some_and(is_loopback) || is_required(),
            _ => false,
        }
    });
    ensure!(
        is_safe,
        "ALERT_SMTP_URL would send mail in plain text: write smtps://USER:PASSWORD@HOST or smtp://…?tls=required (it is not shown)"
    );
    Ok(())
}

impl Email {
    /// `url` is `smtps://USER:PASSWORD@HOST`, or `smtp://HOST:25?tls=required` for a server that starts in plain text. `to` is
    /// one address, or several separated by commas.
    pub fn new(url: &SecretString, from: &str, to: &str) -> anyhow::Result<Self> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
        let builder = builder.map_err(|_| {
            anyhow::anyhow!(
                "ALERT_SMTP_URL is not the URL of a mail server: write smtps://USER:PASSWORD@HOST (it is not shown)"
            )
        })?;
        let to: Result<Vec<_>, _> = to.split(',').map(|address| address.trim().parse()).collect();
        Ok(Self {
            transport: builder.build(),
            from: from.parse().with_context(|| format!("read ALERT_EMAIL_FROM {from:?}"))?,
            to: to.context("read ALERT_EMAIL_TO")?,
        })
    }

    fn mail(&self, message: &Notice) -> anyhow::Result<lettre::Message> {
        let id = format!("<{}@{}>", message.name, self.from.email.domain());
        let mut mail = lettre::Message::builder().from(self.from.clone()).subject(&message.subject);
        mail = mail.message_id(Some(id)).date_now().header(ContentType::TEXT_PLAIN);
        mail = self.to.iter().fold(mail, |mail, to| mail.to(to.clone()));
        mail.body(message.body.clone()).context("write the e-mail")
    }
}

#[async_trait]
impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    /// The `Message-ID` contains the message's name, so that mail programs recognize a second copy as the same mail.
    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        self.transport.send(self.mail(message)?).await.context("send the e-mail").map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_by_tls_or_to_this_machine() {
        for good in [
            "smtps://u:p@h",
            "smtp://u:p@h:587?tls=required",
            "smtp://127.0.0.1:25",
            "smtp://localhost?tls=opportunistic",
        ] {
            assert!(require_tls(&good.into()).is_ok(), "{good}");
        }
        for bad in [
            "smtp://u:p@h",
            "smtp://h?tls=opportunistic",
            "smtp://h?tls=required&tls=opportunistic",
            "smtp://h?x=tls=required",
            "http://127.0.0.1",
            "h",
        ] {
            assert!(require_tls(&bad.into()).is_err(), "{bad}");
        }
    }
}
