//! The world: hosts on one thread in virtual time, and what a harness may do to them.
//!
//! Virtual time advances in windows. In each, what has arrived is delivered, then every host runs until it has nothing
//! left to do before the window's end, one after the other in a seeded order; then what they sent is put on its way.
//! Hosts share nothing within a window, so a host's run is a function of the seed alone.
//!
//! Ways to stop a host:
//!
//! | | process | sockets | disk |
//! |---|---|---|---|
//! | `kill` | gone at once, as by SIGKILL | the machine closes them: peers get FIN or RST | all that was written stays |
//! | `power_cut` | gone at once | silent; after a reboot, RST to who still sends | only what was synced stays |
//! | `pause` | stands still, as by SIGSTOP | the machine goes on acknowledging and buffering | stands still |
//!
//! Destructors run when a host stops, because Rust has no other way; the disk is fenced before, so they change nothing.
//! After `resume` a host's clocks have jumped by the length of the pause.

mod config;
mod host;
mod panics;
mod thread;

pub use config::{WorldConfig, WorldError};
pub use panics::HostPanic;
pub use thread::{ThreadPanic, run_on_fresh_thread};

use crate::{
    clock::HostClock,
    disk::{self, Disk},
    entropy::{self, Stream},
    host_id::HostId,
    interpose::{self, Seat},
    memory::HostMemory,
    net::Network,
    trace::{Subsystem, Trace},
};
use host::Host;
use rand_chacha::rand_core::Rng;
use std::{fmt, future::Future, net::IpAddr, sync::Arc, time::Duration};

/// What a host's main returns; a word or two for the report.
pub type Exit = String;

/// Hosts, network, disks and clocks of one run.
pub struct World {
    config: WorldConfig,
    now: Duration,
    hosts: Vec<Host>,
    order: Stream,
    // After the hosts, whose sockets need it when they are dropped.
    network: Network,
}

impl World {
    /// An empty world at virtual time zero. It lives on a thread from [`run_on_fresh_thread`].
    pub fn new(config: WorldConfig) -> Result<Self, WorldError> {
        config.check()?;
        if !interpose::is_effective() {
            return Err(WorldError::NotInterposed);
        }
        if !thread::take_freshness() {
            return Err(WorldError::NotFresh);
        }
        panics::install();
        let harness = entropy::stream(config.seed, "harness", "");
        interpose::swap(Some(Seat { rng: Box::new(harness), clock: None, host: None }));
        disk::seed_rocksdb_thread(entropy::stream(config.seed, "rocksdb", "").next_u32());
        let order = entropy::stream(config.seed, "order of hosts", "");
        let network = Network::new(config.seed, config.link.clone(), config.window, config.trace.clone());
        Ok(Self { config, now: Duration::ZERO, hosts: Vec::new(), order, network })
    }

    /// Adds a host, which is down. Its address is `10.0.x.y`.
    ///
    /// # Panics
    /// After the first boot, or if the name is taken or has spaces.
    pub fn add_host(&mut self, name: &str) -> HostId {
        assert!(!name.is_empty() && !name.contains(char::is_whitespace), "a host's name is one word: {name:?}");
        assert!(self.hosts.iter().all(|host| host.name != name), "two hosts named {name}");
        let id = self.network.add_host();
        self.config.trace.name_host(id, name);
        panics::name_host(id, name);
        let clock = Arc::new(HostClock::new(self.config.epoch));
        clock.set_now(self.now);
        let disk = Disk::new(self.config.seed, id, clock.clone(), self.config.trace.clone());
        self.hosts.push(Host::new(id, name, clock, disk, entropy::stream(self.config.seed, "host", name)));
        id
    }

    /// A host's name.
    pub fn name(&self, host: HostId) -> &str {
        &self.hosts[host.index()].name
    }

    /// A host's address.
    pub fn address(&self, host: HostId) -> IpAddr {
        self.network.address(host)
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len() as u32).map(HostId::from_index)
    }

    /// Starts a host. `main` runs now, as the host; the future that it returns runs from the next window on, and may
    /// spawn tasks with `tokio::spawn` and `tokio::task::spawn_local`. The host stays up when it ends.
    ///
    /// # Panics
    /// If the host is up.
    pub fn boot<F>(&mut self, host: HostId, main: impl FnOnce() -> F)
    where
        F: Future<Output = Exit> + 'static,
    {
        assert!(!self.is_up(host), "{} is up already", self.name(host));
        self.network.power_on(host, self.now);
        self.network.set_current(host);
        self.note(host, "boot");
        let now = self.now;
        self.hosts[host.index()].boot(now, main);
    }

    /// Ends a host's process at once. No effect if it is down.
    pub fn kill(&mut self, host: HostId) {
        if !self.is_up(host) {
            return;
        }
        self.note(host, "kill");
        self.stop(host);
        self.hosts[host.index()].disk.recover(false);
        self.network.collect(self.now, self.now);
    }

    /// Cuts the power of a host's machine. No effect if the host is down.
    pub fn power_cut(&mut self, host: HostId) {
        if !self.is_up(host) {
            return;
        }
        self.note(host, "power cut");
        self.stop(host);
        self.hosts[host.index()].disk.recover(true);
        self.network.power_off(host, self.now);
    }

    fn stop(&mut self, host: HostId) {
        self.network.set_current(host);
        let stopped = &mut self.hosts[host.index()];
        stopped.disk.fence();
        stopped.stop();
        stopped.disk.wait_for_jobs();
    }

    /// Makes a host stand still. No effect if it is down or paused.
    pub fn pause(&mut self, host: HostId) {
        if self.is_up(host) && !self.is_paused(host) {
            self.note(host, "pause");
            self.hosts[host.index()].paused = true;
        }
    }

    /// Lets a paused host go on. No effect on others.
    pub fn resume(&mut self, host: HostId) {
        if self.is_paused(host) {
            self.note(host, "resume");
            self.network.set_current(host);
            self.hosts[host.index()].resume(self.now);
        }
    }

    /// True from a pause to the resume, or to the end of the process.
    pub fn is_paused(&self, host: HostId) -> bool {
        self.hosts[host.index()].paused
    }

    /// True from a boot to a kill or power cut, even if the host's main has ended.
    pub fn is_up(&self, host: HostId) -> bool {
        self.hosts[host.index()].is_up()
    }

    /// What the host's main returned; none if it has not, or did not before the host was stopped.
    pub fn exited(&self, host: HostId) -> Option<Exit> {
        self.hosts[host.index()].exit.borrow().clone()
    }

    /// Virtual time since the start of the world.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Runs all hosts until virtual time `t`, rounded up to a millisecond; at once if that is past. Stops early, at the
    /// end of the window, when a task of a host panicked; called again, it goes on.
    pub fn run_until(&mut self, t: Duration) -> Result<(), HostPanic> {
        let target = Duration::from_millis(t.as_nanos().div_ceil(config::NANOS_PER_MILLI) as u64);
        while self.now < target {
            let panics = panics::count();
            self.run_window(target);
            if let Some(panic) = panics::since(panics).into_iter().next() {
                return Err(panic);
            }
        }
        Ok(())
    }

    /// One window, or the part of it up to `target`.
    fn run_window(&mut self, target: Duration) {
        let window = self.config.window.as_nanos();
        let start = self.now.as_nanos() / window * window;
        let grid = Duration::from_nanos((start + window) as u64);
        let end = grid.min(target);
        self.network.start();
        self.network.deliver_due(self.now);
        let mut order: Vec<_> = self.hosts().filter(|host| self.is_up(*host) && !self.is_paused(*host)).collect();
        entropy::shuffle(&mut self.order, &mut order);
        for host in order {
            self.network.set_current(host);
            self.hosts[host.index()].run_until(end);
        }
        self.now = end;
        self.hosts.iter().for_each(|host| host.clock.set_now(end));
        if end == grid {
            self.network.collect(Duration::from_nanos(start as u64), end);
        }
    }

    /// Runs `f` as the host, at the present virtual time: with its clock, entropy, sockets and runtime.
    ///
    /// # Panics
    /// If the host is down. A panic of `f` goes through.
    pub fn with_host<T>(&mut self, host: HostId, f: impl FnOnce() -> T) -> T {
        assert!(self.is_up(host), "{} is down", self.name(host));
        self.network.set_current(host);
        self.hosts[host.index()].with(f)
    }

    /// A host's disk. It outlives its processes.
    pub fn disk(&self, host: HostId) -> &Disk {
        &self.hosts[host.index()].disk
    }

    /// A host's clock, for code of the host that asks for wall time, and to set its skew.
    pub fn clock(&self, host: HostId) -> Arc<HostClock> {
        self.hosts[host.index()].clock.clone()
    }

    /// Makes a host's wall clock wrong, or right with two zeros: it steps to `skew_ms` milliseconds off, and then gains
    /// `drift_ppm` millionths. A machine that is down has a clock too.
    pub fn set_clock_error(&mut self, host: HostId, skew_ms: i64, drift_ppm: i64) {
        self.note(host, "clock");
        let clock = &self.hosts[host.index()].clock;
        clock.set_skew_ns(skew_ms.saturating_mul(config::NANOS_PER_MILLI as i64));
        clock.set_drift_ppm(drift_ppm);
    }

    /// A host's memory. It outlives its processes.
    pub fn memory(&self, host: HostId) -> &HostMemory {
        &self.hosts[host.index()].memory
    }

    /// Where events go.
    pub fn trace(&self) -> &Trace {
        &self.config.trace
    }

    /// All panics of hosts so far.
    pub fn panics(&self) -> Vec<HostPanic> {
        panics::since(0)
    }

    /// The network, to add and remove fault rules.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The stream for `purpose` of `owner` in this run, from its start.
    pub fn stream(&self, purpose: &str, owner: &str) -> Stream {
        entropy::stream(self.config.seed, purpose, owner)
    }

    fn note(&self, host: HostId, what: &'static str) {
        self.config.trace.record(host, Subsystem::WORLD, self.now, what);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for host in self.hosts().filter(|host| self.is_up(*host)).collect::<Vec<_>>() {
            self.stop(host);
        }
        panics::clear();
        interpose::swap(None);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, now, hosts, .. } = self;
        let hosts: Vec<_> = hosts.iter().map(|host| &host.name).collect();
        f.debug_struct("World")
            .field("seed", &config.seed)
            .field("now", now)
            .field("hosts", &hosts)
            .finish_non_exhaustive()
    }
}

/// The host that is running on this thread; none outside of a host.
pub fn current_host() -> Option<HostId> {
    interpose::current_host()
}

/// The running host's clock, up to date; none outside of a host.
pub fn current_clock() -> Option<Arc<HostClock>> {
    interpose::refreshed_clock()
}
