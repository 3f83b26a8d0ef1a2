//! E-mail by SMTP.

use anyhow::Context;
use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::Channel;
use crate::message::Message;

/// A mail server, and between whom it carries mail.
pub struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    /// A channel through the server at `url`: `smtps://USER:PASSWORD@HOST`, or `smtp://HOST:25?tls=required` where the
    /// server begins in plain text. `to` is one address or several, with commas between.
    ///
    /// # Errors
    /// A setting that is not of its form; none shows the URL, which holds a password.
    pub fn new(url: &SecretString, from: &str, to: &str) -> anyhow::Result<Self> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
        let builder = builder.map_err(|_| {
            anyhow::anyhow!(
                "ALERT_SMTP_URL is no mail server's URL: write smtps://USER:PASSWORD@HOST (it is not shown)"
            )
        })?;
        let to: Result<Vec<_>, _> = to.split(',').map(|address| address.trim().parse()).collect();
        Ok(Self {
            transport: builder.build(),
            from: from.parse().with_context(|| format!("read ALERT_EMAIL_FROM {from:?}"))?,
            to: to.context("read ALERT_EMAIL_TO")?,
        })
    }

    fn mail(&self, message: &Message) -> anyhow::Result<lettre::Message> {
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

    /// The `Message-ID` is the message's name, so that mail programs show a second copy as the same mail.
    async fn send(&self, message: &Message) -> anyhow::Result<()> {
        self.transport.send(self.mail(message)?).await.context("send the e-mail").map(|_| ())
    }
}
