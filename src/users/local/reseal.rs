//! What one installation has sealed, sealed anew for another one.

use crate::users::local::seal::{NotOurs, Purpose, Seal};
use crate::users::store::{AccountRecord, Record, SigningKey, SigningKeyRecord};

/// The secrets of two installations.
#[derive(Debug)]
pub struct Reseal {
    /// What the first one has; without it both have the same.
    from: Option<Seal>,
    to: Seal,
}

/// Something that neither secret opens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// A key that signs access tokens, by its name.
    #[error("the signing key {0} was sealed with another secret")]
    SigningKey(String),
    /// A second factor, by the account and how people know that.
    #[error("the second factor of the account {0} was sealed with another secret")]
    SecondFactor(String),
}

impl Reseal {
    /// From the first installation's secret to the second's.
    pub fn new(from: Option<Seal>, to: Seal) -> Self {
        Self { from, to }
    }

    /// Whether the second installation has sealed these keys of its own with what is its secret here.
    pub fn is_of(&self, keys: &[SigningKey]) -> bool {
        keys.iter().all(|key| self.to.open(Purpose::SigningKey, key.kid.as_bytes(), &key.seed).is_ok())
    }

    /// The record as the second installation keeps it.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn record(&self, record: Record) -> Result<Record, Unopened> {
        Ok(match record {
            Record::SigningKey(one) => Record::SigningKey(self.signing_key(one)?),
            Record::Account(one) => Record::Account(Box::new(self.account(*one)?)),
            Record::Invitation(mut one) => {
                let anew = |sealed: &Vec<u8>| self.anew(Purpose::Payload, &one.hash, sealed).ok();
                // One that nobody can open is refused there as it is here.
                one.payload = one.payload.map(|sealed| anew(&sealed).unwrap_or(sealed));
                Record::Invitation(one)
            }
            other => other,
        })
    }

    fn signing_key(&self, mut one: SigningKeyRecord) -> Result<SigningKeyRecord, Unopened> {
        let key = &mut one.key;
        let seed = self.anew(Purpose::SigningKey, key.kid.as_bytes(), &key.seed);
        key.seed = seed.map_err(|NotOurs| Unopened::SigningKey(key.kid.clone()))?;
        Ok(one)
    }

    fn account(&self, mut one: AccountRecord) -> Result<AccountRecord, Unopened> {
        if let Some(sealed) = &one.totp {
            let id = one.account.id;
            let named = || one.account.email.clone().unwrap_or_else(|| id.to_string());
            let anew = self.anew(Purpose::Totp, id.uuid().as_bytes(), sealed);
            one.totp = Some(anew.map_err(|NotOurs| Unopened::SecondFactor(named()))?);
        }
        Ok(one)
    }

    fn anew(&self, purpose: Purpose, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
        if self.to.open(purpose, owner, sealed).is_ok() {
            return Ok(sealed.to_vec());
        }
        let clear = self.from.as_ref().ok_or(NotOurs)?.open(purpose, owner, sealed)?;
        self.to.seal(purpose, owner, &clear)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::kit::ids::Entropy;
    use crate::users::store::{Purpose as Use, TokenRecord};

    fn seal(secret: u8) -> Seal {
        Seal::new(vec![secret; 32], Entropy::seeded(u64::from(secret)))
    }

    fn key(sealed_with: u8) -> SigningKey {
        SigningKey {
            kid: "k".to_owned(),
            seed: seal(sealed_with).seal(Purpose::SigningKey, b"k", b"seed").unwrap(),
            public: vec![1; 32],
            active_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
        }
    }

    fn record(sealed_with: u8) -> Record {
        Record::SigningKey(SigningKeyRecord { key: key(sealed_with), created_at: Timestamp::UNIX_EPOCH })
    }

    #[test]
    fn what_the_one_has_sealed_opens_with_the_secret_of_the_other() {
        let reseal = Reseal::new(Some(seal(1)), seal(2));
        let Record::SigningKey(anew) = reseal.record(record(1)).unwrap() else { panic!("a signing key") };
        assert_eq!(seal(2).open(Purpose::SigningKey, b"k", &anew.key.seed).unwrap(), b"seed");
        assert!(reseal.is_of(&[anew.key]) && !reseal.is_of(&[key(1)]));
    }

    #[test]
    fn what_has_the_right_seal_stays_as_it_is() {
        for reseal in [Reseal::new(None, seal(2)), Reseal::new(Some(seal(1)), seal(2))] {
            assert_eq!(reseal.record(record(2)).unwrap(), record(2));
        }
    }

    #[test]
    fn what_neither_secret_opens_is_named() {
        let reseal = Reseal::new(Some(seal(1)), seal(2));
        assert_eq!(reseal.record(record(3)), Err(Unopened::SigningKey("k".to_owned())));
        assert!(Reseal::new(None, seal(2)).record(record(1)).is_err());
    }

    #[test]
    fn an_invitation_goes_along_and_one_that_nobody_can_open_changes_nothing() {
        let invitation = |secret: u8| TokenRecord {
            hash: [7; 32],
            purpose: Use::Invite,
            payload: Some(seal(secret).seal(Purpose::Payload, &[7; 32], b"ada").unwrap()),
            attempts: 0,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::MAX,
        };
        let reseal = Reseal::new(Some(seal(1)), seal(2));
        let Record::Invitation(anew) = reseal.record(Record::Invitation(invitation(1))).unwrap() else {
            panic!("an invitation")
        };
        let opened = seal(2).open(Purpose::Payload, &[7; 32], &anew.payload.unwrap()).unwrap();
        assert_eq!(opened, b"ada");
        let strange = Record::Invitation(invitation(3));
        assert_eq!(reseal.record(strange.clone()).unwrap(), strange);
    }
}
