//! What passkeys are bound to, and the library that checks them (W3C Web Authentication, level 3).

use tracing::subscriber::{NoSubscriber, with_default};
use url::{Host, Url};
use webauthn_rs::prelude::{
    AuthenticationResult, CreationChallengeResponse, CredentialID, DiscoverableAuthentication, Passkey,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
    Webauthn, WebauthnBuilder, WebauthnError,
};

use super::CEREMONY_WITHIN;
use crate::kit::error::ApiError;
use crate::kit::ids::UserId;
use crate::users::account::Account;
use crate::users::local::access::second_factor::label;

/// A domain and the origin of the pages that use its passkeys.
#[derive(Debug, Clone)]
pub struct RelyingParty(Webauthn);

/// A domain or an origin that passkeys can't be bound to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRelyingParty {
    /// The origin is no address.
    #[error(
        "users.passkeys.origin is {0:?}: it must be the address of the pages, as in \"https://app.example.org\""
    )]
    NoOrigin(String),
    /// There is more to it than an origin has.
    #[error("users.passkeys.origin is {0:?}: it must end after the host and the port")]
    MoreThanOrigin(String),
    /// Browsers have no passkeys there.
    #[error(
        "users.passkeys.origin is {0:?}: browsers have passkeys for https:// alone, and for http://localhost"
    )]
    Insecure(String),
    /// An address of the network is no domain.
    #[error("users.passkeys.origin is {0:?}: passkeys need a domain, not an IP address")]
    NoDomain(String),
    /// The domain is not the origin's.
    #[error(
        "users.passkeys.domain is {domain:?}: it must be the host of users.passkeys.origin ({host:?}) or a domain above it"
    )]
    Apart {
        /// As configured.
        domain: String,
        /// The origin's.
        host: String,
    },
}

impl RelyingParty {
    /// Passkeys of `domain` for pages of `origin`.
    ///
    /// # Errors
    /// [`BadRelyingParty`].
    pub fn new(domain: &str, origin: &str) -> Result<Self, BadRelyingParty> {
        let typed = || origin.to_owned();
        let url = Url::parse(origin).map_err(|_| BadRelyingParty::NoOrigin(typed()))?;
        let host = match url.host() {
            Some(Host::Domain(host)) => host.to_owned(),
            Some(_) => return Err(BadRelyingParty::NoDomain(typed())),
            None => return Err(BadRelyingParty::NoOrigin(typed())),
        };
        // What `Url` calls the origin is scheme, host and port; nothing else may be left.
        if url.as_str() != format!("{}/", url.origin().ascii_serialization()) {
            return Err(BadRelyingParty::MoreThanOrigin(typed()));
        }
        let local = host == "localhost" || host.ends_with(".localhost");
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(BadRelyingParty::Insecure(typed()));
        }
        let apart = || BadRelyingParty::Apart { domain: domain.to_owned(), host: host.clone() };
        let above = !domain.is_empty() && (host == domain || host.ends_with(&format!(".{domain}")));
        if !above {
            return Err(apart());
        }
        let within = CEREMONY_WITHIN.unsigned_abs();
        let built = WebauthnBuilder::new(domain, &url)
            .and_then(|builder| builder.rp_name("Voicera").timeout(within).build());
        built.map(Self).map_err(|_| apart())
    }

    /// What a browser makes a passkey from, and what its answer is checked against.
    pub(super) fn creation(
        &self,
        account: &Account,
        known: Vec<CredentialID>,
    ) -> Result<(CreationChallengeResponse, PasskeyRegistration), ApiError> {
        let name = label(account);
        let shown = if account.name.is_empty() { name } else { &account.name };
        let (mut options, state) = self
            .0
            .start_passkey_registration(account.id.uuid(), name, shown, Some(known))
            .map_err(ApiError::internal)?;
        // The library would rather have none; one logs in without an e-mail address only with a
        // passkey that the device finds by itself.
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            selection.require_resident_key = true;
            selection.resident_key = serde_json::from_str("\"required\"").ok();
        }
        Ok((options, state))
    }

    /// Checks the answer to that.
    pub(super) fn created(
        &self,
        answer: &RegisterPublicKeyCredential,
        state: &PasskeyRegistration,
    ) -> Result<Passkey, WebauthnError> {
        quietly(|| self.0.finish_passkey_registration(answer, state))
    }

    /// What a browser logs in with, and what its answer is checked against.
    pub(super) fn request(&self) -> Result<(RequestChallengeResponse, DiscoverableAuthentication), ApiError> {
        let (mut options, state) = self.0.start_discoverable_authentication().map_err(ApiError::internal)?;
        // Whether the browser asks at once or offers passkeys where one types is the page's choice.
        options.mediation = None;
        Ok((options, state))
    }

    /// Whose passkey an answer says it is from.
    pub(super) fn says(answer: &PublicKeyCredential) -> Option<UserId> {
        uuid::Uuid::from_slice(answer.get_user_unique_id()?).ok().map(UserId::from)
    }

    /// Checks an answer with the passkey that it names.
    pub(super) fn answered(
        &self,
        answer: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        passkey: &Passkey,
    ) -> Result<AuthenticationResult, WebauthnError> {
        quietly(|| self.0.finish_discoverable_authentication_v2(answer, state, passkey))
    }
}

/// Keeps what the library says about a client's answer out of the log: it says it as errors, and
/// anybody could fill the log with them.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    with_default(NoSubscriber::new(), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_goes_with_origins_at_it_and_below_it() {
        for (domain, origin) in [
            ("localhost", "http://localhost:3000"),
            ("example.org", "https://example.org"),
            ("example.org", "https://app.example.org:8443/"),
        ] {
            RelyingParty::new(domain, origin).unwrap_or_else(|why| panic!("{domain} {origin}: {why}"));
        }
    }

    #[test]
    fn a_wrong_value_is_refused_in_words() {
        for (domain, origin, why) in [
            ("example.org", "", "must be the address"),
            ("example.org", "example.org", "must be the address"),
            ("example.org", "data:text", "must be the address"),
            ("example.org", "http://example.org", "https:// alone"),
            ("example.org", "ftp://example.org", "https:// alone"),
            ("127.0.0.1", "http://127.0.0.1:3000", "not an IP address"),
            ("::1", "https://[::1]", "not an IP address"),
            ("example.org", "https://example.org/app", "must end after"),
            ("example.org", "https://example.org?x", "must end after"),
            ("example.org", "https://me:pw@example.org", "must end after"),
            ("example.org", "https://badexample.org", "a domain above it"),
            ("app.example.org", "https://example.org", "a domain above it"),
            ("", "https://example.org", "a domain above it"),
        ] {
            let refused = RelyingParty::new(domain, origin).unwrap_err().to_string();
            assert!(refused.contains(why), "{domain} {origin}: {refused}");
        }
    }
}
