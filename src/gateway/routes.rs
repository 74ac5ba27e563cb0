//! Which path belongs to which module.

use std::borrow::Cow;

use crate::gateway::upstream::Upstream;

/// Everything below a path, and who answers it.
#[derive(Debug, Clone)]
pub struct Route {
    /// The path, without a slash at its end: it stands for itself and all that is below it.
    pub prefix: &'static str,
    /// Who answers.
    pub upstream: Upstream,
    /// Whether it answers without a credential.
    pub open: bool,
}

impl Route {
    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// All routes.
#[derive(Debug, Clone, Default)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// The route for `path`: of several that cover it, the longest.
    pub fn find(&self, path: &str) -> Option<&Route> {
        self.0.iter().filter(|route| route.covers(path)).max_by_key(|route| route.prefix.len())
    }
}

impl FromIterator<Route> for Routes {
    fn from_iter<I: IntoIterator<Item = Route>>(routes: I) -> Self {
        Self(routes.into_iter().collect())
    }
}

/// The path without its version: `/api/v1/…` is `/api/…`, pinned.
pub fn unversioned(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("/api/v1/") {
        Some(rest) => Cow::Owned(format!("/api/{rest}")),
        None => Cow::Borrowed(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;

    fn find(path: &str) -> Option<&'static str> {
        let routes =
            Routes::from_iter(["/api/voice", "/api/users", "/api/users/audit"].map(|prefix| Route {
                prefix,
                upstream: Upstream::Local(Router::new()),
                open: false,
            }));
        routes.find(path).map(|route| route.prefix)
    }

    #[test]
    fn the_longest_prefix_of_whole_segments_wins() {
        assert_eq!(find("/api/voice"), Some("/api/voice"));
        assert_eq!(find("/api/voice/process"), Some("/api/voice"));
        assert_eq!(find("/api/users/audit/1"), Some("/api/users/audit"));
        assert_eq!(find("/api/voices"), None);
        assert_eq!(find("/api/voice%2Fprocess"), None);
        assert_eq!(find("/"), None);
    }

    #[test]
    fn version_one_is_the_current_version() {
        assert_eq!(unversioned("/api/v1/voice/process"), "/api/voice/process");
        assert_eq!(unversioned("/api/v2/voice"), "/api/v2/voice");
        assert_eq!(unversioned("/api/v1"), "/api/v1");
    }
}
