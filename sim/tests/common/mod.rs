//! What the kernel's tests share: small hosts, and a world of them on a fresh thread.
#![allow(dead_code, reason = "each test program uses some of it")]

use assay_sim::{
    HostId, LinkModel, World, WorldConfig,
    net::{TcpListener, TcpStream},
    world::run_on_fresh_thread,
};
use std::{
    cell::RefCell,
    io,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const PORT: u16 = 7000;

pub fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// Runs `f` in a world of `hosts` hosts named `n0`, `n1`, ...
pub fn world<T: Send>(config: WorldConfig, hosts: u32, f: impl FnOnce(&mut World, &[HostId]) -> T + Send) -> T {
    run_on_fresh_thread("world", || {
        let mut world = World::new(config).expect("a fresh thread");
        let ids: Vec<_> = (0..hosts).map(|i| world.add_host(&format!("n{i}"))).collect();
        f(&mut world, &ids)
    })
    .expect("the test's own assertions hold")
}

/// A link of 20 ms with this much loss.
pub fn lossy(seed: u64, loss: f64) -> WorldConfig {
    let latency = Duration::from_millis(20)..=Duration::from_millis(20);
    WorldConfig::with_link(seed, LinkModel { latency, jitter: Duration::from_millis(1), loss })
}

pub fn any(port: u16) -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, port).into()
}

/// Sends back what it gets, on any number of connections.
pub async fn echo_server() -> String {
    let listener = TcpListener::bind(any(PORT)).await.expect("the port is free");
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Lines that a host's code writes for the test to read.
#[derive(Clone, Default)]
pub struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    pub fn add(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }

    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }
}

/// Sends a byte each second and notes each answer, until the connection fails; that is noted too.
pub async fn pinger(server: SocketAddr, notes: Notes) -> String {
    let mut stream = match TcpStream::connect(server).await {
        Ok(stream) => stream,
        Err(error) => return format!("connect: {:?}", error.kind()),
    };
    let mut byte = [0];
    for n in (0..=u8::MAX).cycle() {
        let sent = stream.write_all(&[n]).await;
        let result = match sent {
            Ok(()) => stream.read(&mut byte).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(1) => notes.add(format!("pong {}", byte[0])),
            Ok(_) => return "closed".to_owned(),
            Err(error) => return format!("{:?}", error.kind()),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    unreachable!("it counts for ever")
}

/// Where a trace writes its text for the test to read.
#[derive(Clone, Default)]
pub struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("unpoisoned"))).expect("text")
    }
}

impl io::Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
