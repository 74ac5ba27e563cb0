//! `voicera serve`: plays a role until told to stop.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::Failure;
use crate::cli::config::ConfigOptions;
use crate::config::{Config, LogFormat};
use crate::kit::telemetry::{self, Telemetry, TelemetrySettings};
use crate::roles::{self, API_KEY_FILE, Announcement, Host};

/// Start a role, or all of them
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  voicera serve                                    everything, on 127.0.0.1:3000, data under ./data\n  voicera serve --listen 127.0.0.1:0               on a free port\n  voicera serve --skills my-skills                 with your own intents\n  voicera serve --config production.toml"
)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    options: ConfigOptions,
}

pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let loaded = Config::load(&args.options.sources()).map_err(|errors| Failure::Use(errors.to_string()))?;
    let config = loaded.config;
    let telemetry =
        Telemetry::start(&telemetry_settings(&config)).map_err(|error| Failure::Use(error.to_string()))?;
    let key_file = config.server.data_dir.join(API_KEY_FILE);
    let screen = Arc::new(Screen::new(key_file));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let stop = CancellationToken::new();
        let (again, reload) = watch::channel(());
        tokio::spawn(stop_on_signal(stop.clone())?);
        tokio::spawn(reload_on_signal(again)?);
        let host = Host::new(config, telemetry, Arc::new(move |step| screen.show(&step)), stop, reload);
        Box::pin(roles::run(host)).await.map_err(|error| {
            let message = error.to_string();
            if error.is_wrong_use() { Failure::Use(message) } else { Failure::Failed(message) }
        })
    });
    // A training may still be running on a thread of its own; nobody waits for it.
    runtime.shutdown_background();
    outcome
}

fn telemetry_settings(config: &Config) -> TelemetrySettings {
    let telemetry = &config.telemetry;
    TelemetrySettings {
        format: match telemetry.log_format {
            LogFormat::Auto => telemetry::LogFormat::Auto,
            LogFormat::Text => telemetry::LogFormat::Text,
            LogFormat::Json => telemetry::LogFormat::Json,
        },
        filter: telemetry.log_filter.clone(),
        // The configuration names the collector; where it takes traces is the protocol's to say (OTLP/HTTP).
        otlp_endpoint: telemetry
            .otlp_endpoint
            .is_set()
            .then(|| format!("{}/v1/traces", telemetry.otlp_endpoint.as_str().trim_end_matches('/'))),
        otlp_sample_ratio: telemetry.otlp_sample_ratio,
        service_name: telemetry.service_name.clone(),
    }
}

/// The first signal asks for an orderly end, the second ends at once.
fn stop_on_signal(stop: CancellationToken) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        for done in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if done {
                std::process::exit(1);
            }
            stop.cancel();
        }
    })
}

/// SIGHUP asks to read again what may change while the process runs.
fn reload_on_signal(again: watch::Sender<()>) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            again.send_replace(());
        }
    })
}

/// What takes longer than this gets a progress line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows announcements: the stable lines on standard output, progress on standard error.
struct Screen {
    key_file: PathBuf,
    slow: Mutex<Slow>,
}

struct Slow {
    since: Option<Instant>,
    bar: Option<ProgressBar>,
    told: bool,
}

impl Screen {
    fn new(key_file: PathBuf) -> Self {
        Self { key_file, slow: Mutex::new(Slow { since: None, bar: None, told: false }) }
    }

    fn show(&self, announcement: &Announcement<'_>) {
        match announcement {
            Announcement::Step { what, done, total } => {
                self.slow.lock().unwrap_or_else(PoisonError::into_inner).show(what, *done, *total);
            }
            Announcement::FirstKey(key) => self.say_key(key),
            Announcement::Listening { scheme, address } => {
                self.slow.lock().unwrap_or_else(PoisonError::into_inner).end();
                say_address(scheme, *address);
            }
        }
    }

    fn say_key(&self, key: &SecretString) {
        say(&format!("API key: {}", key.expose_secret()));
        say(&format!("  (shown this once, kept in {})", self.key_file.display()));
    }
}

impl Slow {
    fn show(&mut self, what: &str, done: usize, total: usize) {
        if self.since.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            return;
        }
        if !io::stderr().is_terminal() {
            if !std::mem::replace(&mut self.told, true) {
                tracing::info!(step = what, done, total, "this takes a moment");
            }
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}, {elapsed}");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.since = None;
    }
}

fn say_address(scheme: &str, address: SocketAddr) {
    say(&format!("listening on {scheme}://{address}"));
    say(&format!("API documentation: {scheme}://{address}/docs"));
}

/// Standard output may be closed by whoever started this; serving goes on.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
