//! The owner's dashboards, and who may save them: requests with the edit token.

use std::time::Instant;

use axum::http::HeaderMap;
use secrecy::SecretString;

use crate::auth::is_same;
use crate::brake::Brake;
use crate::client::Client;
use crate::dashboards::files::Files;
use crate::problem::Problem;

/// The header with the token. `Authorization` is that of the login.
pub const HEADER: &str = "edit-token";

/// The documents, and the token that saving takes.
#[derive(Default)]
pub struct Dashboards {
    /// `None` if the settings name no watchlist, next to which they are.
    pub files: Option<Files>,
    token: Option<SecretString>,
    brake: Brake,
}

impl Dashboards {
    /// Without a token, nobody may save.
    pub fn new(files: Option<Files>, token: Option<SecretString>) -> Self {
        Self { files, token, brake: Brake::default() }
    }

    /// Whether a token is set.
    pub fn can_save(&self) -> bool {
        self.token.is_some() && self.files.is_some()
    }

    /// The documents, if the request may save one.
    pub fn for_saving(&self, client: Client, headers: &HeaderMap) -> Result<&Files, Problem> {
        if self.token.is_none() {
            return Err(Problem::forbidden(
                "saving is off: set DASHBOARD_EDIT_TOKEN, or put the document into config/dashboards next to the watchlist",
            ));
        }
        let now = Instant::now();
        if self.brake.wait(client.key(), now).is_some() {
            return Err(Problem::too_many_logins());
        }
        let said = headers.get(HEADER).and_then(|token| token.to_str().ok());
        if !said.is_some_and(|said| is_same(self.token.as_ref(), said.trim())) {
            self.brake.failed(client.key(), now);
            return Err(Problem::forbidden(
                "saving takes the header Edit-Token with the value of DASHBOARD_EDIT_TOKEN",
            ));
        }
        let files = self.files.as_ref();
        files.ok_or_else(|| Problem::forbidden("dashboards are kept next to the watchlist: set WATCHLIST"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candlewick_shared::adapters::memory_store::MemoryStore;

    use super::*;

    fn client(last: u8) -> Client {
        Client { address: [127, 0, 0, last].into(), is_tls: false }
    }

    fn with(token: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER.parse().unwrap(), token.parse().unwrap())])
    }

    fn dashboards(token: Option<&str>) -> Dashboards {
        let files = Files::of(&"watchlist.toml".parse().unwrap(), |_| Arc::new(MemoryStore::default()));
        Dashboards::new(Some(files), token.map(SecretString::from))
    }

    #[test]
    fn only_the_token_saves_and_it_cannot_be_guessed_by_trying() {
        let dashboards = dashboards(Some("open-sesame"));
        assert!(dashboards.for_saving(client(1), &with("open-sesame")).is_ok() && dashboards.can_save());
        assert_eq!(dashboards.for_saving(client(1), &HeaderMap::new()).err().unwrap().status, 403);
        let statuses: Vec<_> =
            (0..20).map(|_| dashboards.for_saving(client(1), &with("x")).err().unwrap().status).collect();
        assert_eq!((statuses[0], statuses[19]), (403, 429));
        assert_eq!(dashboards.for_saving(client(1), &with("open-sesame")).err().unwrap().status, 429);
        assert!(dashboards.for_saving(client(2), &with("open-sesame")).is_ok(), "others are not slowed down");
    }

    #[test]
    fn without_a_token_nobody_saves() {
        let dashboards = dashboards(None);
        let problem = dashboards.for_saving(client(1), &with("")).err().unwrap();
        assert!(problem.detail.contains("DASHBOARD_EDIT_TOKEN") && !dashboards.can_save());
    }
}
