//! Identifies the client of a request by the address to which limits apply.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    pub address: IpAddr,
    /// Whether the outermost proxy reports that the client used TLS.
    pub is_tls: bool,
}

impl Client {
    /// The client of a request that came through `proxies` trusted proxies. Each proxy appends the address of its
    /// caller to `X-Forwarded-For`, so the entry that the outermost proxy wrote is the `proxies`-th from the right;
    /// entries to its left were sent by the client and are not trusted. A request with fewer entries did not come
    /// through all proxies.
    pub fn new(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> Self {
        let forwarded = proxies.checked_sub(1).and_then(|from_right| entry(headers, &FORWARDED_FOR, from_right));
        let address = forwarded.and_then(read_address).unwrap_or(peer).to_canonical();
        let is_tls = proxies > 0 && entry(headers, &FORWARDED_PROTO, 0).is_some_and(|proto| proto == "https");
        Self { address, is_tls }
    }

    /// The address to which limits apply.
    pub fn key(&self) -> IpAddr {
        network(self.address)
    }
}

/// The address itself, or the /64 network of an IPv6 address, because one subscriber can use every address in it.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// An entry of a list header, counted from the end. Repeated headers form one list.
fn entry<'h>(headers: &'h HeaderMap, name: &HeaderName, from_right: usize) -> Option<&'h str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let entries = lines.into_iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    entries.map(str::trim).nth(from_right)
}

/// Some proxies append the port.
fn read_address(text: &str) -> Option<IpAddr> {
    let plain = text.parse().ok().or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    plain.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Adds the client to the extensions of the request, for the inner layers and handlers.
pub async fn identify(
    State(proxies): State<usize>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = Client::new(peer.ip(), request.headers(), proxies);
    request.extensions_mut().insert(client);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: usize, forwarded: &[&'static str]) -> String {
        let headers = forwarded.iter().map(|text| (FORWARDED_FOR, text.parse().unwrap()));
        Client::new([10, 0, 0, 9].into(), &headers.collect(), proxies).address.to_string()
    }

    #[test]
    fn only_what_our_own_proxies_wrote_is_believed() {
        assert_eq!(client(0, &["6.6.6.6"]), "10.0.0.9");
        assert_eq!(client(1, &["6.6.6.6, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(1, &["6.6.6.6", "203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(2, &["6.6.6.6, 203.0.113.7,10.0.0.1"]), "203.0.113.7");
        assert_eq!(client(3, &["203.0.113.7, 10.0.0.1"]), "10.0.0.9");
        assert_eq!(client(1, &[]), "10.0.0.9");
    }

    #[test]
    fn an_address_is_read_in_the_forms_that_proxies_write() {
        for (text, address) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("unknown", "10.0.0.9"),
            ("203.0.113.7,", "10.0.0.9"),
        ] {
            assert_eq!(client(1, &[text]), address, "{text}");
        }
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let key = |text: &str| Client { address: text.parse().unwrap(), is_tls: false }.key();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("203.0.113.7"), key("203.0.113.8"));
    }

    #[test]
    fn tls_is_believed_of_a_trusted_proxy_only() {
        let headers = |proto: &'static str| HeaderMap::from_iter([(FORWARDED_PROTO, proto.parse().unwrap())]);
        assert!(Client::new([10, 0, 0, 9].into(), &headers("https"), 1).is_tls);
        assert!(!Client::new([10, 0, 0, 9].into(), &headers("https"), 0).is_tls);
        assert!(!Client::new([10, 0, 0, 9].into(), &headers("https, http"), 1).is_tls);
    }
}
