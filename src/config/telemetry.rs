//! `[telemetry]`: logs and traces.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::checks::Checks;
use super::choice::choice;
use super::url::BaseUrl;

choice! {
    /// How log lines look.
    LogFormat {
        /// Text on a terminal, JSON otherwise.
        Auto = "auto",
        /// Lines made for reading.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

/// `[telemetry]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log_filter: String,
    /// Whether what people said may stand in the log.
    pub log_utterances: bool,
    /// The OTLP/HTTP collector that traces go to, if any.
    pub otlp_endpoint: BaseUrl,
    /// The share of traces that is exported.
    pub otlp_sample_ratio: f64,
    /// The name of this service in traces.
    pub service_name: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
            log_utterances: false,
            otlp_endpoint: BaseUrl::default(),
            otlp_sample_ratio: 1.0,
            service_name: "voicera".to_owned(),
        }
    }
}

impl Telemetry {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        if self.log_filter.trim().is_empty() || EnvFilter::try_new(&self.log_filter).is_err() {
            checks.refuse(
                "log_filter",
                format!("{:?} is not a log filter", self.log_filter),
                "use a level (error, warn, info, debug, trace, off) or a list such as \
                 \"info,voicera::voice=debug\"",
            );
        }
        checks.range("otlp_sample_ratio", self.otlp_sample_ratio, 0.0..=1.0);
        if self.service_name.trim().is_empty() {
            checks.refuse("service_name", "is empty", "name this service, such as \"voicera\"");
        }
    }
}
