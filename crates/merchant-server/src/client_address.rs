//! The buyer's address, which WeChat compares with the payer's in H5. `X-Forwarded-For` is
//! believed from `trusted_proxies` alone: anybody else can write anything into it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;

use crate::server::MerchantServer;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who calls, as far as it can be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// An address that WeChat can compare; `None` where there is none to be believed.
    pub(crate) address: Option<IpAddr>,
    /// Whose calls are counted: the buyer, or the peer where no buyer's address is believed.
    pub(crate) counted: Option<IpAddr>,
}

impl FromRequestParts<MerchantServer> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &MerchantServer,
    ) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        let buyer = buyer_address(peer, &parts.headers, &server.config.trusted_proxies);
        let address = if server.config.gateway.is_live() {
            buyer.filter(is_public)
        } else {
            // A journey in one process has no peer, and a simulator takes any address.
            Some(buyer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
        };
        let counted = buyer.or(peer.map(|peer| peer.to_canonical())).or(address);
        Ok(Self { address, counted })
    }
}

/// The nearest address that is not a proxy of ours.
fn buyer_address(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let peer = peer?.to_canonical();
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let mut hops = Vec::new();
    for value in headers.get_all(FORWARDED_FOR) {
        hops.extend(value.to_str().ok()?.split(','));
    }
    for hop in hops.into_iter().rev() {
        let address = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        if !is_trusted(&address) {
            return Some(address);
        }
    }
    None
}

/// Whether WeChat can see this address as the payer's: one of our own network means that
/// `trusted_proxies` is not set right.
pub(crate) fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // 100.64.0.0/10: inside of a carrier's or a cloud's network.
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && second & 0b1100_0000 == 64;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || is_shared)
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_address_is_believed_from_trusted_proxies_alone() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        // peer, X-Forwarded-For, the buyer
        let cases = [
            ("203.0.113.9", "", Some("203.0.113.9")),
            ("203.0.113.9", "198.51.100.1", Some("203.0.113.9")),
            ("10.0.0.1", "198.51.100.1", Some("198.51.100.1")),
            (
                "10.0.0.1",
                "1.2.3.4, 198.51.100.1, 10.0.0.2",
                Some("198.51.100.1"),
            ),
            ("::ffff:10.0.0.1", "2001:db8::7", Some("2001:db8::7")),
            ("10.0.0.1", "198.51.100.1, nonsense", None),
            ("10.0.0.1", "", None),
        ];
        for (peer, forwarded, expected) in cases {
            let mut headers = HeaderMap::new();
            if !forwarded.is_empty() {
                headers.insert(FORWARDED_FOR, forwarded.parse().unwrap());
            }
            let found = buyer_address(Some(peer.parse().unwrap()), &headers, &trusted);
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(found, expected, "{peer} {forwarded}");
        }
    }
}
