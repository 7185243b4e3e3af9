//! Small chains and samples for the properties' own tests.

use super::{Checked, Invariant, Observation, Sample, StoredState, Violation, ledger::Ledger};
use assay_node::{
    consensus::pow::Search,
    crypto::{Address, Hash, Keypair},
    ledger::{Stakes, execute_genesis},
    types::{
        Amount, Block, Body, ChainId, ChainParams, Difficulty, Equivocation, Genesis, Header, Height, Nonce, Payload,
        Seal, Signed, Step, Timestamp, Transaction, Vote,
    },
};
/// Gives `invariant` a block that `node` confirmed, whose identifier is `fill` repeated.
pub fn confirmed(invariant: &mut dyn Invariant, node: usize, height: u64, fill: u8) -> Result<Checked, Violation> {
    let (height, hash) = (Height(height), Hash([fill; 32]));
    invariant.check(node, &Observation::Confirmed { height, hash, transactions: &[], state: None })
}

/// A sample of nodes at these heights and confirmed heights, while a fault is on.
pub fn sample(nodes: &[Option<(u64, u64)>]) -> Sample {
    let nodes = nodes.iter().map(|node| node.map(|(height, confirmed)| (Height(height), Height(confirmed))));
    Sample { nodes: nodes.collect(), healed_for: None }
}

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n + 1; 32])
}

/// A transfer between the two accounts of [`Chain`], with a fee of 1.
pub fn transfer(from: u8, nonce: u64, amount: u64) -> Transaction {
    let body = Body {
        chain_id: "test".parse().expect("a chain's name"),
        sender: key(from).public(),
        nonce: Nonce(nonce),
        fee: Amount(1),
        valid_until: Height(100),
        payload: Payload::Transfer { to: key(1 - from).address(), amount: Amount(amount) },
    };
    body.sign(&key(from))
}

/// Evidence that somebody voted for two blocks, and against whom.
pub fn evidence() -> (Transaction, Address) {
    let (liar, chain_id): (Keypair, ChainId) = (key(7), "test".parse().expect("a chain's name"));
    let vote = |block: u8| {
        let (height, round, block) = (Height(1), 0, Some(Hash([block; 32])));
        let vote = Vote { height, round, step: Step::Prevote, block, validator: liar.address() };
        Signed::new(vote, &chain_id, &liar)
    };
    let payload = Payload::Evidence { proof: Box::new(Equivocation::of_votes(vote(1), vote(2))) };
    let (sender, nonce, fee, valid_until) = (key(0).public(), Nonce(0), Amount(0), Height(100));
    let body = Body { chain_id: chain_id.clone(), sender, nonce, fee, valid_until, payload };
    (body.sign(&key(0)), liar.address())
}

/// A chain of two accounts with 1000 tokens each, a reward of 10 and a difficulty of 16.
pub struct Chain {
    pub genesis: Genesis,
    pub first: Block,
}

impl Chain {
    pub fn new() -> Self {
        let params =
            ChainParams { difficulty_start: Difficulty(16), block_reward: Amount(10), ..ChainParams::default() };
        let genesis = Genesis {
            chain_id: "test".parse().expect("a chain's name"),
            timestamp: Timestamp(1000),
            params,
            accounts: [0, 1].map(|n| (key(n).address(), Amount(1000))).into(),
            validators: Default::default(),
            operators: Default::default(),
        };
        let first = genesis.block(execute_genesis(&genesis).expect("memory does not fail").state_root);
        Self { genesis, first }
    }

    /// A right block on `parent`, but for the state root, which only a node computes.
    pub fn block(&self, parent: &Block, transactions: Vec<Transaction>) -> Block {
        let header = Header {
            height: parent.header.height.next(),
            parent: parent.hash(),
            timestamp: Timestamp(parent.header.timestamp.0 + 1),
            proposer: Address([7; 20]),
            seal: Seal::Pow { difficulty: Difficulty(16), nonce: 0 },
            ..parent.header.clone()
        };
        let mut block = Block { header, transactions };
        self.seal(&mut block);
        block
    }

    /// Makes the transactions root and the work right.
    pub fn seal(&self, block: &mut Block) {
        block.header.transactions_root = block.transactions_root();
        let Seal::Pow { difficulty, .. } = block.header.seal else { panic!("blocks of this chain have work") };
        let seal = Search::new(block.header.unsealed_hash(), difficulty, 0).run(1_000_000);
        block.header.seal = seal.expect("a million tries are enough");
    }

    /// What a right node stores after `block`, which stands on the first.
    pub fn state_after(&self, block: &Block) -> StoredState {
        let mut ledger = Ledger::new(&self.genesis, self.first.hash());
        ledger.add(block.hash(), block).expect("a right block");
        let state = ledger.after(&block.hash()).expect("it was added");
        let (supply, accounts) = (state.supply, state.accounts.clone());
        StoredState { root: block.header.state_root, supply, accounts, stakes: Stakes::default(), operators: None }
    }
}
