//! What the thread of a simulation answers when a program asks for entropy, for the time, or for a directory.
//!
//! Programs ask the C library; this crate defines those functions (see [`clock`](self::clock),
//! [`entropy`](self::entropy) and [`files`](self::files)) and answers from the thread's [`Seat`]. Threads without a simulation get the system's
//! answer. A draw outside of any host on a simulation thread comes from the stream `harness`, so that what is drawn
//! once a thread, such as the keys of `HashMap`, is a function of the seed whoever draws first.

mod clock;
mod entropy;
mod files;

use crate::{clock::HostClock, entropy::Stream, host_id::HostId};
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Duration,
};

/// Who is running on this thread, and what it draws from.
pub(crate) struct Seat {
    /// The stream that answers `getrandom`.
    pub rng: Box<Stream>,
    /// The clock that answers `clock_gettime`; none for the harness, which sees real time.
    pub clock: Option<SeatClock>,
    /// The host, or none for the harness.
    pub host: Option<HostId>,
}

/// A host's clock together with its runtime's.
pub(crate) struct SeatClock {
    pub clock: Arc<HostClock>,
    /// A moment on the runtime's paused clock and the virtual time at that moment. None before the runtime exists.
    pub anchor: Option<(tokio::time::Instant, Duration)>,
}

thread_local! {
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
    static HOST: Cell<Option<HostId>> = const { Cell::new(None) };
}

/// Puts `seat` in place and returns the one before.
pub(crate) fn swap(seat: Option<Seat>) -> Option<Seat> {
    HOST.set(seat.as_ref().and_then(|seat| seat.host));
    SEAT.with(|cell| std::mem::replace(&mut *cell.borrow_mut(), seat))
}

/// The host that is running on this thread.
pub(crate) fn current_host() -> Option<HostId> {
    HOST.try_with(Cell::get).unwrap_or(None)
}

/// Tells the seat that its runtime's clock now stands for virtual time `at`. Call inside the runtime's context.
pub(crate) fn set_anchor(at: Duration) -> (tokio::time::Instant, Duration) {
    let anchor = (tokio::time::Instant::now(), at);
    SEAT.with(|cell| {
        if let Some(clock) = cell.borrow_mut().as_mut().and_then(|seat| seat.clock.as_mut()) {
            clock.anchor = Some(anchor);
        }
    });
    anchor
}

/// The running host's clock, brought up to date with its runtime. None outside of a host.
pub(crate) fn refreshed_clock() -> Option<Arc<HostClock>> {
    let (clock, anchor) = SEAT
        .try_with(|cell| {
            let seat = cell.try_borrow().ok()?;
            let seat_clock = seat.as_ref()?.clock.as_ref()?;
            Some((seat_clock.clock.clone(), seat_clock.anchor))
        })
        .ok()
        .flatten()?;
    if let Some((instant, at)) = anchor
        && tokio::runtime::Handle::try_current().is_ok()
    {
        clock.set_now(at + tokio::time::Instant::now().saturating_duration_since(instant));
    }
    Some(clock)
}

/// Checks that this program's calls reach this module. They do not if another library defines the same functions.
pub(crate) fn is_effective() -> bool {
    entropy::is_effective() && clock::is_effective() && files::is_effective()
}

fn with_rng<T>(f: impl FnOnce(&mut Stream) -> T) -> Option<T> {
    SEAT.try_with(|cell| cell.try_borrow_mut().ok()?.as_mut().map(|seat| f(&mut seat.rng))).ok().flatten()
}
