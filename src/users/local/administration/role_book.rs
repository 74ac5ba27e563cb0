//! Roles that an installation makes for itself, beside the built-in ones.

use std::sync::Arc;

use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::users::api::Role;
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::administration::authority;
use crate::users::store::{RoleChange, UserStore};

/// Roles that there may be: every service holds them all, and asks for them every second.
const MOST: usize = 100;
const LONGEST_NAME: usize = 50;
const LONGEST_DESCRIPTION: usize = 200;

/// The roles.
#[derive(Debug)]
pub struct RoleBook {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
}

impl RoleBook {
    /// All of them, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self) -> Result<Vec<Role>, ApiError> {
        Ok(self.store.roles().await?)
    }

    /// Makes a role, or makes one another; true if it is new. Who has it may do by it from the next
    /// second on.
    ///
    /// # Errors
    /// 403 without `roles:write`, or where the role as it was or as it is to be permits more than the
    /// caller's credential; 409 for a built-in one; 422 for a name that no role can have.
    pub async fn put(&self, who: &Principal, role: Role) -> Result<bool, ApiError> {
        who.require(Scope::RolesWrite)?;
        check(&role)?;
        let roles = self.store.roles().await?;
        let before = authority::named(&roles, &role.name);
        let is_new = before.is_none();
        if before.is_some_and(|before| before.built_in) {
            return Err(built_in());
        }
        if is_new && roles.len() >= MOST {
            return Err(ApiError::new(Code::Conflict, format!("there are {MOST} roles, which is the most")));
        }
        let permissions: Vec<_> = role.permissions.iter().map(|scope| scope.as_str()).collect();
        let trail = self
            .scribe
            .entry(Action::DefineRole)
            .by(who)
            .with("role", role.name.as_str())
            .with("permissions", permissions);
        let permitted = defines_roles(who)
            .and_then(|()| before.into_iter().chain([&role]).try_for_each(|role| authority::over(who, role)));
        self.permit(who, &trail, permitted).await?;
        let outcome = self.store.put_role(role, self.clock.now(), trail.clone()).await?;
        settled(outcome, &trail).map(|()| is_new)
    }

    /// Removes a role that nobody has.
    ///
    /// # Errors
    /// 403 as [`RoleBook::put`]; 404 where there is none; 409 for a built-in one, or one that accounts
    /// have.
    pub async fn remove(&self, who: &Principal, name: &str) -> Result<(), ApiError> {
        who.require(Scope::RolesWrite)?;
        let roles = self.store.roles().await?;
        let role = authority::named(&roles, name).ok_or_else(missing)?;
        let trail = self.scribe.entry(Action::RemoveRole).by(who).with("role", name);
        if role.built_in {
            return Err(built_in());
        }
        self.permit(who, &trail, defines_roles(who).and_then(|()| authority::over(who, role))).await?;
        settled(self.store.remove_role(name, trail.clone()).await?, &trail)
    }

    async fn permit(
        &self,
        who: &Principal,
        trail: &Entry,
        permitted: Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        match permitted {
            Ok(()) => Ok(()),
            Err(refusal) => Err(authority::refuse(self.store.as_ref(), trail.clone().by(who), refusal).await),
        }
    }
}

fn settled(outcome: RoleChange, trail: &Entry) -> Result<(), ApiError> {
    match outcome {
        RoleChange::Done => {
            trail.log();
            Ok(())
        }
        RoleChange::BuiltIn => Err(built_in()),
        RoleChange::Missing => Err(missing()),
        RoleChange::InUse => {
            Err(ApiError::new(Code::Conflict, "accounts have this role: give them another one first"))
        }
    }
}

fn built_in() -> ApiError {
    ApiError::new(Code::Conflict, "this role came with Voicera and stays as it is: make one of another name")
}

fn missing() -> ApiError {
    ApiError::not_found("role")
}

/// Roles are everybody's: who looks after one institution would change those of the others.
fn defines_roles(who: &Principal) -> Result<(), ApiError> {
    if who.reach == Reach::Everyone {
        return Ok(());
    }
    Err(ApiError::new(Code::Forbidden, "roles are defined by who reaches every account"))
}

fn check(role: &Role) -> Result<(), ApiError> {
    let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    let named = (1..=LONGEST_NAME).contains(&role.name.len())
        && role.name.starts_with(|first: char| first.is_ascii_lowercase())
        && role.name.bytes().all(plain);
    if !named {
        let rule = "lower-case letters, digits and underscores, a letter first";
        return Err(ApiError::invalid("name", format!("must be 1 to {LONGEST_NAME} {rule}")));
    }
    if role.description.chars().count() > LONGEST_DESCRIPTION
        || role.description.chars().any(char::is_control)
    {
        let rule =
            format!("must have at most {LONGEST_DESCRIPTION} characters, none of them a control character");
        return Err(ApiError::invalid("description", rule));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
