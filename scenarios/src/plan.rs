//! A plan: the scenario's faults with every node and instant fixed. A driver applies it and decides nothing.

use crate::{
    Action, ByteSize, ClockError, DiskDeed, Fault, FaultId, Files, Lie, LinkQuality, NodeIndex, ProcessDeed, Scenario,
    Target, draw, format_duration,
};
use std::time::Duration;

/// What one run does to its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed that made the choices.
    pub seed: u64,
    /// The faults by start; those that begin together in the order of the file.
    pub faults: Vec<PlannedFault>,
}

/// A fault with its nodes. Times are virtual, from the start of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFault {
    /// Its number in the file.
    pub id: FaultId,
    /// The line of the file that it begins on, from 1.
    pub line: u32,
    /// When it begins.
    pub at: Duration,
    /// When its effect is over; its start for what happens at once, `None` when nodes stay down.
    pub until: Option<Duration>,
    /// The key of its action in the file: `partition`, `kill`, ...
    pub kind: &'static str,
    /// Every node that it is about, ascending, each once.
    pub targets: Vec<NodeIndex>,
    /// What is done.
    pub action: PlannedAction,
    /// The action's nodes and quantities in one line: `n0 n1 | n2 n3 n4`.
    pub detail: String,
}

/// What is done, and to which nodes. No list is empty, but for `restore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedAction {
    /// No packet passes between two groups.
    Partition {
        /// Two or more; every node of the scenario is in exactly one.
        groups: Vec<Vec<NodeIndex>>,
    },
    /// Packets from any of `from` to any of `to` are dropped. The lists share no node.
    OneWay {
        /// The senders.
        from: Vec<NodeIndex>,
        /// The receivers.
        to: Vec<NodeIndex>,
    },
    /// No packet passes between one of these and any other node.
    Isolate {
        /// The nodes, cut off from each other too.
        nodes: Vec<NodeIndex>,
    },
    /// The links between any of `between` and any of `to` get worse, in both directions. The lists share no node.
    Link {
        /// One end.
        between: Vec<NodeIndex>,
        /// The other end.
        to: Vec<NodeIndex>,
        /// By how much.
        quality: LinkQuality,
    },
    /// The processes die; the disks keep what was written.
    Kill {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// They start again after this, or stay down.
        restart_after: Option<Duration>,
    },
    /// The machines die; unsynced writes are lost.
    PowerCut {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// They start again after this, or stay down.
        restart_after: Option<Duration>,
        /// Of each file's unsynced bytes a prefix survives.
        torn: bool,
    },
    /// The processes stop in order and start at once.
    Restart {
        /// The nodes.
        nodes: Vec<NodeIndex>,
    },
    /// The processes stand still from `at` to `until`.
    Pause {
        /// The nodes.
        nodes: Vec<NodeIndex>,
    },
    /// The processes die and their data directories are gone.
    LoseVolume {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// They start again after this.
        restart_after: Duration,
        /// Those of `nodes` that get their data back from the newest backup before they start, ascending.
        restore: Vec<NodeIndex>,
    },
    /// The processes are stopped, their data directories marked as written by a newer release, and started, which they
    /// must refuse. At `until` the marks are taken back and they are started again.
    SchemaNewer {
        /// The nodes.
        nodes: Vec<NodeIndex>,
    },
    /// The disks misbehave from `at` to `until`.
    Disk {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// How.
        deed: DiskDeed,
    },
    /// Bits flip at rest.
    BitRot {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// Which files; the bits are of any of them.
        files: Files,
        /// How many bits of each node.
        bits: u32,
        /// The processes are killed first, and start again after this; `None` for bits that flip under running ones.
        restart_after: Option<Duration>,
    },
    /// An operator makes a backup of each node that runs.
    Backup {
        /// The nodes.
        nodes: Vec<NodeIndex>,
    },
    /// The wall clocks are wrong from `at` to `until`.
    Clock {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// How wrong.
        error: ClockError,
    },
    /// Other programs take the memory of the machines from `at` to `until`.
    MemoryFull {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// What they leave on each.
        leave: ByteSize,
    },
    /// A liar takes each node's place among the peers from `at` to `until`; then it is gone, and the node with it.
    Lie {
        /// The nodes.
        nodes: Vec<NodeIndex>,
        /// What it does.
        lie: Lie,
    },
}

impl Plan {
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let nodes = scenario.nodes.get();
        let mut faults: Vec<PlannedFault> = scenario.faults.iter().map(|fault| planned(fault, seed, nodes)).collect();
        faults.sort_by_key(|fault| (fault.at, fault.id));
        Plan { seed, faults }
    }
}

fn planned(fault: &Fault, seed: u64, nodes: u16) -> PlannedFault {
    let resolve = |target: &Target| match target {
        Target::Chosen(size) => draw::nodes(seed, fault.id, size.of(usize::from(nodes)), nodes),
        Target::Named(named) => named.clone(),
    };
    let action = match &fault.action {
        Action::Partition { groups, .. } => PlannedAction::Partition { groups: groups.clone() },
        Action::OneWay { from, to, .. } => PlannedAction::OneWay { from: from.clone(), to: to.clone() },
        Action::Isolate { target, .. } => PlannedAction::Isolate { nodes: resolve(target) },
        Action::Link { between, to, quality, .. } => {
            PlannedAction::Link { between: between.clone(), to: to.clone(), quality: *quality }
        }
        Action::Process { deed, target } => {
            let nodes = resolve(target);
            match deed {
                ProcessDeed::Kill { restart_after } => PlannedAction::Kill { nodes, restart_after: *restart_after },
                ProcessDeed::PowerCut { restart_after, torn } => {
                    PlannedAction::PowerCut { nodes, restart_after: *restart_after, torn: *torn }
                }
                ProcessDeed::Restart => PlannedAction::Restart { nodes },
                ProcessDeed::Pause { .. } => PlannedAction::Pause { nodes },
                ProcessDeed::LoseVolume { restart_after, restore } => {
                    let restore = restore.iter().filter(|node| nodes.contains(node)).copied().collect();
                    PlannedAction::LoseVolume { nodes, restart_after: *restart_after, restore }
                }
                ProcessDeed::SchemaNewer { .. } => PlannedAction::SchemaNewer { nodes },
            }
        }
        Action::Disk { deed, target, .. } => PlannedAction::Disk { nodes: resolve(target), deed: deed.clone() },
        Action::BitRot { files, bits, restart_after, target } => PlannedAction::BitRot {
            nodes: resolve(target),
            files: files.clone(),
            bits: *bits,
            restart_after: *restart_after,
        },
        Action::Backup { target } => PlannedAction::Backup { nodes: resolve(target) },
        Action::Clock { error, target, .. } => PlannedAction::Clock { nodes: resolve(target), error: *error },
        Action::MemoryFull { leave, target, .. } => PlannedAction::MemoryFull { nodes: resolve(target), leave: *leave },
        Action::Lie { lie, target, .. } => PlannedAction::Lie { nodes: resolve(target), lie: *lie },
    };
    PlannedFault {
        id: fault.id,
        line: fault.line,
        at: fault.at,
        until: fault.end(),
        kind: fault.action.kind(),
        targets: action.targets(),
        detail: action.detail(),
        action,
    }
}

impl PlannedAction {
    /// Every node that it is about, ascending, each once.
    pub fn targets(&self) -> Vec<NodeIndex> {
        let mut targets = match self {
            PlannedAction::Partition { groups } => groups.concat(),
            PlannedAction::OneWay { from, to } => [from.as_slice(), to].concat(),
            PlannedAction::Link { between, to, .. } => [between.as_slice(), to].concat(),
            PlannedAction::Isolate { nodes }
            | PlannedAction::Kill { nodes, .. }
            | PlannedAction::PowerCut { nodes, .. }
            | PlannedAction::Restart { nodes }
            | PlannedAction::Pause { nodes }
            | PlannedAction::LoseVolume { nodes, .. }
            | PlannedAction::SchemaNewer { nodes }
            | PlannedAction::Disk { nodes, .. }
            | PlannedAction::BitRot { nodes, .. }
            | PlannedAction::Backup { nodes }
            | PlannedAction::Clock { nodes, .. }
            | PlannedAction::MemoryFull { nodes, .. }
            | PlannedAction::Lie { nodes, .. } => nodes.clone(),
        };
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Its nodes and quantities in one line.
    pub fn detail(&self) -> String {
        match self {
            PlannedAction::Partition { groups } => {
                groups.iter().map(|group| names(group)).collect::<Vec<_>>().join(" | ")
            }
            PlannedAction::OneWay { from, to } => format!("{} -> {} dropped", names(from), names(to)),
            PlannedAction::Link { between, to, quality } => {
                format!("{} <-> {} {}", names(between), names(to), worse(quality))
            }
            PlannedAction::Kill { nodes, restart_after } => format!("{}, {}", names(nodes), back(*restart_after)),
            PlannedAction::PowerCut { nodes, restart_after, torn } => {
                let torn = if *torn { "unsynced writes torn, " } else { "" };
                format!("{}, {torn}{}", names(nodes), back(*restart_after))
            }
            PlannedAction::LoseVolume { nodes, restart_after, restore } => {
                let restored = match restore.as_slice() {
                    [] => String::new(),
                    restore => format!(", {} from the newest backup", names(restore)),
                };
                format!("{}, {}{restored}", names(nodes), back(Some(*restart_after)))
            }
            PlannedAction::Disk { nodes, deed } => format!("{}, {deed}", names(nodes)),
            PlannedAction::BitRot { nodes, files, bits, restart_after } => {
                let bits = if *bits == 1 { "1 bit".to_owned() } else { format!("{bits} bits") };
                let killed = restart_after.map_or(String::new(), |_| format!(" while down, {}", back(*restart_after)));
                format!("{}, {bits} of {files} flipped{killed}", names(nodes))
            }
            PlannedAction::Clock { nodes, error } => format!("{}, {error}", names(nodes)),
            PlannedAction::MemoryFull { nodes, leave } => format!("{}, {leave} left", names(nodes)),
            PlannedAction::Lie { nodes, lie } => format!("{}, {lie}", names(nodes)),
            PlannedAction::Isolate { nodes }
            | PlannedAction::Restart { nodes }
            | PlannedAction::Pause { nodes }
            | PlannedAction::SchemaNewer { nodes }
            | PlannedAction::Backup { nodes } => names(nodes),
        }
    }
}

fn names(nodes: &[NodeIndex]) -> String {
    nodes.iter().map(NodeIndex::to_string).collect::<Vec<_>>().join(" ")
}

fn back(restart_after: Option<Duration>) -> String {
    restart_after.map_or("stays down".to_owned(), |after| format!("starts again after {}", format_duration(after)))
}

fn worse(quality: &LinkQuality) -> String {
    let LinkQuality { delay, jitter, loss } = *quality;
    format!("delay {}, jitter {}, loss {loss}", format_duration(delay), format_duration(jitter))
}
