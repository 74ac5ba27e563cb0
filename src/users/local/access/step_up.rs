//! Showing again who one is, before what one logs in with is changed (OWASP ASVS 5.0, 7.5.1).
//!
//! An access token alone is not enough for that: who found one could make himself at home.

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::kit::auth::Principal;
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::users::account::Account;
use crate::users::audit::{Action, Scribe};
use crate::users::local::access::devices::Device;
use crate::users::local::access::limits::Try;
use crate::users::local::access::password::{Match, Password};
use crate::users::local::access::second_factor::Codes;
use crate::users::local::access::sessions::Sessions;
use crate::users::store::{Login, Session, UserStore};

/// How long after a log-in nothing has to be shown again, where that will do.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// What somebody shows again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The password. An account without one may leave it out after a log-in with a passkey.
    #[schema(example = "correct horse battery staple")]
    pub(in crate::users) password: Option<String>,
    /// Or a code of the second factor, or a recovery code. To take the second factor off, to renew the
    /// recovery codes, and for a passkey beside it, both.
    #[schema(example = "123456")]
    pub(in crate::users) code: Option<String>,
}

/// Has people show again who they are.
#[derive(Debug)]
pub struct StepUp {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) sessions: Arc<Sessions>,
    pub(in crate::users) codes: Arc<Codes>,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Much {
    /// The password or a code, or a log-in a moment ago.
    UnlessFresh,
    /// The password or a code.
    One,
    /// All that a log-in asks for.
    All,
}

impl StepUp {
    /// Asks for proof before `action`, by the password or by a code; answers whose account it is.
    ///
    /// # Errors
    /// 403 for an API key, without proof, and for a wrong one; 429 after too many tries.
    pub async fn prove(&self, who: &Principal, proof: &Proof, action: Action) -> Result<Login, ApiError> {
        let login = self.login(who).await?;
        self.prove_much(who, login, proof, action, Much::One).await
    }

    /// The same, except that a log-in a moment ago will do.
    ///
    /// # Errors
    /// As [`StepUp::prove`].
    pub async fn prove_unless_fresh(
        &self,
        who: &Principal,
        proof: &Proof,
        action: Action,
    ) -> Result<Login, ApiError> {
        let login = self.login(who).await?;
        self.prove_much(who, login, proof, action, Much::UnlessFresh).await
    }

    /// Asks for both, the password and a code, of an account that has both: before the second factor is
    /// taken off, or something is made that stands in its place.
    ///
    /// # Errors
    /// As [`StepUp::prove`].
    pub async fn prove_fully(
        &self,
        who: &Principal,
        proof: &Proof,
        action: Action,
    ) -> Result<Login, ApiError> {
        let login = self.login(who).await?;
        self.prove_much(who, login, proof, action, Much::All).await
    }

    /// Asks for it before a passkey is added: fully where that would go around a second factor, and
    /// otherwise unless the log-in was a moment ago.
    ///
    /// # Errors
    /// As [`StepUp::prove`].
    pub async fn prove_for_passkey(&self, who: &Principal, proof: &Proof) -> Result<Login, ApiError> {
        let login = self.login(who).await?;
        let much = if login.totp.is_some() { Much::All } else { Much::UnlessFresh };
        self.prove_much(who, login, proof, Action::AddPasskey, much).await
    }

    /// Whether the caller's account has anything to show: one that nobody logs into has not.
    ///
    /// # Errors
    /// The store's.
    pub async fn can_show(&self, who: &Principal) -> Result<bool, ApiError> {
        let login = self.account(who).await?;
        let secret = login.password.is_some() || login.totp.is_some();
        Ok(secret || !self.store.passkeys(who.user_id).await?.is_empty())
    }

    async fn login(&self, who: &Principal) -> Result<Login, ApiError> {
        who.session()?;
        self.account(who).await
    }

    async fn account(&self, who: &Principal) -> Result<Login, ApiError> {
        self.store.login(who.user_id).await?.ok_or_else(|| ApiError::not_found("account"))
    }

    async fn prove_much(
        &self,
        who: &Principal,
        login: Login,
        proof: &Proof,
        action: Action,
        much: Much,
    ) -> Result<Login, ApiError> {
        if much == Much::All && login.password.is_some() && login.totp.is_some() {
            let (Some(password), Some(code)) = (&proof.password, &proof.code) else {
                return Err(ApiError::new(
                    Code::Forbidden,
                    "show again who you are: send the account's `password` and a `code` of the second factor",
                ));
            };
            // The code last: a wrong password must not use it up.
            let login = self.by_password(who, login, password, action).await?;
            return self.by_code(who, login, code, action).await;
        }
        if let Some(password) = &proof.password {
            return self.by_password(who, login, password, action).await;
        }
        if let Some(code) = &proof.code {
            return self.by_code(who, login, code, action).await;
        }
        let now = self.clock.now();
        let sessions = self.store.sessions(who.user_id, now).await?;
        let own = who.session()?;
        let will_do = |session: &Session| {
            let fresh = much == Much::UnlessFresh && now.duration_since(session.created_at) < FRESH;
            fresh || (login.password.is_none() && session.method == "passkey")
        };
        if sessions.iter().any(|session| session.id == own && will_do(session)) {
            return Ok(login);
        }
        let ask = match (&login.password, &login.totp) {
            (Some(_), _) => "show again who you are: send the account's `password`",
            (None, Some(_)) => "show again who you are: send a `code` of the second factor",
            (None, None) => "show again who you are: log in with a passkey",
        };
        Err(ApiError::new(Code::Forbidden, ask))
    }

    async fn by_password(
        &self,
        who: &Principal,
        login: Login,
        password: &str,
        action: Action,
    ) -> Result<Login, ApiError> {
        let attempt = self.attempt(who, &password_tries(&login.account)).await?;
        let password = Password::typed(password);
        let matched = self.sessions.passwords.compare(&password, login.password.as_deref()).await?;
        if matched == Match::No {
            return Err(self.refuse(who, action, "password", "the password is wrong").await);
        }
        attempt.succeeded().await;
        Ok(login)
    }

    async fn by_code(
        &self,
        who: &Principal,
        login: Login,
        code: &str,
        action: Action,
    ) -> Result<Login, ApiError> {
        let attempt = self.attempt(who, &code_tries(&login.account)).await?;
        if self.codes.accept(&login, code, self.clock.now()).await?.is_none() {
            return Err(self.refuse(who, action, "code", "the code is wrong, or was used").await);
        }
        attempt.succeeded().await;
        Ok(login)
    }

    /// Lets a try through that comes from a session: whoever has none cannot use up its tries.
    async fn attempt(&self, who: &Principal, name: &str) -> Result<Try<'_>, ApiError> {
        let device = Device { user: who.user_id, id: who.session()?.uuid() };
        self.sessions.attempt(name, Some(who.user_id), Some(device)).await
    }

    async fn refuse(&self, who: &Principal, action: Action, what: &str, say: &str) -> ApiError {
        let entry = self.scribe.entry(action).by(who).on(who.user_id, who.institution.as_deref());
        let entry = entry.refused().with("why", what);
        entry.log();
        match self.store.append(entry).await {
            Ok(()) => ApiError::new(Code::Forbidden, say),
            Err(error) => error.into(),
        }
    }
}

/// What tries at a password are counted by: the same as at a log-in.
fn password_tries(account: &Account) -> String {
    let email = account.address();
    email.map_or_else(|| account.id.to_string(), |email| email.key().to_owned())
}

/// What tries at a second factor are counted by: apart from passwords, which anybody can try.
pub(in crate::users) fn code_tries(account: &Account) -> String {
    format!("{} second factor", account.id)
}
