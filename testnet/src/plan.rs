//! What a cluster is to be, and its homes on disk.

use crate::{TestnetError, ports};
use assay_node::{
    config::{Config, Miner},
    native::{home::Home, keys},
    types::Genesis,
};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{fs, net::SocketAddr, path::PathBuf};

/// Nodes of one machine, at most: each is a process with a database.
pub const NODES_MAX: usize = 32;

/// A cluster of processes on this machine.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The node's program; see [`crate::program`].
    pub program: PathBuf,
    /// Where homes and logs go.
    pub folder: PathBuf,
    /// The chain of all nodes.
    pub genesis: Genesis,
    /// How many nodes; 1 to [`NODES_MAX`].
    pub nodes: usize,
    /// Hashes that each tries a second, at most.
    pub hash_rate: u64,
    /// The secrets of the nodes' accounts, `n0`'s first, for chains whose genesis names their owners. Nodes beyond these get
    /// new ones.
    pub accounts: Vec<[u8; 32]>,
}

/// A node's place: what its process needs, and where it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub name: String,
    pub home: Home,
    pub log: PathBuf,
    pub api: SocketAddr,
}

impl Plan {
    /// Makes the homes `n0`, `n1` and so on with keys, addresses and each other as bootstrap peers.
    pub(crate) fn lay_out(&self) -> Result<Vec<Place>, TestnetError> {
        if self.nodes == 0 || self.nodes > NODES_MAX {
            return Err(TestnetError::Nodes { got: self.nodes, max: NODES_MAX });
        }
        let ports = ports::free(2 * self.nodes)?;
        let (api, p2p) = ports.split_at(self.nodes);
        let mut places = Vec::new();
        let mut addresses = Vec::new();
        for (n, (api, p2p)) in api.iter().zip(p2p).enumerate() {
            let name = format!("n{n}");
            let home = Home::new(&self.folder.join(&name))?;
            let account = self.accounts.get(n).copied().map_or_else(keys::generate, Ok)?;
            home.create(&self.genesis, account)?;
            let peer = keys::identity(keys::read(&home.node_key())?).public().to_peer_id();
            addresses.push((listen(*p2p), peer));
            let api = SocketAddr::from(([127, 0, 0, 1], *api));
            places.push(Place { log: self.folder.join(format!("{name}.log")), name, home, api });
        }
        for (n, place) in places.iter().enumerate() {
            let config = toml::to_string(&self.config(n, place.api, &addresses)).expect("settings have a TOML form");
            let path = place.home.config();
            fs::write(&path, config).map_err(TestnetError::system(format!("cannot write {}", path.display())))?;
        }
        Ok(places)
    }

    fn config(&self, n: usize, api: SocketAddr, addresses: &[(Multiaddr, PeerId)]) -> Config {
        let others = addresses.iter().enumerate().filter(|(other, _)| *other != n);
        let mut config = Config::default();
        config.api.listen = api;
        config.p2p.listen = addresses[n].0.clone();
        config.p2p.bootstrap = others.map(|(_, (address, peer))| address.clone().with(Protocol::P2p(*peer))).collect();
        config.miner = Miner { hash_rate: self.hash_rate, ..config.miner };
        config
    }
}

fn listen(port: u16) -> Multiaddr {
    Multiaddr::empty().with(Protocol::Ip4([127, 0, 0, 1].into())).with(Protocol::Tcp(port))
}
