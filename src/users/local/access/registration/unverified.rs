//! Accounts that nobody came back to: whoever registers with an address that is not theirs does not keep
//! it from its owner, nor fill the store.

use jiff::Timestamp;

use super::Registration;
use crate::kit::error::ApiError;
use crate::users::audit::Action;
use crate::users::store::RemoveAccount;

/// Accounts removed in one transaction.
const BATCH: u32 = 100;
/// Batches in one go: the rest is for the next one.
const BATCHES: u32 = 50;

impl Registration {
    /// Removes accounts whose address has waited too long to be verified; answers how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn prune(&self) -> Result<u64, ApiError> {
        let before = self.clock.now().saturating_sub(self.options.unverified_for).unwrap_or(Timestamp::MIN);
        let mut gone = 0;
        for _ in 0..BATCHES {
            let found = self.store.unverified(before, BATCH).await?;
            let last = found.len() < BATCH as usize;
            let remove: Vec<RemoveAccount> = found
                .into_iter()
                .map(|account| RemoveAccount {
                    id: account.id,
                    if_version: account.version,
                    trail: self.scribe.entry(Action::Expire).on(account.id, account.institution.as_deref()),
                })
                .collect();
            for one in &remove {
                one.trail.log();
            }
            gone += self.store.remove_accounts(remove).await?;
            if last {
                break;
            }
        }
        Ok(gone)
    }
}
