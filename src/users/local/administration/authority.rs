//! How far one account may go with another: nobody gives what he does not have, to an account or to a
//! key, and nobody lays hands on an account that may do more than he.

use std::collections::BTreeSet;

use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::error::{ApiError, Code};
use crate::users::api::Role;
use crate::users::audit::Entry;
use crate::users::store::UserStore;

/// Whether `role` permits nothing that the caller's credential does not, and reaches no further.
pub fn covers(who: &Principal, role: &Role) -> bool {
    is_within(role, who.reach, &who.scopes)
}

/// The same of two roles.
pub fn role_covers(own: &Role, role: &Role) -> bool {
    is_within(role, own.reach, &own.permissions)
}

fn is_within(role: &Role, reach: Reach, scopes: &BTreeSet<Scope>) -> bool {
    reach.covers(role.reach) && role.permissions.is_subset(scopes)
}

/// Asks that the caller may do all that `role` permits.
///
/// # Errors
/// 403 naming what goes further.
pub fn over(who: &Principal, role: &Role) -> Result<(), ApiError> {
    if covers(who, role) {
        return Ok(());
    }
    let further = role.permissions.difference(&who.scopes).next().map_or_else(
        || "reaches further than this credential does".to_owned(),
        |lacking| format!("permits `{lacking}`, which your credential lacks"),
    );
    Err(ApiError::new(Code::Forbidden, format!("the role `{}` {further}", role.name)))
}

/// Asks that the caller has all of `scopes`.
///
/// # Errors
/// 403 naming one that he lacks.
pub fn has_all(who: &Principal, scopes: &BTreeSet<Scope>) -> Result<(), ApiError> {
    match scopes.difference(&who.scopes).next() {
        None => Ok(()),
        Some(lacking) => Err(ApiError::new(
            Code::Forbidden,
            format!("this credential lacks the scope `{lacking}`, so it can't give it"),
        )),
    }
}

/// The role of a name.
pub fn named<'a>(roles: &'a [Role], name: &str) -> Option<&'a Role> {
    roles.iter().find(|role| role.name == name)
}

/// Writes into the trail that something was refused; answers with the refusal.
pub(in crate::users) async fn refuse(store: &dyn UserStore, entry: Entry, refusal: ApiError) -> ApiError {
    let entry = entry.refused().with("why", refusal.detail());
    entry.log();
    match store.append(entry).await {
        Ok(()) => refusal,
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::auth::Presented;
    use crate::users::roles::built_in;

    fn principal(role: &Role) -> Principal {
        Principal {
            user_id: uuid::Uuid::nil().into(),
            name: String::new(),
            role: role.name.clone(),
            reach: role.reach,
            institution: None,
            credential: Presented::Session(uuid::Uuid::nil().into()),
            scopes: role.permissions.clone(),
        }
    }

    #[test]
    fn each_built_in_role_covers_itself_and_those_below_it() {
        let roles = built_in();
        let covered = |name: &str| -> Vec<String> {
            let who = principal(named(&roles, name).unwrap());
            roles.iter().filter(|role| covers(&who, role)).map(|role| role.name.clone()).collect()
        };
        assert_eq!(covered("admin"), ["admin", "institution_admin", "teacher", "student"]);
        assert_eq!(covered("institution_admin"), ["institution_admin", "teacher", "student"]);
        assert_eq!(covered("teacher"), ["teacher", "student"]);
        assert_eq!(covered("student"), ["student"]);
    }

    #[test]
    fn a_key_covers_no_more_than_it_is_good_for() {
        let roles = built_in();
        let mut who = principal(named(&roles, "admin").unwrap());
        who.scopes = BTreeSet::from([Scope::UsersAdmin, Scope::VoiceRead]);
        assert!(roles.iter().all(|role| over(&who, role).is_err()));
        assert!(has_all(&who, &BTreeSet::from([Scope::VoiceRead])).is_ok());
        let refused = has_all(&who, &BTreeSet::from([Scope::VoiceProcess])).unwrap_err();
        assert!(refused.detail().contains("voice:process"));
    }

    #[test]
    fn the_same_permissions_over_more_people_are_more() {
        let roles = built_in();
        let who = principal(named(&roles, "teacher").unwrap());
        let wide =
            Role { reach: Reach::Everyone, built_in: false, ..named(&roles, "teacher").unwrap().clone() };
        assert!(!covers(&who, &wide));
    }
}
