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
    /// Or a code of the second factor, or a recovery code.
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

impl StepUp {
    /// Asks for proof before `action`; answers whose account it is.
    ///
    /// # Errors
    /// 403 for an API key, without proof, and for a wrong one; 429 after too many tries.
    pub async fn prove(&self, who: &Principal, proof: &Proof, action: Action) -> Result<Login, ApiError> {
        self.prove_unless(who, proof, action, |_| false).await
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
        let now = self.clock.now();
        self.prove_unless(who, proof, action, |session| now.duration_since(session.created_at) < FRESH).await
    }

    async fn prove_unless(
        &self,
        who: &Principal,
        proof: &Proof,
        action: Action,
        will_do: impl Fn(&Session) -> bool,
    ) -> Result<Login, ApiError> {
        let session = who.session()?;
        let login = self.store.login(who.user_id).await?.ok_or_else(|| ApiError::not_found("account"))?;
        if let Some(password) = &proof.password {
            return self.by_password(who, login, password, action).await;
        }
        if let Some(code) = &proof.code {
            return self.by_code(who, login, code, action).await;
        }
        let sessions = self.store.sessions(who.user_id, self.clock.now()).await?;
        let session = sessions.into_iter().find(|known| known.id == session);
        let by_passkey = |session: &Session| login.password.is_none() && session.method == "passkey";
        if session.is_some_and(|session| will_do(&session) || by_passkey(&session)) {
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
        attempt.succeeded();
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
        attempt.succeeded();
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
