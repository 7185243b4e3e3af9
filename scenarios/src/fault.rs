//! A fault: when it begins, how long it lasts, what it does and to which nodes.

use crate::{ByteSize, ClockError, DiskDeed, Files, Lie, Loss, NodeIndex};
use std::{fmt, time::Duration};

/// One `[[fault]]` of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its number in the file, from 1.
    pub id: FaultId,
    /// The line that it begins on, from 1.
    pub line: u32,
    /// When it begins.
    pub at: Duration,
    /// What it does.
    pub action: Action,
}

impl Fault {
    /// When its effect is over: the end of its window or the restart, its start for what happens at once. `None` when a
    /// node stays down.
    pub fn end(&self) -> Option<Duration> {
        match &self.action {
            Action::Partition { lasts, .. }
            | Action::OneWay { lasts, .. }
            | Action::Isolate { lasts, .. }
            | Action::Link { lasts, .. }
            | Action::Disk { lasts, .. }
            | Action::Clock { lasts, .. }
            | Action::MemoryFull { lasts, .. }
            | Action::Lie { lasts, .. } => Some(self.at.saturating_add(*lasts)),
            Action::BitRot { restart_after, .. } => Some(self.at.saturating_add(restart_after.unwrap_or_default())),
            Action::Backup { .. } => Some(self.at),
            Action::Process { deed, .. } => match deed {
                ProcessDeed::Restart => Some(self.at),
                ProcessDeed::Pause { lasts } | ProcessDeed::SchemaNewer { lasts } => {
                    Some(self.at.saturating_add(*lasts))
                }
                ProcessDeed::LoseVolume { restart_after, .. } => Some(self.at.saturating_add(*restart_after)),
                ProcessDeed::Kill { restart_after } | ProcessDeed::PowerCut { restart_after, .. } => {
                    restart_after.map(|after| self.at.saturating_add(after))
                }
            },
        }
    }
}

/// A fault's number in its file, from 1; written `fault 2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u32);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {}", self.0)
    }
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// No packet passes between two groups. Every node is in exactly one.
    Partition {
        /// How long.
        lasts: Duration,
        /// At least two, none empty; those that the file doesn't name are the last one.
        groups: Vec<Vec<NodeIndex>>,
    },
    /// Packets from any of `from` to any of `to` are dropped; the other way they pass.
    OneWay {
        /// How long.
        lasts: Duration,
        /// The senders.
        from: Vec<NodeIndex>,
        /// The receivers.
        to: Vec<NodeIndex>,
    },
    /// Each target is cut off from every other node, the other targets included.
    Isolate {
        /// How long.
        lasts: Duration,
        /// The nodes.
        target: Target,
    },
    /// The links between any of `between` and any of `to` get worse, in both directions.
    Link {
        /// How long.
        lasts: Duration,
        /// One end.
        between: Vec<NodeIndex>,
        /// The other end.
        to: Vec<NodeIndex>,
        /// By how much.
        quality: LinkQuality,
    },
    /// Something happens to the process of each target.
    Process {
        /// What.
        deed: ProcessDeed,
        /// The nodes.
        target: Target,
    },
    /// The disk of each target misbehaves.
    Disk {
        /// How long.
        lasts: Duration,
        /// How.
        deed: DiskDeed,
        /// The nodes.
        target: Target,
    },
    /// Bits of each target's files flip at rest.
    BitRot {
        /// Which files; the bits are of any of them.
        files: Files,
        /// How many bits of each target.
        bits: u32,
        /// The process is killed first, and starts again after this; `None` for bits that flip under a running one.
        restart_after: Option<Duration>,
        /// The nodes.
        target: Target,
    },
    /// An operator makes a backup of each target that runs.
    Backup {
        /// The nodes.
        target: Target,
    },
    /// The wall clock of each target is wrong. Monotonic time is not.
    Clock {
        /// How long; then the clock is set right.
        lasts: Duration,
        /// How wrong.
        error: ClockError,
        /// The nodes.
        target: Target,
    },
    /// Other programs take the memory of each target's machine.
    MemoryFull {
        /// How long; then they give it back.
        lasts: Duration,
        /// What they leave.
        leave: ByteSize,
        /// The nodes.
        target: Target,
    },
    /// A liar takes each target's place among the peers, and is gone at the end, the node with it.
    Lie {
        /// How long.
        lasts: Duration,
        /// What it does.
        lie: Lie,
        /// The nodes.
        target: Target,
    },
}

impl Action {
    /// The key of the file that names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Action::Partition { .. } => "partition",
            Action::OneWay { .. } => "one_way",
            Action::Isolate { .. } => "isolate",
            Action::Link { .. } => "link",
            Action::Process { deed: ProcessDeed::Kill { .. }, .. } => "kill",
            Action::Process { deed: ProcessDeed::PowerCut { .. }, .. } => "power_cut",
            Action::Process { deed: ProcessDeed::Restart, .. } => "restart",
            Action::Process { deed: ProcessDeed::Pause { .. }, .. } => "pause",
            Action::Process { deed: ProcessDeed::LoseVolume { .. }, .. } => "lose_volume",
            Action::Process { deed: ProcessDeed::SchemaNewer { .. }, .. } => "schema_newer",
            Action::Disk { deed, .. } => deed.kind(),
            Action::BitRot { .. } => "bit_rot",
            Action::Backup { .. } => "backup",
            Action::Clock { .. } => "clock",
            Action::MemoryFull { .. } => "memory_full",
            Action::Lie { .. } => "lie",
        }
    }
}

/// What happens to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessDeed {
    /// The process dies; its sockets close and the disk keeps what was written.
    Kill {
        /// It starts again after this, or stays down.
        restart_after: Option<Duration>,
    },
    /// The machine dies; peers hear nothing and unsynced writes are lost.
    PowerCut {
        /// It starts again after this, or stays down.
        restart_after: Option<Duration>,
        /// Of each file's unsynced bytes a prefix survives.
        torn: bool,
    },
    /// An orderly stop and a start at once.
    Restart,
    /// The process stands still and keeps its sockets.
    Pause {
        /// How long.
        lasts: Duration,
    },
    /// The process dies and its data directory is gone.
    LoseVolume {
        /// It starts again after this.
        restart_after: Duration,
        /// Those targets that get their data back from the newest backup before they start; ascending. A node that is
        /// no target gets nothing.
        restore: Vec<NodeIndex>,
    },
    /// The process is stopped, its data directory marked as written by a newer release, and started, which it must
    /// refuse. At the end the mark is taken back and it is started again.
    SchemaNewer {
        /// How long the mark stays.
        lasts: Duration,
    },
}

/// What a `link` fault adds to a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkQuality {
    /// Added to the latency of each packet.
    pub delay: Duration,
    /// Added to the latency of each packet: up to this much.
    pub jitter: Duration,
    /// Part of the packets that is lost, beside the network's own loss.
    pub loss: Loss,
}

/// The nodes that a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// As many as this, chosen by the seed.
    Chosen(Size),
    /// These, in order; none twice.
    Named(Vec<NodeIndex>),
}

/// How many nodes a target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// One.
    One,
    /// The most that are fewer than half: floor((n - 1) / 2), at least one.
    Minority,
    /// The most that are fewer than a third: floor((n - 1) / 3), at least one.
    Third,
    /// The fewest that are more than half: floor(n / 2) + 1.
    Majority,
    /// All.
    All,
}

impl Size {
    /// Each with its word.
    pub const WORDS: [(&'static str, Size); 5] = [
        ("one", Size::One),
        ("minority", Size::Minority),
        ("third", Size::Third),
        ("majority", Size::Majority),
        ("all", Size::All),
    ];

    /// How many of `nodes` it is; at most `nodes`.
    pub fn of(self, nodes: usize) -> usize {
        let less = nodes.saturating_sub(1);
        let count = match self {
            Size::One => 1,
            Size::Minority => (less / 2).max(1),
            Size::Third => (less / 3).max(1),
            Size::Majority => nodes / 2 + 1,
            Size::All => nodes,
        };
        count.min(nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes() {
        let table: Vec<String> = [1, 2, 3, 4, 5, 6, 7, 10]
            .iter()
            .map(|nodes| format!("{nodes}: {:?}", Size::WORDS.map(|(_, size)| size.of(*nodes))))
            .collect();
        // one, minority, third, majority, all
        assert_eq!(
            table,
            [
                "1: [1, 1, 1, 1, 1]",
                "2: [1, 1, 1, 2, 2]",
                "3: [1, 1, 1, 2, 3]",
                "4: [1, 1, 1, 3, 4]",
                "5: [1, 2, 1, 3, 5]",
                "6: [1, 2, 1, 4, 6]",
                "7: [1, 3, 2, 4, 7]",
                "10: [1, 4, 3, 6, 10]",
            ]
        );
    }
}
