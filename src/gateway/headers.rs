//! What a request's head becomes on its way to an upstream, and an answer's on the way back.

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::kit::http::client::FORWARDED_FOR;
use crate::kit::http::context;

/// The host that the client asked.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// How it asked, as somebody in front of this server says.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Headers that belong to one connection (RFC 9110 §7.6.1), or say how its bytes are framed.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What upstreams take a proxy's word for: who asks, from where, and for what.
const A_PROXYS_WORD: [&str; 31] = [
    "client-ip",
    "forwarded",
    "remote-addr",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "true-client-ip",
    "x-authenticated-groups",
    "x-authenticated-user",
    "x-authenticated-userid",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-email",
    "x-groups",
    "x-original-uri",
    "x-original-url",
    "x-principal",
    "x-real-ip",
    "x-remote-email",
    "x-remote-groups",
    "x-remote-user",
    "x-rewrite-url",
    "x-roles",
    "x-scopes",
    "x-ssl-client-cert",
    "x-user",
    "x-user-email",
    "x-user-id",
    "x-user-role",
    "x-username",
];

/// The same for everything that begins so.
const A_PROXYS_WORDS: [&str; 6] =
    ["x-auth-request-", "x-consumer-", "x-credential-", "x-envoy-", "x-forwarded-", "x-voicera-"];

/// The head that an upstream gets: without what belongs to the client's connection, without what only a
/// proxy may say, with who asks, the request's name and its trace.
///
/// `host` is left to whoever knows the endpoint.
pub(super) fn for_upstream(head: &mut Parts) {
    let host = match head.uri.authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => head.headers.get(header::HOST).cloned(),
    };
    // An upstream is asked for a path, whatever the client's proxy or HTTP/2 made of it.
    if head.uri.authority().is_some() || head.uri.path_and_query().is_none() {
        let path = head.uri.path_and_query().cloned();
        head.uri = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    }
    let headers = &mut head.headers;
    let takes_trailers = headers.get(header::TE).is_some_and(|te| has_token(te, "trailers"));
    strip_hop_by_hop(headers);
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    // This server has said `100 Continue` itself by the time that it reads the body.
    headers.remove(header::EXPECT);
    strip_proxys_words(headers);
    if let Some(host) = host {
        headers.insert(FORWARDED_HOST, host);
    }
    let Some(context) = context::current() else { return };
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

/// The headers that a client gets.
pub(super) fn for_client(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
}

/// Asks for another `protocol` on the same connection, or agrees to it.
pub(super) fn ask_for(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Removes what belongs to the connection alone, and what `connection` says does.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // As a rule there is none of them, and one look at all costs less than to look for each.
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // Of the two ways to frame a body this one counts, and the other may lie (RFC 9112 §6.3).
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(name.as_str().as_bytes(), [b'c' | b'k' | b'p' | b't' | b'u', ..]) && HOP_BY_HOP.contains(name)
}

/// Removes what upstreams would take this server's word for, had the client not said it.
fn strip_proxys_words(headers: &mut HeaderMap) {
    let said: Vec<HeaderName> =
        headers.keys().filter(|name| is_a_proxys_word(name.as_str())).cloned().collect();
    for name in said {
        headers.remove(name);
    }
}

fn is_a_proxys_word(name: &str) -> bool {
    // As a rule it is none of them.
    if !matches!(name.as_bytes(), [b'x' | b'r' | b'f' | b'c' | b't', ..]) || name == FORWARDED_PROTO {
        return false;
    }
    // Where headers become variables, `x_real_ip` is `x-real-ip`.
    let same = |one: &str, other: &str| {
        one.len() == other.len()
            && one.bytes().zip(other.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
    };
    A_PROXYS_WORD.iter().any(|word| same(name, word))
        || A_PROXYS_WORDS.iter().any(|word| name.get(..word.len()).is_some_and(|start| same(start, word)))
}

fn has_token(value: &HeaderValue, token: &str) -> bool {
    let tokens = value.to_str().unwrap_or_default().split(',');
    tokens.map(str::trim).any(|one| one.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(uri: &str, headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        for_upstream(&mut head);
        head
    }

    fn names(head: &Parts) -> Vec<&str> {
        let mut names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn headers_of_one_connection_go_no_further() {
        let head = sent(
            "/",
            &[
                ("connection", "close, x-mine"),
                ("x-mine", "1"),
                ("keep-alive", "timeout=5"),
                ("te", "gzip"),
                ("upgrade", "h2c"),
                ("transfer-encoding", "chunked"),
                ("content-length", "5"),
                ("expect", "100-continue"),
                ("x-other", "2"),
            ],
        );
        assert_eq!(names(&head), ["x-other"]);
    }

    #[test]
    fn a_client_that_takes_trailers_gets_them() {
        let head = sent("/", &[("te", "gzip;q=0.5, trailers")]);
        assert_eq!(
            (&head.headers["te"], &head.headers["connection"]),
            (&HeaderValue::from_static("trailers"), &HeaderValue::from_static("te"),)
        );
    }

    #[test]
    fn nobody_says_who_they_are_by_a_proxys_word() {
        let head = sent(
            "/",
            &[
                ("x-forwarded-for", "10.0.0.1"),
                ("x_forwarded_for", "10.0.0.1"),
                ("x-forwarded-user", "root"),
                ("remote_user", "root"),
                ("x-real-ip", "10.0.0.1"),
                ("x-original-url", "/admin"),
                ("x-auth-request-email", "root@example.org"),
                ("x-voicera-timeout-ms", "1"),
                ("forwarded", "for=10.0.0.1"),
                ("x-forwarded-proto", "https"),
                ("x-api-key", "k"),
                ("x-request-id", "r"),
                ("authorization", "Bearer t"),
            ],
        );
        assert_eq!(names(&head), ["authorization", "x-api-key", "x-forwarded-proto", "x-request-id"]);
    }

    #[test]
    fn an_upstream_is_asked_for_a_path_and_told_the_host() {
        let head = sent("http://voicera.example/a?b=1", &[("host", "other.example")]);
        assert_eq!(head.uri, "/a?b=1");
        assert_eq!(head.headers["x-forwarded-host"], "voicera.example");
        assert_eq!(sent("/a", &[("host", "voicera.example")]).headers["x-forwarded-host"], "voicera.example");
        assert_eq!(sent("http://voicera.example", &[]).uri, "/");
    }
}
