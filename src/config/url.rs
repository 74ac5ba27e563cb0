//! Base URLs of other servers.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;
use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::Refusal;
use super::secret::MASK;

/// The base URL of a server, or none at all (written as the empty string): http or https, without
/// credentials, query or fragment. Kept as it was written, less a trailing slash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    text: String,
    url: Option<Url>,
}

impl BaseUrl {
    /// Whether there is a URL.
    pub fn is_set(&self) -> bool {
        self.url.is_some()
    }

    /// The URL without a trailing slash; empty when there is none.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL, parsed.
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// Whether this is `http://host:port` and nothing more, which is all that the gateway can pass
    /// requests on to.
    pub fn is_plain_address(&self) -> bool {
        is_plain_address(&self.text)
    }

    /// Whether there is a path, which the calls between roles would not keep.
    pub fn has_path(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.path() != "/")
    }

    /// Whether what is sent there leaves this machine unencrypted.
    pub fn is_exposed(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.scheme() != "https" && !is_loopback(url))
    }
}

/// Whether `text` is `http://host:port` and nothing more.
pub(crate) fn is_plain_address(text: &str) -> bool {
    // Read as the gateway reads it: that takes less than a URL may have, such as letters beyond ASCII.
    let uri = text.parse::<Uri>();
    uri.is_ok_and(|uri| {
        uri.scheme() == Some(&Scheme::HTTP)
            && uri.path() == "/"
            && uri.query().is_none()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    })
}

fn is_loopback(url: &Url) -> bool {
    // The brackets are how a URL writes an IPv6 address.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `text` with what stands before an `@` in its authority masked, whether or not it is a valid URL.
pub(crate) fn mask_credentials(text: &str) -> String {
    let start = text.find("//").map_or(0, |at| at + 2);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    // A password may itself hold a slash or an @ that nobody escaped: the last @ of all decides.
    match text[start..].rfind('@') {
        Some(at) if text[start..end].contains('@') || text[start..start + at].contains(':') => {
            format!("{}{MASK}{}", &text[..start], &text[start + at..])
        }
        _ => text.to_owned(),
    }
}

impl FromStr for BaseUrl {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let text = text.trim().trim_end_matches('/');
        if text.is_empty() {
            return Ok(Self::default());
        }
        let masked = mask_credentials(text);
        // A key may also stand in the query.
        let shown = masked.split(['?', '#']).next().unwrap_or_default();
        let refuse = |problem: &str, fix: &str| Err(Refusal::new(format!("{shown:?} {problem}"), fix));
        let Ok(url) = Url::parse(text) else {
            return refuse("is not a URL", "write it in full, such as \"https://voice.example.com\"");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("is neither http nor https", "start it with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("carries credentials", "take them out of the URL; a key has a setting of its own");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or fragment", "give the base URL alone, up to the path");
        }
        Ok(Self { text: text.to_owned(), url: Some(url) })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for BaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Nothing to mask: a URL with credentials was never taken.
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Refusal::into_serde)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_however_the_url_is_mangled() {
        for (text, masked) in [
            ("https://example.com/v1", "https://example.com/v1"),
            ("https://example.com/?mail=a@b", "https://example.com/?mail=a@b"),
            ("https://user:pass@example.com/v1", "https://********@example.com/v1"),
            ("https://user@example.com", "https://********@example.com"),
            ("https://user:p/a@s?s@example.com", "https://********@example.com"),
            ("user:pass@example.com", "********@example.com"),
            ("http:/user:pass@example.com", "********@example.com"),
            ("", ""),
        ] {
            assert_eq!(mask_credentials(text), masked, "{text}");
        }
    }

    #[test]
    fn only_what_leaves_the_machine_in_clear_is_exposed() {
        for (text, exposed) in [
            ("", false),
            ("https://example.com", false),
            ("http://localhost:8000", false),
            ("http://127.1.2.3", false),
            ("http://[::1]:8000", false),
            ("http://llm.localhost", false),
            ("http://10.0.0.1", true),
            ("http://localhost.example.com", true),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().is_exposed(), exposed, "{text}");
        }
    }

    #[test]
    fn a_plain_address_is_http_and_a_host() {
        for (text, plain) in [
            ("http://voice", true),
            ("http://voice:3001/", true),
            ("HTTP://voice:3001", true),
            ("http://[::1]:3001", true),
            ("https://voice:3001", false),
            ("http://voice:3001/v1", false),
            ("http://bücher:3001", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().is_plain_address(), plain, "{text}");
        }
    }

    #[test]
    fn a_url_is_kept_as_it_was_written_less_the_last_slash() {
        let url: BaseUrl = " https://example.com/v1/ ".parse().unwrap();
        assert_eq!((url.as_str(), url.is_set()), ("https://example.com/v1", true));
        assert!(!"/".parse::<BaseUrl>().unwrap().is_set());
    }
}
