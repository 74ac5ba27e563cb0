//! What a request's headers become on their way to an upstream, and an answer's on the way back.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::kit::http::client::FORWARDED_FOR;
use crate::kit::http::context;

/// Headers that belong to one connection (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The headers that an upstream gets: without those of the client's connection, with who asks, the
/// request's name and its trace.
pub(super) fn for_upstream(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.remove(header::HOST);
    let Some(context) = context::current() else { return };
    // What the client itself said there has been looked at already.
    headers.remove(FORWARDED_FOR);
    if let Some(address) = context.client.address.and_then(|ip| ip.to_string().try_into().ok()) {
        headers.insert(FORWARDED_FOR, address);
    }
    if let Some(id) = context.request_id_header() {
        headers.insert(context::REQUEST_ID, id);
    }
    if let Ok(trace) = HeaderValue::try_from(context.trace.to_string()) {
        headers.insert(context::TRACEPARENT, trace);
    }
}

/// Removes what belongs to the connection alone, and what `connection` says does.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_go_no_further() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, x-mine"), ("x-mine", "1"), ("te", "trailers"), ("x-other", "2")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), ["2"]);
    }
}
