//! Connections of the API that are opened, get a byte now and then, and never finish: without a request, with a head that
//! goes on, with a body that goes on. As many as the API lets in, and more.

use super::{Deed, Liar};
use crate::net::TcpStream;
use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connections to each API.
const CONNECTIONS: usize = 150;
/// Time after each byte.
const PACE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct SlowRest {
    open: Vec<Rc<Cell<usize>>>,
}

impl Deed for SlowRest {
    fn act(&mut self, liar: &mut Liar) {
        self.open.resize_with(liar.apis.len(), Rc::default);
        for (api, open) in liar.apis.clone().into_iter().zip(&self.open) {
            for n in open.get()..CONNECTIONS {
                open.set(open.get() + 1);
                liar.did(1);
                let open = open.clone();
                tokio::task::spawn_local(async move {
                    // It ends when the API closes it, and another one takes its place.
                    let _closed = trickle(api, n).await;
                    tokio::time::sleep(PACE).await;
                    open.set(open.get() - 1);
                });
            }
        }
    }
}

/// A request that goes on until the other side has enough.
async fn trickle(api: SocketAddr, n: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(api).await?;
    let kind = n % 3;
    let begins = match kind {
        0 => "",
        1 => "GET /chain/head HTTP/1.1\r\nHost: n0\r\nX-Slow: ",
        _ => "POST /submit-tx HTTP/1.1\r\nHost: n0\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n",
    };
    stream.write_all(begins.as_bytes()).await?;
    let (mut reads, mut writes) = tokio::io::split(stream);
    let mut said = Vec::new();
    let slowly = async {
        loop {
            tokio::time::sleep(PACE).await;
            if kind != 0 {
                writes.write_all(b"a").await?;
            }
        }
    };
    tokio::select! {
        biased;
        ended = reads.read_to_end(&mut said) => ended.map(drop),
        failed = slowly => failed,
    }
}
