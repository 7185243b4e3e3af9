//! What is known of a net: `testnet.json`.

use super::{error::NetError, files, process_id::ProcessId};
use assay_node::types::{ChainId, Consensus, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The form of the file. A reader refuses any other.
pub const STATE_VERSION: u32 = 1;

/// Its name in the net's folder.
pub(crate) const STATE_FILE: &str = "testnet.json";

/// Bytes of the file, at most: far above that of the largest net.
const STATE_BYTES_MAX: u64 = 1 << 20;

/// A net. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// [`STATE_VERSION`].
    pub version: u32,
    /// Its name, which is that of its folder.
    pub name: String,
    /// How its nodes agree.
    pub consensus: Consensus,
    /// The chain.
    pub chain_id: ChainId,
    /// What the chain aims at between two blocks, in milliseconds.
    pub block_interval_ms: u64,
    /// When it was made, in milliseconds since 1970.
    pub created: Timestamp,
    /// Whether it is meant to run: from `up` to `down`.
    pub running: bool,
    /// The program that a node gets unless it has another one.
    pub program: PathBuf,
    /// Its nodes, `n0` first.
    pub nodes: Vec<NodeState>,
}

/// A node of a net.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeState {
    /// Its name: `n0`.
    pub name: String,
    /// The directory it lives in.
    pub home: PathBuf,
    /// Its log; older parts of it have `.1` and so on behind the name.
    pub log: PathBuf,
    /// Where it serves its API.
    pub api: SocketAddr,
    /// Where it waits for peers.
    pub p2p: SocketAddr,
    /// The program it runs, or ran last.
    pub program: PathBuf,
    /// Its process, from its start until it was ended by a command; one that ended by itself stays named here.
    pub process: Option<ProcessId>,
}

impl State {
    /// Reads the state of the net in `folder`.
    ///
    /// # Errors
    /// [`NetError::NoNet`], [`NetError::Foreign`] or [`NetError::State`].
    pub fn read(folder: &Path) -> Result<Self, NetError> {
        let path = folder.join(STATE_FILE);
        let failed = |cause: String| NetError::State { path: path.clone(), cause };
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > STATE_BYTES_MAX => {
                return Err(failed(format!("it is longer than {STATE_BYTES_MAX} bytes")));
            }
            Ok(_) => {}
            Err(_) if folder.symlink_metadata().is_err() => return Err(NetError::NoNet { path: folder.to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(NetError::Foreign { path: folder.to_owned() });
            }
            Err(error) => return Err(failed(error.to_string())),
        }
        let bytes = fs::read(&path).map_err(|error| failed(error.to_string()))?;
        Self::parse(&bytes).map_err(failed)
    }

    /// The version first: of another version nothing else is known.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.version != STATE_VERSION {
            return Err(format!("it has version {}, and this release knows {STATE_VERSION}", head.version));
        }
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Writes it whole or not at all.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), NetError> {
        files::write_json(&folder.join(STATE_FILE), self, 0o644)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A net of `count` nodes that do not run.
    pub(crate) fn state(count: u16) -> State {
        let node = |n: u16| NodeState {
            name: format!("n{n}"),
            home: format!("/nets/dev/n{n}").into(),
            log: format!("/nets/dev/n{n}.log").into(),
            api: SocketAddr::from(([127, 0, 0, 1], 8000 + n)),
            p2p: SocketAddr::from(([127, 0, 0, 1], 6000 + n)),
            program: "/bin/assay-node".into(),
            process: None,
        };
        State {
            version: STATE_VERSION,
            name: "dev".into(),
            consensus: Consensus::Pow,
            chain_id: "dev".parse().expect("it is a chain's name"),
            block_interval_ms: 2000,
            created: Timestamp(1_700_000_000_000),
            running: false,
            program: "/bin/assay-node".into(),
            nodes: (0..count).map(node).collect(),
        }
    }

    #[test]
    fn it_survives_its_file() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let mut written = state(2);
        written.nodes[1].process = Some(ProcessId { pid: 5, started: 77, boot: "b".into() });
        written.write(folder.path()).expect("the folder is ours");
        assert_eq!(State::read(folder.path()).expect("it was written a line above"), written);
        written.running = true;
        written.write(folder.path()).expect("the folder is ours");
        assert_eq!(State::read(folder.path()).expect("it was written a line above"), written);
        let files = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(files, 1, "nothing but the state is left");
    }

    #[test]
    fn what_is_none_is_told_apart() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        assert!(matches!(State::read(&folder.path().join("a")), Err(NetError::NoNet { .. })));
        assert!(matches!(State::read(folder.path()), Err(NetError::Foreign { .. })));
        assert_eq!(
            State::parse(br#"{"version": 2, "colour": 3}"#),
            Err("it has version 2, and this release knows 1".into())
        );
        let mut text = serde_json::to_value(state(1)).expect("it has a JSON form");
        text["colour"] = 3.into();
        assert!(State::parse(text.to_string().as_bytes()).is_err_and(|error| error.contains("unknown field `colour`")));
    }
}
