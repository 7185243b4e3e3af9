//! Sockets, for code that runs inside a host.

use std::{
    cell::Cell,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil_net::shim::tokio::net as stack;

/// How long a connection may take to open: Linux gives up after as long (`tcp_syn_retries` of 6).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(127);

thread_local! {
    static LOCAL: Cell<IpAddr> = const { Cell::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) };
}

pub(super) fn set_local_address(address: IpAddr) {
    LOCAL.set(address);
}

/// The address of the running host.
pub(super) fn local_address() -> IpAddr {
    LOCAL.get()
}

/// A listening socket of the running host.
#[derive(Debug)]
pub struct TcpListener(stack::TcpListener);

impl TcpListener {
    /// Listens on `address`: the host's own, `127.0.0.1` or `0.0.0.0`. Port 0 takes a free one. Fails with `AddrInUse`
    /// or `AddrNotAvailable`.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        stack::TcpListener::bind(address).await.map(Self)
    }

    /// The next connection, with the peer's address.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// [`TcpListener::accept`] for code without `async`.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.0.poll_accept(cx).map_ok(|(stream, peer)| (TcpStream(stream), peer))
    }

    /// The address that the socket is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection of the running host. Dropping it closes it: with FIN, or with RST if bytes were left unread.
#[derive(Debug)]
pub struct TcpStream(stack::TcpStream);

impl TcpStream {
    /// Connects. Fails with `ConnectionRefused`, or with `TimedOut` after [`CONNECT_TIMEOUT`].
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let timed_out = |_| io::Error::from(io::ErrorKind::TimedOut);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, stack::TcpStream::connect(address)).await;
        connected.map_err(timed_out)?.map(Self)
    }

    /// This end's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The other end's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// Kept, without effect: the stack never delays small segments.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.set_nodelay(nodelay)
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
