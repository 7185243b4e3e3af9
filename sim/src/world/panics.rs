//! Panics of hosts. Tokio catches a panic in a task and says nothing; the hook of this module does.
//!
//! The hook is the process's and installed once. It records what happens on a world's thread while a host runs, and
//! passes everything else on to the hook that was there before.

use super::{HostId, current_host};
use crate::interpose;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::{self, PanicHookInfo},
    sync::Once,
    time::Duration,
};

/// A panic in a task of a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} panicked at {at:?} in task {task} ({location}): {message}")]
pub struct HostPanic {
    /// The host.
    pub id: HostId,
    /// Its name.
    pub host: String,
    /// Tokio's number of the task, or `main` for a host's start and end.
    pub task: String,
    /// File, line and column.
    pub location: String,
    /// What was said.
    pub message: String,
    /// Virtual time.
    pub at: Duration,
}

thread_local! {
    static PANICS: RefCell<Vec<HostPanic>> = const { RefCell::new(Vec::new()) };
    static NAMES: RefCell<BTreeMap<HostId, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Tells this thread's reports a host's name.
pub(super) fn name_host(id: HostId, name: &str) {
    NAMES.with_borrow_mut(|names| names.insert(id, name.to_owned()));
}

/// Puts the hook in place.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| match current_host() {
            Some(host) => record(host, info),
            None => before(info),
        }));
    });
}

fn record(id: HostId, info: &PanicHookInfo<'_>) {
    let at = interpose::refreshed_clock().map_or(Duration::ZERO, |clock| clock.now());
    let task = tokio::task::try_id().map_or("main".to_owned(), |task| task.to_string());
    let location = info.location().map_or("unknown".to_owned(), ToString::to_string);
    let name = NAMES.try_with(|names| names.try_borrow().ok()?.get(&id).cloned()).ok().flatten();
    let host = name.unwrap_or_else(|| id.to_string());
    let panic = HostPanic { id, host, task, location, message: message(info.payload()), at };
    // A second panic while the list is borrowed would be one of this module.
    let _ = PANICS.try_with(|panics| panics.try_borrow_mut().map(|mut panics| panics.push(panic)));
}

/// The text of a panic's payload.
pub(super) fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a value that is no text".to_owned())
}

/// How many there were on this thread.
pub(super) fn count() -> usize {
    PANICS.with_borrow(Vec::len)
}

/// Those from number `first` on.
pub(super) fn since(first: usize) -> Vec<HostPanic> {
    PANICS.with_borrow(|panics| panics.get(first..).unwrap_or_default().to_vec())
}

/// Forgets all of this thread.
pub(super) fn clear() {
    PANICS.take();
    NAMES.take();
}
