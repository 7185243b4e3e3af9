//! Homes of nodes that know each other.

use super::error::NetError;
use assay_node::{
    config::Config,
    native::{
        home::{Home, HomeError},
        keys,
    },
    types::Genesis,
};
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::{fs, net::SocketAddr};

/// What becomes a home.
pub(crate) struct Seat {
    /// Where it is made; nothing is there.
    pub home: Home,
    /// The secret of the account that its blocks pay, and that votes or leads.
    pub account: [u8; 32],
    /// Where the others reach it, without its peer id.
    pub reached_at: Multiaddr,
    /// Its settings but for the bootstrap peers. They are written as they are: names of hosts are right for containers.
    pub config: Config,
}

/// Makes all homes, each with all others as its bootstrap peers.
///
/// # Errors
/// When something is there already, or the system refuses.
pub(crate) fn make(genesis: &Genesis, seats: Vec<Seat>) -> Result<(), NetError> {
    let mut addresses = Vec::new();
    for Seat { home, account, reached_at, .. } in &seats {
        home.create(genesis, *account).map_err(|error: HomeError| NetError::Testnet(error.into()))?;
        let peer = keys::identity(keys::read(&home.node_key())?).public().to_peer_id();
        addresses.push(reached_at.clone().with(Protocol::P2p(peer)));
    }
    for (n, Seat { home, mut config, .. }) in seats.into_iter().enumerate() {
        let others = addresses.iter().enumerate().filter(|(other, _)| *other != n);
        config.p2p.bootstrap = others.map(|(_, address)| address.clone()).collect();
        let text = toml::to_string(&config).expect("settings have a TOML form");
        let path = home.config();
        fs::write(&path, text).map_err(NetError::system(format!("cannot write {}", path.display())))?;
    }
    Ok(())
}

/// An address of this machine, as peers write it.
pub(crate) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(address.ip().into()).with(Protocol::Tcp(address.port()))
}
