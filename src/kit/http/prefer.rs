//! The two request headers with which a client says how it wants its answer:
//! `Prefer: wait=N` (RFC 7240 §4.3) and `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::kit::error::ApiError;
use crate::kit::ids::UserId;

/// `prefer`.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// `preference-applied` (RFC 7240 §3).
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// `idempotency-key`.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const LONGEST_KEY: usize = 255;

/// How long the client would like to wait for a result, at most `longest`.
///
/// A preference that can't be read is ignored, as RFC 7240 §2 asks.
pub fn wait(headers: &HeaderMap, longest: Duration) -> Option<Duration> {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| {
            let (name, seconds) = preference.split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then_some(())?;
            seconds.trim().trim_matches('"').parse().ok()
        })
        .map(|seconds| Duration::from_secs(seconds).min(longest))
}

/// The client's key for a request that must not be done twice.
///
/// Both the draft's form, a quoted string, and the bare one that most clients send are read.
///
/// # Errors
/// 422 for a key that is empty, over 255 characters, or not printable ASCII.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    if headers.get_all(IDEMPOTENCY_KEY).iter().count() > 1 {
        return Err(ApiError::invalid("Idempotency-Key", "must be sent once"));
    }
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(ApiError::invalid(
            "Idempotency-Key",
            format!("must be 1 to {LONGEST_KEY} printable ASCII characters"),
        ));
    }
    Ok(Some(key))
}

/// The id of what `key` names for `owner`: the same every time, so that whoever keeps it recognises a
/// repetition by the id itself, whatever crashed in between (RFC 9562 §5.8).
pub fn idempotent_id<T: From<Uuid>>(owner: UserId, key: &str) -> T {
    let hash = Sha256::new_with_prefix(owner.uuid().as_bytes()).chain_update(key.as_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Uuid::new_v8(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_key_names_one_thing_of_one_owner() {
        let id = |owner: u128, key: &str| idempotent_id::<Uuid>(Uuid::from_u128(owner).into(), key);
        assert_eq!(id(1, "k"), id(1, "k"));
        assert_ne!(id(1, "k"), id(1, "l"));
        assert_ne!(id(1, "k"), id(2, "k"));
    }

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn wait_is_found_among_other_preferences_and_capped() {
        let longest = Duration::from_secs(30);
        let wait_of = |value| wait(&headers(PREFER, value), longest);
        assert_eq!(wait_of("wait=5"), Some(Duration::from_secs(5)));
        assert_eq!(wait_of("respond-async, Wait=5"), Some(Duration::from_secs(5)));
        assert_eq!(wait_of("wait=9999"), Some(longest));
        assert_eq!(wait_of("wait=soon"), None);
        assert_eq!(wait_of("wait=-1"), None);
        assert_eq!(wait_of("return=minimal"), None);
    }

    #[test]
    fn keys_come_quoted_or_bare_and_never_empty() {
        let key_of =
            |value| idempotency_key(&headers(IDEMPOTENCY_KEY, value)).ok().flatten().map(str::to_owned);
        assert_eq!(key_of("\"abc\"").as_deref(), Some("abc"));
        assert_eq!(key_of("abc").as_deref(), Some("abc"));
        assert!(idempotency_key(&headers(IDEMPOTENCY_KEY, "")).is_err());
        assert!(idempotency_key(&headers(IDEMPOTENCY_KEY, &"k".repeat(256))).is_err());
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
    }
}
