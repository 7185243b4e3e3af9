//! Byte streams between nodes.

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::transport::{Boxed, Transport};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// A transport of plain byte streams, TCP or something that behaves like it.
pub type RawTransport = Boxed<RawStream>;

/// Makes a seam of any libp2p transport whose connections are byte streams.
pub fn raw_transport<T>(transport: T) -> RawTransport
where
    T: Transport + Send + Unpin + 'static,
    T::Output: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    T::Dial: Send,
    T::ListenerUpgrade: Send,
    T::Error: Send + Sync,
{
    transport.map(|stream, _| RawStream(Box::pin(stream))).boxed()
}

trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// One connection, not yet encrypted.
pub struct RawStream(Pin<Box<dyn Duplex>>);

impl AsyncRead for RawStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for RawStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_close(cx)
    }
}
