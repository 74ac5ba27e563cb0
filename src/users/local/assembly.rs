//! How the module's rooms are built, each from what it needs.

use std::sync::Arc;

use crate::kit::clock::SharedClock;
use crate::kit::ids::Ids;
use crate::kit::limits::Limiters;
use crate::users::audit::Scribe;
use crate::users::local::access::credentials::Credentials;
use crate::users::local::access::devices::Devices;
use crate::users::local::access::invitations::Invitations;
use crate::users::local::access::limits::Limits;
use crate::users::local::access::mail::Mail;
use crate::users::local::access::one_time::OneTimeTokens;
use crate::users::local::access::passkeys::{Passkeys, RelyingParty};
use crate::users::local::access::password::{BadCost, Passwords};
use crate::users::local::access::registration::{Mode, Registration, RegistrationOptions};
use crate::users::local::access::second_factor::{Codes, SecondFactors};
use crate::users::local::access::sessions::Sessions;
use crate::users::local::access::signing::Signer;
use crate::users::local::access::step_up::StepUp;
use crate::users::local::administration::directory::Directory;
use crate::users::local::administration::keyring::Keyring;
use crate::users::local::administration::role_book::RoleBook;
use crate::users::local::seal::Seal;
use crate::users::local::seen::Seen;
use crate::users::local::{LocalUsers, Options};
use crate::users::store::UserStore;

/// What most rooms stand on.
struct Ground {
    store: Arc<dyn UserStore>,
    seal: Arc<Seal>,
    passwords: Passwords,
    limits: Arc<Limits>,
    scribe: Scribe,
    clock: SharedClock,
    ids: Ids,
}

impl LocalUsers {
    /// The module over `store`; `seal` is the installation's own secret, and `limiters` count who tries
    /// to get in.
    ///
    /// # Errors
    /// [`BadCost`] for parameters that argon2 does not know.
    pub fn new(
        store: Arc<dyn UserStore>,
        seal: Seal,
        clock: SharedClock,
        ids: Ids,
        limiters: &Limiters,
        options: Options,
    ) -> Result<Self, BadCost> {
        let seal = Arc::new(seal);
        let scribe = Scribe::new(Arc::clone(&clock), ids.clone());
        let passwords = Passwords::new(
            options.password_cost,
            options.password_threads,
            options.password_queue,
            ids.entropy().clone(),
        )?;
        let signer = Arc::new(Signer::new(
            Arc::clone(&store),
            Arc::clone(&seal),
            scribe.clone(),
            Arc::clone(&clock),
            ids.clone(),
            options.signing,
        ));
        let limits = Arc::new(Limits::new(limiters));
        let ground = Ground { store, seal, passwords, limits, scribe, clock, ids };
        let sessions = Arc::new(Sessions {
            store: Arc::clone(&ground.store),
            passwords: ground.passwords.clone(),
            signer: Arc::clone(&signer),
            seal: Arc::clone(&ground.seal),
            limits: Arc::clone(&ground.limits),
            devices: ground.devices(),
            scribe: ground.scribe.clone(),
            clock: Arc::clone(&ground.clock),
            ids: ground.ids.clone(),
            options: options.sessions,
        });
        let step_up = ground.step_up(&sessions);
        let (second_factors, passkeys) = ground.factors(&sessions, &step_up, options.relying_party);
        let (directory, role_book, keyring) = ground.administration(&options.mail);
        let (invitations, registration, credentials) =
            ground.beginnings(&sessions, &options.mail, options.registration);
        let Ground { store, passwords, scribe, clock, ids, .. } = ground;
        Ok(Self {
            store,
            sessions,
            step_up,
            second_factors,
            passkeys,
            directory,
            role_book,
            keyring,
            signer,
            registration,
            invitations,
            credentials,
            passwords,
            mail: options.mail,
            seen: Arc::new(Seen::default()),
            scribe,
            clock,
            ids,
        })
    }
}

impl Ground {
    /// What known devices are told apart by.
    fn devices(&self) -> Devices {
        Devices { seal: Arc::clone(&self.seal), clock: Arc::clone(&self.clock) }
    }

    /// Showing again who one is.
    fn step_up(&self, sessions: &Arc<Sessions>) -> Arc<StepUp> {
        Arc::new(StepUp {
            store: Arc::clone(&self.store),
            sessions: Arc::clone(sessions),
            codes: self.codes(),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
        })
    }

    fn codes(&self) -> Arc<Codes> {
        Arc::new(Codes { store: Arc::clone(&self.store), seal: Arc::clone(&self.seal) })
    }

    /// What stands beside a password, or in its place.
    fn factors(
        &self,
        sessions: &Arc<Sessions>,
        step_up: &Arc<StepUp>,
        party: RelyingParty,
    ) -> (Arc<SecondFactors>, Arc<Passkeys>) {
        let second_factors = SecondFactors {
            store: Arc::clone(&self.store),
            sessions: Arc::clone(sessions),
            step_up: Arc::clone(step_up),
            codes: self.codes(),
            seal: Arc::clone(&self.seal),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        };
        let passkeys = Passkeys {
            store: Arc::clone(&self.store),
            sessions: Arc::clone(sessions),
            step_up: Arc::clone(step_up),
            party,
            seal: Arc::clone(&self.seal),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        };
        (Arc::new(second_factors), Arc::new(passkeys))
    }

    /// Looking after accounts, roles and keys.
    fn administration(&self, mail: &Mail) -> (Arc<Directory>, Arc<RoleBook>, Arc<Keyring>) {
        let directory = Arc::new(Directory {
            store: Arc::clone(&self.store),
            passwords: self.passwords.clone(),
            mail: mail.clone(),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        });
        let role_book = RoleBook {
            store: Arc::clone(&self.store),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
        };
        let keyring = Keyring {
            store: Arc::clone(&self.store),
            directory: Arc::clone(&directory),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        };
        (directory, Arc::new(role_book), Arc::new(keyring))
    }

    /// How accounts begin, and how their passwords change.
    fn beginnings(
        &self,
        sessions: &Arc<Sessions>,
        mail: &Mail,
        options: RegistrationOptions,
    ) -> (Arc<Invitations>, Arc<Registration>, Arc<Credentials>) {
        let one_time = OneTimeTokens {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        };
        let invitations = Arc::new(Invitations {
            store: Arc::clone(&self.store),
            one_time: one_time.clone(),
            seal: Arc::clone(&self.seal),
            limits: Arc::clone(&self.limits),
            mail: mail.clone(),
            scribe: self.scribe.clone(),
            accepted: options.mode != Mode::Closed,
        });
        let registration = Registration {
            store: Arc::clone(&self.store),
            passwords: self.passwords.clone(),
            invitations: Arc::clone(&invitations),
            one_time: one_time.clone(),
            limits: Arc::clone(&self.limits),
            devices: self.devices(),
            mail: mail.clone(),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
            options,
        };
        let credentials = Credentials {
            store: Arc::clone(&self.store),
            passwords: self.passwords.clone(),
            sessions: Arc::clone(sessions),
            one_time,
            limits: Arc::clone(&self.limits),
            mail: mail.clone(),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        };
        (invitations, Arc::new(registration), Arc::new(credentials))
    }
}
