//! Connections of API clients.

use axum::serve::Listener;
use futures::future::BoxFuture;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// API connections open at a time; further ones wait in the listener's backlog.
pub const HTTP_CONNECTIONS_MAX: usize = 256;

trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

trait Accept: Send {
    fn accept(&mut self) -> BoxFuture<'_, (Pin<Box<dyn Duplex>>, SocketAddr)>;
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

impl<L: Listener<Addr = SocketAddr>> Accept for L {
    fn accept(&mut self) -> BoxFuture<'_, (Pin<Box<dyn Duplex>>, SocketAddr)> {
        Box::pin(async {
            let (io, peer) = Listener::accept(self).await;
            (Box::pin(io) as Pin<Box<dyn Duplex>>, peer)
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(self)
    }
}

/// A bound listener of API clients.
pub struct HttpListener {
    inner: Box<dyn Accept>,
    places: Arc<Semaphore>,
}

impl HttpListener {
    /// A seam of any listener that axum can serve.
    pub fn new(listener: impl Listener<Addr = SocketAddr>) -> Self {
        Self { inner: Box::new(listener), places: Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX)) }
    }
}

impl Listener for HttpListener {
    type Io = HttpIo;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (HttpIo, SocketAddr) {
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (io, peer) = self.inner.accept().await;
        (HttpIo { io, _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// One client's connection.
pub struct HttpIo {
    io: Pin<Box<dyn Duplex>>,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for HttpIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for HttpIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_shutdown(cx)
    }
}
