//! What has to hold in a routes file.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Method, Uri};

use super::{Auth, Discovery, LimitPart, Per, ROLES, RoutePart, RoutesFile, UpstreamPart};
use crate::config::error::Refusal;
use crate::config::span::Span;
use crate::config::suggest::closest;
use crate::config::url::is_plain_address;
use crate::kit::auth::Scope;

/// What every process answers itself, whatever is routed.
const OWN: [&str; 5] = ["/health", "/metrics", "/docs", "/api/gateway", "/api/openapi.json"];

/// How much there may be of each: matching goes through all routes.
const MOST: usize = 1_000;

type Wrong = Vec<(String, Refusal)>;

impl RoutesFile {
    /// Everything that is wrong, by key.
    pub(super) fn check(&self) -> Wrong {
        let mut wrong = Wrong::new();
        for (section, count) in [
            ("limits", self.limits.len()),
            ("upstreams", self.upstreams.len()),
            ("routes", self.routes.len()),
        ] {
            if count > MOST {
                let problem = format!("are {count}, more than {MOST}");
                wrong.push((section.to_owned(), Refusal::new(problem, "take out those that are not needed")));
            }
        }
        for (name, limit) in &self.limits {
            limit.check(&mut Part { at: format!("limits.{name}"), wrong: &mut wrong });
        }
        for (name, upstream) in &self.upstreams {
            upstream.check(name, &mut Part { at: format!("upstreams.{name}"), wrong: &mut wrong });
        }
        for (name, route) in self.routes.iter().filter(|(_, route)| route.enabled) {
            let mut part = Part { at: format!("routes.{name}"), wrong: &mut wrong };
            route.check(&mut part);
            self.check_names(route, &mut part);
        }
        self.check_doubles(&mut wrong);
        wrong
    }

    /// What a route names has to be there.
    fn check_names(&self, route: &RoutePart, part: &mut Part<'_>) {
        if !ROLES.contains(&route.upstream.as_str()) && !self.upstreams.contains_key(&route.upstream) {
            let known = self.upstreams.keys().map(String::as_str).chain(ROLES);
            part.unknown("upstream", &route.upstream, known, "upstreams");
        }
        for name in &route.limits {
            match self.limits.get(name) {
                None => part.unknown("limits", name, self.limits.keys().map(String::as_str), "limits"),
                Some(limit)
                    if matches!(limit.per, Per::Principal | Per::Key) && route.auth != Auth::Required =>
                {
                    let problem =
                        format!("\"{name}\" counts by {}, and auth is \"{}\"", limit.per, route.auth);
                    part.refuse("limits", problem, "use a limit per address, or auth = \"required\"");
                }
                Some(_) => {}
            }
        }
    }

    /// Of two routes that fit the same requests equally well nobody could say which counts.
    fn check_doubles(&self, wrong: &mut Wrong) {
        let mut seen: BTreeMap<_, &str> = BTreeMap::new();
        for (name, route) in self.routes.iter().filter(|(_, route)| route.enabled) {
            let hosts = if route.hosts.is_empty() { vec![""] } else { texts(&route.hosts) };
            let methods = if route.methods.is_empty() { vec![""] } else { texts(&route.methods) };
            let mut said = false;
            for host in &hosts {
                for method in &methods {
                    let what = (&route.prefix, host.to_ascii_lowercase(), *method, &route.headers);
                    if let Some(other) = seen.insert(what, name)
                        && !said
                    {
                        said = true;
                        let problem = format!("fits the same requests as routes.{other}");
                        let fix =
                            "change its prefix, hosts, methods or headers, or set enabled = false in one";
                        wrong.push((format!("routes.{name}"), Refusal::new(problem, fix)));
                    }
                }
            }
        }
    }
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// One table of the file.
struct Part<'a> {
    at: String,
    wrong: &'a mut Wrong,
}

impl Part<'_> {
    fn refuse(&mut self, key: &str, problem: impl Into<String>, fix: impl Into<String>) {
        self.wrong.push((format!("{}.{key}", self.at), Refusal::new(problem, fix)));
    }

    fn unknown<'k>(&mut self, key: &str, name: &str, known: impl Iterator<Item = &'k str>, section: &str) {
        let fix = match closest(name, known) {
            Some(near) => format!("did you mean \"{near}\"? Otherwise add [{section}.{name}]"),
            None => format!("add [{section}.{name}]"),
        };
        self.refuse(key, format!("names \"{name}\", which there is not"), fix);
    }

    fn spans<const N: usize>(&mut self, spans: [(&str, Span, u64, u64); N]) {
        for (key, span, low, high) in spans {
            let (low, high) = (Span::from_millis(low), Span::from_millis(high));
            if span < low || span > high {
                self.refuse(key, format!("is {span}"), format!("use a value from {low} to {high}"));
            }
        }
    }

    fn share(&mut self, key: &str, share: f64, most: f64) {
        if !(0.0..=most).contains(&share) {
            self.refuse(key, format!("is {share}"), format!("use a share from 0 to {most}"));
        }
    }
}

impl LimitPart {
    fn check(&self, part: &mut Part<'_>) {
        if self.requests == 0 {
            part.refuse("requests", "is 0", "allow one at least; to close a route set enabled = false");
        }
        part.spans([("window", self.window, 1_000, 31 * 86_400_000)]);
    }
}

impl UpstreamPart {
    fn check(&self, name: &str, part: &mut Part<'_>) {
        let is_role = ROLES.contains(&name);
        if is_role && !self.addresses.is_empty() {
            let fix = format!("set gateway.{name}_urls in the configuration");
            part.refuse("addresses", "are those of one of Voicera's roles", fix);
        }
        if !is_role && self.addresses.is_empty() {
            part.refuse("addresses", "are missing", "name one at least, such as [\"http://billing:8080\"]");
        }
        if let Some(bad) = self.addresses.iter().find(|address| !is_plain_address(address)) {
            let problem = format!("\"{bad}\" is not a plain http:// address of a host");
            part.refuse(
                "addresses",
                problem,
                "write \"http://HOST:PORT\", without a path; to change paths use rewrite",
            );
        }
        if self.discovery == Discovery::Dns {
            part.spans([("dns_interval", self.dns_interval, 500, 3_600_000)]);
        }
        if !self.health.path.is_empty() && !is_path(&self.health.path) {
            part.refuse(
                "health.path",
                "is no path",
                "write it with a slash in front, such as \"/health/ready\"",
            );
        }
        if self.max_in_flight == 0 {
            part.refuse("max_in_flight", "is 0", "allow one at least");
        }
        part.spans([
            ("connect_timeout", self.connect_timeout, 10, 60_000),
            ("timeout", self.timeout.unwrap_or(Span::from_secs(1)), 10, 3_600_000),
            ("idle_timeout", self.idle_timeout, 100, 86_400_000),
            ("stream_idle_timeout", self.stream_idle_timeout, 100, 86_400_000),
            ("health.interval", self.health.interval, 100, 3_600_000),
            ("health.timeout", self.health.timeout, 10, 60_000),
            ("ejection.time", self.ejection.time, 100, 86_400_000),
            ("ejection.longest", self.ejection.longest, 100, 86_400_000),
            ("breaker.window", self.breaker.window, 1_000, 3_600_000),
            ("breaker.time", self.breaker.time, 100, 3_600_000),
        ]);
        part.share("retry_share", self.retry_share, 1.0);
        part.share("ejection.share", self.ejection.share, 1.0);
        part.share("breaker.share", self.breaker.share, 2.0);
        if self.breaker.calls == 0 {
            part.refuse("breaker.calls", "is 0", "one call at least has to fail before anything can be said");
        }
    }
}

impl RoutePart {
    fn check(&self, part: &mut Part<'_>) {
        if self.prefix != "/" && (!is_path(&self.prefix) || self.prefix.ends_with('/')) {
            let fix = "write whole segments with a slash in front and none behind, such as \"/api/billing\"";
            part.refuse("prefix", format!("\"{}\" is no prefix of a path", self.prefix), fix);
        } else if self.prefix.starts_with("/api/v1") {
            let fix = "leave /v1 out: /api/v1/… and /api/… are the same";
            part.refuse("prefix", "names the version", fix);
        } else if OWN.iter().any(|own| self.prefix == *own || self.prefix.starts_with(&format!("{own}/"))) {
            let problem = format!("\"{}\" is answered by the gateway itself", self.prefix);
            part.refuse("prefix", problem, format!("use another; taken are {}", OWN.join(", ")));
        }
        if let Some(rewrite) = self.rewrite.as_deref().filter(|text| *text != "/" && !is_path(text)) {
            part.refuse(
                "rewrite",
                format!("\"{rewrite}\" is no path"),
                "write it with a slash in front, such as \"/v2\"",
            );
        }
        for method in &self.methods {
            if method.parse::<Method>().is_err() || *method != method.to_ascii_uppercase() {
                part.refuse(
                    "methods",
                    format!("\"{method}\" is no method"),
                    "write it in capitals, such as \"GET\"",
                );
            }
        }
        for host in &self.hosts {
            let name = host.strip_prefix("*.").unwrap_or(host);
            let host_of = |name: &str| name.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
            if host_of(name).as_deref() != Some(name) {
                let fix = "write the name alone, such as \"api.example.org\" or \"*.example.org\"";
                part.refuse("hosts", format!("\"{host}\" is no host"), fix);
            }
        }
        for (name, value) in &self.headers {
            if name.parse::<HeaderName>().is_err() || value.parse::<HeaderValue>().is_err() {
                part.refuse(
                    "headers",
                    format!("\"{name}\" cannot be a header with that value"),
                    "look for blanks and odd characters in it",
                );
            }
        }
        for scope in &self.scopes {
            if scope.parse::<Scope>().is_err() {
                let known = Scope::ALL.iter().map(|scope| scope.as_str());
                let list = known.clone().collect::<Vec<_>>().join(", ");
                let near = closest(scope, known)
                    .map(|near| format!("did you mean \"{near}\"? "))
                    .unwrap_or_default();
                part.refuse(
                    "scopes",
                    format!("\"{scope}\" is no scope"),
                    format!("{near}Possible are {list}"),
                );
            }
        }
        if !self.scopes.is_empty() && self.auth != Auth::Required {
            part.refuse(
                "scopes",
                format!("are asked for, and auth is \"{}\"", self.auth),
                "set auth = \"required\"",
            );
        }
        if self.sticky == Some(super::Sticky::Principal) && self.auth == Auth::None {
            part.refuse("sticky", "is \"principal\", and auth is \"none\"", "use \"address\"");
        }
        part.spans([
            ("timeout", self.timeout.unwrap_or(Span::from_secs(1)), 10, 3_600_000),
            ("hedge_after", self.hedge_after.unwrap_or(Span::from_secs(1)), 1, 60_000),
        ]);
        if self.max_body_bytes == Some(0) {
            part.refuse("max_body_bytes", "is 0", "allow 1 byte at least, or list methods that have no body");
        }
        if let (Some(deprecated), Some(sunset)) = (self.deprecated, self.sunset)
            && sunset < deprecated
        {
            part.refuse("sunset", "is before deprecated", "it ends after it was said that it will");
        }
    }
}

/// Whether `text` is a path as requests have it: absolute, no empty or dot segments, nothing that would have
/// to be escaped.
fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    text.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|segment| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_plain)
        })
    })
}
