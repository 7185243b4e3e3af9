//! The workload: transfers between funded accounts, and bonds where there are validators, submitted over the nodes' own API.
//!
//! Those who use the nodes have wallets, retry at another node when one does not answer, and know of the chain only what
//! the API says. [`Oracle`] notes what became of each transfer and request, and a transfer whose answer is missing is *unknown*,
//! never absent. The users are the same wherever the nodes run: in a simulation they are a host of their own, `client`.

mod audit;
mod lookups;
mod oracle;
mod requests;
mod stakes;
mod wallet;

pub use oracle::{Answer, Counts, Oracle};
pub use requests::{Kept, NOT_OK_MAX, OK_MAX, Outcome, Request, Requests};

use crate::{
    HostId, World, cluster::Spec, entropy, net::TcpStream, ordeal::AUDIT, trace::Subsystem, world::current_clock,
};
use assay_node::{
    api::client::{Client, ClientError},
    crypto::Keypair,
    types::{Amount, ChainId},
};
use assay_scenarios::Scenario;
use std::{cell::RefCell, fmt, net::SocketAddr, rc::Rc, time::Duration};
use tokio::time::MissedTickBehavior;
use wallet::{Payment, Wallet};

/// The client's name among the hosts.
pub const CLIENT: &str = "client";
/// How long a user waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Tokens of one transfer, at most: little against what an account has, so that none runs dry.
const AMOUNT_MAX: u64 = 1000;
/// Its fee, at most.
const FEE_MAX: u64 = 100;
/// Accounts that bond something, so that what nobody votes for stays small.
const STAKERS: usize = 4;
/// The subsystem of API answers in the trace.
const API: Subsystem = Subsystem::new("api");

/// What is submitted, and when. Times count from the start of the run.
#[derive(Clone)]
pub struct Settings {
    /// From which the users' choices follow.
    pub seed: u64,
    /// The chain.
    pub chain_id: ChainId,
    /// The funded accounts.
    pub accounts: Vec<Keypair>,
    /// Time between two transfers; `None` submits nothing.
    pub interval: Option<Duration>,
    /// Time between two changes of bonds; `None` changes none.
    pub stake_interval: Option<Duration>,
    /// Time between two questions to one node about what was confirmed; `None` asks none.
    pub lookup_interval: Option<Duration>,
    /// The least bond of the chain.
    pub stake_min: Amount,
    /// When the last transfer is submitted.
    pub until: Duration,
    /// When the nodes are asked about what was confirmed.
    pub audit_at: Duration,
}

impl Settings {
    /// What `scenario` says, on the chain of `spec`.
    pub fn new(scenario: &Scenario, spec: &Spec) -> Self {
        let workload = scenario.workload;
        Self {
            seed: spec.seed,
            chain_id: spec.genesis.chain_id.clone(),
            accounts: spec.accounts.clone(),
            interval: workload.transfers_per_second.interval(),
            stake_interval: Duration::from_secs(60).checked_div(workload.stake_changes_per_minute),
            // All nodes together are asked so often.
            lookup_interval: workload.lookups_per_second.interval().map(|interval| interval * spec.nodes as u32),
            stake_min: spec.genesis.params.pos.stake_min,
            until: scenario.duration.saturating_sub(workload.stop_before_end),
            audit_at: scenario.duration.saturating_sub(AUDIT),
        }
    }
}

/// Where an answer is noted: of which node, and `question -> answer`.
pub type Notes = Box<dyn Fn(usize, fmt::Arguments<'_>)>;

/// What the users have at hand.
pub struct Nodes {
    /// A client of each node's API.
    pub clients: Vec<Client>,
    /// Time since the run began.
    pub now: Box<dyn Fn() -> Duration>,
    /// Where answers are noted.
    pub notes: Notes,
}

impl Nodes {
    fn now(&self) -> Duration {
        (self.now)()
    }

    /// Waits for a node's answer, and notes it, or why there is none. The question is what `kind` it is, and about what.
    async fn ask<T: fmt::Debug>(
        &self,
        oracle: &RefCell<Oracle>,
        node: usize,
        (kind, about): (&'static str, impl fmt::Display),
        answer: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let sent = self.now();
        let answer = answer.await;
        let took = self.now().saturating_sub(sent);
        match &answer {
            Ok(answer) => (self.notes)(node, format_args!("{kind} {about} -> {answer:?}")),
            Err(error) => (self.notes)(node, format_args!("{kind} {about} -> {error}")),
        }
        oracle.borrow_mut().asked(Outcome::of(&answer), Request { kind, node, sent, took });
        answer
    }
}

/// Starts the users on a host of a simulation; `apis` are the nodes'.
pub fn boot(world: &mut World, host: HostId, apis: &[SocketAddr], settings: Settings, oracle: Rc<RefCell<Oracle>>) {
    let trace = world.trace().clone();
    let client = |address: &SocketAddr| {
        let address = *address;
        Client::new(address.to_string(), move || TcpStream::connect(address))
    };
    let now = || current_clock().expect("the workload runs on a simulated host").now();
    let nodes = Nodes {
        clients: apis.iter().map(client).collect(),
        now: Box::new(now),
        notes: Box::new(move |node, said| trace.record(host, API, now(), format_args!("n{node} {said}"))),
    };
    world.boot(host, move || async move {
        run(nodes, settings, oracle).await;
        "done".into()
    });
}

/// Submits what `settings` say until they say to stop, and then asks about what was confirmed. On a `LocalSet`.
pub async fn run(nodes: Nodes, settings: Settings, oracle: Rc<RefCell<Oracle>>) {
    let [mut stream, stakes] =
        ["workload", "stake workload"].map(|purpose| entropy::stream(settings.seed, purpose, CLIENT));
    let nodes = Rc::new(nodes);
    let addresses: Rc<[_]> = settings.accounts.iter().map(Keypair::address).collect();
    let wallets = settings.accounts.into_iter().enumerate();
    let idle: Vec<Wallet> = wallets.map(|(n, key)| Wallet::new(key, n % nodes.clients.len(), n < STAKERS)).collect();
    let idle = Rc::new(RefCell::new(idle));
    if let Some(interval) = settings.stake_interval {
        let market = stakes::Market {
            nodes: nodes.clone(),
            oracle: oracle.clone(),
            idle: idle.clone(),
            chain_id: settings.chain_id.clone(),
            interval,
            until: settings.until,
            amount: settings.stake_min,
        };
        tokio::task::spawn_local(market.run(stakes));
    }
    if let Some(interval) = settings.lookup_interval {
        for node in 0..nodes.clients.len() {
            let (nodes, oracle) = (nodes.clone(), oracle.clone());
            let reader = lookups::Reader { nodes, oracle, node, interval, until: settings.audit_at };
            let stream = entropy::stream(settings.seed, "lookup workload", &node.to_string());
            tokio::task::spawn_local(reader.run(stream));
        }
    }
    if let Some(interval) = settings.interval {
        let mut tick = tokio::time::interval(interval);
        // A tick that comes late does not put off the next one: the rate holds on a busy machine too.
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while nodes.now() < settings.until {
            tick.tick().await;
            let free = idle.borrow().len();
            if free == 0 {
                // Every wallet waits for an answer; a user would wait as well.
                continue;
            }
            let mut wallet = idle.borrow_mut().swap_remove(entropy::below(&mut stream, free as u64) as usize);
            let payment = Payment {
                to: addresses[entropy::below(&mut stream, addresses.len() as u64) as usize],
                amount: Amount(1 + entropy::below(&mut stream, AMOUNT_MAX)),
                fee: Amount(1 + entropy::below(&mut stream, FEE_MAX)),
            };
            let (nodes, oracle, idle) = (nodes.clone(), oracle.clone(), idle.clone());
            let chain_id = settings.chain_id.clone();
            tokio::task::spawn_local(async move {
                wallet.pay(&nodes, &oracle, chain_id, payment).await;
                idle.borrow_mut().push(wallet);
            });
        }
    }
    tokio::time::sleep(settings.audit_at.saturating_sub(nodes.now())).await;
    audit::run(&nodes, &oracle, &mut stream).await;
}
