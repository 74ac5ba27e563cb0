//! Where a request comes from: the address behind the proxies, and what the client calls itself.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// `x-forwarded-for`: each proxy adds the address that it was called from.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Characters of a client's name that are kept.
const LONGEST_DEVICE: usize = 200;

/// The client of a request, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Its address, if it came through a socket.
    pub address: Option<IpAddr>,
    /// Its `user-agent`, shortened.
    pub device: Option<String>,
}

impl Client {
    /// Reads the client from a request that `peer` sent. What `x-forwarded-for` says is believed as
    /// far as proxies in `trusted` have said it: from the right to the first address that is none.
    pub fn read(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let device = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            address: peer.map(|peer| address(peer.ip().to_canonical(), headers, trusted)),
            device: device.map(|name| name.chars().take(LONGEST_DEVICE).collect()),
        }
    }
}

fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer;
    let said: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in said.into_iter().rev() {
        if !is_trusted(&nearest) {
            break;
        }
        let Some(address) = parse(text.trim()) else { break };
        nearest = address;
    }
    nearest
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = || text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let address = bare().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

/// The network that an address belongs to, as far as one customer has it: /24 of IPv4, /56 of IPv6.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 72 << 72)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn found(peer: &str, said: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "127.0.0.0/8"].map(|network| network.parse().unwrap());
        let headers =
            said.iter().map(|value| (FORWARDED_FOR, HeaderValue::from_str(value).unwrap())).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        Client::read(Some(peer), &headers, &trusted).address.unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        assert_eq!(found("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(found("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(found("10.0.0.1", &["1.2.3.4, 198.51.100.1"]), "198.51.100.1", "the client's own lie");
        assert_eq!(found("10.0.0.1", &["198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(found("10.0.0.1", &["1.2.3.4", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(found("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(found("10.0.0.1", &["not an address"]), "10.0.0.1");
        assert_eq!(found("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn neighbours_share_a_network() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("203.0.113.7"), "203.0.113.0");
        assert_eq!(of("2001:db8:1:2ff::1"), "2001:db8:1:200::");
        assert_eq!(of("::ffff:203.0.113.7"), "203.0.113.0");
    }
}
