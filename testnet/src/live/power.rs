//! Which nodes' machines have power, as their users notice it.
//!
//! On one machine the end of a process is told to whoever is connected to it, and its port refuses at once. A machine without
//! power tells nobody anything. So what a user sends to it is taken and lost, and an answer, the end of a connection and a new
//! connection wait until there is power again.

use assay_node::api::Client;
use futures::{FutureExt, future::BoxFuture};
use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};

/// The machines without power, by node.
type Dark = BTreeSet<usize>;

/// Who has power; all at first.
#[derive(Debug, Default)]
pub(crate) struct Power(watch::Sender<Dark>);

impl Power {
    /// The power of a node's machine is cut.
    pub fn cut(&self, node: usize) {
        self.0.send_modify(|dark| {
            dark.insert(node);
        });
    }

    /// It is back.
    pub fn back(&self, node: usize) {
        self.0.send_modify(|dark| {
            dark.remove(&node);
        });
    }

    /// A user's client of the node whose API is at `api`.
    pub fn client(&self, node: usize, api: SocketAddr) -> Client {
        let dark = self.0.subscribe();
        Client::new(api.to_string(), move || Line::open(node, api, dark.clone()))
    }
}

/// Waits until a node has power. Whoever gives it may be gone, with everything else of the run.
async fn powered(node: usize, mut dark: watch::Receiver<Dark>) {
    let _gone = dark.wait_for(|dark| !dark.contains(&node)).await;
}

/// A user's connection to a node.
struct Line {
    stream: TcpStream,
    node: usize,
    dark: watch::Receiver<Dark>,
    /// There until the node has power again.
    wait: Option<BoxFuture<'static, ()>>,
}

impl Line {
    async fn open(node: usize, api: SocketAddr, dark: watch::Receiver<Dark>) -> io::Result<Self> {
        powered(node, dark.clone()).await;
        Ok(Self { stream: TcpStream::connect(api).await?, node, dark, wait: None })
    }

    fn is_dark(&self) -> bool {
        self.dark.borrow().contains(&self.node)
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.is_dark() {
            let (node, dark) = (self.node, self.dark.clone());
            let wait = self.wait.get_or_insert_with(|| powered(node, dark).boxed());
            ready!(wait.poll_unpin(cx));
            self.wait = None;
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.is_dark() {
            true => Poll::Ready(Ok(buf.len())),
            false => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.is_dark() {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        time::timeout,
    };

    const SOON: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn a_machine_without_power_says_nothing_not_even_that_it_is_gone() {
        let power = Power::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has ports");
        let api = listener.local_addr().expect("it is bound");
        let mut line = Line::open(0, api, power.0.subscribe()).await.expect("it listens");
        let (mut node, _) = listener.accept().await.expect("a user dials");
        line.write_u8(1).await.expect("it is connected");
        assert_eq!(node.read_u8().await.expect("it has power"), 1);
        power.cut(0);
        drop((node, listener));
        line.write_u8(2).await.expect("nobody says that it is lost");
        assert!(timeout(SOON, line.read_u8()).await.is_err(), "nothing is heard of its end");
        assert!(timeout(SOON, Line::open(0, api, power.0.subscribe())).await.is_err(), "nothing refuses");
        power.back(0);
        line.read_u8().await.expect_err("its end is heard");
        let refused = Line::open(0, api, power.0.subscribe()).await.err().expect("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn others_have_power() {
        let power = Power::default();
        power.cut(0);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has ports");
        let api = listener.local_addr().expect("it is bound");
        Line::open(1, api, power.0.subscribe()).await.expect("it listens");
    }
}
