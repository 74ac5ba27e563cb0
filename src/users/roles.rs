//! The roles that come with Voicera.
//!
//! The one table: enforcement reads it through the store, `GET /api/users/roles` shows it, and the
//! documentation is generated from it.

use crate::kit::auth::{Reach, Scope};
use crate::users::api::Role;

/// The role that may do everything; at least one active account has it.
pub const ADMIN: &str = "admin";
/// The role of whoever registers.
pub const STUDENT: &str = "student";

/// The built-in roles.
pub fn built_in() -> Vec<Role> {
    use Scope::{
        AnalyticsRead, AuditRead, KeysWrite, UsersAdmin, UsersRead, UsersWrite, VoiceProcess, VoiceRead,
    };
    let role = |name: &str, description: &str, reach, permissions: &[Scope]| Role {
        name: name.to_owned(),
        description: description.to_owned(),
        permissions: permissions.iter().copied().collect(),
        reach,
        built_in: true,
    };
    vec![
        role(ADMIN, "May do everything, to every account", Reach::Everyone, Scope::ALL),
        role(
            "institution_admin",
            "Looks after the accounts of one institution",
            Reach::Institution,
            &[
                VoiceProcess,
                VoiceRead,
                AnalyticsRead,
                UsersRead,
                UsersWrite,
                UsersAdmin,
                AuditRead,
                KeysWrite,
            ],
        ),
        role(
            "teacher",
            "Uses voice commands, reads the figures and sees the accounts of the institution",
            Reach::Institution,
            &[VoiceProcess, VoiceRead, AnalyticsRead, UsersRead, KeysWrite],
        ),
        role(STUDENT, "Uses voice commands", Reach::Own, &[VoiceProcess, VoiceRead]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of each row of the tables in the documentation.
    fn rows() -> Vec<Vec<String>> {
        let page = include_str!("../../docs/ROLES.md");
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let inner = |line: &'static str| line.strip_prefix('|')?.strip_suffix('|');
        page.lines().filter_map(inner).filter(|row| !row.starts_with("---")).map(cells).collect()
    }

    #[test]
    fn the_documentation_has_the_built_in_roles_and_all_permissions_as_they_are() {
        let (roles, rows) = (built_in(), rows());
        let names: Vec<_> = roles.iter().map(|role| format!("`{}`", role.name)).collect();
        assert_eq!(rows[0][2..], names);
        let permissions = &rows[1..=Scope::ALL.len()];
        for (row, scope) in permissions.iter().zip(Scope::ALL) {
            let ticks = roles.iter().map(|role| if role.permissions.contains(scope) { "yes" } else { "no" });
            assert_eq!(row[0], format!("`{scope}`"));
            assert_eq!(row[2..], ticks.collect::<Vec<_>>(), "{scope}");
        }
        let [head, reach] = &rows[Scope::ALL.len() + 1..] else { panic!("two tables, and nothing else") };
        assert_eq!(head[1..], names);
        let wire = |role: &Role| serde_json::to_value(role.reach).unwrap().as_str().unwrap().to_owned();
        assert_eq!(reach[1..], roles.iter().map(wire).collect::<Vec<_>>());
    }
}
