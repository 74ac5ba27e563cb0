//! What describes an account, checked before it is kept: bounded, and of the shapes that clients rely on.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;
use url::Url;

use crate::kit::error::{ApiError, FieldError};
use crate::kit::language::is_language_tag;
use crate::users::account::Profile;
use crate::users::api::Preferences;
use crate::users::store::Description;

const LONGEST_NAME: usize = 200;
const LONGEST_URL: usize = 2_000;
const LONGEST_BIO: usize = 2_000;
const LONGEST_LINE: usize = 200;
const LARGEST_METADATA: usize = 16 * 1024;
const LARGEST_NOTIFICATIONS: usize = 4 * 1024;
const MOST_LINKS: usize = 20;
const THEMES: [&str; 3] = ["light", "dark", "system"];

/// The description in the form in which it is kept: names composed (NFC) and without blanks around them.
///
/// # Errors
/// 422 naming each field that breaks a rule.
pub fn checked(mut description: Description) -> Result<Description, ApiError> {
    let mut wrong = Wrong::default();
    if let Some(name) = &mut description.name {
        wrong.name("name", name);
    }
    if let Some(Some(institution)) = &mut description.institution {
        wrong.name("institution", institution);
    }
    if let Some(Some(avatar)) = &description.avatar {
        wrong.url("avatar", avatar);
    }
    if let Some(preferences) = &description.preferences {
        wrong.preferences(preferences);
    }
    if let Some(profile) = &description.profile {
        wrong.profile(profile);
    }
    if let Some(metadata) = &description.metadata {
        wrong.size("metadata", metadata, LARGEST_METADATA);
    }
    wrong.none_or(description)
}

/// A name for people, in the form in which it is kept.
///
/// # Errors
/// 422 naming `field`.
pub fn name(field: &str, mut text: String) -> Result<String, ApiError> {
    let mut wrong = Wrong::default();
    wrong.name(field, &mut text);
    wrong.none_or(text)
}

/// What is wrong.
#[derive(Default)]
struct Wrong(Vec<FieldError>);

impl Wrong {
    fn none_or<T>(self, checked: T) -> Result<T, ApiError> {
        if self.0.is_empty() { Ok(checked) } else { Err(ApiError::invalid_fields(self.0)) }
    }

    fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    fn name(&mut self, field: &str, text: &mut String) {
        *text = text.trim().nfc().collect();
        let length = text.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || text.chars().any(char::is_control) {
            self.refuse(
                field,
                format!("must have 1 to {LONGEST_NAME} characters, none of them a control character"),
            );
        }
    }

    fn longest(&mut self, field: &str, text: Option<&str>, longest: usize) {
        if text.is_some_and(|text| text.chars().count() > longest) {
            self.refuse(field, format!("must have at most {longest} characters"));
        }
    }

    fn url(&mut self, field: &str, text: &str) {
        let good = text.len() <= LONGEST_URL
            && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !good {
            self.refuse(field, format!("must be an http or https address of at most {LONGEST_URL} bytes"));
        }
    }

    fn size(&mut self, field: &str, value: &impl Serialize, largest: usize) {
        let size = serde_json::to_vec(value).map_or(usize::MAX, |json| json.len());
        if size > largest {
            self.refuse(field, format!("must be at most {largest} bytes of JSON"));
        }
    }

    fn preferences(&mut self, preferences: &Preferences) {
        if preferences.language.as_deref().is_some_and(|tag| !is_language_tag(tag)) {
            self.refuse("preferences.language", "must be a BCP 47 language tag such as `de` or `pt-BR`");
        }
        if preferences.timezone.as_deref().is_some_and(|name| TimeZone::get(name).is_err()) {
            self.refuse("preferences.timezone", "must be an IANA time zone such as `Europe/Berlin`");
        }
        if preferences.theme.as_deref().is_some_and(|theme| !THEMES.contains(&theme)) {
            self.refuse("preferences.theme", "must be `light`, `dark` or `system`");
        }
        self.size("preferences.notifications", &preferences.notifications, LARGEST_NOTIFICATIONS);
    }

    fn profile(&mut self, profile: &Profile) {
        self.longest("profile.bio", profile.bio.as_deref(), LONGEST_BIO);
        self.longest("profile.phone", profile.phone.as_deref(), LONGEST_LINE);
        self.longest("profile.address", profile.address.as_deref(), LONGEST_LINE);
        self.links(&profile.links);
    }

    fn links(&mut self, links: &Map<String, Value>) {
        if links.len() > MOST_LINKS {
            self.refuse("profile.links", format!("must be at most {MOST_LINKS}"));
            return;
        }
        for (what, link) in links {
            if what.is_empty() || what.chars().count() > LONGEST_LINE {
                self.refuse(
                    "profile.links",
                    format!("must be named with 1 to {LONGEST_LINE} characters each"),
                );
            } else {
                self.url(&format!("profile.links.{what}"), link.as_str().unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(description: Description) -> Vec<String> {
        checked(description).unwrap_err().fields().iter().map(|error| error.field.clone()).collect()
    }

    fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_people_usually_say_of_themselves_is_kept_as_it_is() {
        let description = Description {
            name: Some(" Jose\u{301} ".to_owned()),
            avatar: Some(Some("https://example.org/a.png?size=2".to_owned())),
            preferences: Some(object(json!({
                "language": "pt-BR", "timezone": "Europe/Berlin", "theme": "dark", "notifications": { "email": true },
            }))),
            profile: Some(object(json!({
                "bio": "Teaches.", "phone": "+49 30 1", "address": "Berlin", "links": { "web": "http://example.org" },
            }))),
            metadata: Some(object(json!({ "class": "7b" }))),
            institution: Some(None),
        };
        let kept = checked(description).unwrap();
        assert_eq!(kept.name.as_deref(), Some("Jos\u{e9}"));
        assert_eq!(kept.institution, Some(None));
    }

    #[test]
    fn every_field_that_breaks_a_rule_is_named_at_once() {
        let description = Description {
            name: Some("  ".to_owned()),
            avatar: Some(Some("javascript:alert(1)".to_owned())),
            preferences: Some(object(json!({
                "language": "German", "timezone": "Mars/Olympus", "theme": "pink",
                "notifications": { "x": "y".repeat(5_000) },
            }))),
            profile: Some(object(json!({
                "bio": "b".repeat(2_001), "phone": "1".repeat(201), "address": "a".repeat(201),
                "links": { "web": "ftp://example.org", "other": 7 },
            }))),
            metadata: Some(object(json!({ "x": "y".repeat(20_000) }))),
            institution: Some(Some("a\nb".to_owned())),
        };
        assert_eq!(
            wrong(description),
            [
                "name",
                "institution",
                "avatar",
                "preferences.language",
                "preferences.timezone",
                "preferences.theme",
                "preferences.notifications",
                "profile.bio",
                "profile.phone",
                "profile.address",
                "profile.links.other",
                "profile.links.web",
                "metadata",
            ]
        );
    }

    #[test]
    fn sizes_are_bounded_to_the_character() {
        let named = |length: usize| Description { name: Some("ä".repeat(length)), ..Description::default() };
        checked(named(200)).unwrap();
        assert_eq!(wrong(named(201)), ["name"]);
        let pictured = |path: usize| {
            let avatar = format!("https://e.org/{}", "a".repeat(path - 14));
            Description { avatar: Some(Some(avatar)), ..Description::default() }
        };
        checked(pictured(2_000)).unwrap();
        assert_eq!(wrong(pictured(2_001)), ["avatar"]);
    }

    #[test]
    fn links_are_few_and_have_names() {
        let links = |links: Map<String, Value>| Description {
            profile: Some(Profile { links, ..Profile::default() }),
            ..Description::default()
        };
        let many = (0..21).map(|number| (number.to_string(), json!("https://e.org"))).collect();
        assert_eq!(wrong(links(many)), ["profile.links"]);
        assert_eq!(
            wrong(links(Map::from_iter([(String::new(), json!("https://e.org"))]))),
            ["profile.links"]
        );
    }
}
