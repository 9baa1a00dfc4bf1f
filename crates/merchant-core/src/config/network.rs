//! Network addresses in the configuration: where to listen, and the trusted proxies. Refusals are
//! fixed sentences, so that a wrong value is not repeated.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use serde::de::{Deserialize, Deserializer, Error};

use super::forms::trimmed;

/// A proxy, or a network of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proxy(pub(super) IpNet);

impl Proxy {
    /// Reads an address, which is a network of one, or a network such as `10.0.0.0/8`.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = trimmed(text);
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse::<IpNet>().map_err(|_| mistake(text))?,
        };
        let net = as_peers_have_it(net);
        if net.prefix_len() == 0 {
            return Err(
                "trusts every address, so that none is left to be the buyer's: name your proxies",
            );
        }
        Ok(Self(net.trunc()))
    }
}

/// The rule that a text breaks if it is neither an address nor a network.
fn mistake(text: &str) -> &'static str {
    const FORM: &str =
        "must be an address or a network of your proxy, such as 127.0.0.1 or 10.0.0.0/8";
    const PORT: &str =
        "must not have a port: a proxy calls from another one each time. Write the address alone";
    const URL: &str = "must be an address or a network of your proxy, such as 127.0.0.1 or 10.0.0.0/8, and not a URL";
    const NAME: &str =
        "must be an address or a network, such as 127.0.0.1 or 10.0.0.0/8: names are not looked up";
    if text.parse::<SocketAddr>().is_ok() {
        PORT
    } else if text.contains("://") {
        URL
    } else if text.bytes().any(|b| b.is_ascii_alphabetic()) && !text.contains([':', '/']) {
        NAME
    } else {
        FORM
    }
}

/// Peers are compared by their IPv4 address if they have one. So an IPv4 network inside of IPv6
/// becomes an IPv4 network.
fn as_peers_have_it(net: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(v6) = net else {
        return net;
    };
    let inner: Option<Ipv4Addr> = v6.addr().to_ipv4_mapped();
    let bits = v6.prefix_len().checked_sub(MAPPED_BITS);
    match (inner, bits) {
        (Some(address), Some(bits)) => Ipv4Net::new(address, bits).map_or(net, IpNet::V4),
        _ => net,
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(Error::custom)
    }
}

/// Reads where to listen.
pub(super) fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let refused = |rule: &dyn Display| D::Error::custom(rule);
    let text = String::deserialize(deserializer)?;
    trimmed(&text).parse().map_err(|_| {
        refused(&"must be an address and a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for all addresses of this machine")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one_and_is_compared_as_peers_are() {
        for (text, net) in [
            ("127.0.0.1", "127.0.0.1/32"),
            (" 127.0.0.1\t", "127.0.0.1/32"),
            ("127.0.0.1/32", "127.0.0.1/32"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("::1", "::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!(proxy.0.to_string(), net, "{text}");
        }
    }

    #[test]
    fn an_invalid_proxy_is_refused_with_the_valid_forms() {
        for (text, words) in [
            ("127.0.0.1:8080", "must not have a port"),
            ("[::1]:443", "must not have a port"),
            ("nginx", "names are not looked up"),
            ("proxy.internal", "names are not looked up"),
            ("http://127.0.0.1", "and not a URL"),
            ("0.0.0.0/0", "trusts every address"),
            ("::/0", "trusts every address"),
            ("10.0.0.0/33", "must be an address or a network"),
            ("10.0.0", "must be an address or a network"),
            ("", "must be an address or a network"),
        ] {
            let refusal = Proxy::parse(text).unwrap_err();
            assert!(refusal.contains(words), "{text}: {refusal}");
        }
    }
}
