//! A cluster of machines with logs, a chain each, and time that jumps from event to event.

use super::{
    network::Network,
    support::{Dice, block, chain, equals, keys, params},
};
use crate::{
    chain::Verdict,
    consensus::pos::{Agreement, Entry, Judgement, Message, Output, Wait},
    crypto::{Address, Hash, Keypair},
    types::{Block, Equivocation, Height, Round, Seal, Step, ValidatorSet},
};
use std::collections::{BTreeMap, BTreeSet};

/// From a decision to the next height.
const PAUSE_MS: u64 = 500;
/// Between two looks at whether somebody has more blocks.
const SYNC_MS: u64 = 2000;

#[derive(Clone, Debug)]
pub enum Event {
    Begin,
    Timer(Wait, u64),
    Message(Box<Message>),
    Sync,
}

/// What a lying node makes of what it would say; to whom each goes.
pub type Lie = Box<dyn FnMut(&Keypair, &Message, &mut Dice) -> Vec<(usize, Message)>>;

pub struct Member {
    pub key: Keypair,
    machine: Agreement,
    /// What is on its disk: the log of the next height and its chain.
    pub log: Vec<Entry>,
    pub chain: Vec<Block>,
    /// Timers set before have another number, and are forgotten.
    timers: BTreeMap<Wait, u64>,
    next_timer: u64,
    pub is_up: bool,
    pub lie: Option<Lie>,
    pub refused: usize,
}

pub struct Cluster {
    pub validators: ValidatorSet,
    pub members: Vec<Member>,
    pub network: Network,
    pub dice: Dice,
    pub now: u64,
    queue: BTreeMap<(u64, u64), (usize, Event)>,
    sequence: u64,
    salt: u64,
    /// What each has said, for each place.
    pub said: BTreeMap<(Address, Height, Round, Step), BTreeSet<Option<Hash>>>,
    pub proofs: Vec<Equivocation>,
    /// Two blocks at one height.
    pub forks: Vec<Height>,
    /// Logs survive a crash.
    pub keeps_logs: bool,
}

impl Cluster {
    pub fn new(nodes: u8, seed: u64) -> Self {
        let keys = keys(nodes);
        let validators = equals(&keys);
        let member = |key: &Keypair| Member {
            key: key.clone(),
            machine: Agreement::new(chain(), params(), Some(key.clone())),
            log: Vec::new(),
            chain: Vec::new(),
            timers: BTreeMap::new(),
            next_timer: 0,
            is_up: true,
            lie: None,
            refused: 0,
        };
        let mut cluster = Self {
            validators,
            members: keys.iter().map(member).collect(),
            network: Network::whole(nodes.into()),
            dice: Dice(seed),
            now: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            salt: 0,
            said: BTreeMap::new(),
            proofs: Vec::new(),
            forks: Vec::new(),
            keeps_logs: true,
        };
        for n in 0..usize::from(nodes) {
            cluster.after(0, n, Event::Begin);
            cluster.after(SYNC_MS + n as u64, n, Event::Sync);
        }
        cluster
    }

    fn after(&mut self, ms: u64, node: usize, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + ms, self.sequence), (node, event));
    }

    pub fn height(&self, node: usize) -> usize {
        self.members[node].chain.len()
    }

    pub fn heights(&self) -> Vec<usize> {
        (0..self.members.len()).map(|n| self.height(n)).collect()
    }

    /// Runs for so long.
    pub fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some((&(at, sequence), _)) = self.queue.first_key_value() {
            if at > end {
                break;
            }
            let (node, event) = self.queue.remove(&(at, sequence)).expect("it is the first");
            self.now = at;
            self.happen(node, event);
        }
        self.now = end;
    }

    /// Runs until `done`, for at most so long. Says how long it took.
    pub fn run_until(&mut self, ms_max: u64, done: impl Fn(&Self) -> bool) -> Option<u64> {
        let start = self.now;
        while self.now < start + ms_max {
            if done(self) {
                return Some(self.now - start);
            }
            self.run(50);
        }
        None
    }

    pub fn crash(&mut self, node: usize) {
        let member = &mut self.members[node];
        member.is_up = false;
        member.machine = Agreement::new(chain(), params(), Some(member.key.clone()));
        member.timers.clear();
        if !self.keeps_logs {
            member.log.clear();
        }
    }

    pub fn restart(&mut self, node: usize) {
        self.members[node].is_up = true;
        self.after(0, node, Event::Begin);
    }

    fn happen(&mut self, node: usize, event: Event) {
        if let Event::Sync = event {
            self.after(SYNC_MS, node, Event::Sync);
            return self.sync(node);
        }
        if !self.members[node].is_up {
            return;
        }
        let (chain, head) = (self.members[node].chain.clone(), self.head(node));
        let judge = move |block: &Block| {
            let fits = block.header.height.0 == chain.len() as u64 + 1 && block.header.parent == head;
            if fits && block.header.timestamp.0 != BAD { Judgement::Valid } else { Judgement::Invalid }
        };
        let member = &mut self.members[node];
        let outputs = match event {
            Event::Sync => unreachable!("it is handled above"),
            Event::Begin => {
                let height = Height(member.chain.len() as u64 + 1);
                if member.machine.is_running() && member.machine.height() == height {
                    return;
                }
                member.timers.clear();
                member.machine.begin(height, self.validators.clone(), member.log.clone(), &judge)
            }
            Event::Timer(wait, number) => {
                if member.timers.get(&wait) != Some(&number) {
                    return;
                }
                member.timers.remove(&wait);
                member.machine.on_elapsed(wait)
            }
            Event::Message(message) => {
                let (verdict, outputs) = member.machine.on_message(*message, &judge);
                member.refused += usize::from(verdict == Verdict::Reject);
                outputs
            }
        };
        self.act(node, outputs);
    }

    fn head(&self, node: usize) -> Hash {
        self.members[node].chain.last().map(Block::hash).unwrap_or_default()
    }

    fn act(&mut self, node: usize, outputs: Vec<Output>) {
        for output in outputs {
            let height = Height(self.members[node].chain.len() as u64 + 1);
            match output {
                Output::Log(entry) => self.members[node].log.push(*entry),
                Output::Send(message) => self.send(node, &message),
                Output::Wait(wait, after) => {
                    let member = &mut self.members[node];
                    member.next_timer += 1;
                    let number = member.next_timer;
                    member.timers.insert(wait, number);
                    self.after(after.as_millis() as u64, node, Event::Timer(wait, number));
                }
                Output::Cancel(wait) => drop(self.members[node].timers.remove(&wait)),
                Output::CancelAll => self.members[node].timers.clear(),
                Output::Round { .. } => {}
                Output::WantBlock { round } => {
                    self.salt += 1;
                    let made = block(height, self.head(node), self.members[node].key.address(), round, self.salt);
                    let outputs = self.members[node].machine.propose(round, made);
                    self.act(node, outputs);
                }
                Output::Decided(block) => self.commit(node, *block),
                Output::Equivocated(proof) => self.proofs.push(*proof),
            }
        }
    }

    fn send(&mut self, node: usize, message: &Message) {
        use crate::consensus::pos::Content;
        if let Content::Vote(signed) = &message.content {
            let vote = &signed.ballot;
            let place = (vote.validator, vote.height, vote.round, vote.step);
            self.said.entry(place).or_default().insert(vote.block);
        }
        let everyone = (0..self.members.len()).filter(|to| *to != node).map(|to| (to, message.clone())).collect();
        let member = &mut self.members[node];
        let sent: Vec<_> = match &mut member.lie {
            None => everyone,
            Some(lie) => lie(&member.key, message, &mut self.dice),
        };
        for (to, message) in sent {
            for delay in self.network.send(node, to, &mut self.dice) {
                self.after(delay, to, Event::Message(Box::new(message.clone())));
            }
        }
    }

    /// A decided block, from the machine or from another node. Its certificate must hold.
    fn commit(&mut self, node: usize, block: Block) {
        let (height, hash) = (block.header.height, block.hash());
        let Seal::Pos { certificate, .. } = &block.header.seal else { panic!("it is sealed by validators") };
        self.validators.check(&chain(), height, hash, certificate).expect("what is decided has a good certificate");
        let at = height.0 as usize - 1;
        let differs = |member: &Member| member.chain.get(at).is_some_and(|other| other.hash() != hash);
        if self.members.iter().any(differs) {
            self.forks.push(height);
        }
        let member = &mut self.members[node];
        assert_eq!(member.chain.len(), at, "blocks are decided one after the other");
        member.chain.push(block);
        member.log.clear();
        member.timers.clear();
        member.machine.pause();
        self.after(PAUSE_MS, node, Event::Begin);
    }

    /// Takes over what another node has more.
    fn sync(&mut self, node: usize) {
        if !self.members[node].is_up {
            return;
        }
        let others = (0..self.members.len()).filter(|other| *other != node && self.members[*other].is_up);
        let ahead = others.filter(|other| self.network.connects(node, *other)).max_by_key(|other| self.height(*other));
        let Some(ahead) = ahead else { return };
        while self.height(node) < self.height(ahead) {
            let next = self.members[ahead].chain[self.height(node)].clone();
            if next.header.parent != self.head(node) {
                return self.forks.push(next.header.height);
            }
            self.commit(node, next);
        }
    }

    /// Those who have said two things in one place.
    pub fn two_tongued(&self) -> BTreeSet<Address> {
        self.said.iter().filter(|(_, said)| said.len() > 1).map(|((who, ..), _)| *who).collect()
    }
}

/// The timestamp of a block that nobody finds valid.
pub const BAD: u64 = u64::MAX;

#[test]
fn four_agree_on_a_block_each_pause() {
    let mut cluster = Cluster::new(4, 1);
    cluster.run(60_000);
    let heights = cluster.heights();
    assert!(heights.iter().all(|height| *height > 60), "{heights:?}");
    assert!(cluster.forks.is_empty() && cluster.proofs.is_empty() && cluster.two_tongued().is_empty());
    let proposers: BTreeSet<_> = cluster.members[0].chain.iter().map(|block| block.header.proposer).collect();
    assert_eq!(proposers.len(), 4, "each has had its turn");
    assert!(cluster.members.iter().all(|member| member.refused == 0));
}

#[test]
fn one_agrees_with_itself() {
    let mut cluster = Cluster::new(1, 1);
    cluster.run(10_000);
    assert!(cluster.height(0) >= 19, "{}", cluster.height(0));
}

#[test]
fn what_is_lost_and_doubled_costs_time_only() {
    for seed in 0..10 {
        let mut cluster = Cluster::new(4, seed);
        cluster.network = Network { lost: 10, doubled: 20, delay: 10..400, ..cluster.network };
        cluster.run(120_000);
        let heights = cluster.heights();
        assert!(heights.iter().all(|height| *height >= 8), "seed {seed}: {heights:?}");
        assert!(cluster.forks.is_empty() && cluster.two_tongued().is_empty(), "seed {seed}");
    }
}

#[test]
fn a_proposer_that_is_down_costs_one_round() {
    let mut cluster = Cluster::new(4, 3);
    cluster.crash(2);
    cluster.run(60_000);
    let heights = cluster.heights();
    assert!(heights[0] > 25 && heights[2] == 0, "{heights:?}");
    let down = cluster.members[2].key.address();
    assert!(cluster.members[0].chain.iter().all(|block| block.header.proposer != down));
    cluster.restart(2);
    let caught_up = cluster.run_until(10_000, |cluster| cluster.height(2) + 1 >= cluster.height(0));
    assert!(caught_up.is_some(), "{:?}", cluster.heights());
}
