//! Liars: what takes a node's place among the peers and breaks the rules of the protocol. One lie a file.
//!
//! | lie | what is done | module |
//! |---|---|---|
//! | `invalid-state-root` | blocks with good work and a wrong state root | [`invalid_state_root`] |
//! | `invalid-signature` | transactions and blocks with wrong signatures | [`invalid_signature`] |
//! | `malformed` | random bytes, by gossip, as requests and answers | [`malformed`] |
//! | `stale-replay` | old blocks, transactions and statuses, again and again | [`stale_replay`] |
//! | `transaction-flood` | transactions that no block can hold | [`transaction_flood`] |
//! | `block-flood` | blocks without work or without a parent | [`block_flood`] |
//! | `withhold` | blocks that are told of and not given | [`withhold`] |
//! | `secret-chain` | a branch that is mined in secret and published at once | [`secret_chain`] |
//! | `slow-sync` | streams and connections of the peer protocol that never finish | [`slow_sync`] |
//! | `slow-rest` | connections of the API that never finish | [`slow_rest`] |
//! | `eclipse` | all of one node's places for connections, under many names | [`eclipse`] |
//! | `false-time` | blocks with timestamps at the bounds and beyond | [`false_time`] |
//! | `double-vote` | each vote twice, for two things | [`voice`] |
//! | `two-proposals` | two blocks in one round | [`voice`] |
//! | `forgetful` | votes for everything, whatever was voted for before | [`voice`] |
//! | `own-blocks` | votes for its own blocks alone, whatever others are locked on | [`own_blocks`] |
//! | `twin` | another node's key on a second host, which is otherwise honest | this one |
//! | `false-certificate` | blocks that one validator has agreed on with itself | [`false_certificate`] |
//! | `two-proposals`, by an operator | two blocks on one parent | [`two_blocks`] |
//! | `false-proofs` | tasks that it has not done | [`false_proofs`] |
//! | `poison-addresses` | addresses of nobody, or of others | [`poison_addresses`] |
//!
//! On a chain with validators, wrong state roots, signatures and times are those of proposals and votes, and who withholds
//! keeps the blocks that it proposes ([`voice`]).
//!
//! A liar is no second node. It has an honest node on its host, under another name and without a miner, that follows the
//! chain for it, and [`forge`] makes blocks with that node's ledger. It speaks over the node's own protocols ([`wire`]), under
//! the name and at the address of the node whose place it takes, and answers as an honest node does where a lie says nothing
//! else. On a chain with operators it shows its tasks like all others ([`duties`]).

mod block_flood;
mod duties;
mod eclipse;
mod false_certificate;
mod false_proofs;
mod false_time;
mod forge;
mod invalid_signature;
mod invalid_state_root;
mod malformed;
mod own_blocks;
mod poison_addresses;
mod secret_chain;
mod slow_rest;
mod slow_sync;
mod stale_replay;
mod transaction_flood;
mod two_blocks;
mod voice;
mod wire;
mod withhold;

use crate::{entropy::Stream, world::current_clock};
use assay_node::{
    NodeView,
    chain::sync::{Request, Response},
    consensus::pos,
    crypto::Keypair,
    p2p::Topic,
    types::{Block, ChainId, Consensus, Seal},
};
use assay_scenarios::{Lie, LieKind};
use forge::Forge;
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, gossipsub, identity,
    multiaddr::Protocol,
    request_response::{Event as SyncEvent, Message},
    swarm::{
        SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};
use tokio::time::MissedTickBehavior;
use voice::Twist;
use wire::{Said, Wire, WireEvent};

/// Time between two dials of a peer that is not connected.
const REDIAL: Duration = Duration::from_secs(1);

/// What a liar is made from.
pub struct Setup {
    /// What it does.
    pub lie: Lie,
    /// Whom an eclipse surrounds: its place in `peers`.
    pub victim: usize,
    /// The name that it goes by: that of the node whose place it takes.
    pub identity: identity::Keypair,
    /// The account that its blocks pay, and that it may spend from.
    pub account: Keypair,
    /// Hashes that it tries a second.
    pub hash_rate: u64,
    /// Where it listens.
    pub listen: Multiaddr,
    /// The other nodes: where they listen, with their names.
    pub peers: Vec<Multiaddr>,
    /// Where their APIs are.
    pub apis: Vec<SocketAddr>,
    /// When the lie ends, in virtual time.
    pub until: Duration,
    /// All that it draws.
    pub stream: Stream,
    /// Counts what it does.
    pub deeds: Rc<Cell<u64>>,
}

/// A liar at work.
struct Liar {
    wire: Swarm<Wire>,
    /// Of the honest node that follows the chain for it.
    view: NodeView,
    chain: ChainId,
    forge: Forge,
    account: Keypair,
    peers: Vec<(PeerId, Multiaddr)>,
    apis: Vec<SocketAddr>,
    until: Duration,
    stream: Stream,
    deeds: Rc<Cell<u64>>,
    /// On a chain with operators.
    credits: duties::Credits,
}

/// What is said to a request.
enum Answer {
    /// What an honest node says.
    Honest,
    /// Nothing: the stream is closed.
    Nothing,
    /// This.
    Say(Said),
}

/// One kind of lie.
trait Deed {
    /// Time between two calls of [`Deed::act`].
    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Does something on its own.
    fn act(&mut self, liar: &mut Liar);

    /// A message of the agreement came by gossip.
    fn hear(&mut self, _liar: &mut Liar, _message: pos::Message) {}

    /// Answers a peer's request.
    fn answer(&mut self, _liar: &mut Liar, _peer: PeerId, _request: &Request) -> Answer {
        Answer::Honest
    }
}

/// Lies until the host is stopped. `view` is of an honest node on the same host.
pub async fn run(setup: Setup, view: NodeView) {
    let chain = view.identity.chain_id.clone();
    let mut wire = wire::swarm(&setup.identity, &chain, view.identity.consensus);
    if setup.lie.kind == LieKind::Twin {
        // The node on this host speaks for itself.
        setup.deeds.set(setup.deeds.get() + 1);
        return std::future::pending().await;
    }
    wire.listen_on(setup.listen.clone()).expect("the node that listened here is gone");
    let name = |address: &Multiaddr| match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some((peer, address.clone())),
        _ => None,
    };
    let liar = Liar {
        wire,
        forge: Forge::new(view.clone(), setup.account.clone(), setup.hash_rate),
        view,
        chain,
        account: setup.account,
        peers: setup.peers.iter().filter_map(name).collect(),
        apis: setup.apis,
        until: setup.until,
        stream: setup.stream,
        deeds: setup.deeds,
        credits: duties::Credits::default(),
    };
    let voice = |twist| -> Box<dyn Deed> { Box::new(voice::Voice::new(twist)) };
    let deed: Box<dyn Deed> = match setup.lie.kind {
        LieKind::DoubleVote => voice(Twist::DoubleVote),
        LieKind::TwoProposals if liar.votes() => voice(Twist::TwoProposals),
        LieKind::TwoProposals => Box::<two_blocks::TwoBlocks>::default(),
        LieKind::FalseProofs => Box::<false_proofs::FalseProofs>::default(),
        LieKind::Forgetful => voice(Twist::Forgetful),
        LieKind::OwnBlocks => Box::<own_blocks::OwnBlocks>::default(),
        LieKind::InvalidStateRoot if liar.votes() => voice(Twist::WrongState),
        LieKind::InvalidSignature if liar.votes() => voice(Twist::WrongSignature),
        LieKind::Withhold if liar.votes() => voice(Twist::Withhold),
        LieKind::FalseTime if liar.votes() => voice(Twist::FalseTime),
        LieKind::FalseCertificate => Box::new(false_certificate::FalseCertificate),
        LieKind::Twin => unreachable!("a twin was dealt with above"),
        LieKind::InvalidStateRoot => Box::new(invalid_state_root::InvalidStateRoot),
        LieKind::InvalidSignature => Box::new(invalid_signature::InvalidSignature),
        LieKind::Malformed => Box::new(malformed::Malformed),
        LieKind::StaleReplay => Box::new(stale_replay::StaleReplay),
        LieKind::TransactionFlood => Box::<transaction_flood::TransactionFlood>::default(),
        LieKind::BlockFlood => Box::<block_flood::BlockFlood>::default(),
        LieKind::Withhold => Box::<withhold::Withhold>::default(),
        LieKind::SecretChain => Box::<secret_chain::SecretChain>::default(),
        LieKind::SlowSync => Box::new(slow_sync::SlowSync),
        LieKind::SlowRest => Box::<slow_rest::SlowRest>::default(),
        LieKind::Eclipse => Box::new(eclipse::Eclipse::new(setup.victim)),
        LieKind::FalseTime => Box::<false_time::FalseTime>::default(),
        LieKind::PoisonAddresses => Box::new(poison_addresses::PoisonAddresses),
    };
    liar.lie(deed).await;
}

impl Liar {
    async fn lie(mut self, mut deed: Box<dyn Deed>) {
        let mut acts = tokio::time::interval(deed.every());
        acts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut dials = tokio::time::interval(REDIAL);
        dials.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = dials.tick() => {
                    self.dial_all();
                    if self.view.identity.consensus == Consensus::Poot {
                        self.do_duties();
                    }
                }
                _ = acts.tick() => deed.act(&mut self),
                event = self.wire.select_next_some() => self.on_event(event, &mut *deed),
            }
        }
    }

    fn dial_all(&mut self) {
        for (peer, address) in self.peers.clone() {
            let dial =
                DialOpts::peer_id(peer).addresses(vec![address]).condition(PeerCondition::DisconnectedAndNotDialing);
            // It is connected, being dialled, or has banned us.
            let _not_now = self.wire.dial(dial.build());
        }
    }

    fn on_event(&mut self, event: SwarmEvent<WireEvent>, deed: &mut dyn Deed) {
        let event = match event {
            SwarmEvent::Behaviour(WireEvent::Sync(event)) => event,
            SwarmEvent::Behaviour(WireEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                let is_agreement = message.topic == Topic::Agreement.on(&self.chain).hash();
                if let Some(heard) = is_agreement.then(|| borsh::from_slice(&message.data).ok()).flatten() {
                    deed.hear(self, heard);
                }
                return;
            }
            _ => return,
        };
        let (peer, request, channel) = match event {
            SyncEvent::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                (peer, request, channel)
            }
            SyncEvent::Message { peer, message: Message::Response { response, .. }, .. } => {
                return self.on_answer(peer, &response.bytes);
            }
            _ => return,
        };
        let Ok(request) = borsh::from_slice::<Request>(&request.bytes) else { return };
        let said = match deed.answer(self, peer, &request) {
            Answer::Honest => self.honest_answer(&request).into(),
            Answer::Say(said) => said,
            Answer::Nothing => return,
        };
        let _peer_is_gone = self.wire.behaviour_mut().sync.send_response(channel, said);
    }

    fn honest_answer(&self, request: &Request) -> Vec<u8> {
        assay_node::encode(&match request {
            Request::Status(_) => Response::Status(self.view.snapshot.borrow().status),
            Request::Blocks { locator, count } => {
                Response::Blocks(self.view.store.range(locator, *count).unwrap_or_default())
            }
            Request::Addresses => Response::Addresses(Vec::new()),
            Request::Witness(_) => Response::Witness(Box::default()),
        })
    }

    /// The peers that are connected and have not banned this liar.
    fn connected(&self) -> Vec<PeerId> {
        self.peers.iter().map(|(peer, _)| *peer).filter(|peer| self.wire.is_connected(peer)).collect()
    }

    /// Gossips this. Counts as a deed if it leaves for anybody.
    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        let sent = self.wire.behaviour_mut().gossip.publish(topic.on(&self.chain), bytes);
        self.did(u64::from(sent.is_ok()));
    }

    /// Sends this to a peer as a request.
    fn ask(&mut self, peer: &PeerId, said: Said) {
        self.wire.behaviour_mut().sync.send_request(peer, said);
        self.did(1);
    }

    /// Whether its chain has validators.
    fn votes(&self) -> bool {
        self.view.identity.consensus == Consensus::Pos
    }

    /// Seals a block anew after a change, as the operator that has led it.
    fn seal_again(&self, block: &mut Block) {
        if let Seal::Poot { rank, .. } = block.header.seal {
            block.header.lead(rank, &self.account);
        }
    }

    /// Counts deeds.
    fn did(&self, deeds: u64) {
        self.deeds.set(self.deeds.get() + deeds);
    }
}

/// Virtual time, on the liar's host.
fn now() -> Duration {
    current_clock().expect("a liar runs on a simulated host").now()
}

/// Random bytes.
fn noise(stream: &mut Stream, len: usize) -> Vec<u8> {
    use rand_chacha::rand_core::Rng;
    let mut bytes = vec![0; len];
    stream.fill_bytes(&mut bytes);
    bytes
}

/// A key that nobody else has.
fn new_key(stream: &mut Stream) -> Keypair {
    let secret = noise(stream, 32);
    Keypair::from_secret(secret.try_into().expect("32 bytes"))
}

/// A name among peers that nobody else has.
fn new_name(stream: &mut Stream) -> identity::Keypair {
    identity::Keypair::ed25519_from_bytes(noise(stream, 32)).expect("32 bytes are a key")
}
