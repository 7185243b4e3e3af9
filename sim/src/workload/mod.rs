//! The workload: transfers between funded accounts, and bonds where there are validators, submitted over the nodes' own API through the simulated network.
//!
//! A host of its own, `client`, runs it. It is a user like any other: it has wallets, retries at another node when one
//! does not answer, and knows of the chain only what the API says. [`Oracle`] notes what became of each transfer, and a
//! transfer whose answer is missing is *unknown*, never absent.

mod audit;
mod oracle;
mod stakes;
mod wallet;

pub use oracle::{Answer, Counts, Oracle};

use crate::{
    HostId, World, entropy,
    net::TcpStream,
    trace::{Subsystem, Trace},
    world::current_clock,
};
use assay_node::{
    api::client::{Client, ClientError},
    crypto::Keypair,
    types::{Amount, ChainId},
};
use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};
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

/// What the client is given.
pub struct Settings {
    /// The nodes' APIs.
    pub nodes: Vec<SocketAddr>,
    /// The chain.
    pub chain_id: ChainId,
    /// The funded accounts.
    pub accounts: Vec<Keypair>,
    /// Time between two transfers; `None` submits nothing.
    pub interval: Option<Duration>,
    /// Time between two changes of bonds; `None` changes none.
    pub stake_interval: Option<Duration>,
    /// The least bond of the chain.
    pub stake_min: Amount,
    /// When the last transfer is submitted, in virtual time.
    pub until: Duration,
    /// When the nodes are asked about what was confirmed.
    pub audit_at: Duration,
}

/// Starts the client on its host.
pub fn boot(world: &mut World, host: HostId, settings: Settings, oracle: Rc<RefCell<Oracle>>) {
    let (trace, stream) = (world.trace().clone(), world.stream("workload", CLIENT));
    let stakes = world.stream("stake workload", CLIENT);
    world.boot(host, move || run(host, settings, oracle, trace, [stream, stakes]));
}

/// Virtual time, on the client's host.
fn now() -> Duration {
    current_clock().expect("the workload runs on a simulated host").now()
}

/// A connection to each node, and where answers are noted.
struct Nodes {
    host: HostId,
    clients: Vec<Client>,
    trace: Trace,
}

impl Nodes {
    fn new(host: HostId, addresses: &[SocketAddr], trace: Trace) -> Self {
        let client = |address: &SocketAddr| {
            let address = *address;
            Client::new(address.to_string(), move || TcpStream::connect(address))
        };
        Self { host, clients: addresses.iter().map(client).collect(), trace }
    }

    /// Notes an answer, or why there is none, in the trace.
    fn note<T: std::fmt::Debug>(&self, node: usize, question: &str, answer: &Result<T, ClientError>) {
        match answer {
            Ok(answer) => self.trace.record(self.host, API, now(), format_args!("n{node} {question} -> {answer:?}")),
            Err(error) => self.trace.record(self.host, API, now(), format_args!("n{node} {question} -> {error}")),
        }
    }
}

async fn run(
    host: HostId,
    settings: Settings,
    oracle: Rc<RefCell<Oracle>>,
    trace: Trace,
    [mut stream, stakes]: [entropy::Stream; 2],
) -> String {
    let nodes = Rc::new(Nodes::new(host, &settings.nodes, trace));
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
    if let Some(interval) = settings.interval {
        let mut tick = tokio::time::interval(interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while now() < settings.until {
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
    tokio::time::sleep(settings.audit_at.saturating_sub(now())).await;
    audit::run(&nodes, &oracle, &mut stream).await;
    "done".into()
}
