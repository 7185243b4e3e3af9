//! Which ports of loopback a net has, for as long as its folder is there.
//!
//! They are below those that the system hands out to outgoing connections, so that a node that is down finds its port free when
//! it is back; and they follow from the folder's name, so that a net that is made anew has them again.

use super::error::NetError;
use crate::NODES_MAX;
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
};

/// The first port that is chosen. Those below are well-known ones, and what the container profiles publish.
const PORT_MIN: u16 = 20_000;
/// The port behind the last one that is chosen: Linux hands out 32768 and above.
const PORT_END: u16 = 32_000;
/// Ports of one block: the most nodes there can be have one for the API in its first half, and one for peers in its second,
/// which has one more at its end.
const BLOCK: u16 = 100;
const _: () = assert!(NODES_MAX < BLOCK as usize / 2);

/// Addresses of the APIs, and those where peers are waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub api: Vec<SocketAddr>,
    pub p2p: Vec<SocketAddr>,
}

impl Endpoints {
    /// Those of `count` nodes from the given first ports on, which must be free.
    ///
    /// # Errors
    /// [`NetError::Usage`] when they overlap, or one of them is taken or none.
    pub(crate) fn from_ports(p2p: u16, api: u16, count: usize) -> Result<Self, NetError> {
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        if p2p.abs_diff(api) < count || [p2p, api].iter().any(|first| *first == 0 || first.checked_add(count).is_none())
        {
            let hint = "give two first ports that are far enough apart, as in --ports 6000,8000";
            return Err(NetError::Usage(format!("ports {p2p} and {api} are not enough for {count} nodes; {hint}")));
        }
        let endpoints = Self::block(p2p, api, count);
        match endpoints.taken() {
            Some(port) => Err(NetError::Usage(format!("port {port} is in use; give other --ports, or none"))),
            None => Ok(endpoints),
        }
    }

    /// Free ones for `count` nodes of the net in `folder`, at most [`NODES_MAX`]. Until the nodes have them, the listener keeps
    /// other nets from choosing the same: it holds the last port of their block.
    ///
    /// # Errors
    /// [`NetError::Usage`] when every block of ports has one that is in use.
    pub(crate) fn choose(folder: &Path, count: usize) -> Result<(Self, TcpListener), NetError> {
        let count = u16::try_from(count.min(NODES_MAX)).unwrap_or(BLOCK / 2);
        let blocks = (PORT_END - PORT_MIN) / BLOCK;
        let first = (digest(folder.as_os_str().as_encoded_bytes()) % u64::from(blocks)) as u16;
        let block = |n: u16| {
            let base = PORT_MIN + (first + n) % blocks * BLOCK;
            let held = TcpListener::bind(("127.0.0.1", base + BLOCK - 1)).ok()?;
            let endpoints = Self::block(base + BLOCK / 2, base, count);
            endpoints.taken().is_none().then_some((endpoints, held))
        };
        let none = || format!("no {count} free ports from {PORT_MIN} to {PORT_END}; give some with --ports P2P,API");
        (0..blocks).find_map(block).ok_or_else(|| NetError::Usage(none()))
    }

    fn block(p2p: u16, api: u16, count: u16) -> Self {
        let addresses = |first: u16| (0..count).map(|n| SocketAddr::from(([127, 0, 0, 1], first + n))).collect();
        Self { api: addresses(api), p2p: addresses(p2p) }
    }

    /// The first port that somebody has.
    fn taken(&self) -> Option<u16> {
        self.api.iter().chain(&self.p2p).find(|address| is_taken(**address)).map(SocketAddr::port)
    }
}

/// Whether somebody listens there.
pub(crate) fn is_taken(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_err()
}

/// FNV-1a: equal names, equal numbers, in every release.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_has_its_ports_again_and_a_port_that_is_taken_is_none_of_them() {
        let folder = Path::new("/nets/endpoints-test");
        let (first, held) = Endpoints::choose(folder, 4).expect("loopback has free ports");
        let (beside, _) = Endpoints::choose(folder, 4).expect("loopback has free ports");
        assert_ne!(beside, first, "two nets at once have different ports");
        drop(held);
        let (again, _) = Endpoints::choose(folder, 4).expect("loopback has free ports");
        assert_eq!(again, first);
        assert!(first.api.iter().chain(&first.p2p).all(|a| (PORT_MIN..PORT_END).contains(&a.port())));
        let _held = TcpListener::bind(first.p2p[3]).expect("it was free a line above");
        let (second, _) = Endpoints::choose(folder, 4).expect("loopback has free ports");
        assert_ne!(second, first);
        let (p2p, api) = (first.p2p[0].port(), first.api[0].port());
        let error = Endpoints::from_ports(p2p, api, 4).expect_err("one is taken").to_string();
        assert_eq!(error, format!("port {} is in use; give other --ports, or none", first.p2p[3].port()));
    }

    #[test]
    fn ports_that_overlap_or_are_none_are_refused() {
        for (p2p, api) in [(6000, 6003), (0, 8000), (65_533, 8000)] {
            assert!(matches!(Endpoints::from_ports(p2p, api, 4), Err(NetError::Usage(_))), "{p2p} {api}");
        }
    }
}
