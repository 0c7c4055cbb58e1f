//! Logs and metrics. Logs carry the request's id, never bodies, and libraries that would
//! print what passes through them are kept quiet whatever the filter says. A panic is
//! logged with its place alone, since its message may hold data. Metrics are kept here and
//! rendered for `/metrics`.

use std::{
    panic::{self, PanicHookInfo},
    sync::{Mutex, Once, OnceLock, PoisonError},
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, ParseError, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::LogFormat;

/// Libraries that, when they talk a lot, print headers, statements or bytes.
const QUIET: &[&str] = &["h2", "hyper", "hyper_util", "rustls", "sqlx", "sea_orm", "sea_orm_migration", "tower"];

/// Upper bounds of the buckets of everything that is measured in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// Why logs or metrics can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter can't be read.
    #[error("the log filter can't be read: {0}; set --log to a level such as info")]
    Filter(#[from] ParseError),
    /// The recorder of metrics can't be installed.
    #[error("metrics can't be recorded: {0}")]
    Recorder(#[from] BuildError),
}

/// Write logs to standard error from now on, and log panics. If that was done before,
/// nothing changes.
///
/// # Errors
/// A filter that can't be read.
pub fn init(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let logs = layer(filter, format, std::io::stderr)?;
    // An error means that somebody else, such as a test, has set a subscriber already.
    let _ = tracing_subscriber::registry().with(logs).try_init();
    static HOOK: Once = Once::new();
    HOOK.call_once(|| panic::set_hook(Box::new(log_panic)));
    Ok(())
}

/// The layer that writes logs.
fn layer<S, W>(filter: &str, format: LogFormat, writer: W) -> Result<impl Layer<S>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(filter)?.and(filter_fn(is_harmless));
    let layer = match format {
        LogFormat::Pretty => fmt::layer().with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer).boxed(),
    };
    Ok(layer.with_filter(filter))
}

fn is_harmless(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    !QUIET.contains(&library) || *metadata.level() <= Level::WARN
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(place, thread = thread.name(), "panicked");
}

/// The metrics of this process; they are recorded from the first call on.
///
/// # Errors
/// Another recorder is in place.
pub fn metrics() -> Result<&'static PrometheusHandle, TelemetryError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let recorder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?;
    let handle = recorder.install_recorder()?;
    Ok(HANDLE.get_or_init(|| handle))
}

/// All metrics in Prometheus' text format. Call it, or [`PrometheusHandle::run_upkeep`],
/// every few seconds even if nobody asks: samples pile up in between.
pub fn render_metrics(handle: &PrometheusHandle) -> String {
    handle.run_upkeep();
    handle.render()
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat, work: impl FnOnce()) -> String {
        let paper = Paper::default();
        let writer = paper.clone();
        let logs = layer(filter, format, move || writer.clone()).expect("a good filter");
        tracing::subscriber::with_default(tracing_subscriber::registry().with(logs), work);
        let bytes = paper.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_json_line_carries_the_id_of_its_request() {
        let text = logged("info", LogFormat::Json, || {
            tracing::info_span!("request", id = "r-1").in_scope(|| tracing::info!(answer = 42, "done"));
        });
        let line: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!(line["span"]["id"], "r-1");
        assert_eq!((&line["message"], &line["answer"]), (&"done".into(), &42.into()));
    }

    #[test]
    fn a_line_break_in_a_value_makes_no_second_line() {
        let text = logged("info", LogFormat::Json, || tracing::info!(name = "a\n{\"level\":\"ERROR\"}", "greeted"));
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn libraries_that_print_what_they_carry_stay_quiet_whatever_the_filter_says() {
        let text = logged("trace,h2::hpack=trace", LogFormat::Json, || {
            tracing::trace!(target: "h2::hpack", "authorization: Bearer canary");
            tracing::debug!(target: "sqlx::query", "canary");
            tracing::trace!(target: "chatport_host::server", "ours");
            tracing::warn!(target: "sqlx::query", "slow");
        });
        assert!(!text.contains("canary") && text.contains("ours") && text.contains("slow"), "{text}");
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_its_message() {
        let text = logged("info", LogFormat::Json, || {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(log_panic));
            let result = panic::catch_unwind(|| panic!("canary"));
            panic::set_hook(usual);
            assert!(result.is_err());
        });
        assert!(text.contains("telemetry.rs:") && !text.contains("canary"), "{text}");
    }

    #[test]
    fn metrics_can_be_asked_for_twice_and_show_what_was_counted() {
        let first = metrics().expect("installed");
        let again = metrics().expect("still installed");
        metrics::counter!("telemetry_test_total").increment(3);
        metrics::histogram!("telemetry_test_seconds").record(0.02);
        for handle in [first, again] {
            let text = render_metrics(handle);
            assert!(text.contains("telemetry_test_total 3"), "{text}");
            assert!(text.contains("telemetry_test_seconds_bucket{le=\"0.025\"} 1"), "{text}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_refused() {
        assert!(matches!(init("a=b=c", LogFormat::Json), Err(TelemetryError::Filter(_))));
    }
}
