//! Errors as pages: for people, the same words that programs get.

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

/// Makes a page of a problem wherever a browser asked for one: outside of the API.
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

/// The form instead of the browser's own window, from which there is no way out again. RFC 9110 wants a challenge with every
/// 401; browsers don't know this one.
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
