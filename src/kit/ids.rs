//! Identifiers and the randomness behind them, injected.
//!
//! Every id on the wire is a UUID in a newtype of its own, so that a job's id cannot be handed where
//! a user's is wanted. Fresh ids are version 7 (RFC 9562 §5.7): they sort by time of creation.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{OsRng, StdRng};
use rand::{Rng, RngCore, SeedableRng, TryRngCore};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kit::clock::SharedClock;

/// Random bytes: the operating system's in production, a seeded stream in tests.
#[derive(Debug, Clone)]
pub struct Entropy(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    /// The operating system's generator, good for keys and tokens.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes for the same seed: for tests alone.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => {
                // The kernel's generator does not fail once seeded; should it, the thread's
                // ChaCha generator (itself seeded from the kernel) stands in.
                if OsRng.try_fill_bytes(&mut bytes).is_err() {
                    rand::rng().fill_bytes(&mut bytes);
                }
            }
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes),
        }
        bytes
    }

    /// `N` random bytes for names: ids, spans, traces. They have to be unlike each other, not secret,
    /// and come by the handful with every request: the thread's generator (`ChaCha`, seeded and
    /// reseeded by the kernel) makes them without a system call each.
    fn name<const N: usize>(&self) -> [u8; N] {
        match &self.0 {
            Source::System => {
                let mut bytes = [0; N];
                rand::rng().fill_bytes(&mut bytes);
                bytes
            }
            Source::Seeded(_) => self.bytes(),
        }
    }

    /// A number drawn evenly from `0.0..1.0`, for jitter and sampling.
    pub fn unit(&self) -> f64 {
        match &self.0 {
            Source::System => rand::rng().random(),
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).random(),
        }
    }
}

/// Makes time-ordered ids.
#[derive(Debug, Clone)]
pub struct Ids {
    clock: SharedClock,
    entropy: Entropy,
}

impl Ids {
    /// Ids that carry `clock`'s time and `entropy`'s randomness.
    pub fn new(clock: SharedClock, entropy: Entropy) -> Self {
        Self { clock, entropy }
    }

    /// Randomness for ids that are no UUIDs: spans and traces.
    pub fn random_u64(&self) -> u64 {
        u64::from_ne_bytes(self.entropy.name())
    }

    /// Likewise, 128 bits.
    pub fn random_u128(&self) -> u128 {
        u128::from_ne_bytes(self.entropy.name())
    }

    /// The source of randomness itself.
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// A fresh id of any kind: `ids.fresh::<JobId>()`.
    pub fn fresh<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.entropy.name()).into_uuid().into()
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[derive(utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// The UUID inside.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// One piece of queued work; in the voice module also the id of the command that it carries.
    JobId
}
id! {
    /// A person or service with an account.
    UserId
}
id! {
    /// An API key.
    KeyId
}
id! {
    /// One log-in of a person, from then to its end.
    SessionId
}
id! {
    /// A passkey of a person.
    PasskeyId
}
id! {
    /// Events that are reported together.
    BatchId
}
id! {
    /// An entry of the audit trail.
    AuditId
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::clock::ManualClock;
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let ids = Ids::new(Arc::new(clock.clone()), Entropy::seeded(1));
        let first: JobId = ids.fresh();
        clock.advance(SignedDuration::from_millis(1));
        assert!(first < ids.fresh());
        assert_eq!(first.uuid().get_version_num(), 7);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_the_system_does_not() {
        assert_eq!(Entropy::seeded(7).bytes::<16>(), Entropy::seeded(7).bytes::<16>());
        assert_ne!(Entropy::system().bytes::<16>(), Entropy::system().bytes::<16>());
    }
}
