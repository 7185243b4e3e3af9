//! A node whose network and API connections are in memory, on paused time and a directory of its own.

use crate::{
    Node, Setup,
    api::{Client, client::Answer},
    config::Config,
    crypto::{Address, Keypair},
    native::files::SystemFiles,
    seams::{
        Appender, Blocking, Clock, Disk, Entry, Files, HttpListener, Memory, MemoryUse, Seams, Space, raw_transport,
    },
    types::{Amount, Body, ChainParams, Difficulty, Genesis, Height, Nonce, Payload, Timestamp, Transaction},
};
use axum::{http::Method, serve::Listener};
use libp2p::core::transport::MemoryTransport;
use std::{io, net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc,
    time::Instant,
};

/// Time for a request of a test; longer than any that a node allows itself.
pub const LONG: Duration = Duration::from_secs(60);

/// The secret of the node's administrator.
pub const ADMIN_KEY: [u8; 32] = [5; 32];

/// When the tests take place.
pub const START_MS: u64 = 1_700_000_000_000;

/// Bytes that a connection holds in each direction.
const PIPE_BYTES: usize = 16 * 1024;

/// The system's files on a disk that is half full, whatever that of the machine is.
struct HalfFull(SystemFiles);

impl Files for HalfFull {
    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(Space { total: 1 << 30, free: 1 << 29 })
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.0.list(dir)
    }
    fn entry(&self, path: &Path) -> io::Result<Entry> {
        self.0.entry(path)
    }
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.0.read(path, offset, len)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        self.0.create(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync_dir(dir)
    }
}

/// Connections of clients that have [`PIPES_PER_CLIENT`] each, and how many there were.
struct Pipes(mpsc::Receiver<DuplexStream>, usize);

/// Fewer than the API allows.
const PIPES_PER_CLIENT: usize = 32;

impl Listener for Pipes {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.recv().await {
            Some(pipe) => {
                let client = u8::try_from(1 + self.1 / PIPES_PER_CLIENT).expect("few clients");
                self.1 += 1;
                (pipe, SocketAddr::from(([127, 0, 0, client], 1)))
            }
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 8000)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mining {
    On,
    Off,
}

pub struct Host {
    pub node: Node,
    pipes: mpsc::Sender<DuplexStream>,
    home: TempDir,
}

/// The account that has tokens at genesis.
pub fn rich() -> Keypair {
    Keypair::from_secret([1; 32])
}

/// An account that has none.
pub fn poor() -> Address {
    Keypair::from_secret([2; 32]).address()
}

pub fn body(nonce: u64, amount: u64) -> Body {
    Body {
        chain_id: "test".parse().expect("it is a chain id"),
        sender: rich().public(),
        nonce: Nonce(nonce),
        fee: Amount(10),
        valid_until: Height(1_000_000),
        payload: Payload::Transfer { to: poor(), amount: Amount(amount) },
    }
}

pub fn transfer(nonce: u64, amount: u64) -> Transaction {
    body(nonce, amount).sign(&rich())
}

impl Host {
    pub async fn start(mining: Mining) -> Self {
        Self::start_with(mining, |_| {}).await
    }

    /// Starts a node of a setup that was changed.
    pub async fn start_with(mining: Mining, change: impl FnOnce(&mut Setup)) -> Self {
        let started = Instant::now();
        let clock = Clock::new(move || Timestamp(START_MS + started.elapsed().as_millis() as u64));
        let (pipes, accepted) = mpsc::channel(1);
        let seams = Seams {
            transport: raw_transport(MemoryTransport::default()),
            http: HttpListener::new(Pipes(accepted, 0)),
            disk: Disk::new(rocksdb::Env::new().expect("RocksDB has a default environment"), HalfFull(SystemFiles)),
            clock,
            blocking: Blocking::new(|work| work()()),
            memory: Memory::new(|| MemoryUse { total: 4000, used: 3000, resident: 1000 }),
        };
        let params = ChainParams {
            difficulty_start: Difficulty(4),
            block_interval_ms: 1000,
            confirmations: 2,
            ..Default::default()
        };
        let genesis = Genesis {
            chain_id: "test".parse().expect("it is a chain id"),
            timestamp: Timestamp(START_MS - 1000),
            params,
            accounts: [(rich().address(), Amount(1_000_000))].into(),
            validators: Default::default(),
            operators: Default::default(),
        };
        let home = TempDir::new().expect("there is room for a directory");
        let mut config = Config::default();
        config.storage.path = home.path().join("db");
        config.backup.path = home.path().join("backups");
        config.p2p.listen = "/memory/0".parse().expect("it is a multiaddress");
        config.miner.enabled = mining == Mining::On;
        config.miner.hash_rate = 10;
        config.mempool.account_max = 4;
        let identity = libp2p::identity::Keypair::ed25519_from_bytes([9; 32]).expect("32 bytes are a key");
        let proposer = Some(Keypair::from_secret([3; 32]));
        let mut setup = Setup { config, genesis, identity, proposer, admin_key: Some(ADMIN_KEY) };
        change(&mut setup);
        let node = Node::start(setup, seams).await.expect("the node starts");
        Self { node, pipes, home }
    }

    /// The directory that it lives in.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A connection to the API.
    pub async fn connect(&self) -> DuplexStream {
        open(self.pipes.clone()).await.expect("the node accepts connections")
    }

    pub fn client(&self) -> Client {
        let pipes = self.pipes.clone();
        Client::new("node", move || open(pipes.clone()))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.client().request(Method::GET, path, None, LONG).await.expect("it is answered")
    }

    /// Sends bytes on a connection of their own and gives what comes back until the node closes it.
    pub async fn raw(&self, request: &str) -> String {
        let mut pipe = self.connect().await;
        pipe.write_all(request.as_bytes()).await.expect("the pipe is open");
        let mut answer = String::new();
        pipe.read_to_string(&mut answer).await.expect("the answer is text");
        answer
    }

    /// Waits until the chain is that high.
    pub async fn height(&self, height: u64) {
        let mut snapshot = self.node.view().snapshot.clone();
        snapshot.wait_for(|snapshot| snapshot.head.height >= Height(height)).await.expect("the node runs");
    }
}

async fn open(pipes: mpsc::Sender<DuplexStream>) -> io::Result<DuplexStream> {
    let (ours, theirs) = duplex(PIPE_BYTES);
    pipes.send(theirs).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
    Ok(ours)
}
