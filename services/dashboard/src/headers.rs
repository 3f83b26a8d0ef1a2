//! Security headers of responses, and checks of the host and origin of requests.

use std::net::IpAddr;
use std::str::FromStr;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use thiserror::Error;

use crate::client::Client;
use crate::links;
use crate::problem::Problem;

/// Allows scripts, styles and data only from this origin, and nothing inline. Pages may not be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With `no-referrer`, browsers would also hide the origin of our own forms from us.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// The sites whose pages may frame shared dashboards: `https://wiki.example` or `'self'`, separated by spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameAncestors(String);

/// The text names something that cannot frame a page.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no site that can frame a page: write 'self', or an origin such as https://wiki.example")]
pub struct NoSite(String);

impl FromStr for FrameAncestors {
    type Err = NoSite;

    fn from_str(text: &str) -> Result<Self, NoSite> {
        let sites: Vec<&str> = text.split_whitespace().collect();
        match sites.iter().find(|site| !is_site(site)) {
            Some(other) => Err(NoSite((*other).to_owned())),
            None => Ok(Self(sites.join(" "))),
        }
    }
}

/// A host may begin with `*.`, as policies allow.
fn is_site(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-:*[]".contains(&byte);
    text == "'self'" || host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_part))
}

impl FrameAncestors {
    /// The policy of a path: only shared dashboards may be framed.
    fn policy(&self, path: &str) -> Option<HeaderValue> {
        let is_framable = path.starts_with(links::PREFIX) && !self.0.is_empty();
        let policy = POLICY.replace("frame-ancestors 'none'", &format!("frame-ancestors {}", self.0));
        is_framable.then(|| HeaderValue::from_str(&policy).ok()).flatten()
    }
}

/// A browser that used TLS uses only TLS for a year.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Sets the security headers of every response. Responses without their own caching rules are not cached.
pub async fn secure(
    State(ancestors): State<FrameAncestors>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Response {
    let policy = ancestors.policy(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        // It knows no list of sites.
        headers.remove(header::X_FRAME_OPTIONS);
    }
    if client.is_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

/// If no secret is set, serves only requests for this machine's own names. This rejects foreign pages whose host name
/// resolves to this machine (DNS rebinding).
pub async fn own_host(State(is_open): State<bool>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if is_open && !host.is_some_and(is_local) {
        return Problem::misdirected().into_response();
    }
    next.run(request).await
}

/// Rejects requests that another site's page makes a browser send: the page could not read the response, but it could
/// trigger requests with the visitor's login. Following a link to this site is allowed.
pub async fn own_pages(request: Request, next: Next) -> Response {
    if is_foreign(request.method(), request.headers()) {
        return Problem::foreign_page().into_response();
    }
    next.run(request).await
}

/// Browsers report the origin of a request in `Sec-Fetch-*`. Those without these headers report at least the origin of
/// a form.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_link = method == Method::GET && said("sec-fetch-mode") == Some("navigate");
    match said("sec-fetch-site") {
        Some("same-origin" | "none") => false,
        Some(_) => !is_link,
        None if method == Method::GET || method == Method::HEAD => false,
        None => said("origin").is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != said("host")),
    }
}

fn is_local(host: &str) -> bool {
    let without_port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
    let name = without_port.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_another_site_may_lead_here_and_no_more() {
        let foreign = |method: &Method, said: &[(&'static str, &'static str)]| {
            let headers =
                said.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_foreign(method, &headers.collect())
        };
        let get = Method::GET;
        let post = Method::POST;
        assert!(foreign(&get, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]));
        assert!(foreign(&get, &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")]));
        assert!(foreign(&post, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(foreign(&post, &[("origin", "https://evil.example"), ("host", "candles.example")]));
        assert!(foreign(&post, &[("origin", "null"), ("host", "candles.example")]));
        assert!(!foreign(&get, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(!foreign(&get, &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]));
        assert!(!foreign(&post, &[("sec-fetch-site", "same-origin")]));
        assert!(!foreign(&post, &[("origin", "https://candles.example"), ("host", "candles.example")]));
        assert!(!foreign(&get, &[]) && !foreign(&post, &[]), "programs say nothing of pages");
    }

    #[test]
    fn only_named_sites_frame_shared_dashboards_and_no_other_page() {
        let sites: FrameAncestors = " https://wiki.example  'self' http://*.intra:8080 ".parse().unwrap();
        let policy = sites.policy("/shared/stocks").unwrap();
        assert!(policy.to_str().unwrap().ends_with("frame-ancestors https://wiki.example 'self' http://*.intra:8080"));
        assert_eq!(
            (sites.policy("/dashboards/stocks"), FrameAncestors::default().policy("/shared/stocks")),
            (None, None)
        );
        for bad in ["wiki.example", "https://", "*", "https://a; script-src *", "https://a/b", "javascript:x", "'none'"]
        {
            assert!(bad.parse::<FrameAncestors>().is_err(), "{bad}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_own_names_alone() {
        for own in ["localhost", "localhost:8470", "127.0.0.1:8470", "[::1]:8470"] {
            assert!(is_local(own), "{own}");
        }
        for foreign in ["example.com", "127.0.0.1.example.com", "localhost.example.com:80", "", "[2001:db8::1]"] {
            assert!(!is_local(foreign), "{foreign}");
        }
    }
}
