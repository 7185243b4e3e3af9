//! The network task: turns the swarm's events into inputs of the chain, and the chain's commands into messages.

use super::{
    Command, Gossip, StartError, Topic,
    behaviour::{Behaviour, BehaviourEvent},
    book::{self, AddressBook},
    scores::{self, Scores},
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
    Multiaddr, PeerId, Swarm, Transport,
    core::upgrade,
    gossipsub::{self, MessageAcceptance},
    identify, identity, noise, ping,
    request_response::{Event as SyncEvent, Message, OutboundRequestId, ResponseChannel},
    swarm::{self, ConnectionError, SwarmEvent, dial_opts::DialOpts, dial_opts::PeerCondition},
    yamux,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// Time for a connection to be set up, handshakes included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a connection that no protocol uses stays open.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Time between two looks at the address book.
const TICK: Duration = Duration::from_secs(1);
/// Ranges that are read for peers at a time; further requests are not answered.
const RANGES_MAX: usize = 32;

type Answer = (ResponseChannel<Response>, Response);

/// What an answer is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Status,
    Blocks,
    Addresses,
}

/// The network task, not running yet.
pub struct Driver {
    swarm: Swarm<Behaviour>,
    listen: Multiaddr,
    view: NodeView,
    commands: mpsc::Receiver<Command>,
    book: AddressBook,
    scores: Scores,
    asked: BTreeMap<OutboundRequestId, Question>,
    ranges: FuturesUnordered<BoxFuture<'static, Answer>>,
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
        let transport = transport
            .upgrade(upgrade::Version::V1Lazy)
            .authenticate(noise::Config::new(&key)?)
            .multiplex(yamux::Config::default())
            .timeout(CONNECT_MAX)
            .boxed();
        let Identity { chain_id, consensus, .. } = &*view.identity;
        let behaviour = Behaviour::new(&key, chain_id, *consensus, config.connections_max)?;
        let own = view.identity.peer_id;
        let settings = swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE_MAX);
        let mut swarm = Swarm::new(transport, behaviour, own, settings);
        let cannot = |cause: String| StartError::Listen { address: config.listen.clone(), cause };
        swarm.listen_on(config.listen.clone()).map_err(|error| cannot(error.to_string()))?;
        let book = AddressBook::new(own, &config.bootstrap);
        let (scores, asked, ranges) = (Scores::default(), BTreeMap::new(), FuturesUnordered::new());
        let listen = config.listen.clone();
        Ok(Self { swarm, listen, view, commands, book, scores, asked, ranges })
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
                Some((channel, response)) = self.ranges.next() => self.respond(channel, response),
                event = self.swarm.select_next_some() => self.on_event(event).await?,
            }
        }
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        for peer in self.scores.released(now) {
            self.swarm.behaviour_mut().bans.unblock_peer(peer);
        }
        let (swarm, scores) = (&self.swarm, &self.scores);
        let due = self.book.due(now, |peer| swarm.is_connected(peer) || scores.is_banned(peer));
        for (peer, addresses) in due {
            let dial = DialOpts::peer_id(peer).addresses(addresses).condition(PeerCondition::DisconnectedAndNotDialing);
            if let Err(error) = self.swarm.dial(dial.build()) {
                tracing::debug!(%peer, %error, "p2p.not_dialled");
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
        if !self.swarm.is_connected(&peer) {
            return;
        }
        let question = match request {
            Request::Status(_) => Question::Status,
            Request::Blocks { .. } => Question::Blocks,
            Request::Addresses => Question::Addresses,
        };
        let id = self.swarm.behaviour_mut().sync.send_request(&peer, request);
        self.asked.insert(id, question);
    }

    fn penalise(&mut self, peer: PeerId, offence: &Offence) {
        let labels = OffenceLabels { offence: scores::name(offence) };
        self.view.metrics.offences.get_or_create(&labels).inc();
        tracing::warn!(%peer, ?offence, "p2p.offence");
        if self.scores.add(peer, offence, Instant::now()) {
            tracing::warn!(%peer, "p2p.banned");
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
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } if num_established.get() == 1 => {
                tracing::info!(peer = %peer_id, "p2p.connected");
                self.book.reached(&peer_id);
                self.input(Input::Connected(peer_id)).await;
                self.ask(peer_id, Request::Addresses);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                tracing::info!(peer = %peer_id, ?cause, "p2p.disconnected");
                self.input(Input::Disconnected(peer_id)).await;
            }
            SwarmEvent::ConnectionClosed { peer_id, cause: Some(ConnectionError::IO(_)), .. } => {
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
        let (gossip, chain) = (Gossip { id, from }, &self.view.identity.chain_id);
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
                self.penalise(from, &Offence::InvalidBlock(format!("gossip that does not decode: {error}")));
                self.on_command(Command::Judge(gossip, Verdict::Reject));
            }
        }
    }

    fn on_identify(&mut self, event: identify::Event) {
        if let identify::Event::Received { peer_id, info, .. } = event {
            for address in info.listen_addrs.into_iter().take(book::ADDRESSES_PER_PEER_MAX) {
                self.book.learn(peer_id, address);
            }
        }
    }

    async fn on_sync(&mut self, event: SyncEvent<Request, Response>) {
        match event {
            SyncEvent::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.on_request(peer, request, channel).await;
            }
            SyncEvent::Message { peer, message: Message::Response { request_id, response }, .. } => {
                let question = self.asked.remove(&request_id);
                self.on_response(peer, question, response).await;
            }
            SyncEvent::OutboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %error, "p2p.unanswered");
                if self.asked.remove(&request_id) == Some(Question::Blocks) {
                    self.input(Input::Unanswered(peer)).await;
                }
            }
            SyncEvent::InboundFailure { peer, error, .. } => tracing::debug!(%peer, %error, "p2p.answer_not_sent"),
            SyncEvent::ResponseSent { .. } => {}
        }
    }

    async fn on_request(&mut self, peer: PeerId, request: Request, channel: ResponseChannel<Response>) {
        match request {
            Request::Status(status) => {
                let ours = self.view.snapshot.borrow().status;
                self.respond(channel, Response::Status(ours));
                self.input(Input::Status(peer, status)).await;
            }
            Request::Blocks { locator, count } if self.ranges.len() < RANGES_MAX => {
                let (store, blocking) = (self.view.store.clone(), self.view.blocking.clone());
                let read = move || store.range(&locator, count);
                let answer = async move {
                    let blocks: Vec<Block> = blocking.run(read).await.unwrap_or_else(|error| {
                        tracing::error!(%error, "p2p.range_not_read");
                        Vec::new()
                    });
                    (channel, Response::Blocks(blocks))
                };
                self.ranges.push(answer.boxed());
            }
            // Too busy: without an answer the channel is dropped, and the peer learns at once that there will be none.
            Request::Blocks { .. } => {}
            Request::Addresses => {
                let swarm = &self.swarm;
                let known = self.book.addresses(ADDRESSES_MAX, |known| *known != peer && swarm.is_connected(known));
                self.respond(channel, Response::Addresses(known.iter().map(Multiaddr::to_string).collect()));
            }
        }
    }

    async fn on_response(&mut self, peer: PeerId, question: Option<Question>, response: Response) {
        match (question, response) {
            (Some(Question::Status), Response::Status(status)) => self.input(Input::Status(peer, status)).await,
            (Some(Question::Blocks), Response::Blocks(blocks)) => self.input(Input::Range(peer, blocks)).await,
            (Some(Question::Addresses), Response::Addresses(addresses)) => {
                let parsed = addresses.iter().take(ADDRESSES_MAX).filter_map(|text| text.parse().ok());
                for (known, address) in parsed.filter_map(book::split) {
                    self.book.learn(known, address);
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
