//! Fresh threads. The standard library and tokio draw some of their entropy once a thread (the keys of `HashMap`), so
//! a world that is to be a function of its seed needs a thread on which nothing was drawn before.

use super::panics;
use crate::{
    entropy,
    interpose::{self, Seat},
};
use std::{cell::Cell, thread};

/// What a thread of [`run_on_fresh_thread`] draws before its world exists.
const SEED_BEFORE_WORLD: u64 = 0;

thread_local! {
    static FRESH: Cell<bool> = const { Cell::new(false) };
}

/// The closure given to [`run_on_fresh_thread`] panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("thread {thread} panicked: {message}")]
pub struct ThreadPanic {
    /// The thread's name.
    pub thread: String,
    /// What was said. The panic hook has printed where.
    pub message: String,
}

/// Runs `f` to its end on a new thread of that name, on which one [`World`](super::World) may be made. All entropy
/// that the thread draws is a function of the world's seed, or, before it has a world, the same every time.
///
/// ```
/// use assay_sim::{World, WorldConfig, world::run_on_fresh_thread};
/// let hash = || run_on_fresh_thread("seed 7", || World::new(WorldConfig::new(7)).map(|w| w.trace().hash_hex()));
/// assert_eq!(hash(), hash());
/// ```
#[allow(clippy::disallowed_methods, reason = "a world is one thread; this is the thread")]
pub fn run_on_fresh_thread<T: Send>(name: &str, f: impl FnOnce() -> T + Send) -> Result<T, ThreadPanic> {
    let run = || {
        let rng = Box::new(entropy::stream(SEED_BEFORE_WORLD, "before the world", ""));
        interpose::swap(Some(Seat { rng, clock: None, host: None }));
        FRESH.set(true);
        let result = f();
        interpose::swap(None);
        result
    };
    thread::scope(|scope| {
        let spawned = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, run);
        let failed = |message| ThreadPanic { thread: name.to_owned(), message };
        match spawned {
            Ok(thread) => thread.join().map_err(|payload| failed(panics::message(&*payload))),
            Err(error) => Err(failed(format!("it could not be started: {error}"))),
        }
    })
}

/// True once on each fresh thread.
pub(super) fn take_freshness() -> bool {
    FRESH.replace(false)
}
