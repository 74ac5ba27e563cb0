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
