//! `ETag` and `If-Match` (RFC 9110 §8.8.3, §13.1.1): nobody overwrites a change that he has not seen.

use http::{HeaderMap, HeaderValue, header};

use crate::kit::error::{ApiError, Code};

/// The `etag` of a resource that counts its changes.
pub fn etag(version: u64) -> HeaderValue {
    let digits = HeaderValue::try_from(format!("\"{version}\""));
    // Digits in quotes are always a header.
    digits.unwrap_or(HeaderValue::from_static("\"\""))
}

/// Which versions of a resource a client is willing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whichever is there: there was no `if-match`, or `*`.
    Any,
    /// One of these.
    Only(Vec<u64>),
}

impl IfMatch {
    /// Reads `if-match`. A tag that is weak or was never given matches nothing, as §8.8.3.2 has it.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
        if values.peek().is_none() {
            return Self::Any;
        }
        let tags: Vec<&str> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        if tags.contains(&"*") {
            return Self::Any;
        }
        let version = |tag: &str| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
        Self::Only(tags.into_iter().filter_map(version).collect())
    }

    /// Whether the client is willing to change `version`.
    ///
    /// # Errors
    /// 412.
    pub fn check(&self, version: u64) -> Result<(), ApiError> {
        match self {
            Self::Only(versions) if !versions.contains(&version) => Err(stale()),
            _ => Ok(()),
        }
    }

    /// Whether any version is as good as another.
    pub const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }
}

/// The error of somebody who knows an older version.
pub fn stale() -> ApiError {
    ApiError::new(Code::PreconditionFailed, "it was changed since it was read: read it again, then repeat")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(values: &[&str]) -> IfMatch {
        let pairs = values.iter().map(|value| (header::IF_MATCH, HeaderValue::from_str(value).unwrap()));
        IfMatch::of(&pairs.collect())
    }

    #[test]
    fn without_a_condition_any_version_is_changed() {
        assert!(given(&[]).is_any() && given(&["*"]).is_any() && given(&["\"1\", *"]).is_any());
    }

    #[test]
    fn one_of_the_tags_has_to_be_the_current_one() {
        assert_eq!(given(&["\"1\", \"3\"", "\"5\""]), IfMatch::Only(vec![1, 3, 5]));
        let known = given(&[etag(7).to_str().unwrap()]);
        assert!(known.check(7).is_ok());
        assert_eq!(known.check(8).unwrap_err().code(), Code::PreconditionFailed);
    }

    #[test]
    fn a_weak_or_foreign_tag_matches_nothing() {
        for tag in ["W/\"7\"", "7", "\"x\"", "", "\"7", "\"-7\""] {
            assert!(given(&[tag]).check(7).is_err(), "{tag}");
        }
    }
}
