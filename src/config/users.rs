//! `[users]`: accounts, how one gets in, and for how long.

use std::net::IpAddr;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::choice::choice;
use super::secret::{MASK, Secret};
use super::span::Span;

choice! {
    /// Who may make an account.
    Registration {
        /// Everybody.
        Open = "open",
        /// Whoever was sent an invitation.
        Invitation = "invitation",
        /// Nobody: administrators and the command line make accounts.
        Closed = "closed",
    }
}

/// `[users]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// Who may make an account.
    pub registration: Registration,
    /// The role of whoever registers without an invitation that says another.
    pub default_role: String,
    /// How long an account may wait for its address to be verified.
    pub unverified_ttl: Span,
    /// Who access tokens are made out by (`iss`).
    pub issuer: String,
    /// Whom they are for (`aud`).
    pub audience: String,
    /// How long an access token is good.
    pub access_token_ttl: Span,
    /// How long a session goes on without a refresh.
    pub session_ttl: Span,
    /// How long it goes on at most.
    pub session_max: Span,
    /// How long a refresh token that was used may come again.
    pub refresh_grace: Span,
    /// How long a signing key signs.
    pub signing_key_ttl: Span,
    /// The secret that second factors and signing keys are sealed with; without it, a file of the data
    /// folder.
    pub seal_key: Secret,
    /// How long a credential once checked is believed without checking it again.
    pub key_cache_ttl: Span,
    /// How many credentials are remembered.
    pub key_cache_entries: u64,
    /// How old what is known of revocations may be before nobody is let in.
    pub trust_max_age: Span,
    /// `[users.password]`
    pub password: PasswordHashing,
    /// `[users.mail]`
    pub mail: Mail,
    /// `[users.passkeys]`
    pub passkeys: Passkeys,
}

/// `[users.password]`: what a password costs to check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordHashing {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// How many are checked at a time; 0 is one for each processor.
    pub threads: usize,
    /// How many may wait for that.
    pub queue: usize,
}

/// `[users.mail]`: how messages are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `smtps://user:password@host:465` or `smtp://host:587?tls=required`; empty logs messages instead.
    pub smtp_url: Secret,
    /// Who they come from.
    pub from: String,
    /// Where a link to verify an address leads.
    pub verify_url: String,
    /// Where a link to reset a password leads.
    pub reset_url: String,
    /// Where an invitation leads.
    pub invite_url: String,
}

/// `[users.passkeys]`: what passkeys are bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    /// The domain.
    pub domain: String,
    /// The origin of the pages that use them.
    pub origin: String,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            registration: Registration::Invitation,
            default_role: "student".to_owned(),
            unverified_ttl: Span::from_secs(7 * 24 * 3600),
            issuer: "voicera".to_owned(),
            audience: "voicera".to_owned(),
            access_token_ttl: Span::from_secs(15 * 60),
            session_ttl: Span::from_secs(30 * 24 * 3600),
            session_max: Span::from_secs(90 * 24 * 3600),
            refresh_grace: Span::from_secs(30),
            signing_key_ttl: Span::from_secs(30 * 24 * 3600),
            seal_key: Secret::default(),
            key_cache_ttl: Span::from_secs(10),
            key_cache_entries: 10_000,
            trust_max_age: Span::from_secs(30),
            password: PasswordHashing::default(),
            mail: Mail::default(),
            passkeys: Passkeys::default(),
        }
    }
}

impl Default for PasswordHashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1, threads: 0, queue: 200 }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            smtp_url: Secret::default(),
            from: "Voicera <voicera@localhost>".to_owned(),
            verify_url: String::new(),
            reset_url: String::new(),
            invite_url: String::new(),
        }
    }
}

impl Default for Passkeys {
    fn default() -> Self {
        Self { domain: "localhost".to_owned(), origin: "http://localhost:3000".to_owned() }
    }
}

impl Users {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        for (key, text) in
            [("default_role", &self.default_role), ("issuer", &self.issuer), ("audience", &self.audience)]
        {
            if text.trim().is_empty() {
                checks.refuse(key, "is empty", "leave it out to have the default");
            }
        }
        // Not before the message to verify it has expired.
        checks.secs("unverified_ttl", self.unverified_ttl, 48 * 3600..=366 * 24 * 3600);
        // What is revoked is remembered for two hours: nothing may outlive that.
        checks.secs("access_token_ttl", self.access_token_ttl, 60..=3600);
        checks.secs("session_ttl", self.session_ttl, 300..=366 * 24 * 3600);
        checks.secs("session_max", self.session_max, 300..=10 * 366 * 24 * 3600);
        checks.secs("refresh_grace", self.refresh_grace, 0..=300);
        checks.secs("signing_key_ttl", self.signing_key_ttl, 3600..=366 * 24 * 3600);
        checks.secs("key_cache_ttl", self.key_cache_ttl, 0..=3600);
        checks.range("key_cache_entries", self.key_cache_entries, 0..=10_000_000);
        checks.secs("trust_max_age", self.trust_max_age, 2..=3600);
        checks.pair(
            self.session_ttl <= self.session_max,
            ["session_ttl", "session_max"],
            "a session would have to end before it may",
            "make session_max at least as long as session_ttl",
        );
        if self.seal_key.is_set() && self.seal_key.expose().len() < 32 {
            checks.refuse(
                "seal_key",
                "is shorter than 32 characters",
                "take 32 random bytes, for instance from `openssl rand -hex 32`",
            );
        }
        checks.secret("seal_key", &self.seal_key);
        let mut password = checks.nested("users.password");
        password.range("memory_kib", self.password.memory_kib, 8..=4 * 1024 * 1024);
        password.range("passes", self.password.passes, 1..=100);
        password.range("lanes", self.password.lanes, 1..=64);
        password.range("threads", self.password.threads, 0..=1024);
        password.range("queue", self.password.queue, 0..=100_000);
        self.mail.validate(checks.nested("users.mail"));
    }
}

impl Mail {
    fn validate(&self, mut checks: Checks<'_>) {
        checks.secret("smtp_url", &self.smtp_url);
        if self.smtp_url.is_set() && self.smtp_url.expose() != MASK {
            // What is wrong is said without the URL: there is a password in it.
            match Url::parse(self.smtp_url.expose()) {
                Ok(url) if names_mail_server(&url) => {
                    if url.password().is_some() && is_exposed(&url) {
                        checks.refuse(
                            "smtp_url",
                            "would send the password over the network unencrypted",
                            "use smtps://, or add ?tls=required",
                        );
                    }
                }
                _ => checks.refuse(
                    "smtp_url",
                    "names no mail server",
                    "write it as \"smtps://USER:PASSWORD@HOST:465\" or \"smtp://USER:PASSWORD@HOST:587?tls=required\"; \
                     in name and password, percent-encode what has a meaning in a URL",
                ),
            }
        }
        if !self.from.contains('@') || self.from.chars().any(char::is_control) {
            checks.refuse("from", "is no sender", "write it as \"Voicera <voicera@example.org>\"");
        }
        for (key, url) in [
            ("verify_url", &self.verify_url),
            ("reset_url", &self.reset_url),
            ("invite_url", &self.invite_url),
        ] {
            if !url.is_empty() && !url.contains("{token}") {
                checks.refuse(
                    key,
                    "has no place for the token",
                    "write {token} where it belongs, as in \"https://app.example.org/verify?token={token}\"",
                );
            }
        }
    }
}

fn tls(url: &Url) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned())
}

fn names_mail_server(url: &Url) -> bool {
    let known = match (url.scheme(), tls(url).as_deref()) {
        ("smtp", tls) => matches!(tls, None | Some("required" | "opportunistic")),
        (scheme, _) => scheme == "smtps",
    };
    known && url.host_str().is_some_and(|host| !host.is_empty())
}

/// Whether what is sent there may pass the network in clear.
fn is_exposed(url: &Url) -> bool {
    let encrypted = url.scheme() == "smtps" || tls(url).as_deref() == Some("required");
    // The host of a scheme that browsers do not know is kept as text.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !encrypted && !here
}
