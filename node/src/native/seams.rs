//! The six seams of a process.

use super::{files::SystemFiles, memory};
use crate::{
    seams::{Blocking, Clock, Disk, HttpListener, Memory, RawTransport, Seams, raw_transport},
    types::Timestamp,
};
use axum::serve::{Listener, ListenerExt};
use libp2p::{Multiaddr, dns, multiaddr::Protocol, tcp};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, runtime::Handle};

/// An address that a node should listen on and cannot.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Something listens there already.
    #[error("{key} = {address} is in use by another process; stop that one or set another address")]
    InUse {
        /// The setting.
        key: &'static str,
        /// Its value.
        address: SocketAddr,
    },
    /// The system refuses for another reason.
    #[error(
        "cannot listen on {key} = {address}: {cause}; set an address and port of this machine that its user may use"
    )]
    Refused {
        /// The setting.
        key: &'static str,
        /// Its value.
        address: SocketAddr,
        /// The system's words.
        cause: io::Error,
    },
    /// RocksDB gives no environment.
    #[error("cannot prepare the disk: {0}; check that memory is left")]
    Disk(#[from] rocksdb::Error),
}

impl ListenError {
    fn new(key: &'static str, address: SocketAddr, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { key, address },
            _ => Self::Refused { key, address, cause },
        }
    }
}

/// Binds the API's listener, so that no other process can take its port from here on. Port 0 takes a free one. Must be
/// called within a tokio runtime.
///
/// # Errors
/// [`ListenError`], which names `api.listen`.
pub async fn bind_api(address: SocketAddr) -> Result<(HttpListener, SocketAddr), ListenError> {
    let failed = |cause| ListenError::new("api.listen", address, cause);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    // A client's connection that refuses the option is served all the same, a little slower.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let bound = Listener::local_addr(&listener).map_err(failed)?;
    Ok((HttpListener::new(listener), bound))
}

/// Tries the address for peers and lets go of it, so that a port in use is told before the database is opened. The network
/// task binds it again; what happens in between shows as that task's failure.
///
/// # Errors
/// [`ListenError`], which names `p2p.listen`.
pub fn try_peer_address(listen: &Multiaddr) -> Result<(), ListenError> {
    let Some(address) = socket_address(listen) else { return Ok(()) };
    std::net::TcpListener::bind(address).map(drop).map_err(|cause| ListenError::new("p2p.listen", address, cause))
}

/// The address of `/ip4/ADDRESS/tcp/PORT` or its IPv6 form; `None` for any other.
pub fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// The seams of this process. Must be called within a multi-threaded tokio runtime, on which blocking work then runs.
///
/// # Errors
/// When RocksDB gives no environment.
pub fn seams(http: HttpListener) -> Result<Seams, ListenError> {
    let runtime = Handle::current();
    Ok(Seams {
        transport: transport(),
        http,
        disk: disk()?,
        clock: Clock::new(now),
        blocking: Blocking::new(move |work| drop(runtime.spawn_blocking(|| work()()))),
        memory: Memory::new(memory::read),
    })
}

/// TCP, to addresses and to names that the machine's name servers know.
fn transport() -> RawTransport {
    let tcp = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    match dns::tokio::Transport::system(tcp()) {
        Ok(named) => raw_transport(named),
        Err(error) => {
            tracing::warn!(%error, "dns.unavailable");
            raw_transport(tcp())
        }
    }
}

/// The system's disk.
///
/// # Errors
/// When RocksDB gives no environment.
pub fn disk() -> Result<Disk, rocksdb::Error> {
    Ok(Disk::new(rocksdb::Env::new()?, SystemFiles))
}

/// The system's wall clock; 1970 for a clock that is set to before it.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_told_with_its_setting() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = taken.local_addr().expect("it is bound");
        let listen = Multiaddr::empty().with(Protocol::Ip4([127, 0, 0, 1].into())).with(Protocol::Tcp(address.port()));
        let error = try_peer_address(&listen).expect_err("the port is taken").to_string();
        assert_eq!(
            error,
            format!("p2p.listen = {address} is in use by another process; stop that one or set another address")
        );
    }

    #[test]
    fn socket_addresses_come_from_ip_and_tcp_alone() {
        let of = |text: &str| socket_address(&text.parse().expect("it is a multiaddress")).map(|a| a.to_string());
        assert_eq!(of("/ip4/192.0.2.1/tcp/6000").as_deref(), Some("192.0.2.1:6000"));
        assert_eq!(of("/ip6/::1/tcp/6000").as_deref(), Some("[::1]:6000"));
        assert_eq!(of("/ip4/192.0.2.1/udp/6000"), None);
    }
}
