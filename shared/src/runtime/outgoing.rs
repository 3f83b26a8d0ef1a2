//! HTTP requests to addresses from settings: webhooks, the heartbeat, lineage. Such an address is often a secret.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

/// An HTTP client that follows no redirect, because the receiver could send it to an internal address, and sends no
/// `Referer`, which would show the address to others.
///
/// # Errors
///
/// Returns an error if TLS cannot be initialized.
pub fn client(timeout: Duration) -> anyhow::Result<Client> {
    // Installing it fails only if it is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().timeout(timeout).redirect(Policy::none()).referer(false);
    builder.build().context("build the HTTP client")
}

/// Parses an address to send to: `https://…`, or `http://…` on this machine.
///
/// # Errors
///
/// Returns an error that names the setting, but does not show the address, for any other text.
pub fn address(setting: &str, text: &str) -> anyhow::Result<Url> {
    let url: Option<Url> = text.parse().ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.with_context(|| {
        format!("{setting} is not an address: write https://… (it may be a secret, and is not shown)")
    })?;
    let is_safe = url.scheme() == "https" || url.host_str().is_some_and(is_loopback);
    ensure!(
        is_safe,
        "{setting} begins with http:// and would be sent in plain text: write https:// (http:// is for localhost)"
    );
    Ok(url)
}

/// Whether a host name or address belongs to this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_this_machine() {
        for good in
            ["https://hooks.example/T0", "http://127.0.0.1:80/x", "http://localhost", "http://[::1]:1/", "HTTPS://a"]
        {
            assert!(address("HOOK", good).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.example/s3cret",
            "http://localhost.evil.example/s3cret",
            "http://127.0.0.1.evil.example/s3cret",
            "http://127.0.0.1@evil.example/s3cret",
            "http://169.254.169.254/s3cret",
            "http://0.0.0.0/s3cret",
            "ftp://127.0.0.1/s3cret",
            "file:///s3cret",
            "s3cret",
            "",
        ] {
            let error = format!("{:#}", address("HOOK", bad).unwrap_err());
            assert!(error.contains("HOOK") && !error.contains("s3cret"), "{bad}: {error}");
        }
    }
}
