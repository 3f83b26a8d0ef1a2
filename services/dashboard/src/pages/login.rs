//! The login form, login and logout.

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::auth::Gate;
use crate::client::Client;
use crate::pages::shell::Shell;
use crate::problem::{AsItIs, Problem};
use crate::ticket;

/// The maximum length of the address to which a login redirects.
const MOST_OF_AN_ADDRESS: usize = 400;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    shell: Shell,
    /// Why the last attempt failed; empty before the first one.
    wrong: &'a str,
    next: &'a str,
}

/// The fields of the form.
#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    next: String,
}

/// The login form; an error if no secret is set.
pub async fn page(State(gate): State<Option<Gate>>) -> Result<Response, Problem> {
    if gate.is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    form(StatusCode::OK, "", "/")
}

/// The login form as shown to a visitor without a login. It reveals nothing about the page behind it.
pub fn form(status: StatusCode, wrong: &str, next: &str) -> Result<Response, Problem> {
    let page = LoginPage { shell: Shell::of("login"), wrong, next: own_address(next) };
    let mut response = (status, super::render::html(&page)?).into_response();
    response.extensions_mut().insert(AsItIs);
    Ok(response)
}

/// Checks the secret and redirects to the requested page.
pub async fn log_in(
    State(gate): State<Option<Gate>>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Some(gate) = gate else { return Ok(Redirect::to("/").into_response()) };
    let login: Login =
        serde_urlencoded::from_bytes(&body).map_err(|_| Problem::bad_request("the form is not complete"))?;
    match gate.log_in(client, login.secret.trim()) {
        Ok(cookie) => {
            let mut response = Redirect::to(own_address(&login.next)).into_response();
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNAUTHORIZED);
            let is_wrong = status == StatusCode::UNAUTHORIZED;
            let wrong = if is_wrong { "That is not it." } else { problem.detail.as_str() };
            let mut response = form(status, wrong, &login.next)?;
            // Keeps the Retry-After header if the address must wait.
            let plain = problem.clone().into_response();
            plain
                .headers()
                .get(header::RETRY_AFTER)
                .map(|when| response.headers_mut().insert(header::RETRY_AFTER, when.clone()));
            Ok(response)
        }
    }
}

/// Deletes the ticket cookie of the browser.
pub async fn log_out(Extension(client): Extension<Client>) -> Response {
    let mut response = Redirect::to("/login").into_response();
    if let Ok(cookie) = HeaderValue::from_str(&ticket::taken_back(client.is_tls)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// An address of this site, or the first page, because a login must not redirect elsewhere. `//host` and `/\host`
/// belong to other sites.
fn own_address(next: &str) -> &str {
    let is_own = next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && next.len() <= MOST_OF_AN_ADDRESS;
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_own && is_plain { next } else { "/" }
}

/// The address to which a login redirects after a page was refused.
pub fn next_of(headers: &HeaderMap, path_and_query: &str) -> String {
    // Resources that a page fetches are no useful redirect targets.
    let is_page = headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    if is_page { own_address(path_and_query).to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_no_other_site() {
        for own in ["/", "/symbol/BTC%2FUSD/1day?from=2024-01-01", "/quality"] {
            assert_eq!(own_address(own), own);
        }
        for foreign in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\r\nx: y", "/\t/evil.example"]
        {
            assert_eq!(own_address(foreign), "/", "{foreign}");
        }
    }
}
