//! Logs, traces and metrics: switched on once, at the start of the process.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::header;
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::kit::health::{Probe, Status};
use crate::kit::http::context::TraceContext;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to switch on.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// How the log is written.
    pub format: LogFormat,
    /// Which targets at which level, in tracing's directive syntax.
    pub filter: String,
    /// Where spans go by OTLP over HTTP (`http://host:4318/v1/traces`); `None` exports nothing.
    pub otlp_endpoint: Option<String>,
    /// The share of new traces that is recorded, 0 to 1.
    pub otlp_sample_ratio: f64,
    /// The name of this process in the traces.
    pub service_name: String,
}

/// Why telemetry could not be switched on.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not in directive syntax.
    #[error("telemetry.log_filter is not readable: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter refused its endpoint.
    #[error("telemetry.otlp_endpoint cannot be used: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The process has a metrics recorder or a log already.
    #[error("telemetry was switched on before: {0}")]
    Twice(String),
}

/// Telemetry that is on; [`Telemetry::shutdown`] flushes it.
#[derive(Debug)]
pub struct Telemetry {
    metrics: PrometheusHandle,
    traces: Option<SdkTracerProvider>,
}

/// Bounds of the duration histograms, in seconds: from 100 µs, what a local answer takes, to 30 s.
const SECONDS: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0,
];

/// How often the recorder folds its samples, which bounds its memory.
const UPKEEP: Duration = Duration::from_secs(5);

impl Telemetry {
    /// Switches on the log, the metrics and, if configured, the export of traces.
    ///
    /// To be called outside the async runtime: the exporter brings a blocking client of its own.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn start(settings: &TelemetrySettings) -> Result<Self, TelemetryError> {
        let twice = |error: &dyn std::fmt::Display| TelemetryError::Twice(error.to_string());
        let metrics = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .map_err(|error| twice(&error))?
            .install_recorder()
            .map_err(|error| twice(&error))?;
        let traces =
            settings.otlp_endpoint.as_deref().map(|endpoint| exporter(endpoint, settings)).transpose()?;

        let text = match settings.format {
            LogFormat::Auto => std::io::stderr().is_terminal(),
            LogFormat::Text => true,
            LogFormat::Json => false,
        };
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let log = if text {
            log.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
        } else {
            log.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        };
        let export = traces
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("voicera")));
        tracing_subscriber::registry()
            .with(EnvFilter::try_new(&settings.filter)?)
            .with(export)
            .with(log)
            .try_init()
            .map_err(|error| twice(&error))?;
        Ok(Self { metrics, traces })
    }

    /// `/metrics`, in Prometheus' text format. Each scrape looks at `probe`, so that what is measured
    /// by looking (queue depth, the age of the oldest job) is as fresh as the scrape.
    pub fn router(&self, probe: Arc<dyn Probe>) -> Router {
        let process = Collector::default();
        process.describe();
        describe_gauge!(
            "voicera_health",
            "1 for a part that works, 0.5 for one whose fallback answers, 0 for one that is down"
        );
        Router::new().route("/metrics", get(render)).with_state(Metrics {
            recorder: self.metrics.clone(),
            process: Arc::new(process),
            probe,
        })
    }

    /// Keeps the recorder's memory bounded until `shutdown`.
    pub fn upkeep(&self, shutdown: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        let recorder = self.metrics.clone();
        async move {
            let mut tick = tokio::time::interval(UPKEEP);
            while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
                recorder.run_upkeep();
            }
        }
    }

    /// Sends the last spans. Blocks for up to five seconds.
    pub fn shutdown(self) {
        if let Some(traces) = self.traces {
            let _ = traces.shutdown_with_timeout(Duration::from_secs(5));
        }
    }
}

fn exporter(endpoint: &str, settings: &TelemetrySettings) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.otlp_sample_ratio))))
        .with_resource(Resource::builder().with_service_name(settings.service_name.clone()).build())
        .build())
}

#[derive(Clone)]
struct Metrics {
    recorder: PrometheusHandle,
    process: Arc<Collector>,
    probe: Arc<dyn Probe>,
}

async fn render(State(metrics): State<Metrics>) -> ([(header::HeaderName, &'static str); 1], String) {
    metrics.process.collect();
    for (name, check) in metrics.probe.health().await.checks {
        let value = match check.status {
            Status::Up => 1.0,
            Status::Degraded => 0.5,
            Status::Down => 0.0,
        };
        gauge!("voicera_health", "check" => name).set(value);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.recorder.render())
}

/// Makes `span` part of the trace that the caller is in, if spans are exported; answers where it
/// then stands. Has to be called before the span is entered.
pub fn join_trace(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext> {
    if let Some(parent) = parent {
        let remote = SpanContext::new(
            TraceId::from(parent.trace_id().0),
            SpanId::from(parent.span_id()),
            TraceFlags::new(parent.flags()),
            true,
            TraceState::default(),
        );
        // Refused only where no exporter listens: then there is nothing to join.
        span.set_parent(opentelemetry::Context::new().with_remote_span_context(remote)).ok()?;
    }
    let context = span.context();
    let here = context.span().span_context().clone();
    here.is_valid().then(|| {
        TraceContext::new(
            u128::from_be_bytes(here.trace_id().to_bytes()),
            u64::from_be_bytes(here.span_id().to_bytes()),
            here.trace_flags().to_u8(),
        )
    })
}
