//! E-mail addresses and URLs.

use std::sync::LazyLock;

use regex::Regex;

use crate::nlu::text::Text;

static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,8}").ok()
});
static URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:https?://|ftp://|www\.)[^\s<>"]{1,1000}"#).ok());

/// Byte ranges of the normalised text, with their entity type, in order of their start.
///
/// Without spaces an address ends where the script changes.
pub(super) fn find(text: &Text, unspaced: bool) -> Vec<(usize, usize, &'static str)> {
    let mut found = Vec::new();
    let normal = text.normal.as_str();
    if normal.contains("://") || normal.contains("www.") {
        for hit in URL.iter().flat_map(|regex| regex.find_iter(normal)).take(50) {
            let foreign = |c: char| unspaced && !c.is_ascii();
            let url = hit.as_str().split(foreign).next().unwrap_or_default();
            let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'']);
            let host = url.rsplit("://").next().unwrap_or_default();
            if host.len() > "www.".len() && (host.contains('.') || host.starts_with("localhost")) {
                found.push((hit.start(), hit.start() + url.len(), "url"));
            }
        }
    }
    if normal.contains('@') {
        for hit in EMAIL.iter().flat_map(|regex| regex.find_iter(normal)).take(50) {
            let address = hit.as_str().trim_end_matches(['.', '-']);
            let end = hit.start() + address.len();
            let inside = found.iter().any(|(start, stop, _)| hit.start() < *stop && *start < end);
            let unspaced = unspaced
                && !normal
                    .get(end..)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
            if !inside && (unspaced || text.on_word_boundaries(hit.start(), end)) {
                found.push((hit.start(), end, "email"));
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(original: &str) -> Vec<(String, &'static str)> {
        let text = Text::new(original);
        find(&text, false)
            .into_iter()
            .map(|(start, end, name)| (text.normal[start..end].to_owned(), name))
            .collect()
    }

    #[test]
    fn addresses_end_before_the_punctuation_of_the_sentence() {
        assert_eq!(all("Mail a.b+c@school.edu."), [("a.b+c@school.edu".to_owned(), "email")]);
        assert_eq!(all("see https://x.org/a?b=1, please"), [("https://x.org/a?b=1".to_owned(), "url")]);
        assert_eq!(all("(www.example.com)"), [("www.example.com".to_owned(), "url")]);
    }

    #[test]
    fn half_an_address_is_none() {
        assert!(all("a@b, @me, http://, www., me@").is_empty());
    }
}
