//! An installation with people in it, for the tests of those who look after accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::kit::auth::{Presented, Principal, Scope};
use crate::kit::clock::ManualClock;
use crate::kit::http::page::Page;
use crate::kit::ids::UserId;
use crate::users::account::{Account, Email, Kind};
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::local::LocalUsers;
use crate::users::local::administration::authority;
use crate::users::local::administration::directory::NewMember;
use crate::users::local::tests::stage::{PASSWORD, Stage, stage};
use crate::users::store::{AccountQuery, AccountSort, AuditQuery, UserStore, Within};

/// The module on a clock that stands still, with one administrator.
pub(in crate::users) struct People {
    pub(in crate::users) users: LocalUsers,
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) clock: ManualClock,
    /// The administrator, logged in.
    pub(in crate::users) root: Principal,
    _stage: Stage,
}

impl People {
    pub(in crate::users) async fn gather() -> Self {
        let stage = stage().await;
        stage.first_key().await;
        let (users, clock) = (stage.users.clone(), stage.time.clone());
        let store = Arc::clone(&users.store);
        let owner = store.accounts(every_account()).await.unwrap().accounts.remove(0);
        let mut people = Self { root: nobody(owner.id), users, store, clock, _stage: stage };
        people.root = people.principal(&owner).await;
        people
    }

    /// Somebody with a role, in an institution or in none, logged in.
    pub(in crate::users) async fn somebody(
        &self,
        name: &str,
        role: &str,
        institution: Option<&str>,
    ) -> Principal {
        let account = self.account(name, role, institution).await;
        self.principal(&account).await
    }

    /// The account of somebody like that.
    pub(in crate::users) async fn account(
        &self,
        name: &str,
        role: &str,
        institution: Option<&str>,
    ) -> Account {
        self.users.directory.add(&self.root, member(name, role, institution)).await.unwrap()
    }

    /// Who logs into `account`, as every service would see him.
    pub(in crate::users) async fn principal(&self, account: &Account) -> Principal {
        let roles = self.store.roles().await.unwrap();
        let role = authority::named(&roles, &account.role).unwrap();
        Principal {
            name: account.name.clone(),
            role: role.name.clone(),
            reach: role.reach,
            institution: account.institution.clone(),
            scopes: role.permissions.clone(),
            ..nobody(account.id)
        }
    }

    /// The account as it is now.
    pub(in crate::users) async fn now_is(&self, id: UserId) -> Option<Account> {
        self.store.account(id, &Within::Everyone).await.unwrap()
    }

    /// What the trail says of `action`, latest first.
    pub(in crate::users) async fn trail(&self, action: Action, outcome: Outcome) -> Vec<Entry> {
        let query = AuditQuery {
            within: Within::Everyone,
            actor: None,
            target: None,
            action: Some(action),
            outcome: Some(outcome),
            from: None,
            to: None,
            page: Page::parse(None, None, None).unwrap(),
        };
        self.store.audit(query).await.unwrap().entries
    }
}

/// All accounts, latest first.
pub(in crate::users) fn every_account() -> AccountQuery {
    AccountQuery {
        within: Within::Everyone,
        search: None,
        role: None,
        status: None,
        institution: None,
        sort: AccountSort::Newest,
        page: Page::parse(None, None, None).unwrap(),
    }
}

/// A person to add.
pub(in crate::users) fn member(name: &str, role: &str, institution: Option<&str>) -> NewMember {
    NewMember {
        id: None,
        kind: Kind::Person,
        name: name.to_owned(),
        email: Some(Email::parse(&format!("{name}@example.org")).unwrap()),
        password: Some(PASSWORD.to_owned()),
        role: role.to_owned(),
        institution: institution.map(str::to_owned),
    }
}

/// The same caller with an API key that is good for `scopes` alone.
pub(in crate::users) fn with_key(who: &Principal, scopes: &[Scope]) -> Principal {
    let scopes: BTreeSet<Scope> = scopes.iter().copied().collect();
    let scopes = scopes.intersection(&who.scopes).copied().collect();
    Principal { credential: Presented::Key(uuid::Uuid::nil().into()), scopes, ..who.clone() }
}

fn nobody(id: UserId) -> Principal {
    Principal {
        user_id: id,
        name: String::new(),
        role: String::new(),
        reach: crate::kit::auth::Reach::Own,
        institution: None,
        credential: Presented::Session(uuid::Uuid::nil().into()),
        scopes: BTreeSet::new(),
    }
}
