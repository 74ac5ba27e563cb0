//! A users module in a temporary folder, for tests.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::ids::{Entropy, Ids, UserId};
use crate::kit::limits::Limiters;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite;
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::audit::Action;
use crate::users::local::access::mail::{Letter, Mail, letter_box};
use crate::users::local::access::passkeys::RelyingParty;
use crate::users::local::access::password::{Cost, Password, Passwords};
use crate::users::local::access::registration::{Mode, RegistrationOptions};
use crate::users::local::access::sessions::{LoggedIn, SessionOptions, Tokens};
use crate::users::local::access::signing::SigningOptions;
use crate::users::local::seal::Seal;
use crate::users::local::{LocalUsers, Options};
use crate::users::store::sqlite::SqliteUsers;
use crate::users::store::{Added, NewAccount, Within};
use crate::users::token::TokenRules;

/// The password of everybody here.
pub(in crate::users) const PASSWORD: &str = "correct horse battery staple";

/// The page that passkeys are used on.
pub(in crate::users) const ORIGIN: &str = "https://app.example.org";

/// The cheapest hash that there is.
pub(in crate::users) const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

pub(in crate::users) struct Stage {
    pub(in crate::users) users: LocalUsers,
    pub(in crate::users) time: ManualClock,
    /// What was written to people.
    pub(in crate::users) letters: mpsc::Receiver<Letter>,
    pub(in crate::users) folder: TempDir,
}

pub(in crate::users) fn rules() -> TokenRules {
    TokenRules { issuer: "voicera".to_owned(), audience: "voicera".to_owned() }
}

fn options(mode: Mode, mail: Mail) -> Options {
    Options {
        signing: SigningOptions {
            rules: rules(),
            lifetime: SignedDuration::from_mins(15),
            rotate_after: SignedDuration::from_hours(720),
        },
        sessions: SessionOptions {
            lifetime: SignedDuration::from_hours(720),
            longest: SignedDuration::from_hours(2160),
            grace: SignedDuration::from_secs(30),
        },
        password_cost: CHEAP,
        password_threads: 2,
        password_queue: 500,
        registration: RegistrationOptions {
            mode,
            default_role: "student".to_owned(),
            unverified_for: SignedDuration::from_hours(7 * 24),
        },
        mail,
        relying_party: RelyingParty::new("example.org", ORIGIN).unwrap(),
    }
}

/// A module with its roles and signing key, and nobody in it.
pub(in crate::users) async fn stage() -> Stage {
    stage_with(Mode::Invitation).await
}

/// The same, where one registers so.
pub(in crate::users) async fn stage_with(mode: Mode) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let time = ManualClock::at("2026-11-23T08:00:00Z".parse::<Timestamp>().unwrap());
    let clock: SharedClock = Arc::new(time.clone());
    let file = sqlite::Options::new(folder.path().join("users.db"));
    let store = SqliteUsers::open(&file, &clock, &|_| ()).await.unwrap();
    let entropy = Entropy::seeded(1);
    let ids = Ids::new(Arc::clone(&clock), entropy.clone());
    let seal = Seal::new(vec![7; 32], entropy);
    let (mail, letters) = letter_box();
    let limiters = Limiters::in_process(Arc::clone(&clock));
    let users = LocalUsers::new(Arc::new(store), seal, clock, ids, &limiters, options(mode, mail)).unwrap();
    users.prepare().await.unwrap();
    Stage { users, time, letters, folder }
}

impl Stage {
    /// The key that the first start makes.
    pub(in crate::users) async fn first_key(&self) -> String {
        let key = self.users.bootstrap::<StorageError>(|_| Ok(())).await.unwrap().unwrap();
        key.expose_secret().to_owned()
    }

    /// Somebody active with [`PASSWORD`].
    pub(in crate::users) async fn person(
        &self,
        email: &str,
        role: &str,
        institution: Option<&str>,
    ) -> Account {
        let id: UserId = self.users.ids.fresh();
        let passwords = Passwords::new(CHEAP, 1, 10, self.users.ids.entropy().clone()).unwrap();
        let account = NewAccount {
            id,
            kind: Kind::Person,
            name: email.split('@').next().unwrap().to_owned(),
            email: Some(Email::parse(email).unwrap()),
            email_verified: true,
            password: Some(passwords.hash(&Password::typed(PASSWORD)).await.unwrap()),
            status: Status::Active,
            role: role.to_owned(),
            institution: institution.map(str::to_owned),
            at: self.users.clock.now(),
            trail: self.users.scribe.entry(Action::Create).on(id, institution),
        };
        assert_eq!(self.users.store.add_account(account).await.unwrap(), Added::Done);
        self.users.store.account(id, &Within::Everyone).await.unwrap().unwrap()
    }

    /// A student who is in.
    pub(in crate::users) async fn logged_in(&self, email: &str) -> Tokens {
        self.person(email, "student", None).await;
        self.log_in(email).await
    }

    /// Somebody who is there already gets in.
    pub(in crate::users) async fn log_in(&self, email: &str) -> Tokens {
        match self.users.sessions.log_in(email, PASSWORD, None).await.unwrap() {
            LoggedIn::Yes(tokens) => *tokens,
            LoggedIn::SecondFactor(_) => panic!("a second factor is asked for"),
        }
    }
}
