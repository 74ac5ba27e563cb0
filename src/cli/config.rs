//! `voicera config`: shows the effective configuration, or checks it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::{Config, ConfigErrors, Flags, Loaded, Sources};

/// The options that choose and override configuration, the same for every command that reads it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigOptions {
    /// Read this file [default: voicera.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "VOICERA_CONFIG")]
    pub config: Option<PathBuf>,
    /// The part to play: all, gateway, voice, users or analytics (`server.role`)
    #[arg(long)]
    pub role: Option<String>,
    /// Address and port to listen on; port 0 picks a free one (`server.listen`)
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Where stores and the first API key are kept (`server.data_dir`)
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Training data beside the built-in pack; may be repeated (`voice.skills`)
    #[arg(long, value_name = "DIR")]
    pub skills: Vec<PathBuf>,
}

impl ConfigOptions {
    /// What this process was given, with these options on top.
    pub fn sources(&self) -> Sources {
        let flags = Flags {
            role: self.role.clone(),
            listen: self.listen.clone(),
            data_dir: self.data_dir.clone(),
            skills: self.skills.clone(),
        };
        Sources::of_process(self.config.clone(), flags)
    }
}

/// Show or check the configuration
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  voicera config show\n  voicera config check --config production.toml")]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What `voicera config` can do.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the effective configuration, with the origin of each value and secrets masked
    #[command(after_help = "Examples:\n  voicera config show\n  voicera config show --config \
                            production.toml\n  voicera config show --json | jq .config.server.listen")]
    Show {
        /// The options that choose and override configuration.
        #[command(flatten)]
        options: ConfigOptions,
        /// Print JSON: the values under "config", their origins under "origins"
        #[arg(long)]
        json: bool,
    },
    /// Validate the configuration without starting anything; exit status 2 if it has errors
    #[command(
        after_help = "Examples:\n  voicera config check\n  voicera config check --config production.toml"
    )]
    Check {
        /// The options that choose and override configuration.
        #[command(flatten)]
        options: ConfigOptions,
    },
}

/// The exit status where everything went well.
pub const DONE: u8 = 0;
/// The exit status of a configuration with errors.
pub const WRONG_CONFIGURATION: u8 = 2;

/// Runs `voicera config …`, writing what was asked for to `out` and errors of the configuration to `err`.
/// Returns the exit status.
///
/// # Errors
///
/// If something cannot be written.
pub fn run(args: &ConfigArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    match &args.command {
        ConfigCommand::Show { options, json } => show(&options.sources(), *json, out, err),
        ConfigCommand::Check { options } => check(&options.sources(), out, err),
    }
}

/// `voicera config show`
///
/// # Errors
///
/// If something cannot be written.
pub fn show(sources: &Sources, json: bool, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let loaded = match Config::load(sources) {
        Ok(loaded) => loaded,
        Err(errors) => return Ok(refused(&errors, err)),
    };
    if json {
        serde_json::to_writer_pretty(&mut *out, &loaded.to_json()?)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", loaded.to_toml()?)?;
    }
    Ok(DONE)
}

/// `voicera config check`
///
/// # Errors
///
/// If something cannot be written.
pub fn check(sources: &Sources, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    match Config::load(sources) {
        Ok(Loaded { origins, .. }) => {
            writeln!(out, "configuration is valid")?;
            let read: Vec<String> = origins.read().iter().map(ToString::to_string).collect();
            let over = if read.is_empty() { String::new() } else { format!(", then {}", read.join(", ")) };
            writeln!(out, "read: the built-in defaults{over}")?;
            Ok(DONE)
        }
        Err(errors) => Ok(refused(&errors, err)),
    }
}

fn refused(errors: &ConfigErrors, err: &mut impl Write) -> u8 {
    // The status says it too, should nobody read this.
    let _ = writeln!(err, "{errors}");
    WRONG_CONFIGURATION
}

#[cfg(test)]
mod tests;
