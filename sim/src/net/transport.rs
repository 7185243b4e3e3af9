//! libp2p over simulated TCP: what `libp2p-tcp` is in production, with the same addresses. Noise and yamux go on top.

use super::tcp::{TcpListener, TcpStream, local_address};
use futures::{
    FutureExt,
    future::{BoxFuture, Ready, ready},
};
use libp2p::core::{
    Multiaddr, Transport,
    multiaddr::Protocol,
    transport::{DialOpts, ListenerId, TransportError, TransportEvent},
};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

type Stream = Compat<TcpStream>;
type Event = TransportEvent<Ready<io::Result<Stream>>, io::Error>;

/// The transport of one swarm. It understands `/ip4/ADDRESS/tcp/PORT`, with or without `/p2p/PEER` after it.
#[derive(Default)]
pub struct Tcp {
    /// A swarm has a few; `ListenerId` has no order to key a map by.
    listeners: Vec<(ListenerId, Listener)>,
    events: VecDeque<Event>,
    waker: Option<Waker>,
}

enum Listener {
    Binding(BoxFuture<'static, io::Result<TcpListener>>),
    Listening(TcpListener, Multiaddr),
}

fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        _ => return None,
    };
    let Protocol::Tcp(port) = parts.next()? else { return None };
    match parts.next() {
        None => Some(SocketAddr::new(ip, port)),
        Some(Protocol::P2p(_)) if parts.next().is_none() => Some(SocketAddr::new(ip, port)),
        Some(_) => None,
    }
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

/// The address under which others reach a listener.
fn reachable(listener: &TcpListener) -> io::Result<SocketAddr> {
    let bound = listener.local_addr()?;
    Ok(if bound.ip().is_unspecified() { SocketAddr::new(local_address(), bound.port()) } else { bound })
}

impl Tcp {
    fn poll_listener(&mut self, at: usize, cx: &mut Context<'_>) -> Poll<Event> {
        let (id, listener) = &mut self.listeners[at];
        let id = *id;
        match listener {
            Listener::Binding(bind) => {
                let bound = futures::ready!(bind.as_mut().poll(cx));
                let bound = bound.and_then(|socket| reachable(&socket).map(|address| (socket, multiaddr(address))));
                Poll::Ready(match bound {
                    Ok((socket, address)) => {
                        *listener = Listener::Listening(socket, address.clone());
                        TransportEvent::NewAddress { listener_id: id, listen_addr: address }
                    }
                    Err(error) => {
                        self.listeners.remove(at);
                        TransportEvent::ListenerClosed { listener_id: id, reason: Err(error) }
                    }
                })
            }
            Listener::Listening(socket, address) => Poll::Ready(match futures::ready!(socket.poll_accept(cx)) {
                Ok((stream, peer)) => TransportEvent::Incoming {
                    listener_id: id,
                    upgrade: ready(Ok(stream.compat())),
                    local_addr: address.clone(),
                    send_back_addr: multiaddr(peer),
                },
                Err(error) => TransportEvent::ListenerError { listener_id: id, error },
            }),
        }
    }
}

impl Transport for Tcp {
    type Output = Stream;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Stream>>;
    type Dial = BoxFuture<'static, io::Result<Stream>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        let Some(socket) = socket_address(&address) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        self.listeners.push((id, Listener::Binding(TcpListener::bind(socket).boxed())));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let Some(at) = self.listeners.iter().position(|(other, _)| *other == id) else { return false };
        if let (_, Listener::Listening(_, address)) = self.listeners.remove(at) {
            self.events.push_back(TransportEvent::AddressExpired { listener_id: id, listen_addr: address });
        }
        self.events.push_back(TransportEvent::ListenerClosed { listener_id: id, reason: Ok(()) });
        true
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let Some(socket) = socket_address(&address).filter(|a| a.port() != 0 && !a.ip().is_unspecified()) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        Ok(async move { Ok(TcpStream::connect(socket).await?.compat()) }.boxed())
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(event);
        }
        for at in 0..self.listeners.len() {
            if let Poll::Ready(event) = self.poll_listener(at, cx) {
                return Poll::Ready(event);
            }
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
