//! Log lines: as text or JSON, to standard error or to a file.
//!
//! No log line ends or delays the node: what the file does not take goes to standard error, and what that does not take
//! is gone.

use super::log_file::{LogFile, Outcome};
use crate::config::{Log, LogFormat};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
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

/// Where this process's log lines go.
#[derive(Clone, Debug)]
pub struct Logs(Option<Arc<Mutex<LogFile>>>);

impl Logs {
    /// Whether they go to a file.
    pub fn has_file(&self) -> bool {
        self.0.is_some()
    }

    /// Opens the file again, after SIGHUP: another program may have moved it. Without a file nothing is done. Either is
    /// logged.
    pub fn reopen(&self) {
        let Some(file) = &self.0 else {
            tracing::info!(signal = "SIGHUP", "node.signal_ignored");
            return;
        };
        let (path, reopened) = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            (file.path().display().to_string(), file.reopen())
        };
        match reopened {
            Ok(()) => tracing::info!(%path, "log.reopened"),
            Err(cause) => tracing::error!(%path, %cause, "log.reopen_failed"),
        }
    }
}

impl Write for Logs {
    /// Takes one whole line, and never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Some(file) = &self.0 else {
            to_standard_error(line);
            return Ok(line.len());
        };
        let (path, outcome) = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            (file.path().to_owned(), file.add(line, Instant::now()))
        };
        // These lines come back here, which is why the lock is no longer held, and why each change is told once.
        match outcome {
            Outcome::Written => {}
            Outcome::Recovered { lines_missed } => {
                tracing::warn!(path = %path.display(), lines_missed, "log.file_recovered");
            }
            Outcome::Failed(cause) => {
                tracing::error!(path = %path.display(), %cause, "log.file_failed");
                to_standard_error(line);
            }
            Outcome::Missed => to_standard_error(line),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn to_standard_error(line: &[u8]) {
    // There is nobody left to tell: whoever had standard error closed it.
    let _lost = io::stderr().write_all(line);
}

/// Sends this process's log lines, panics included, to where `log` says from now on. Its file is absolute. Later calls
/// change nothing.
///
/// # Errors
/// [`FilterError`].
pub fn start(log: &Log) -> Result<Logs, FilterError> {
    let has_file = !log.file.as_os_str().is_empty();
    let file = has_file.then(|| LogFile::new(log.file.clone(), log.rotate_bytes, log.keep));
    let logs = Logs(file.map(Mutex::new).map(Arc::new));
    let registry = tracing_subscriber::registry().with(filter(&log.level)?);
    let writer = logs.clone();
    let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
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
    Ok(logs)
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
