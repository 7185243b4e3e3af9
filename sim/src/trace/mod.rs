//! The record of everything that a run does to the outside: packets, disk operations, and what the layers above add.
//!
//! Events of one host and [`Subsystem`] form a *lane*. Each lane has a running SHA-256 over its events' binary fields
//! (length-prefixed), a count, and a [`Checkpoint`] every [`CHECKPOINT_EVERY`] events, so that the memory of a trace
//! does not grow with the length of events. [`Trace::hash`] covers all lanes. With a sink, each event is also one line
//! of text, `host subsystem index seconds text`, which [`first_difference`] compares between two runs.
//!
//! A trace is shared by the simulation thread and RocksDB's threads; the order of events of a lane is the order of
//! the calls.

mod diff;

pub use diff::{DiffError, Difference, first_difference};

use crate::host_id::HostId;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A lane has a checkpoint at each multiple of this many events.
pub const CHECKPOINT_EVERY: u64 = 1024;

/// The part of a host that an event belongs to. Other layers name their own: `Subsystem::new("chain")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subsystem(&'static str);

impl Subsystem {
    /// Packets, recorded at the host that sends them.
    pub const PACKET: Self = Self("packet");
    /// Operations on the simulated disk.
    pub const DISK: Self = Self("disk");
    /// Boots, kills and pauses.
    pub const WORLD: Self = Self("world");

    /// A subsystem of a layer above. `name` is a word without spaces.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The word that stands for it in a text trace.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// The state of a lane after `index` events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The lane's host, by name.
    pub host: String,
    /// The lane's subsystem.
    pub subsystem: &'static str,
    /// Events so far.
    pub index: u64,
    /// Virtual time of the last of them.
    pub at: Duration,
    /// SHA-256 over them.
    pub digest: [u8; 32],
}

/// A handle on a run's trace; clones share it.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    hosts: BTreeMap<HostId, String>,
    lanes: BTreeMap<(HostId, Subsystem), Lane>,
    events: u64,
    sink: Option<Box<dyn Write + Send>>,
    sink_error: Option<io::Error>,
}

#[derive(Default)]
struct Lane {
    digest: Sha256,
    count: u64,
    checkpoints: Vec<(u64, Duration, [u8; 32])>,
}

/// Takes the binary fields of one event into its lane's hash. Byte strings are length-prefixed.
pub struct Fields<'a>(&'a mut Sha256);

impl Fields<'_> {
    /// Adds a number.
    pub fn number(&mut self, value: u64) -> &mut Self {
        self.0.update(value.to_le_bytes());
        self
    }

    /// Adds a byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.0.update((value.len() as u64).to_le_bytes());
        self.0.update(value);
        self
    }
}

impl Trace {
    /// A trace that hashes only.
    pub fn new() -> Self {
        Self::default()
    }

    /// A trace that also writes each event as a line of text. Give a buffered writer. The first write error stops the
    /// text, not the run; see [`Trace::finish`].
    pub fn with_sink(sink: Box<dyn Write + Send>) -> Self {
        let trace = Self::default();
        trace.lock().sink = Some(sink);
        trace
    }

    /// Records an event of `host` at virtual time `at`. `text` runs only if there is a sink.
    pub fn event(
        &self,
        host: HostId,
        subsystem: Subsystem,
        at: Duration,
        fields: impl FnOnce(&mut Fields<'_>),
        text: impl FnOnce() -> String,
    ) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.events += 1;
        let lane = inner.lanes.entry((host, subsystem)).or_default();
        lane.digest.update((at.as_nanos() as u64).to_le_bytes());
        fields(&mut Fields(&mut lane.digest));
        let index = lane.count;
        lane.count += 1;
        if lane.count.is_multiple_of(CHECKPOINT_EVERY) {
            lane.checkpoints.push((lane.count, at, lane.digest.clone().finalize().into()));
        }
        if let Some(sink) = &mut inner.sink {
            let name = inner.hosts.get(&host).map_or("?", String::as_str);
            let text = text().replace('\n', "\\n");
            let (s, ns) = (at.as_secs(), at.subsec_nanos());
            if let Err(error) = writeln!(sink, "{name} {} {index} {s}.{ns:09} {text}", subsystem.0) {
                inner.sink = None;
                inner.sink_error = Some(error);
            }
        }
    }

    /// Records an event that is a line of text.
    pub fn record(&self, host: HostId, subsystem: Subsystem, at: Duration, text: impl fmt::Display) {
        let text = text.to_string();
        self.event(host, subsystem, at, |fields| _ = fields.bytes(text.as_bytes()), || text.clone());
    }

    /// The hash of everything so far: SHA-256 over host, subsystem, count and digest of each lane, in order.
    pub fn hash(&self) -> [u8; 32] {
        let inner = self.lock();
        let mut all = Sha256::new();
        for ((host, subsystem), lane) in &inner.lanes {
            let name = inner.hosts.get(host).map_or("?", String::as_str);
            let mut fields = Fields(&mut all);
            fields.bytes(name.as_bytes()).bytes(subsystem.0.as_bytes()).number(lane.count);
            fields.bytes(&lane.digest.clone().finalize());
        }
        all.finalize().into()
    }

    /// [`Trace::hash`] in hexadecimal.
    pub fn hash_hex(&self) -> String {
        hex::encode(self.hash())
    }

    /// The number of events so far, of all lanes.
    pub fn events(&self) -> u64 {
        self.lock().events
    }

    /// The number of events of each lane so far: host, subsystem, count.
    pub fn counts(&self) -> Vec<(String, &'static str, u64)> {
        let inner = self.lock();
        let name = |host| inner.hosts.get(host).cloned().unwrap_or_default();
        inner.lanes.iter().map(|((host, subsystem), lane)| (name(host), subsystem.0, lane.count)).collect()
    }

    /// All checkpoints so far, lane after lane, each in its order; the last of a lane is its present state.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let inner = self.lock();
        let mut all = Vec::new();
        for ((host, subsystem), lane) in &inner.lanes {
            let last_at = lane.checkpoints.last().map_or(Duration::ZERO, |(_, at, _)| *at);
            let present = (lane.count, last_at, lane.digest.clone().finalize().into());
            for (index, at, digest) in lane.checkpoints.iter().copied().chain([present]) {
                let host = inner.hosts.get(host).cloned().unwrap_or_default();
                all.push(Checkpoint { host, subsystem: subsystem.0, index, at, digest });
            }
        }
        all
    }

    /// Flushes the sink and lets go of it. Fails if a line could not be written.
    pub fn finish(&self) -> io::Result<()> {
        let mut inner = self.lock();
        if let Some(error) = inner.sink_error.take() {
            return Err(error);
        }
        inner.sink.take().map_or(Ok(()), |mut sink| sink.flush())
    }

    pub(crate) fn name_host(&self, host: HostId, name: &str) {
        self.lock().hosts.insert(host, name.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("events", &self.events()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: Subsystem = Subsystem::new("app");

    fn trace(events: &[(u32, &str)]) -> Trace {
        let trace = Trace::new();
        for (host, text) in events {
            trace.name_host(HostId::from_index(*host), &format!("n{host}"));
            trace.record(HostId::from_index(*host), APP, Duration::from_secs(1), text);
        }
        trace
    }

    #[test]
    fn the_hash_tells_order_within_a_lane_and_owner_apart() {
        let base = trace(&[(0, "a"), (0, "b"), (1, "c")]).hash();
        assert_eq!(base, trace(&[(0, "a"), (1, "c"), (0, "b")]).hash(), "lanes are independent");
        assert_ne!(base, trace(&[(0, "b"), (0, "a"), (1, "c")]).hash(), "order counts");
        assert_ne!(base, trace(&[(0, "a"), (0, "b"), (0, "c")]).hash(), "the owner counts");
        assert_ne!(base, trace(&[(0, "a"), (0, "b")]).hash(), "the number counts");
    }

    #[test]
    fn a_lane_has_a_checkpoint_at_its_present_state() {
        let t = trace(&[(0, "a")]);
        for i in 0..CHECKPOINT_EVERY {
            t.record(HostId::from_index(0), APP, Duration::from_secs(2), i);
        }
        let all = t.checkpoints();
        assert_eq!(all.iter().map(|c| c.index).collect::<Vec<_>>(), [CHECKPOINT_EVERY, CHECKPOINT_EVERY + 1]);
        assert_ne!(all[0].digest, all[1].digest);
    }
}
