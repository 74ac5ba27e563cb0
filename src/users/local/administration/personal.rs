//! What a person may ask for under the GDPR: all that is kept of them (articles 15 and 20), and that it
//! is forgotten (article 17), across all modules.
//!
//! The account is forgotten at once. The other modules are told until they confirm it, and once more an
//! hour later: what was in flight at the time has come to rest by then. Analytics counts commands, not
//! people, and keeps nothing of anybody. The audit trail stays: it names accounts by id alone.

mod trail;

use std::sync::Arc;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::kit::auth::{Principal, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::precondition::{IfMatch, stale};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::users::account::Account;
use crate::users::audit::{Action, Scribe};
use crate::users::http;
use crate::users::local::access::step_up::{Proof, StepUp};
use crate::users::local::administration::authority;
use crate::users::local::administration::directory::{Directory, TRIES, busy, last_admin};
use crate::users::local::administration::keyring;
use crate::users::store::{
    Changed, DueErasure, EraseAccount, Key, Session, StoredPasskey, UserStore, Within,
};
use crate::voice::api::{ExportPage, Voice};

pub use trail::TrailOf;

/// How often those are told that have not confirmed.
const EVERY: SignedDuration = SignedDuration::from_secs(30);
/// When an erasure is told again of which nothing was heard.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);
/// When what was in flight has come to rest.
const AT_REST: SignedDuration = SignedDuration::from_hours(1);
/// How often each module has to confirm.
const PASSES: u32 = 2;
/// Erasures looked at in one go.
const AT_ONCE: u32 = 100;

/// What is kept of people, wherever it is.
#[derive(Debug)]
pub struct Personal {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) directory: Arc<Directory>,
    pub(in crate::users) step_up: Arc<StepUp>,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    /// Who keeps commands; `None` where this service was not told.
    pub(in crate::users) voice: Option<Arc<dyn Voice>>,
}

/// What is kept of one person, but for what is read as it is sent: most of the trail, and the commands
/// after the first page.
#[derive(Debug)]
pub struct Kept {
    /// When it was read.
    pub at: Timestamp,
    /// The account.
    pub account: Account,
    /// Where it is logged in.
    pub sessions: Vec<Session>,
    /// Its API keys.
    pub keys: Vec<Key>,
    /// Its passkeys.
    pub passkeys: Vec<StoredPasskey>,
    /// What the trail says of it, and of what it did; latest first.
    pub trail: TrailOf,
    /// The first commands.
    pub commands: ExportPage,
    /// Where further ones come from.
    pub voice: Arc<dyn Voice>,
}

impl Personal {
    /// All that is kept of a person: of oneself, logged in, or of one within reach.
    ///
    /// # Errors
    /// 403 without a session and without `users:admin`, and for oneself without proof of who one is a
    /// while after the log-in; 404 where there is no account within reach, 503 where a module can't be
    /// asked.
    pub async fn export(&self, who: &Principal, id: UserId, proof: &Proof) -> Result<Kept, ApiError> {
        let voice = self.voice()?;
        let within = oneself_or_admin(who, id)?;
        if id == who.user_id && self.step_up.can_show(who).await? {
            self.step_up.prove_unless_fresh(who, proof, Action::Export).await?;
        }
        let trail = self.scribe.entry(Action::Export).by(who);
        let (account, _) = self.directory.in_hand(who, id, &within, &trail).await?;
        let trail = trail.on(id, account.institution.as_deref());
        let kept = Kept {
            at: self.clock.now(),
            sessions: self.store.sessions(id, self.clock.now()).await?,
            keys: keyring::all_of(self.store.as_ref(), id).await?,
            passkeys: self.store.passkeys(id).await?,
            trail: TrailOf::open(Arc::clone(&self.store), id).await?,
            commands: voice.export(id, None).await?,
            account,
            voice,
        };
        trail.log();
        self.store.append(trail).await?;
        Ok(kept)
    }

    /// Forgets a person: oneself, logged in, or one within reach. True when every module has confirmed
    /// it; otherwise they are told until they do.
    ///
    /// # Errors
    /// As [`Personal::export`], but for oneself always with proof; 409 for the last administrator, 412 for
    /// a version that `if_match` does not name. Then nothing is forgotten.
    pub async fn erase(
        &self,
        who: &Principal,
        id: UserId,
        if_match: &IfMatch,
        proof: &Proof,
    ) -> Result<bool, ApiError> {
        // Not begun where it could not be brought to its end.
        self.voice()?;
        let within = oneself_or_admin(who, id)?;
        if id == who.user_id && self.step_up.can_show(who).await? {
            self.step_up.prove(who, proof, Action::Erase).await?;
        }
        self.forget(who, id, &within, if_match).await?;
        match self.tell(DueErasure { user: id, passes: 0 }).await {
            Ok(()) => Ok(true),
            Err(error) => {
                tracing::warn!(user = %id, %error, "an erasure is not confirmed yet: it is told again");
                Ok(false)
            }
        }
    }

    /// Forgets the account as it was judged; judges anew what somebody changed meanwhile.
    async fn forget(
        &self,
        who: &Principal,
        id: UserId,
        within: &Within,
        if_match: &IfMatch,
    ) -> Result<(), ApiError> {
        let trail = self.scribe.entry(Action::Erase).by(who);
        for _ in 0..TRIES {
            let (account, _) = self.directory.in_hand(who, id, within, &trail).await?;
            if_match.check(account.version)?;
            let now = self.clock.now();
            let trail = trail.clone().on(id, account.institution.as_deref());
            let erase = EraseAccount {
                id,
                within: within.clone(),
                if_version: Some(account.version),
                due_at: later(now, PATIENCE),
                at: now,
                trail: trail.clone(),
            };
            match self.store.erase_account(erase).await? {
                Changed::Done(_) => {
                    trail.log();
                    return Ok(());
                }
                Changed::Missing | Changed::NoSuchRole => return Err(ApiError::not_found("account")),
                Changed::Stale if if_match.is_any() => {}
                Changed::Stale => return Err(stale()),
                Changed::LastAdmin => {
                    return Err(authority::refuse(self.store.as_ref(), trail, last_admin()).await);
                }
            }
        }
        Err(busy())
    }

    /// Tells the other modules, and notes that they have confirmed.
    async fn tell(&self, due: DueErasure) -> Result<(), ApiError> {
        let told = self.voice()?.erase(due.user).await;
        let outcome = if told.is_ok() { "confirmed" } else { "failed" };
        metrics::counter!("voicera_users_erasures_total", "outcome" => outcome).increment(1);
        told?;
        let again = (due.passes + 1 < PASSES).then(|| later(self.clock.now(), AT_REST));
        Ok(self.store.settle_erasure(due.user, again).await?)
    }

    /// Tells the other modules of the erasures that are due; answers how many they have confirmed.
    ///
    /// # Errors
    /// The store's.
    pub async fn tell_due(&self) -> Result<usize, StorageError> {
        let mut confirmed = 0;
        for due in self.store.due_erasures(self.clock.now(), AT_ONCE).await? {
            match self.tell(due).await {
                Ok(()) => confirmed += 1,
                Err(error) => tracing::warn!(user = %due.user, %error, "an erasure is still due"),
            }
        }
        Ok(confirmed)
    }

    /// Does so every half minute until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            if let Err(error) = self.tell_due().await {
                tracing::warn!(%error, "it can't be seen which erasures are due");
            }
            let next = later(self.clock.now(), EVERY);
            if stop.run_until_cancelled(self.clock.sleep_until(next)).await.is_none() {
                return;
            }
        }
    }

    /// The endpoints for which one needs a credential.
    pub fn router(self: &Arc<Self>) -> Router {
        http::personal::routes().with_state(Arc::clone(self)).into()
    }

    fn voice(&self) -> Result<Arc<dyn Voice>, ApiError> {
        self.voice.clone().ok_or_else(|| {
            ApiError::new(
                Code::Unavailable,
                "the users service does not know where commands are kept: its operator has to set peers.voice_url",
            )
        })
    }
}

/// Oneself, logged in, or with `users:admin` those within reach. An API key is narrower than its account:
/// what it may not read one by one it does not get in one piece, either.
fn oneself_or_admin(who: &Principal, id: UserId) -> Result<Within, ApiError> {
    if id == who.user_id && who.session().is_ok() {
        return Ok(Within::Only(id));
    }
    who.require(Scope::UsersAdmin)?;
    Ok(Within::reach_of(who))
}

fn later(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
