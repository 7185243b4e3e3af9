//! A testnet of processes that outlive the command that started them: `assay testnet`.
//!
//! ```text
//!   Root ──up──> folder: homes, accounts.json, testnet.json
//!                   │
//!   Net::open ──────┘    reads the state; a change takes the lock, and is written before anything else happens
//!    ├─ status, logs, load, faucet, backup, dump      ask the nodes, as anybody could
//!    └─ chaos, restore, upgrade, down, clean          start and end their processes
//! ```
//!
//! Vocabulary: a *net* is the folder and what runs of it; it *is meant to run* from `up` to `down`; a node is *stopped* when a
//! command ended it and *crashed* when it ended by itself.
//!
//! What holds: a process is signalled only after its start was compared with what the state says ([`ProcessId`]). A node's
//! process is in the state as soon as it has started. Every wait has a bound. Nothing here prints: commands do.
//!
//! What it cannot do: cut nodes off from each other; work on a machine without `/proc` and pidfd (Linux 5.3).

mod accounts;
mod backup;
mod chain;
mod chaos;
mod clean;
mod down;
mod dump;
mod endpoints;
mod error;
mod faucet;
mod files;
mod folder;
mod homes;
mod init;
mod latency;
mod load;
mod log_entries;
mod logs;
mod nodes;
mod process_id;
mod program;
mod ready;
mod state;
mod status;
mod up;
mod upgrade;
mod wallet;
mod watcher;

pub use accounts::{ACCOUNTS_MAX, Account, Accounts, Secret};
pub use backup::{BackedUp, RestoreKind, Restored};
pub use chaos::{Deed, Done};
pub use clean::{Leftover, leftovers};
pub use down::{Down, Wipe};
pub use dump::{Dumped, LOG_BYTES_MAX};
pub use error::{Fault, NetError};
pub use faucet::{PAID_MAX, Paid};
pub use folder::{LATEST, NAME_MAX, NamedState, ROOT, Root};
pub use init::{INIT_PROFILES, InitOptions, Made, MadeNode, init};
pub use latency::{Latencies, Quantiles};
pub use load::{Counts, Load, LoadProgress, LoadReport, RATE_MAX};
pub use logs::{Follow, LogLine};
pub use nodes::{Ending, STARTED_MAX};
pub use process_id::{Condition, ProcessId};
pub use ready::READY_MAX;
pub use state::{NodeState, STATE_VERSION, State};
pub use status::{NodeStatus, RunState, Status};
pub use up::{Existing, Origin, Up, UpOptions, up};
pub use upgrade::Upgraded;

use assay_node::api::Client;
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::TcpStream;

/// How long one question to a node may take.
const ASK_MAX: Duration = Duration::from_secs(5);

/// A net that is there.
#[derive(Debug)]
pub struct Net {
    root: Root,
    folder: PathBuf,
    state: State,
    /// The right to change it; none for who only looks.
    lock: Option<File>,
    /// Where the logs of the nodes end that were started here, from before their start on: by node.
    log_starts: BTreeMap<usize, u64>,
}

impl Net {
    /// The net `name` of `root`, to look at.
    ///
    /// # Errors
    /// [`NetError::NoNet`], or when its state cannot be used.
    pub fn open(root: &Root, name: &str) -> Result<Self, NetError> {
        let name = root.resolve(name)?;
        let folder = root.folder(&name);
        let state = State::read(&folder)?;
        Ok(Self::new(root, folder, state, None))
    }

    /// The net `name` of `root`, to change; no other command changes it for as long as this value lives.
    ///
    /// # Errors
    /// As [`Net::open`], and [`NetError::Busy`].
    pub fn open_to_change(root: &Root, name: &str) -> Result<Self, NetError> {
        let name = root.resolve(name)?;
        // Before the lock, which is a file: no trace is left of a net that is not there.
        State::read(&root.folder(&name))?;
        let lock = root.lock(&name)?;
        Ok(Self { lock: Some(lock), ..Self::open(root, &name)? })
    }

    fn new(root: &Root, folder: PathBuf, state: State, lock: Option<File>) -> Self {
        Self { root: root.clone(), folder, state, lock, log_starts: BTreeMap::new() }
    }

    /// What is known of it.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its accounts are.
    pub fn accounts_file(&self) -> PathBuf {
        self.folder.join(accounts::ACCOUNTS_FILE)
    }

    /// Its funded accounts, secrets and all.
    ///
    /// # Errors
    /// [`NetError::State`].
    pub fn accounts(&self) -> Result<Accounts, NetError> {
        Accounts::read(&self.folder)
    }

    /// The numbers of the nodes that `names` means, in their order and each once; all of them for `all` or no name.
    ///
    /// # Errors
    /// [`NetError::NoNode`].
    pub fn select(&self, names: &[String]) -> Result<Vec<usize>, NetError> {
        let nodes = &self.state.nodes;
        if names.is_empty() || names.iter().any(|name| name == "all") {
            return Ok((0..nodes.len()).collect());
        }
        let mut selected = Vec::new();
        for name in names {
            let found = nodes.iter().position(|node| node.name == *name);
            let n = found.ok_or_else(|| NetError::NoNode { got: name.clone(), known: self.known() })?;
            if !selected.contains(&n) {
                selected.push(n);
            }
        }
        Ok(selected)
    }

    fn known(&self) -> String {
        match self.state.nodes.as_slice() {
            [] => "none".to_owned(),
            [only] => only.name.clone(),
            [first, .., last] => format!("{} to {}", first.name, last.name),
        }
    }

    /// A client of node `n`.
    ///
    /// # Panics
    /// When there is no node `n`; so for all methods that take one.
    pub fn client(&self, n: usize) -> Client {
        let api = self.state.nodes[n].api;
        Client::new(api.to_string(), move || TcpStream::connect(api))
    }

    /// The nodes that run and are not paused.
    pub fn running(&self) -> Vec<usize> {
        (0..self.state.nodes.len()).filter(|n| self.condition(*n) == Condition::Running).collect()
    }

    /// Writes what is known now.
    fn save(&self) -> Result<(), NetError> {
        debug_assert!(self.lock.is_some(), "only who holds the lock changes a net");
        self.state.write(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_meant_by_name() {
        let root = Root::new(Path::new("/nets")).expect("it is absolute");
        let net = Net::new(&root, root.folder("dev"), state::tests::state(4), None);
        let select = |names: &[&str]| net.select(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(select(&[]).expect("all"), [0, 1, 2, 3]);
        assert_eq!(select(&["n2", "all"]).expect("all"), [0, 1, 2, 3]);
        assert_eq!(select(&["n2", "n0", "n2"]).expect("they are there"), [2, 0]);
        let error = select(&["n4"]).expect_err("there are four").to_string();
        assert_eq!(error, "there is no node n4; there are n0 to n3, or 'all'");
    }
}
