//! What messages say. Nothing that a stranger typed stands in one but the address that it goes to, so
//! that nobody can have Voicera write to others in words of their own.

use secrecy::{ExposeSecret, SecretString};

use crate::users::account::Email;

/// Where links in messages lead, with `{token}` where the token belongs; empty for the token alone.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// To verify an address.
    pub verify: String,
    /// To reset a password.
    pub reset: String,
    /// To accept an invitation.
    pub invite: String,
}

/// A message to somebody.
#[derive(Debug, Clone)]
pub struct Letter {
    /// To whom.
    pub to: Email,
    /// What it is about.
    pub about: About,
}

/// What a message is about.
#[derive(Debug, Clone)]
pub enum About {
    /// Somebody registered with this address: is it theirs?
    Verify(SecretString),
    /// Somebody registered with the address of an account.
    Registered,
    /// Somebody wants to set the password anew.
    Reset(SecretString),
    /// Somebody was invited.
    Invite(SecretString),
    /// The password is another one now.
    PasswordChanged,
    /// An administrator has taken the second factor and the passkeys off.
    SecondFactorReset,
}

impl About {
    /// The subject line.
    pub(super) const fn subject(&self) -> &'static str {
        match self {
            Self::Verify(_) => "Verify your e-mail address",
            Self::Registered => "You have an account already",
            Self::Reset(_) => "Reset your password",
            Self::Invite(_) => "You are invited to Voicera",
            Self::PasswordChanged => "Your password has been changed",
            Self::SecondFactorReset => "Your second factor has been taken off",
        }
    }

    /// The token that the message brings.
    pub(super) fn token(&self) -> Option<&SecretString> {
        match self {
            Self::Verify(token) | Self::Reset(token) | Self::Invite(token) => Some(token),
            Self::Registered | Self::PasswordChanged | Self::SecondFactorReset => None,
        }
    }

    /// Where the message leads, if the application has a page for it.
    pub(super) fn link(&self, links: &Links) -> Option<String> {
        let page = match self {
            Self::Verify(_) => &links.verify,
            Self::Reset(_) => &links.reset,
            Self::Invite(_) => &links.invite,
            Self::Registered | Self::PasswordChanged | Self::SecondFactorReset => return None,
        };
        let token = self.token()?.expose_secret();
        (!page.is_empty()).then(|| page.replace("{token}", token))
    }

    /// The text.
    pub(super) fn text(&self, links: &Links) -> String {
        let key = match (self.link(links), self.token()) {
            (Some(link), _) => link,
            (None, Some(token)) => format!("Token: {}", token.expose_secret()),
            (None, None) => String::new(),
        };
        match self {
            Self::Verify(_) => format!(
                "Somebody has registered at Voicera with this e-mail address.\n\
                 If it was you, verify the address within 48 hours:\n\n{key}\n\n\
                 If it was not you, do nothing: the account stays closed.\n"
            ),
            Self::Registered => "Somebody has tried to register at Voicera with this e-mail address,\n\
                 which has an account already. If it was you, log in, or reset your\n\
                 password if you have forgotten it.\n\n\
                 If it was not you, there is nothing to do: nothing has been changed.\n"
                .to_owned(),
            Self::Reset(_) => format!(
                "Somebody wants to set the password of your Voicera account anew.\n\
                 If it was you, do so within an hour:\n\n{key}\n\n\
                 If it was not you, do nothing: your password stays as it is.\n"
            ),
            Self::Invite(_) => format!(
                "You are invited to have an account at Voicera. The invitation is good\n\
                 for seven days:\n\n{key}\n"
            ),
            Self::PasswordChanged => "The password of your Voicera account has been changed.\n\
                 If it was not you, reset it at once and tell your administrator.\n"
                .to_owned(),
            Self::SecondFactorReset => {
                "An administrator has taken the second factor and the passkeys of your\n\
                 Voicera account off, and has logged you out everywhere. Log in with your\n\
                 password, which you can reset if you have none, and set them up anew.\n\n\
                 If you have not asked for that, tell your administrator at once.\n"
                    .to_owned()
            }
        }
    }
}
