//! Paths that everybody reads alike.

use std::borrow::Cow;

/// Whether `path` means the same to whoever checks it here and whoever reads it behind: no segment that is
/// empty, `.` or `..`, no backslash, and no slash, dot segment or NUL that hides in an escape.
pub(super) fn is_plain(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let Some(rest) = path.strip_prefix('/') else { return false };
    if !rest.bytes().any(|byte| matches!(byte, b'.' | b'%' | b'\\')) && !rest.contains("//") {
        return !rest.starts_with('/');
    }
    let path = rest.strip_suffix('/').unwrap_or(rest);
    path.split('/').all(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        let hides = ["%2f", "%5c", "%00", "\\"].iter().any(|hidden| plain.contains(hidden));
        !hides && !matches!(plain.as_str(), "" | "." | "..")
    })
}

/// The path without its version: `/api/v1/…` is `/api/…`, pinned.
pub(super) fn unversioned(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("/api/v1/") {
        Some(rest) => Cow::Owned(format!("/api/{rest}")),
        None => Cow::Borrowed(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_could_be_read_in_two_ways_are_not_plain() {
        for path in [
            "/",
            "/a",
            "/a/b/",
            "/.well-known/jwks.json",
            "/a/..b",
            "/a/%20b",
            "/a/b.c",
            "/a/...",
            "/a/%C3%A9",
        ] {
            assert!(is_plain(path), "{path}");
        }
        for path in [
            "",
            "a",
            "*",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/a/../b",
            "/..",
            "/a/.",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a%00",
            "/%2e",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn version_one_is_the_current_version() {
        assert_eq!(unversioned("/api/v1/voice/process"), "/api/voice/process");
        assert_eq!(unversioned("/api/v2/voice"), "/api/v2/voice");
        assert_eq!(unversioned("/api/v1"), "/api/v1");
    }
}
