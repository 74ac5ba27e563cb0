//! What accounts have sealed, when they go to an installation with another secret.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::kit::ids::Entropy;
use crate::roles::RoleError;
use crate::roles::data_folder::kept_seal_key;
use crate::roles::users::seal;
use crate::users::local::reseal::{Reseal, Unopened};
use crate::users::local::seal::Seal;
use crate::users::store::{Record, SigningKey};

/// The secrets of both installations.
#[derive(Debug)]
pub(super) struct Seals {
    reseal: Reseal,
    from: PathBuf,
    to: PathBuf,
}

impl Seals {
    /// The secret of the data folder `from`, and that of the installation which `to` configures.
    pub(super) fn of(from: &Path, to: &Config) -> Result<Self, RoleError> {
        let entropy = Entropy::system();
        // Without the file the folder was used with a configured secret: that has to be the same then.
        let own = kept_seal_key(from)?.map(|secret| Seal::new(secret, entropy.clone()));
        let folder = &to.server.data_dir;
        let theirs = seal(to, &entropy, || {
            kept_seal_key(folder)?.ok_or_else(|| RoleError::DataFolder {
                folder: folder.clone(),
                reason:
                    "the installation that accounts are carried to has no secret yet to seal their second \
                         factors and signing keys with"
                        .to_owned(),
                fix: "set users.seal_key in its configuration, 32 random characters or more".to_owned(),
            })
        })?;
        Ok(Self { reseal: Reseal::new(own, theirs), from: from.to_owned(), to: folder.clone() })
    }

    /// Makes sure that the other installation, which has these keys, runs with the secret that is known of it.
    pub(super) fn check(&self, keys: &[SigningKey]) -> Result<(), RoleError> {
        if self.reseal.is_of(keys) {
            return Ok(());
        }
        Err(RoleError::DataFolder {
            folder: self.to.clone(),
            reason: "the installation that accounts are carried to has sealed its signing keys with another \
                     secret than its configuration names"
                .to_owned(),
            fix: "set users.seal_key to what its processes run with, or name the data folder that has its \
                  `seal-key` with server.data_dir"
                .to_owned(),
        })
    }

    /// A record as the other installation keeps it.
    pub(super) fn anew(&self, record: Record) -> Result<Record, RoleError> {
        self.reseal.record(record).map_err(|unopened| {
            let fix = match &unopened {
                Unopened::SigningKey(_) => {
                    "restore the file `seal-key` of the folder; if it was used with users.seal_key, give the \
                     other configuration the same"
                        .to_owned()
                }
                Unopened::SecondFactor(account) => format!(
                    "restore the file `seal-key` of the folder, or take the second factor off with `voicera \
                     user reset-second-factor {account}`"
                ),
            };
            RoleError::DataFolder { folder: self.from.clone(), reason: unopened.to_string(), fix }
        })
    }
}
