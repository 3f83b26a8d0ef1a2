//! Read-only links: an address that shows one dashboard, and nothing else, to anybody who has it.

use axum::http::Uri;

/// The first part of the paths that a link opens.
pub const PREFIX: &str = "/shared/";

/// The path and the query of a dashboard's link. Without a login, it needs no key.
pub fn address(name: &str, key: Option<&str>) -> String {
    format!("{PREFIX}{name}{}", key.map(|key| format!("?key={key}")).unwrap_or_default())
}

/// The name of the dashboard and the key of a request that uses a link.
pub fn asked(address: &Uri) -> Option<(&str, &str)> {
    let name = address.path().strip_prefix(PREFIX)?.split('/').next()?;
    let key = address.query()?.split('&').find_map(|part| part.strip_prefix("key="))?;
    Some((name, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_link_names_is_read_from_every_address_below_it() {
        let whole = address("stocks", Some("1f"));
        assert_eq!((whole.as_str(), asked(&whole.parse().unwrap())), ("/shared/stocks?key=1f", Some(("stocks", "1f"))));
        let inner: Uri = "/shared/stocks/tiles/0/candles?key=1f".parse().unwrap();
        assert_eq!(asked(&inner), Some(("stocks", "1f")));
        for address in ["/", "/dashboards/stocks?key=1", "/shared/stocks", "/shared/stocks?nokey=1", "/shared?key=1"] {
            assert_eq!(asked(&address.parse().unwrap()), None, "{address}");
        }
    }
}
