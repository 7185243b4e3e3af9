//! Work that keeps a thread busy: disk access, hashing, executing blocks.

use std::{fmt, sync::Arc};
use tokio::sync::oneshot;

/// Hands the result of work to whoever waits for it.
pub type Deliver = Box<dyn FnOnce() + Send>;
type Work = Box<dyn FnOnce() -> Deliver + Send>;

/// Where blocking work is done.
#[derive(Clone)]
pub struct Blocking(Arc<dyn Fn(Work) + Send + Sync>);

impl Blocking {
    /// Blocking work is handed to `start`, which runs it once, on whichever thread, now or soon, and after it what it
    /// returns: that hands over the result. Between the two a simulation may let the time pass that the work took.
    pub fn new(start: impl Fn(Work) + Send + Sync + 'static) -> Self {
        Self(Arc::new(start))
    }

    /// Runs `work` and waits for its result. Dropping the future does not stop work that has started.
    ///
    /// # Panics
    /// When `work` panicked or the runtime is shutting down before it started.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        (self.0)(Box::new(move || {
            let value = work();
            Box::new(move || {
                // The receiver is gone when the caller was dropped; nobody wants the result then.
                let _nobody_waits = done.send(value);
            })
        }));
        result.await.expect("blocking work panicked; its own message comes first")
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking")
    }
}
