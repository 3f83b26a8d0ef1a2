//! Login tickets: a signed cookie that contains its own expiry.
//!
//! The server stores nothing, so a login is valid on every task and across restarts. It ends when it expires or when
//! the token or the password changes.

use axum::http::{HeaderMap, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// The name of the cookie.
const COOKIE: &str = "candlewick";

/// How long a login is valid.
const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// Signs and verifies tickets.
#[derive(Clone)]
pub struct Tickets {
    key: [u8; 32],
}

impl Tickets {
    /// Tickets whose signing key is derived from the secrets.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut hash = Sha256::new_with_prefix(b"candlewick ticket 1");
        for secret in secrets {
            // Hashing each secret separately keeps their boundaries unambiguous.
            hash.update(Sha256::digest(secret.as_bytes()));
        }
        Self { key: hash.finalize().into() }
    }

    /// The cookie for a visitor who logs in now.
    pub fn issue(&self, now: Timestamp, is_tls: bool) -> anyhow::Result<HeaderValue> {
        let until = now.checked_add(LIFE)?.as_second();
        let signature = digits(&self.sign(&until.to_be_bytes())?.finalize().into_bytes());
        Ok(cookie(&format!("{until}.{signature}"), LIFE.as_secs(), is_tls).parse()?)
    }

    /// Whether the headers contain a valid ticket that has not expired.
    pub fn admit(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == COOKIE).any(|(_, value)| self.is_good(value, now).unwrap_or(false))
    }

    fn is_good(&self, value: &str, now: Timestamp) -> Option<bool> {
        let (until, signature) = value.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        let is_ours = self.has_signed(&until.to_be_bytes(), signature)?;
        Some(is_ours && now.as_second() < until)
    }

    /// The key of a link to a dashboard. No ticket is as long as what is signed for it.
    pub fn link_key(&self, name: &str) -> Option<String> {
        Some(digits(&self.sign(&of_link(name)).ok()?.finalize().into_bytes()))
    }

    /// Whether a key is that of a link to a dashboard.
    pub fn is_link_key(&self, name: &str, key: &str) -> bool {
        self.has_signed(&of_link(name), key).unwrap_or(false)
    }

    fn has_signed(&self, text: &[u8], signature: &str) -> Option<bool> {
        let bytes =
            signature.as_bytes().chunks(2).map(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
        // Compares in constant time.
        Some(self.sign(text).ok()?.verify_slice(&bytes).is_ok())
    }

    fn sign(&self, text: &[u8]) -> anyhow::Result<Hmac<Sha256>> {
        let mut signing = Hmac::<Sha256>::new_from_slice(&self.key)?;
        signing.update(text);
        Ok(signing)
    }
}

fn of_link(name: &str) -> Vec<u8> {
    [b"link to dashboard ", name.as_bytes()].concat()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The cookie that deletes the ticket.
pub fn taken_back(is_tls: bool) -> String {
    cookie("", 0, is_tls)
}

/// Scripts cannot read the cookie, and other sites cannot make the browser send it except by a link to this one.
fn cookie(value: &str, seconds: i64, is_tls: bool) -> String {
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_735_600_000, 0);

    fn admits(tickets: &Tickets, cookie: &str, now: Timestamp) -> bool {
        tickets.admit(&HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]), now)
    }

    #[test]
    fn a_ticket_is_good_for_its_time_and_its_secret() {
        let tickets = Tickets::new(["token", "password"]);
        let issued = tickets.issue(NOW, true).unwrap();
        let issued = issued.to_str().unwrap();
        assert!(issued.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"), "{issued}");
        let pair = issued.split(';').next().unwrap();
        assert!(admits(&tickets, pair, NOW) && admits(&tickets, &format!("other=1; {pair}; x=y"), NOW));
        assert!(!admits(&tickets, pair, NOW + LIFE), "it is good for ever");
        for others in
            [Tickets::new(["token"]), Tickets::new(["tokenp", "assword"]), Tickets::new(["password", "token"])]
        {
            assert!(!admits(&others, pair, NOW));
        }
    }

    #[test]
    fn what_was_changed_or_made_up_is_not_good() {
        let tickets = Tickets::new(["token"]);
        let issued = tickets.issue(NOW, false).unwrap();
        let pair = issued.to_str().unwrap().split(';').next().unwrap().to_owned();
        let (value, signature) = pair.trim_start_matches("candlewick=").split_once('.').unwrap();
        let longer = format!("candlewick={}.{signature}", value.parse::<i64>().unwrap() + 1);
        for forged in [
            longer.as_str(),
            "candlewick=",
            "candlewick=9999999999.",
            "candlewick=9999999999.00",
            "candlewick=x.y",
            "candlewick=9999999999.zz",
            "candlewick=9999999999.é",
            &pair[..pair.len() - 2],
            &format!("{pair}00"),
            &pair.to_uppercase(),
        ] {
            let header = HeaderValue::from_bytes(forged.as_bytes()).unwrap();
            assert!(!tickets.admit(&HeaderMap::from_iter([(header::COOKIE, header)]), NOW), "{forged}");
        }
    }
}
