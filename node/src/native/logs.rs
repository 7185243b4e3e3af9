//! Log lines: to standard error, as text or JSON. Whoever supervises the process keeps and rotates them.

use crate::config::{Log, LogFormat};
use std::io;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// The levels that `log.level` may name.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// A `log.level` that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log.level has {0:?}; use error, warn, info, debug or trace, or a filter such as info,assay_node::p2p=debug")]
pub struct FilterError(String);

/// Reads `log.level`. A word alone must be a level: taken for a module's name it would silence everything else.
///
/// # Errors
/// [`FilterError`] with the part that is wrong.
pub fn filter(level: &str) -> Result<EnvFilter, FilterError> {
    for part in level.split(',') {
        let word = part.rsplit('=').next().unwrap_or(part).trim();
        if !LEVELS.contains(&word.to_ascii_lowercase().as_str()) {
            return Err(FilterError(part.to_owned()));
        }
    }
    EnvFilter::try_new(level).map_err(|_| FilterError(level.to_owned()))
}

/// Sends this process's log lines to standard error from now on, panics included. Later calls change nothing.
///
/// # Errors
/// [`FilterError`].
pub fn start(log: &Log) -> Result<(), FilterError> {
    let registry = tracing_subscriber::registry().with(filter(&log.level)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    // The first subscriber of a process stays; that can only be one from an earlier call.
    let _already_started = match log.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let cause = panic.payload_as_str().unwrap_or("a value that is no text");
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(place, cause, %backtrace, "node.panicked");
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_taken_and_other_words_are_not() {
        for level in ["info", "WARN", "info,assay_node::p2p=debug", "off,assay_node=trace"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        for level in ["", "inof", "info,loud", "assay_node=loud", "assay_node"] {
            assert!(filter(level).is_err(), "{level}");
        }
        let error = filter("info,loud").expect_err("there is no such level").to_string();
        assert!(error.starts_with("log.level has \"loud\"; use error"), "{error}");
    }
}
