//! Error pages, with the same texts as the problem responses of the API.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::pages::login;
use crate::pages::shell::Shell;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    problem: Problem,
}

/// Turns problems into pages for browsers, that is, outside the API.
pub async fn dress(request: Request, next: Next) -> Response {
    let wants_page = is_page(&request);
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    let address = login::next_of(request.headers(), address);
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if wants_page && problem.status == 401 => login_page(&address),
        Some(problem) if wants_page => page(problem.clone(), &response),
        _ => response,
    }
}

/// Shows our login form rather than the browser's own dialog, which offers no way to log out. RFC 9110 requires a
/// challenge with every 401; browsers ignore this one because they do not know its scheme.
fn login_page(address: &str) -> Response {
    let page = login::form(StatusCode::UNAUTHORIZED, "", address);
    let mut response = page.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Form realm=\"Candlewick\""));
    response
}

fn is_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    !request.uri().path().starts_with("/api/") && accepts.is_some_and(|accept| accept.contains("text/html"))
}

fn page(problem: Problem, plain: &Response) -> Response {
    let Ok(text) = (ErrorPage { shell: Shell::of("error"), problem }).render() else {
        return plain.status().into_response();
    };
    let mut response = (plain.status(), text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::ALLOW] {
        for value in plain.headers().get_all(&name) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}
