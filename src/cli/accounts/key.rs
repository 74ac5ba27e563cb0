//! `voicera key`: API keys, on the store itself.

use std::collections::BTreeSet;

use clap::{ArgGroup, Args, Subcommand};
use jiff::{SignedDuration, SpanRelativeTo};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::StoreOptions;
use crate::cli::{Failure, print};
use crate::kit::auth::Scope;
use crate::roles::accounts::{Account, Filter, Key, Operator};

/// Make, list and revoke API keys, on the store itself
///
/// Works beside a running server, which refuses a revoked key within seconds, and without one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera key create --service importer --scope voice:process --expires 90d\n  voicera key list --user ada@example.org\n  voicera key revoke 0199d4a2-6f1c-7d10-9a4e-3f2b8c0e5a11"
)]
pub(in crate::cli) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key, and print it once
    #[command(
        group = ArgGroup::new("owner").required(true),
        group = ArgGroup::new("reach").required(true),
        after_help = "Examples:\n  voicera key create --user ada@example.org --scope voice:process --scope voice:read\n  voicera key create --service importer --scope voice:process --expires 90d\n  voicera key create --service rescue --role admin --everything --expires 1d"
    )]
    Create {
        /// For this account: its e-mail address or its id
        #[arg(long, value_name = "EMAIL_OR_ID", group = "owner")]
        user: Option<String>,
        /// For this service; it is made if there is none of that name
        #[arg(long, value_name = "NAME", group = "owner")]
        service: Option<String>,
        /// The role of a service that is made
        #[arg(long, default_value = "student", conflicts_with = "user")]
        role: String,
        /// What the key is good for, as far as the role permits it; may be repeated
        #[arg(long, value_name = "SCOPE", value_parser = scope, group = "reach")]
        scope: Vec<Scope>,
        /// Good for whatever the role permits
        #[arg(long, group = "reach")]
        everything: bool,
        /// A name to know it by
        #[arg(long, default_value = "command line")]
        name: String,
        /// When it ends by itself: `90d`, `12h` [default: never]
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires: Option<SignedDuration>,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// List keys, as far as they may be shown
    #[command(
        after_help = "Examples:\n  voicera key list\n  voicera key list --user ada@example.org\n  voicera key list --service importer --json"
    )]
    List {
        /// Only those of this account: its e-mail address or its id
        #[arg(long, value_name = "EMAIL_OR_ID", conflicts_with = "service")]
        user: Option<String>,
        /// Only those of this service
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Revoke a key, whosever it is
    #[command(
        after_help = "Examples:\n  voicera key revoke 0199d4a2-6f1c-7d10-9a4e-3f2b8c0e5a11\n  voicera key revoke vk_5f2b…    a key that leaked, as it was found"
    )]
    Revoke {
        /// The key's id, or the key itself
        #[arg(value_name = "KEY")]
        key: String,
        #[command(flatten)]
        store: StoreOptions,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    let all = Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    text.parse().map_err(|error| format!("{error}; there are {all}"))
}

fn span(text: &str) -> Result<SignedDuration, String> {
    let wanted = || "write it with its unit, such as `90d`, `12h` or `2w`".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wanted())?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wanted())?;
    if span.is_positive() { Ok(span) } else { Err(wanted()) }
}

pub(in crate::cli) fn run(args: KeyArgs) -> Result<(), Failure> {
    match args.command {
        KeyCommand::Create { user, service, role, scope, everything, name, expires, store } => {
            store.with(async |operator| {
                let account = match (user, service) {
                    (Some(user), _) => operator.find(&user).await?,
                    (None, service) => operator.service(&service.unwrap_or_default(), &role).await?,
                };
                let scopes = (!everything).then(|| scope.into_iter().collect::<BTreeSet<_>>());
                let (id, key) = operator.create_key(&account, &name, scopes, expires).await?;
                let until = expires.map(|span| format!(", good for {span:#}")).unwrap_or_default();
                print(&format!(
                    "API key: {}\n  (shown this once; {id}, of {}{until})\n",
                    key.expose_secret(),
                    account.name,
                ))
            })
        }
        KeyCommand::List { user, service, json, store } => {
            store.with(async |operator| list(operator, user, service, json).await)
        }
        KeyCommand::Revoke { key, store } => store.with(async |operator| {
            operator.revoke_key(&key).await?;
            print("revoked\n")
        }),
    }
}

async fn list(
    operator: &Operator,
    user: Option<String>,
    service: Option<String>,
    json: bool,
) -> Result<(), Failure> {
    let one = match (user, service) {
        (Some(user), _) => Some(operator.find(&user).await?),
        (None, Some(service)) => {
            let found = operator.find_service(&service).await?;
            Some(found.ok_or_else(|| Failure::Failed(format!("there is no service `{service}`")))?)
        }
        (None, None) => None,
    };
    let mut none = true;
    if let Some(account) = one {
        none &= show(operator, &account, json).await?;
    } else {
        let mut after = None;
        loop {
            let page = operator.accounts(&Filter::default(), after).await?;
            for account in &page.accounts {
                none &= show(operator, account, json).await?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    if none && !json {
        print("no keys\n")?;
    }
    Ok(())
}

/// Prints the keys of an account; true if there are none.
async fn show(operator: &Operator, account: &Account, json: bool) -> Result<bool, Failure> {
    let keys = operator.keys(account).await?;
    let shown = |key: &Key| if json { in_json(account, key) } else { line(account, key) } + "\n";
    print(&keys.iter().map(shown).collect::<String>())?;
    Ok(keys.is_empty())
}

fn in_json(account: &Account, key: &Key) -> String {
    json!({
        "id": key.id,
        "userId": account.id,
        "user": account.name,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "revokedAt": key.revoked_at,
    })
    .to_string()
}

fn line(account: &Account, key: &Key) -> String {
    let scopes = key.scopes.as_ref().map_or_else(
        || "everything".to_owned(),
        |scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(","),
    );
    let end = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("  revoked {at:.0}"),
        (None, Some(at)) => format!("  until {at:.0}"),
        (None, None) => String::new(),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {at:.0}"));
    format!("{}  {}…  {scopes}  {} ({})  {used}{end}", key.id, key.prefix, account.name, key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit_and_a_length() {
        assert_eq!(span("90d"), Ok(SignedDuration::from_hours(90 * 24)));
        assert_eq!(span("2w"), Ok(SignedDuration::from_hours(14 * 24)));
        assert_eq!(span("12h30m"), Ok(SignedDuration::from_mins(750)));
        for text in ["", "90", "-1d", "0d", "soon", "1mo", "99999999999y"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_that_is_no_scope_is_answered_with_those_that_there_are() {
        assert!(scope("voice:all").unwrap_err().contains("voice:process"));
    }
}
