//! Passwords: which ones are taken, and how they are kept.
//!
//! NIST SP 800-63B-4 §3.1.1: long enough, no rules of composition, none that an attacker tries first.
//! Kept as argon2id with the parameters of OWASP's Password Storage Cheat Sheet. Hashing takes tens
//! of milliseconds and megabytes, so it has a pool of its own: a wave of log-ins waits for each other
//! and for nothing else, and a wave that is too long is turned away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use crate::kit::error::{ApiError, Code};
use crate::kit::ids::Entropy;

/// Characters that a password has at least, and at most.
pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// How hard a password is to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// In KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// A password as somebody typed it, in the one form in which it is compared (NFKC, as NIST SP
/// 800-63B-4 §3.1.1.2 asks).
#[derive(Debug, Clone)]
pub struct Password(SecretString);

impl Password {
    /// The password in `text`, whatever it is: to be compared with one that was taken.
    pub fn typed(text: &str) -> Self {
        // What is far too long is no password of anybody's; composing it would only cost time.
        let bounded = if text.len() > 4 * *LENGTH.end() * 4 { "" } else { text };
        Self(bounded.nfkc().collect::<String>().into())
    }

    /// The password in `text`, if it is good enough for a new one.
    ///
    /// # Errors
    /// A sentence that says what to do instead; `own` are words that an attacker would try first,
    /// such as the name and the address.
    pub fn fresh(text: &str, own: &[&str]) -> Result<Self, String> {
        let length = text.chars().count();
        if !LENGTH.contains(&length) {
            return Err(format!("must have {} to {} characters", LENGTH.start(), LENGTH.end()));
        }
        let password = Self::typed(text);
        // Its time grows with the square of the length, and the end adds nothing to the guessing.
        let head: String = password.0.expose_secret().chars().take(64).collect();
        let estimate = zxcvbn::zxcvbn(&head, own);
        if estimate.score() < zxcvbn::Score::Two {
            let why = estimate
                .feedback()
                .and_then(zxcvbn::feedback::Feedback::warning)
                .map_or_else(|| "it is easily guessed".to_owned(), |warning| warning.to_string());
            return Err(format!(
                "is too easy to guess ({why}); take several unrelated words, or have one made up for you"
            ));
        }
        Ok(password)
    }
}

/// Hashes and compares.
#[derive(Debug, Clone)]
pub struct Passwords {
    hasher: Arc<Argon2<'static>>,
    cost: Cost,
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
    /// What a password is compared with when there is no account: so that it takes as long.
    nobody: Arc<str>,
    entropy: Entropy,
}

/// What comparing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It is the password.
    Yes {
        /// Kept with other parameters than today's: hash it again.
        outdated: bool,
    },
    /// It is not, or there is none.
    No,
}

/// A cost that argon2 does not know.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("argon2 cannot work with these parameters: {0}")]
pub struct BadCost(argon2::Error);

impl Passwords {
    /// A pool of `threads` that lets `queue` further ones wait.
    ///
    /// # Errors
    /// [`BadCost`].
    pub fn new(cost: Cost, threads: usize, queue: usize, entropy: Entropy) -> Result<Self, BadCost> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(BadCost)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut passwords = Self {
            hasher: Arc::new(hasher),
            cost,
            places: Arc::new(Semaphore::new(threads.max(1))),
            waiting: Arc::default(),
            queue,
            nobody: "".into(),
            entropy,
        };
        let unknown = Password::typed("nobody");
        passwords.nobody = hash(&passwords.hasher, &unknown, &passwords.entropy.bytes())
            .map_err(|_| BadCost(argon2::Error::OutputTooShort))?
            .into();
        Ok(passwords)
    }

    /// Hashes `password` for keeping, in the PHC string format.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn hash(&self, password: &Password) -> Result<String, ApiError> {
        let (hasher, password, salt) = (Arc::clone(&self.hasher), password.clone(), self.entropy.bytes());
        self.run(move || hash(&hasher, &password, &salt)).await?.map_err(ApiError::internal)
    }

    /// Compares `password` with what is kept. Takes as long when nothing is.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn compare(&self, password: &Password, kept: Option<&str>) -> Result<Match, ApiError> {
        let (hasher, password) = (Arc::clone(&self.hasher), password.clone());
        let (known, kept) = (kept.is_some(), kept.unwrap_or(&self.nobody).to_owned());
        let cost = self.cost;
        self.run(move || {
            let Ok(kept) = PasswordHash::new(&kept) else { return Match::No };
            let same = hasher.verify_password(password.0.expose_secret().as_bytes(), &kept).is_ok();
            let number = |name| kept.params.get_decimal(name);
            let today = number("m") == Some(cost.memory_kib)
                && number("t") == Some(cost.passes)
                && number("p") == Some(cost.lanes);
            if known && same { Match::Yes { outdated: !today } } else { Match::No }
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let busy = || {
            ApiError::new(Code::Unavailable, "too many passwords are being checked at the moment")
                .retry_after(Duration::from_secs(1))
        };
        let ticket = Ticket::take(&self.waiting, self.queue).ok_or_else(busy)?;
        // Never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(ApiError::internal)?;
        drop(ticket);
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        })
        .await
        .map_err(ApiError::internal)
    }
}

/// A place among those who wait; given back when dropped.
struct Ticket(Arc<AtomicUsize>);

impl Ticket {
    fn take(waiting: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let ticket = Self(Arc::clone(waiting));
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(ticket)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hash(
    hasher: &Argon2<'_>,
    password: &Password,
    salt: &[u8; 16],
) -> Result<String, argon2::password_hash::Error> {
    use argon2::PasswordHasher as _;
    let hash = hasher.hash_password_with_salt(password.0.expose_secret().as_bytes(), salt)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn passwords(cost: Cost) -> Passwords {
        Passwords::new(cost, 1, 8, Entropy::seeded(1)).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_the_one_that_was_kept_however_it_was_composed() {
        let passwords = passwords(CHEAP);
        let kept = passwords.hash(&Password::typed("caf\u{e9} au lait")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        let compare = |text| {
            let (passwords, kept, password) = (passwords.clone(), kept.clone(), Password::typed(text));
            async move { passwords.compare(&password, Some(&kept)).await.unwrap() }
        };
        assert_eq!(compare("cafe\u{301} au lait").await, Match::Yes { outdated: false });
        assert_eq!(compare("cafe au lait").await, Match::No);
        assert_eq!(compare("").await, Match::No);
    }

    #[tokio::test]
    async fn nobody_has_no_password_not_even_the_one_that_it_is_compared_with() {
        assert_eq!(passwords(CHEAP).compare(&Password::typed("nobody"), None).await.unwrap(), Match::No);
    }

    #[tokio::test]
    async fn what_was_kept_with_other_parameters_is_outdated() {
        let password = Password::typed("correct horse battery");
        let kept = passwords(CHEAP).hash(&password).await.unwrap();
        let dearer = passwords(Cost { passes: 2, ..CHEAP });
        assert_eq!(dearer.compare(&password, Some(&kept)).await.unwrap(), Match::Yes { outdated: true });
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_turned_away() {
        let passwords = Passwords::new(CHEAP, 1, 0, Entropy::seeded(1)).unwrap();
        let refused = passwords.hash(&Password::typed("whatever")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
    }

    #[test]
    fn a_new_password_is_long_and_not_the_first_that_is_tried() {
        for (text, why) in [
            ("short", "8 to 128"),
            ("password1", "easy to guess"),
            ("12345678", "easy to guess"),
            ("aaaaaaaaaaaa", "easy to guess"),
            ("qwertyuiop", "easy to guess"),
            ("ada@example.org", "easy to guess"),
        ] {
            let refused = Password::fresh(text, &["Ada", "ada@example.org"]).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        assert!(Password::fresh(&"x7!".repeat(43), &[]).is_err(), "129 characters");
        for text in
            ["correct horse battery", "пароль от старого сарая", "長い合言葉です山川", "🐴🔋📎🏔️🦀🎻🧭🪁"]
        {
            Password::fresh(text, &[]).unwrap_or_else(|why| panic!("{text}: {why}"));
        }
    }

    #[test]
    fn a_password_never_prints() {
        assert!(!format!("{:?}", Password::typed("hunter2hunter2")).contains("hunter2"));
    }
}
