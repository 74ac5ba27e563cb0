//! `voicera user`: people's accounts, on the store itself.

use clap::{Args, Subcommand, ValueEnum};

use super::StoreOptions;
use super::password::PasswordOptions;
use crate::cli::{Failure, print};
use crate::roles::accounts::{Account, Filter, NewPerson, Operator, Status};

/// Make and change accounts, on the store itself
///
/// Works beside a running server, which sees the change within seconds, and without one: for the first
/// start, and when nobody can log in.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera user create ada@example.org --role admin\n  voicera user list --role admin\n  voicera user reset-password ada@example.org"
)]
pub(in crate::cli) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account that can be used at once; begins an installation where there is none
    #[command(
        after_help = "Examples:\n  voicera user create ada@example.org --name \"Ada Lovelace\" --role admin\n  voicera user create grace@example.org --role teacher --institution navy --generate\n  voicera user create ada@example.org --password-file ada.txt"
    )]
    Create {
        /// The e-mail address
        email: String,
        /// The name; what stands before the `@` unless it is given
        #[arg(long)]
        name: Option<String>,
        /// The role
        #[arg(long, default_value = "student")]
        role: String,
        /// The institution that the account belongs to
        #[arg(long, value_name = "NAME")]
        institution: Option<String>,
        #[command(flatten)]
        password: PasswordOptions,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// List accounts, latest first
    #[command(
        after_help = "Examples:\n  voicera user list\n  voicera user list --search example.org --status pending\n  voicera user list --json | jq -r .email"
    )]
    List {
        /// Only those with this in the name or the address
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only those with this role
        #[arg(long)]
        role: Option<String>,
        /// Only those that stand so
        #[arg(long, value_enum)]
        status: Option<Standing>,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Give an account another role; its access tokens are refused from then on, to be refreshed
    #[command(
        after_help = "Examples:\n  voicera user set-role ada@example.org admin\n  voicera user set-role 0199d4a2-6f1c-7d10-9a4e-3f2b8c0e5a11 teacher"
    )]
    SetRole {
        /// The account: its e-mail address or its id
        #[arg(value_name = "EMAIL_OR_ID")]
        account: String,
        /// The role
        role: String,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Suspend an account, or let it in again; any status but active ends its sessions
    #[command(
        after_help = "Examples:\n  voicera user set-status ada@example.org suspended\n  voicera user set-status ada@example.org active"
    )]
    SetStatus {
        /// The account: its e-mail address or its id
        #[arg(value_name = "EMAIL_OR_ID")]
        account: String,
        /// How it is to stand
        #[arg(value_enum)]
        status: NewStanding,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Set an account's password, and end all of its sessions
    #[command(
        after_help = "Examples:\n  voicera user reset-password ada@example.org\n  voicera user reset-password ada@example.org --generate"
    )]
    ResetPassword {
        /// The account: its e-mail address or its id
        #[arg(value_name = "EMAIL_OR_ID")]
        account: String,
        #[command(flatten)]
        password: PasswordOptions,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Take the second factor and the passkeys of an account off, and end all of its sessions
    #[command(
        long_about = "Take the second factor and the passkeys of an account off, and end all of its sessions\n\nFor who has lost them, and the recovery codes. The password alone is enough from then on: make sure of who asks.",
        after_help = "Examples:\n  voicera user reset-second-factor ada@example.org"
    )]
    ResetSecondFactor {
        /// The account: its e-mail address or its id
        #[arg(value_name = "EMAIL_OR_ID")]
        account: String,
        #[command(flatten)]
        store: StoreOptions,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Standing {
    Active,
    Inactive,
    Pending,
    Suspended,
}

impl From<Standing> for Status {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Active,
            Standing::Inactive => Self::Inactive,
            Standing::Pending => Self::Pending,
            Standing::Suspended => Self::Suspended,
        }
    }
}

/// How the operator can have an account stand: `pending` is for addresses that are to be verified.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum NewStanding {
    Active,
    Inactive,
    Suspended,
}

impl From<NewStanding> for Status {
    fn from(standing: NewStanding) -> Self {
        match standing {
            NewStanding::Active => Self::Active,
            NewStanding::Inactive => Self::Inactive,
            NewStanding::Suspended => Self::Suspended,
        }
    }
}

pub(in crate::cli) fn run(args: UserArgs) -> Result<(), Failure> {
    match args.command {
        UserCommand::Create { email, name, role, institution, password, store } => {
            let chosen = password.choose()?;
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let person = NewPerson { name, email, role, institution, password: chosen.password.clone() };
            // Before anything is made: a mistyped address begins no installation.
            person.check()?;
            store.with_new(async |operator| {
                let account = operator.create(&person).await?;
                print(&format!("created {}\n{}", line(&account), chosen.shown()))
            })
        }
        UserCommand::List { search, role, status, json, store } => {
            let filter = Filter { search, role, status: status.map(Status::from) };
            store.with(async |operator| list(operator, &filter, json).await)
        }
        UserCommand::SetRole { account, role, store } => store.with(async |operator| {
            let account = operator.set_role(&operator.find(&account).await?, &role).await?;
            print(&format!("changed {}\n", line(&account)))
        }),
        UserCommand::SetStatus { account, status, store } => store.with(async |operator| {
            let account = operator.set_status(&operator.find(&account).await?, status.into()).await?;
            print(&format!("changed {}\n", line(&account)))
        }),
        UserCommand::ResetPassword { account, password, store } => store.with(async |operator| {
            let account = operator.find(&account).await?;
            let chosen = password.choose()?;
            let account = operator.set_password(&account, &chosen.password).await?;
            print(&format!("set the password of {}\n{}", line(&account), chosen.shown()))
        }),
        UserCommand::ResetSecondFactor { account, store } => store.with(async |operator| {
            let account = operator.reset_second_factor(&operator.find(&account).await?).await?;
            print(&format!("took the second factor off {}\n", line(&account)))
        }),
    }
}

async fn list(operator: &Operator, filter: &Filter, json: bool) -> Result<(), Failure> {
    let (mut after, mut none) = (None, true);
    loop {
        let page = operator.accounts(filter, after).await?;
        none &= page.accounts.is_empty();
        let mut text = String::new();
        for account in &page.accounts {
            text += &if json { in_json(account)? } else { line(account) };
            text.push('\n');
        }
        print(&text)?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if none && !json {
        print("no such accounts\n")?;
    }
    Ok(())
}

fn in_json(account: &Account) -> Result<String, Failure> {
    serde_json::to_string(account).map_err(|error| Failure::Failed(error.to_string()))
}

fn line(account: &Account) -> String {
    let of = account.institution.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let address = account.email.as_deref().unwrap_or("no address");
    format!(
        "{}  {:<9} {}{of}  {}  {address}",
        account.id,
        account.status.as_str(),
        account.role,
        account.name,
    )
}
