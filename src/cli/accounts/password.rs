//! Where a new password comes from: never from an argument, which every process can read.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::Failure;
use crate::kit::ids::Entropy;
use crate::roles::accounts::made_up_password;

/// Where the password comes from; without an option, from a prompt, or the first line of standard input
/// where there is no terminal.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Password")]
pub(super) struct PasswordOptions {
    /// Read the password from the first line of this file; `-` is standard input [default: ask for it]
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    password_file: Option<PathBuf>,
    /// Make a password up, and print it once
    #[arg(long)]
    generate: bool,
}

/// A password, and whether anybody knows it yet.
pub(super) struct Chosen {
    pub(super) password: SecretString,
    made_up: bool,
}

impl PasswordOptions {
    /// The password.
    pub(super) fn choose(&self) -> Result<Chosen, Failure> {
        if self.generate {
            return Ok(Chosen { password: made_up_password(&Entropy::system()), made_up: true });
        }
        let password = match &self.password_file {
            Some(file) if file.as_os_str() != "-" => {
                let read = |error| {
                    Failure::Use(format!("--password-file: {} cannot be read ({error})", file.display()))
                };
                first_line(io::BufReader::new(std::fs::File::open(file).map_err(read)?)).map_err(read)?
            }
            None if io::stdin().is_terminal() => return prompt(),
            _ => first_line(io::stdin().lock())?,
        };
        if password.expose_secret().is_empty() {
            return Err(Failure::Use(
                "no password was given\n  fix: put it into the first line of standard input or of --password-file FILE, or have one made up with --generate"
                    .to_owned(),
            ));
        }
        Ok(Chosen { password, made_up: false })
    }
}

impl Chosen {
    /// What to print, so that somebody knows it.
    pub(super) fn shown(&self) -> String {
        if !self.made_up {
            return String::new();
        }
        format!("password: {}\n  (shown this once)\n", self.password.expose_secret())
    }
}

fn first_line(mut input: impl io::BufRead) -> io::Result<SecretString> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

fn prompt() -> Result<Chosen, Failure> {
    let password: SecretString = rpassword::prompt_password("Password: ")?.into();
    let again: SecretString = rpassword::prompt_password("The same again: ")?.into();
    if password.expose_secret() != again.expose_secret() {
        return Err(Failure::Use("the two passwords differ".to_owned()));
    }
    Ok(Chosen { password, made_up: false })
}
