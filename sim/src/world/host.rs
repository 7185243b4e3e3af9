//! One host: its clock, entropy, disk and memory, which outlive its processes, and the process that runs.

use super::{Exit, HostId};
use crate::{
    clock::HostClock,
    disk::Disk,
    entropy::Stream,
    interpose::{self, Seat, SeatClock},
    memory::HostMemory,
};
use std::{
    cell::RefCell,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
    time::Instant,
};

pub(super) struct Host {
    pub id: HostId,
    pub name: String,
    pub clock: Arc<HostClock>,
    pub disk: Disk,
    pub memory: HostMemory,
    pub paused: bool,
    pub exit: Rc<RefCell<Option<Exit>>>,
    /// Taken while the host runs.
    rng: Option<Box<Stream>>,
    process: Option<Process>,
    boots: u64,
}

struct Process {
    tasks: LocalSet,
    runtime: Runtime,
    /// A moment on the runtime's clock and the virtual time at that moment.
    anchor: (Instant, Duration),
}

/// Who sat on the thread before; put back when dropped, also by a panic.
struct Turn<'a> {
    rng: &'a mut Option<Box<Stream>>,
    before: Option<Seat>,
}

impl<'a> Turn<'a> {
    fn take(
        id: HostId,
        clock: &Arc<HostClock>,
        rng: &'a mut Option<Box<Stream>>,
        anchor: Option<(Instant, Duration)>,
    ) -> Self {
        let stream = rng.take().expect("a host has one turn at a time");
        let clock = Some(SeatClock { clock: clock.clone(), anchor });
        let before = interpose::swap(Some(Seat { rng: stream, clock, host: Some(id) }));
        Self { rng, before }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.rng = interpose::swap(self.before.take()).map(|seat| seat.rng);
    }
}

impl Host {
    pub fn new(id: HostId, name: &str, clock: Arc<HostClock>, disk: Disk, rng: Stream) -> Self {
        Self {
            id,
            name: name.to_owned(),
            clock,
            disk,
            memory: HostMemory::default(),
            paused: false,
            exit: Rc::default(),
            rng: Some(Box::new(rng)),
            process: None,
            boots: 0,
        }
    }

    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// A panic of `main` itself is a panic of the host like any other.
    pub fn boot<F>(&mut self, now: Duration, main: impl FnOnce() -> F)
    where
        F: Future<Output = Exit> + 'static,
    {
        self.exit = Rc::default();
        self.boots += 1;
        self.disk.attach();
        let turn = Turn::take(self.id, &self.clock, &mut self.rng, None);
        let runtime = runtime();
        let tasks = LocalSet::new();
        let anchor = {
            let _context = runtime.enter();
            let _tasks = tasks.enter();
            let anchor = interpose::set_anchor(now);
            let exit = self.exit.clone();
            if let Ok(main) = catch_unwind(AssertUnwindSafe(main)) {
                tasks.spawn_local(async move {
                    let value = main.await;
                    *exit.borrow_mut() = Some(value);
                });
            }
            anchor
        };
        drop(turn);
        self.process = Some(Process { tasks, runtime, anchor });
    }

    /// Runs the host's tasks until virtual time `end`, then RocksDB's jobs to their end.
    pub fn run_until(&mut self, end: Duration) {
        let Some(Process { tasks, runtime, anchor }) = &self.process else { return };
        let turn = Turn::take(self.id, &self.clock, &mut self.rng, Some(*anchor));
        let deadline = anchor.0 + end.saturating_sub(anchor.1);
        runtime.block_on(tasks.run_until(async move { tokio::time::sleep_until(deadline).await }));
        drop(turn);
        self.disk.wait_for_jobs();
        self.clock.set_now(end);
    }

    /// Goes on after a pause: time has passed, no timer has fired meanwhile.
    pub fn resume(&mut self, now: Duration) {
        self.paused = false;
        let Some(Process { runtime, anchor, .. }) = &self.process else { return };
        let _turn = Turn::take(self.id, &self.clock, &mut self.rng, Some(*anchor));
        runtime.block_on(async {
            let gap = (anchor.0 + now.saturating_sub(anchor.1)).saturating_duration_since(Instant::now());
            tokio::time::advance(gap).await;
        });
    }

    pub fn with<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let Some(Process { tasks, runtime, anchor }) = &self.process else { return f() };
        let _turn = Turn::take(self.id, &self.clock, &mut self.rng, Some(*anchor));
        let _context = runtime.enter();
        let _tasks = tasks.enter();
        f()
    }

    /// Drops the process. What its destructors do is up to the fences of disk and network.
    pub fn stop(&mut self) {
        self.paused = false;
        let Some(Process { tasks, runtime, anchor }) = self.process.take() else { return };
        let _turn = Turn::take(self.id, &self.clock, &mut self.rng, Some(anchor));
        {
            let _context = runtime.enter();
            drop(tasks);
        }
        drop(runtime);
    }
}

/// A runtime with a paused clock.
///
/// Tokio draws two things from a generator that it seeds with, among others, a count of the process's runtimes: the order
/// of `select!` branches without `biased`, and which of several waiters on one `watch` channel wakes first. Code that
/// uses neither is a function of the seed; `tests/select.rs` shows what happens to other code.
fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    builder.build().expect("a runtime without I/O needs nothing from the system")
}
