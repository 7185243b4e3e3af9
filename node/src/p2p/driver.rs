//! The network task: turns the swarm's events into inputs of the chain, and the chain's commands into messages.

use super::{
    Command, Gossip, StartError, Topic,
    behaviour::{Behaviour, BehaviourEvent},
    book::{self, AddressBook},
    codec::Asked,
    rates::Rates,
    scores::{self, Scores},
    wire,
};
use crate::{
    chain::{
        Offence, Verdict,
        sync::{ADDRESSES_MAX, Request, Response},
    },
    config::P2p,
    node::{Failure, Identity, Input, NodeView, OffenceLabels},
    seams::RawTransport,
    types::Block,
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    gossipsub::{self, MessageAcceptance},
    identify, identity, ping,
    request_response::{
        Event as SyncEvent, InboundFailure, Message, OutboundFailure, OutboundRequestId, ResponseChannel,
    },
    swarm::{self, ConnectionError, ConnectionId, SwarmEvent, dial_opts::DialOpts, dial_opts::PeerCondition},
};
use std::{collections::BTreeMap, io, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How long a connection that no protocol uses stays open.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Time between two looks at the address book.
const TICK: Duration = Duration::from_secs(1);
/// Ranges that are read for peers at a time; further requests are not answered.
pub const RANGES_MAX: usize = 32;
/// Ranges that are read for one peer at a time: an honest one asks for the next when it has the last.
const RANGES_PER_PEER_MAX: usize = 2;
/// Our own questions under way, at most; further ones are not asked. Each peer is asked for a status, for addresses, and
/// one of all for a range.
pub const QUESTIONS_MAX: usize = 512;
/// Streams of a connection whose protocol is not agreed yet.
const NEGOTIATING_MAX: usize = 32;

type Answer = (PeerId, ResponseChannel<Response>, Response);

/// What an answer is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Status,
    Blocks,
    Addresses,
    Witness,
}

/// The network task, not running yet.
pub struct Driver {
    swarm: Swarm<Behaviour>,
    listen: Multiaddr,
    view: NodeView,
    commands: mpsc::Receiver<Command>,
    book: AddressBook,
    scores: Scores,
    rates: Rates,
    /// The connection to each connected peer that stood alone at first: the one on which topics were told.
    first: BTreeMap<PeerId, ConnectionId>,
    /// Ranges that are being read, by who asked.
    reading: BTreeMap<PeerId, usize>,
    asked: BTreeMap<OutboundRequestId, Question>,
    ranges: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Bytes of gossip and answers that each connected peer has sent since it was last told.
    received: BTreeMap<PeerId, u64>,
}

impl Driver {
    /// Sets up the swarm and begins to listen.
    pub(crate) fn new(
        config: &P2p,
        key: identity::Keypair,
        transport: RawTransport,
        view: NodeView,
        commands: mpsc::Receiver<Command>,
    ) -> Result<Self, StartError> {
        let transport = wire::secure(transport, &key)?;
        let Identity { chain_id, consensus, .. } = &*view.identity;
        let behaviour = Behaviour::new(&key, chain_id, *consensus, config.connections_max)?;
        let own = view.identity.peer_id;
        let settings = swarm::Config::with_tokio_executor()
            .with_idle_connection_timeout(IDLE_MAX)
            .with_max_negotiating_inbound_streams(NEGOTIATING_MAX);
        let mut swarm = Swarm::new(transport, behaviour, own, settings);
        let cannot = |cause: String| StartError::Listen { address: config.listen.clone(), cause };
        swarm.listen_on(config.listen.clone()).map_err(|error| cannot(error.to_string()))?;
        let book = AddressBook::new(own, &config.bootstrap);
        let (scores, rates, ranges) = (Scores::default(), Rates::default(), FuturesUnordered::new());
        let (asked, reading, listen) = (BTreeMap::new(), BTreeMap::new(), config.listen.clone());
        let places = config.connections_max;
        view.metrics.load.connections_max.set(places.into());
        let (first, received) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { swarm, listen, view, commands, book, scores, rates, first, reading, asked, ranges, received })
    }

    /// Runs until told to stop or until it cannot listen.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => self.on_tick(),
                Some(command) = self.commands.recv() => self.on_command(command),
                Some((peer, channel, response)) = self.ranges.next() => self.range_read(peer, channel, response),
                event = self.swarm.select_next_some() => self.on_event(event).await?,
            }
            self.show_load();
        }
    }

    /// Shows how full everything is that this task bounds.
    fn show_load(&self) {
        let load = &self.view.metrics.load;
        load.commands.show(self.commands.len());
        load.questions.show(self.asked.len());
        load.ranges.show(self.ranges.len());
        load.addresses.show(self.book.learnt());
        load.connections.show(self.swarm.network_info().connection_counters().num_established() as usize);
        load.bans.show(self.scores.bans());
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        for peer in self.scores.released(now) {
            self.swarm.behaviour_mut().bans.unblock_peer(peer);
        }
        let (swarm, scores) = (&self.swarm, &self.scores);
        self.rates.retain(|peer| swarm.is_connected(peer));
        let due = self.book.due(now, |peer| swarm.is_connected(peer) || scores.is_banned(peer));
        for (peer, addresses) in due {
            let dial = DialOpts::peer_id(peer).addresses(addresses).condition(PeerCondition::DisconnectedAndNotDialing);
            if let Err(error) = self.swarm.dial(dial.build()) {
                tracing::debug!(%peer, %error, "p2p.not_dialled");
                self.book.not_dialled(&peer);
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish(topic, bytes) => {
                let topic = topic.on(&self.view.identity.chain_id);
                if let Err(error) = self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
                    tracing::debug!(%error, "p2p.not_published");
                }
            }
            Command::Ask(peer, request) => self.ask(peer, request),
            Command::Penalise(peer, offence) => self.penalise(peer, &offence),
            Command::Judge(gossip, verdict) => {
                let acceptance = match verdict {
                    Verdict::Accept => MessageAcceptance::Accept,
                    Verdict::Ignore => MessageAcceptance::Ignore,
                    Verdict::Reject => MessageAcceptance::Reject,
                };
                // False when the message has left gossipsub's cache: it was judged too late to be passed on.
                let _is_cached = self.swarm.behaviour_mut().gossip.report_message_validation_result(
                    &gossip.id,
                    &gossip.from,
                    acceptance,
                );
            }
        }
    }

    fn ask(&mut self, peer: PeerId, request: Request) {
        if !self.swarm.is_connected(&peer) || self.asked.len() >= QUESTIONS_MAX {
            // Without an answer the chain gives up on it in time.
            return;
        }
        let question = match request {
            Request::Status(_) => Question::Status,
            Request::Blocks { .. } => Question::Blocks,
            Request::Addresses => Question::Addresses,
            Request::Witness(_) => Question::Witness,
        };
        let id = self.swarm.behaviour_mut().sync.send_request(&peer, Asked::Request(request));
        self.asked.insert(id, question);
    }

    fn penalise(&mut self, peer: PeerId, offence: &Offence) {
        let labels = OffenceLabels { offence: scores::name(offence) };
        self.view.metrics.offences.get_or_create(&labels).inc();
        tracing::warn!(%peer, ?offence, "p2p.offence");
        if self.scores.add(peer, offence, Instant::now()) {
            tracing::warn!(%peer, "p2p.banned");
            self.view.metrics.bans.inc();
            self.swarm.behaviour_mut().bans.block_peer(peer);
        }
    }

    /// One of several connections to a peer broke: it has lost power and is back, and the others are of its new process. We
    /// have told our topics on the first connection only, so the new process does not know them and would send us no gossip.
    /// Without any connection both sides begin again.
    fn start_anew(&mut self, peer: PeerId) {
        if self.swarm.disconnect_peer_id(peer).is_ok() {
            tracing::info!(%peer, "p2p.starting_anew");
        }
    }

    fn range_read(&mut self, peer: PeerId, channel: ResponseChannel<Response>, response: Response) {
        match self.reading.get_mut(&peer) {
            Some(reads) if *reads > 1 => *reads -= 1,
            _ => drop(self.reading.remove(&peer)),
        }
        self.respond(channel, response);
    }

    fn respond(&mut self, channel: ResponseChannel<Response>, response: Response) {
        // The error gives the response back when the peer is gone; nobody wants it then.
        let _peer_is_gone = self.swarm.behaviour_mut().sync.send_response(channel, response);
    }

    async fn input(&mut self, input: Input) {
        // The chain task is gone when the node stops; this task is told so in its turn.
        let _stopping = self.view.inputs.send(input).await;
    }

    async fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) -> Result<(), Failure> {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event).await,
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event).await,
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.on_identify(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer, connection, result: Err(error) })) => {
                tracing::info!(%peer, %error, "p2p.silent");
                self.swarm.close_connection(connection);
                self.start_anew(peer);
            }
            SwarmEvent::Behaviour(_) => {}
            SwarmEvent::NewListenAddr { address, .. } => tracing::info!(%address, "p2p.listening"),
            SwarmEvent::ListenerClosed { reason: Err(error), addresses, .. } => {
                let address = addresses.first().cloned().unwrap_or_else(|| self.listen.clone());
                return Err(StartError::Listen { address, cause: error.to_string() }.into());
            }
            SwarmEvent::ConnectionEstablished { peer_id, num_established, endpoint, connection_id, .. } => {
                self.book.reached(&peer_id, &endpoint);
                if num_established.get() == 1 {
                    self.first.insert(peer_id, connection_id);
                    tracing::info!(peer = %peer_id, "p2p.connected");
                    self.input(Input::Connected(peer_id)).await;
                    self.ask(peer_id, Request::Addresses);
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                tracing::info!(peer = %peer_id, ?cause, "p2p.disconnected");
                self.first.remove(&peer_id);
                self.received.remove(&peer_id);
                self.input(Input::Disconnected(peer_id)).await;
            }
            // A later one may break because the peer has no place for it, and the first goes on: to start anew then would be
            // to lose that one too, again and again while both sides dial.
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause: Some(ConnectionError::IO(_)), .. }
                if self.first.get(&peer_id) == Some(&connection_id) =>
            {
                // If it has refused our dial, and has dialled us at the same time, its next one must not meet ours again.
                self.book.yield_to(&peer_id, Instant::now());
                self.start_anew(peer_id);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                tracing::debug!(%peer, %error, "p2p.dial_failed");
                self.book.failed(&peer, Instant::now());
            }
            _ => {}
        }
        Ok(())
    }

    async fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source: from, message_id: id, message } = event else { return };
        let gossip = Gossip { id, from };
        if !self.rates.gossip(from, Instant::now()) {
            self.view.metrics.gossip_dropped.inc();
            self.penalise(from, &Offence::Flood("gossip"));
            self.on_command(Command::Judge(gossip, Verdict::Ignore));
            return;
        }
        self.count(from, message.data.len());
        let chain = &self.view.identity.chain_id;
        let is = |topic: Topic| topic.on(chain).hash() == message.topic;
        let decoded = if is(Topic::Blocks) {
            borsh::from_slice(&message.data).map(|block| Input::GossipBlock(gossip.clone(), Box::new(block)))
        } else if is(Topic::Agreement) {
            borsh::from_slice(&message.data).map(|message| Input::GossipAgreement(gossip.clone(), Box::new(message)))
        } else {
            borsh::from_slice(&message.data).map(|tx| Input::GossipTransaction(gossip.clone(), Box::new(tx)))
        };
        match decoded {
            Ok(input) => self.input(input).await,
            Err(error) => {
                self.penalise(from, &Offence::Malformed(format!("gossip that does not decode: {error}")));
                self.on_command(Command::Judge(gossip, Verdict::Reject));
            }
        }
    }

    fn on_identify(&mut self, event: identify::Event) {
        if let identify::Event::Received { peer_id, info, .. } = event {
            for address in info.listen_addrs.into_iter().take(book::ADDRESSES_PER_PEER_MAX) {
                self.book.learn(peer_id, peer_id, address);
            }
        }
    }

    async fn on_sync(&mut self, event: SyncEvent<Asked, Response>) {
        match event {
            SyncEvent::Message { peer, message: Message::Request { request, channel, .. }, .. } => match request {
                Asked::Request(request) => self.on_request(peer, request, channel).await,
                // The channel is dropped with the stream.
                Asked::Malformed(cause) => {
                    self.penalise(peer, &Offence::Malformed(format!("a request that does not decode: {cause}")));
                }
                Asked::Stalled => self.penalise(peer, &Offence::Stalled),
            },
            SyncEvent::Message { peer, message: Message::Response { request_id, response }, .. } => {
                let question = self.asked.remove(&request_id);
                self.on_response(peer, question, response).await;
            }
            SyncEvent::OutboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %error, "p2p.unanswered");
                if let OutboundFailure::Io(error) = &error
                    && error.kind() == io::ErrorKind::InvalidData
                {
                    self.penalise(peer, &Offence::Malformed(format!("an answer that does not decode: {error}")));
                }
                if self.asked.remove(&request_id) == Some(Question::Blocks) {
                    self.input(Input::Unanswered(peer)).await;
                }
            }
            SyncEvent::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "p2p.answer_not_sent");
                if let InboundFailure::Timeout = error {
                    // It asked, and did not take the answer.
                    self.penalise(peer, &Offence::Stalled);
                }
            }
            SyncEvent::ResponseSent { .. } => {}
        }
    }

    async fn on_request(&mut self, peer: PeerId, request: Request, channel: ResponseChannel<Response>) {
        if !self.rates.request(peer, Instant::now()) {
            // The channel is dropped, and the peer learns at once that there is no answer.
            self.view.metrics.requests_dropped.inc();
            self.penalise(peer, &Offence::Flood("requests"));
            return;
        }
        let reads = self.reading.get(&peer).copied().unwrap_or(0);
        match request {
            Request::Status(status) => {
                let ours = self.view.snapshot.borrow().status;
                self.respond(channel, Response::Status(ours));
                self.input(Input::Status(peer, status)).await;
            }
            Request::Blocks { locator, count } if self.ranges.len() < RANGES_MAX && reads < RANGES_PER_PEER_MAX => {
                self.reading.insert(peer, reads + 1);
                let (store, blocking) = (self.view.store.clone(), self.view.blocking.clone());
                let read = move || store.range(&locator, count);
                let answer = async move {
                    let blocks: Vec<Block> = blocking.run(read).await.unwrap_or_else(|error| {
                        tracing::error!(%error, "p2p.range_not_read");
                        Vec::new()
                    });
                    (peer, channel, Response::Blocks(blocks))
                };
                self.ranges.push(answer.boxed());
            }
            Request::Witness(asking) if self.ranges.len() < RANGES_MAX && reads < RANGES_PER_PEER_MAX => {
                self.reading.insert(peer, reads + 1);
                let received = self.received.remove(&peer).unwrap_or(0);
                let (reply, answer) = oneshot::channel();
                self.input(Input::Asking { peer, asking, received, reply }).await;
                let answer = async move {
                    // Without a reply the node stops.
                    let answer = answer.await.unwrap_or_default();
                    (peer, channel, Response::Witness(Box::new(answer)))
                };
                self.ranges.push(answer.boxed());
            }
            // Too busy: without an answer the channel is dropped, and the peer learns at once that there will be none.
            Request::Blocks { .. } | Request::Witness(_) => {}
            Request::Addresses => {
                let swarm = &self.swarm;
                let known = self.book.addresses(ADDRESSES_MAX, |known| *known != peer && swarm.is_connected(known));
                self.respond(channel, Response::Addresses(known.iter().map(Multiaddr::to_string).collect()));
            }
        }
    }

    /// Counts bytes of a connected peer.
    fn count(&mut self, peer: PeerId, bytes: usize) {
        if self.swarm.is_connected(&peer) {
            *self.received.entry(peer).or_default() += bytes as u64;
        }
    }

    async fn on_response(&mut self, peer: PeerId, question: Option<Question>, response: Response) {
        match (question, response) {
            (Some(Question::Status), Response::Status(status)) => self.input(Input::Status(peer, status)).await,
            (Some(Question::Blocks), Response::Blocks(blocks)) => {
                self.count(peer, blocks.iter().map(|block| crate::encode(block).len()).sum());
                self.input(Input::Range(peer, blocks)).await;
            }
            (Some(Question::Witness), Response::Witness(answer)) => self.input(Input::Witnessed(peer, answer)).await,
            (Some(Question::Addresses), Response::Addresses(addresses)) => {
                let parsed = addresses.iter().filter_map(|text| text.parse().ok());
                for (known, address) in parsed.filter_map(book::split) {
                    self.book.learn(peer, known, address);
                }
            }
            (question, _) => {
                self.penalise(peer, &Offence::UselessAnswer("an answer to another question".into()));
                if question == Some(Question::Blocks) {
                    self.input(Input::Unanswered(peer)).await;
                }
            }
        }
    }
}
