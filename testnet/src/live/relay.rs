//! TCP relays between processes, one for each node that dials and each that it dials, so that links can be cut and slowed
//! without privileges.
//!
//! ```text
//!   n0 ──dials──> 127.0.0.1:port(0, 1) ──relay──> n1's own port
//! ```
//!
//! A relay carries streams, not packets. While a direction is cut, what was read stays here, a connection that is set up
//! waits, and the end of a connection is not told: the other side hears nothing, as with packets that are dropped. When
//! the cut is over everything goes on at once, where TCP itself would wait for its next retransmission. Loss of packets
//! cannot be had here.

use crate::TestnetError;
use assay_sim::entropy::{self, Stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Connections of one relay at a time; a node keeps three to a peer at most.
const CONNECTIONS_MAX: usize = 8;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 16 << 10;
/// Chunks of one direction that wait; then nothing more is read, so that TCP holds the sender back.
const CHUNKS_MAX: usize = 64;

/// What is done to links.
#[derive(Clone, Debug)]
pub enum LinkRule {
    /// Nothing passes from any of `from` to any of `to`.
    Cut {
        /// The senders.
        from: BTreeSet<usize>,
        /// The receivers.
        to: BTreeSet<usize>,
    },
    /// What passes from any of `from` to any of `to` takes longer.
    Slow {
        /// The senders.
        from: BTreeSet<usize>,
        /// The receivers.
        to: BTreeSet<usize>,
        /// By this much.
        delay: Duration,
        /// By up to this much more.
        jitter: Duration,
    },
}

/// Names a rule that is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(pub(crate) u64);

#[derive(Clone, Debug)]
struct Active {
    rule: LinkRule,
    hits: Arc<AtomicU64>,
}

#[derive(Clone, Debug, Default)]
struct Rules(BTreeMap<RuleId, Active>);

impl Rules {
    /// The cut that `from` to `to` meets.
    fn cut(&self, from: usize, to: usize) -> Option<&Active> {
        self.0.values().find(|active| match &active.rule {
            LinkRule::Cut { from: senders, to: receivers } => senders.contains(&from) && receivers.contains(&to),
            LinkRule::Slow { .. } => false,
        })
    }

    /// How much longer a chunk takes.
    fn delay(&self, from: usize, to: usize, stream: &mut Stream) -> Duration {
        let mut all = Duration::ZERO;
        for active in self.0.values() {
            if let LinkRule::Slow { from: senders, to: receivers, delay, jitter } = &active.rule
                && senders.contains(&from)
                && receivers.contains(&to)
            {
                active.hits.fetch_add(1, Ordering::Relaxed);
                all += *delay + entropy::duration(stream, Duration::ZERO, *jitter);
            }
        }
        all
    }
}

/// The latency of every link, without faults.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// The least.
    pub min: Duration,
    /// The greatest.
    pub max: Duration,
}

/// The relays of a cluster. They end when this is dropped.
#[derive(Debug)]
pub struct Relays {
    rules: watch::Sender<Rules>,
    next: u64,
    ports: BTreeMap<(usize, usize), u16>,
    _tasks: JoinSet<()>,
}

impl Relays {
    /// A relay for each ordered pair of the nodes that listen at `targets`. Each chunk of bytes takes a time within
    /// `latency`, drawn from `seed`.
    ///
    /// # Errors
    /// When loopback has no ports left.
    pub async fn start(targets: &[SocketAddr], latency: Latency, seed: u64) -> Result<Self, TestnetError> {
        let (rules, watched) = watch::channel(Rules::default());
        let (mut ports, mut tasks) = (BTreeMap::new(), JoinSet::new());
        for from in 0..targets.len() {
            for to in (0..targets.len()).filter(|to| *to != from) {
                let failed = || TestnetError::system("cannot listen for a relay on 127.0.0.1");
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed())?;
                ports.insert((from, to), listener.local_addr().map_err(failed())?.port());
                let link = Link { from, to, target: targets[to], latency, seed, rules: watched.clone() };
                tasks.spawn(serve(listener, link));
            }
        }
        Ok(Self { rules, next: 0, ports, _tasks: tasks })
    }

    /// Where node `from` dials node `to`.
    ///
    /// # Panics
    /// When there are no such nodes.
    pub fn port(&self, from: usize, to: usize) -> u16 {
        self.ports[&(from, to)]
    }

    /// A rule takes effect.
    pub fn add(&mut self, rule: LinkRule) -> RuleId {
        let id = RuleId(self.next);
        self.next += 1;
        self.rules.send_modify(|rules| drop(rules.0.insert(id, Active { rule, hits: Arc::default() })));
        id
    }

    /// A rule ends. Returns what it met: chunks, connections and ends of connections that were held or delayed.
    pub fn remove(&mut self, id: RuleId) -> u64 {
        let mut hits = 0;
        self.rules.send_modify(|rules| {
            hits = rules.0.remove(&id).map_or(0, |active| active.hits.load(Ordering::Relaxed));
        });
        hits
    }
}

#[derive(Clone)]
struct Link {
    from: usize,
    to: usize,
    target: SocketAddr,
    latency: Latency,
    seed: u64,
    rules: watch::Receiver<Rules>,
}

impl Link {
    fn reversed(&self) -> Self {
        Self { from: self.to, to: self.from, ..self.clone() }
    }

    fn is_cut(&self) -> bool {
        self.rules.borrow().cut(self.from, self.to).is_some()
    }

    /// Waits until nothing keeps this direction from passing. False when the relays are gone.
    async fn passes(&mut self) -> bool {
        let (from, to) = (self.from, self.to);
        if let Some(active) = self.rules.borrow().cut(from, to) {
            active.hits.fetch_add(1, Ordering::Relaxed);
        }
        self.rules.wait_for(|rules| rules.cut(from, to).is_none()).await.is_ok()
    }
}

async fn serve(listener: TcpListener, link: Link) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut count = 0u64;
    // A failed accept concerns a connection that is gone, or the system is out of files, which passes.
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((dialler, _)) = accepted else {
                    tokio::time::sleep(crate::POLL).await;
                    continue;
                };
                let Ok(place) = places.clone().try_acquire_owned() else { continue };
                count += 1;
                let (link, number) = (link.clone(), count);
                connections.spawn(async move {
                    carry(dialler, link, number).await;
                    drop(place);
                });
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Carries one connection until both directions have ended.
async fn carry(dialler: TcpStream, mut link: Link, number: u64) {
    // To be set up takes packets in both directions.
    let mut back = link.reversed();
    while link.is_cut() || back.is_cut() {
        if !(link.passes().await && back.passes().await) {
            return;
        }
    }
    // Nobody listens there: the dialler's connection ends with this function, as it would have been refused.
    let Ok(listener) = TcpStream::connect(link.target).await else { return };
    // Without it small messages wait for each other; a relay that cannot have it is slower and still right.
    let _both = (dialler.set_nodelay(true), listener.set_nodelay(true));
    let ((from_dialler, to_dialler), (from_listener, to_listener)) = (dialler.into_split(), listener.into_split());
    tokio::join!(pump(from_dialler, to_listener, link, number), pump(from_listener, to_dialler, back, number));
}

/// Carries one direction. Its end, in order or not, is told when the direction passes.
async fn pump(mut source: tcp::OwnedReadHalf, mut sink: tcp::OwnedWriteHalf, mut link: Link, number: u64) {
    let (queue, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let mut stream = entropy::stream(link.seed, "relay", &format!("{} {} {number}", link.from, link.to));
    let (latency, rules, from, to) = (link.latency, link.rules.clone(), link.from, link.to);
    let reader = async move {
        let mut due = Instant::now();
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            // A broken connection is the end of what it had to say.
            let count = source.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return;
            }
            let base = entropy::duration(&mut stream, latency.min, latency.max);
            let delay = base + rules.borrow().delay(from, to, &mut stream);
            due = due.max(Instant::now() + delay);
            if queue.send((due, buffer[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writer = async move {
        while let Some((due, chunk)) = chunks.recv().await {
            sleep_until(due).await;
            if !link.passes().await || sink.write_all(&chunk).await.is_err() {
                return;
            }
        }
        if link.passes().await {
            // The other side may be gone already.
            let _told = sink.shutdown().await;
        }
    };
    tokio::join!(reader, writer);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Latency = Latency { min: Duration::ZERO, max: Duration::from_millis(1) };

    /// Two nodes that listen, the relays between them, and a connection from 0 to 1.
    async fn connected() -> (Relays, TcpStream, TcpStream) {
        let [one, two] = [bound().await, bound().await];
        let targets = [one.local_addr().expect("it is bound"), two.local_addr().expect("it is bound")];
        let relays = Relays::start(&targets, LATENCY, 7).await.expect("loopback has ports");
        let dialler = TcpStream::connect(("127.0.0.1", relays.port(0, 1))).await.expect("the relay listens");
        let (listener, _) = two.accept().await.expect("the relay dials");
        (relays, dialler, listener)
    }

    async fn bound() -> TcpListener {
        TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has ports")
    }

    fn cut(from: usize, to: usize) -> LinkRule {
        LinkRule::Cut { from: [from].into(), to: [to].into() }
    }

    async fn hears_nothing(stream: &mut TcpStream) {
        let heard = tokio::time::timeout(Duration::from_millis(100), stream.read_u8()).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    #[tokio::test]
    async fn what_is_cut_is_held_and_comes_later() {
        let (mut relays, mut dialler, mut listener) = connected().await;
        dialler.write_u8(1).await.expect("it is connected");
        assert_eq!(listener.read_u8().await.expect("it passes"), 1);
        let rule = relays.add(cut(0, 1));
        dialler.write_u8(2).await.expect("the relay takes it");
        hears_nothing(&mut listener).await;
        listener.write_u8(3).await.expect("it is connected");
        assert_eq!(dialler.read_u8().await.expect("the other direction passes"), 3);
        assert_eq!(relays.remove(rule), 1);
        assert_eq!(listener.read_u8().await.expect("it passes again"), 2);
    }

    #[tokio::test]
    async fn an_end_behind_a_cut_is_not_heard() {
        let (mut relays, dialler, mut listener) = connected().await;
        let rule = relays.add(cut(0, 1));
        drop(dialler);
        hears_nothing(&mut listener).await;
        relays.remove(rule);
        assert!(listener.read_u8().await.is_err(), "now it is");
    }

    #[tokio::test]
    async fn a_slow_link_is_slow() {
        let (mut relays, mut dialler, mut listener) = connected().await;
        let delay = Duration::from_millis(300);
        let rule = relays.add(LinkRule::Slow { from: [0].into(), to: [1].into(), delay, jitter: Duration::ZERO });
        let began = Instant::now();
        dialler.write_u8(2).await.expect("it is connected");
        assert_eq!(listener.read_u8().await.expect("it passes"), 2);
        assert!(began.elapsed() >= delay);
        assert_eq!(relays.remove(rule), 1);
    }
}
