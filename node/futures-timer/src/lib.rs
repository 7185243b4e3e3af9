//! The interface of the `futures-timer` crate on tokio's timer.
//!
//! libp2p waits with `futures_timer::Delay`. The published crate runs one background thread that reads the machine's
//! clock: a second clock beside tokio's in production, and one that a simulation cannot drive. The workspace patches it with
//! this one, in every build, so that the node has one timer and a simulated host is the same code as a process.
//!
//! Outside a tokio runtime a [`Delay`] panics when first polled, as [`tokio::time::sleep`] does.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// The longest wait that is armed; tokio's timer wheel ends at about two years.
const DELAY_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A future that completes once, `dur` after it is first polled.
pub struct Delay {
    dur: Duration,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Delay {
    /// A delay of `dur`, at most a year, counted from the first poll: libp2p makes delays before its runtime runs.
    pub fn new(dur: Duration) -> Self {
        Self { dur: dur.min(DELAY_MAX), sleep: None }
    }

    /// Starts again with a new duration, counted from the next poll.
    pub fn reset(&mut self, dur: Duration) {
        *self = Self::new(dur);
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let dur = self.dur;
        self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(dur))).as_mut().poll(cx)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delay").field("dur", &self.dur).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_on_the_runtime_clock_and_starts_again_on_reset() {
        let start = tokio::time::Instant::now();
        let mut delay = Delay::new(Duration::from_secs(3600));
        (&mut delay).await;
        assert_eq!(start.elapsed().as_secs(), 3600);
        delay.reset(Duration::from_secs(60));
        delay.await;
        assert_eq!(start.elapsed().as_secs(), 3660);
    }
}
