//! The buyer's address. In H5, WeChat compares this address with the payer's address. The rate
//! limit counts calls by this address, too. `X-Forwarded-For` and `Forwarded` are trusted from
//! `trusted_proxies` only: any other client can write anything into these headers.
//!
//! Which header counts: a proxy writes one of the two headers and passes the other on as the client
//! sent it. The server cannot tell which one the proxy wrote. So the server reads each header by
//! itself, from the nearest hop on. It ignores a header that names only trusted proxies. If the two
//! headers name different addresses, neither header is trusted.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use merchant_core::Merchants;
use merchant_core::config::is_public;

use super::forwarded_hops::{Unread, UnreadForms, forwarded, forwarded_for};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The caller of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// A public address that WeChat can compare; `None` if there is none that can be trusted.
    pub(crate) address: Option<IpAddr>,
    /// The address for the rate limit: the buyer's, or the peer's if no buyer's address is trusted.
    pub(crate) counted: Option<IpAddr>,
}

impl<S: Sync> FromRequestParts<S> for Caller
where
    Merchants: FromRef<S>,
    Arc<UnreadForms>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let merchants = Merchants::from_ref(state);
        let config = merchants.first().config();
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        let trusted = &config.trusted_proxies;
        let buyer = match buyer_address(peer, &parts.headers, trusted) {
            Ok(buyer) => buyer,
            Err(unread) => {
                report(&Arc::<UnreadForms>::from_ref(state), &unread);
                None
            }
        };
        let address = if config.gateway.is_live() {
            buyer.filter(is_public)
        } else {
            // A test in one process has no peer, and a simulator accepts any address.
            Some(buyer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
        };
        let counted = buyer.or(peer.map(|peer| peer.to_canonical())).or(address);
        Ok(Self { address, counted })
    }
}

/// Logs each form once, because an unreadable header comes with every call.
fn report(seen: &UnreadForms, unread: &Unread) {
    if seen.is_new(unread) {
        tracing::error!(
            event = "buyer_address.unread",
            header = unread.header,
            form = unread.form,
            "a proxy of ours writes the buyer's address in a form that cannot be read: h5 is \
             refused, and all buyers behind it share one rate limit"
        );
    }
}

/// The nearest address that is not a trusted proxy.
fn buyer_address(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Result<Option<IpAddr>, Unread> {
    let Some(peer) = peer.map(|peer| peer.to_canonical()) else {
        return Ok(None);
    };
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return Ok(Some(peer));
    }
    let named = |name, read| nearest(headers, name, read, is_trusted);
    let by_forwarded_for = named(FORWARDED_FOR, forwarded_for)?;
    let by_forwarded = named(header::FORWARDED, forwarded)?;
    match (by_forwarded_for, by_forwarded) {
        (Some(one), Some(other)) if one != other => Err(Unread::contradiction()),
        (one, other) => Ok(one.or(other)),
    }
}

/// The nearest address in a header that is not a trusted proxy. The hops beyond this address are
/// never read, because the client can forge them.
fn nearest(
    headers: &HeaderMap,
    name: HeaderName,
    read: fn(&[u8]) -> Vec<Result<IpAddr, Unread>>,
    is_trusted: impl Fn(&IpAddr) -> bool,
) -> Result<Option<IpAddr>, Unread> {
    let lines = headers.get_all(name).iter();
    let hops: Vec<_> = lines.flat_map(|line| read(line.as_bytes())).collect();
    for hop in hops.into_iter().rev() {
        let address = hop?.to_canonical();
        if !is_trusted(&address) {
            return Ok(Some(address));
        }
    }
    Ok(None)
}

/// The key of an address. For IPv6 the key is the /64 network, because each client usually has a
/// whole /64.
pub(crate) const fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, sent: &[(HeaderName, &str)]) -> Result<Option<IpAddr>, Unread> {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name, value.parse().unwrap());
        }
        buyer_address(Some(peer.parse().unwrap()), &headers, &trusted)
    }

    fn address(text: &str) -> Option<IpAddr> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    #[test]
    fn a_forwarded_address_counts_only_from_trusted_proxies() {
        // peer, X-Forwarded-For, the buyer
        let cases = [
            ("203.0.113.9", "", "203.0.113.9"),
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("203.0.113.9", "nonsense", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            (
                "10.0.0.1",
                "1.2.3.4, 198.51.100.1, 10.0.0.2",
                "198.51.100.1",
            ),
            ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
            ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "203.0.113.9:52114", "203.0.113.9"),
            ("10.0.0.1", "203.0.113.9:52114, 10.0.0.2:80", "203.0.113.9"),
            ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
            ("10.0.0.1", "198.51.100.1, ", "198.51.100.1"),
            ("10.0.0.1", "nonsense, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "10.0.0.2, 10.0.0.3", ""),
            ("10.0.0.1", "", ""),
        ];
        for (peer, forwarded_for, expected) in cases {
            let found = found(peer, &[(FORWARDED_FOR, forwarded_for)]).unwrap();
            assert_eq!(found, address(expected), "{peer} {forwarded_for}");
        }
    }

    #[test]
    fn either_header_is_enough_and_if_they_differ_neither_counts() {
        let same = ("198.51.100.1", "for=198.51.100.1:8080;proto=https");
        let cases = [
            ("198.51.100.1", "", "198.51.100.1"),
            ("", same.1, "198.51.100.1"),
            (same.0, same.1, "198.51.100.1"),
            // One of the two headers names only trusted proxies.
            ("10.0.0.2", same.1, "198.51.100.1"),
            (same.0, "for=10.0.0.2", "198.51.100.1"),
        ];
        for (forwarded_for, forwarded, expected) in cases {
            let sent = [
                (FORWARDED_FOR, forwarded_for),
                (header::FORWARDED, forwarded),
            ];
            let found = found("10.0.0.1", &sent).unwrap();
            assert_eq!(found, address(expected), "{forwarded_for} {forwarded}");
        }
        let sent = [(FORWARDED_FOR, same.0), (header::FORWARDED, "for=1.2.3.4")];
        assert!(found("10.0.0.1", &sent).is_err());
    }

    #[test]
    fn a_header_in_several_lines_is_one_list() {
        let sent = [
            (FORWARDED_FOR, "1.2.3.4"),
            (FORWARDED_FOR, "198.51.100.1"),
            (FORWARDED_FOR, "10.0.0.2"),
        ];
        assert_eq!(found("10.0.0.1", &sent), Ok(address("198.51.100.1")));
    }

    #[test]
    fn an_unreadable_nearest_hop_is_not_skipped() {
        for (name, value, form) in [
            (FORWARDED_FOR, "198.51.100.1, nonsense", "w"),
            (FORWARDED_FOR, "198.51.100.1, unknown", "w"),
            (FORWARDED_FOR, "203.0.113.9:http", "n.n.n.n:w"),
            (header::FORWARDED, "for=198.51.100.1, for=_hidden", "_w"),
            (
                header::FORWARDED,
                "for=198.51.100.1, by=10.0.0.1",
                "(no for)",
            ),
        ] {
            let unread = found("10.0.0.1", &[(name, value)]).unwrap_err();
            assert_eq!(unread.form, form, "{value}");
        }
    }
}
