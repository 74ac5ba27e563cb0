//! Which request goes to whom: the routes, in the order in which they are looked at.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::gateway::limits::Limit;
use crate::gateway::pool::CallOptions;
use crate::gateway::upstream::Upstream;
use crate::kit::auth::Scope;

/// Which requests, and what happens to them.
#[derive(Debug)]
pub struct Route {
    /// What it is called in metrics and the log.
    pub name: Arc<str>,
    /// Which requests.
    pub fits: Fits,
    /// Who answers.
    pub upstream: Upstream,
    /// What stands for the prefix on the way there.
    pub rewrite: Option<String>,
    /// Who may ask.
    pub access: Access,
    /// How often, before it is known who asks.
    pub limits_of_all: Vec<Limit>,
    /// How often, once it is.
    pub limits_of_known: Vec<Limit>,
    /// How the upstream is asked.
    pub call: CallOptions,
    /// Whose requests go to the same endpoint.
    pub sticky: Option<Sticky>,
    /// The largest request body, in bytes.
    pub max_body_bytes: u64,
    /// That it ends, if it does.
    pub notice: Notice,
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Everybody whose credential is good, or who has none.
    Optional,
    /// Whoever has a credential that is good for all of these.
    Required(Vec<Scope>),
}

/// Whose requests go to the same endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sticky {
    /// Those of one principal.
    Principal,
    /// Those of one address.
    Address,
}

/// Which requests a route is for.
#[derive(Debug, Clone, Default)]
pub struct Fits {
    /// The path without a slash at its end: itself and all that is below it. Empty is everything.
    pub prefix: String,
    /// The methods; none is all.
    pub methods: Vec<Method>,
    /// The hosts in lower case; none is all.
    pub hosts: Vec<Host>,
    /// Headers that are there, with this value or with any.
    pub headers: Vec<(HeaderName, Option<HeaderValue>)>,
}

/// Which hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// This one.
    Exactly(String),
    /// All below this one; it begins with a dot.
    Below(String),
}

impl Fits {
    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn takes_host(&self, host: &str) -> bool {
        self.hosts.is_empty()
            || self.hosts.iter().any(|wanted| match wanted {
                Host::Exactly(name) => host.eq_ignore_ascii_case(name),
                // Some character stands in front of the dot.
                Host::Below(end) => {
                    let start = host.len().checked_sub(end.len()).filter(|start| *start > 0);
                    start
                        .and_then(|start| host.get(start..))
                        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
                }
            })
    }

    fn has_headers(&self, headers: &HeaderMap) -> bool {
        self.headers.iter().all(|(name, wanted)| match wanted {
            Some(value) => headers.get_all(name).iter().any(|have| have == value),
            None => headers.contains_key(name),
        })
    }

    fn takes_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }
}

/// That a route ends, as replies say it.
#[derive(Debug, Clone, Default)]
pub struct Notice {
    deprecation: Option<HeaderValue>,
    sunset: Option<HeaderValue>,
}

impl Notice {
    /// What RFC 9745 and RFC 8594 say of a route that nobody should use since one day, and that ends on
    /// another.
    pub fn new(deprecated: Option<Date>, sunset: Option<Date>) -> Self {
        let at = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp());
        let text = |text: String| HeaderValue::try_from(text).ok();
        Self {
            deprecation: deprecated.and_then(at).and_then(|at| text(format!("@{}", at.as_second()))),
            sunset: sunset
                .and_then(at)
                .and_then(|at| text(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())),
        }
    }

    /// Says so in the headers of a reply.
    pub fn say(&self, headers: &mut HeaderMap) {
        for (name, value) in [("deprecation", &self.deprecation), ("sunset", &self.sunset)] {
            if let Some(value) = value {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
    }
}

/// All routes.
#[derive(Debug, Default)]
pub struct Table(Vec<Arc<Route>>);

/// What the table has for a request.
#[derive(Debug)]
pub enum Found {
    /// The route.
    Route(Arc<Route>),
    /// Routes for the same with other methods: these.
    Methods(Vec<Method>),
    /// Nothing.
    Nothing,
}

impl Table {
    /// The route of a request: the first that it fits.
    pub fn find(&self, request: &Parts) -> Found {
        let path = request.uri.path();
        let host = host_of(request);
        let mut methods = Vec::new();
        for route in &self.0 {
            let fits = &route.fits;
            if !(fits.covers(path) && fits.takes_host(host) && fits.has_headers(&request.headers)) {
                continue;
            }
            if fits.takes_method(&request.method) {
                return Found::Route(Arc::clone(route));
            }
            methods.extend(fits.methods.iter().cloned());
        }
        if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
    }

    /// The routes, in the order in which they count.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.0
    }
}

impl FromIterator<Route> for Table {
    /// Routes in the order in which they count.
    fn from_iter<I: IntoIterator<Item = Route>>(routes: I) -> Self {
        Self(routes.into_iter().map(Arc::new).collect())
    }
}

/// The host that a request is for, without the port: HTTP/2 has it in the URI, HTTP/1.1 in a header.
fn host_of(request: &Parts) -> &str {
    if let Some(host) = request.uri.host() {
        return host;
    }
    let text = request.headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}

/// `uri` with `rewrite` for `prefix`.
pub(super) fn rewritten(uri: &Uri, prefix: &str, rewrite: &str) -> Option<Uri> {
    let rest = uri.path().strip_prefix(prefix)?;
    let path = match format!("{}{rest}", rewrite.trim_end_matches('/')) {
        path if path.is_empty() => "/".to_owned(),
        path => path,
    };
    with_path(uri, &path)
}

/// `uri` with another path and its own query.
pub(super) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests;
