//! Values that are right: a node whose chain is at genesis takes each of them.

use assay_node::{
    api::model::{AccountInfo, AccountProofInfo, TransactionProofInfo},
    chain::{
        sync::{Request, Response, Status},
        validation::Rules,
    },
    consensus::{
        poot::{self, Answer, Asking},
        pos::{Content, Entry, Message, PolkaProof, RoundProof, RoundReason, Wait, WaitKind},
        pow::Search,
    },
    crypto::{Address, Hash, Keypair, Signature, merkle},
    encode, ledger,
    ledger::{Account, AccountProof, Operator, Overlay, Recent, Stakes, StateUpdate, Supply},
    types::{
        Amount, Block, Body, Certificate, ChainId, Consensus, Difficulty, Equivocation, Genesis, Header, Height, Nonce,
        Payload, Period, Proposal, Round, Seal, Signed, Slot, Step, TOKEN, Task, TaskProof, Testimony, Timestamp,
        Transaction, Vote, Witness, Work,
    },
};
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use libp2p::identity;

/// The clock of whoever judges.
pub const NOW: Timestamp = Timestamp(10_000);
/// Validators of the chain of [`Consensus::Pos`], all with the same bond, and operators of that of [`Consensus::Poot`].
pub const VALIDATORS: u8 = 4;
/// A moment after genesis.
const EARLY: Timestamp = Timestamp(5);
/// A slot of the chain of [`Consensus::Poot`].
const SLOT_MS: u64 = 1000;

pub fn key(n: u8) -> Keypair {
    Keypair::from_secret([n; 32])
}

pub fn chain() -> ChainId {
    "test".parse().expect("it is a chain id")
}

pub fn genesis(consensus: Consensus) -> Genesis {
    let keys = 1..=VALIDATORS;
    let mut genesis = Genesis {
        chain_id: chain(),
        timestamp: Timestamp(1),
        params: Default::default(),
        accounts: keys.clone().map(|n| (key(n).address(), Amount(9000 * TOKEN.0))).collect(),
        validators: Default::default(),
        operators: Default::default(),
    };
    genesis.params.consensus = consensus;
    genesis.params.difficulty_start = Difficulty(4);
    match consensus {
        Consensus::Pow => {}
        Consensus::Pos => genesis.validators = keys.map(|n| (key(n).public(), Amount(5000 * TOKEN.0))).collect(),
        Consensus::Poot => {
            genesis.operators = keys.map(|n| key(n).public()).collect();
            genesis.params.block_interval_ms = SLOT_MS;
        }
    }
    genesis
}

pub fn documents() -> [Genesis; 3] {
    [Consensus::Pow, Consensus::Pos, Consensus::Poot].map(genesis)
}

/// The state below genesis.
pub struct Nothing;

impl TreeReader for Nothing {
    fn get_node_option(&self, _: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(None)
    }
    fn get_value_option(&self, _: u64, _: jmt::KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(None)
    }
    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

/// The chain that a block of the samples stands on: genesis alone.
pub struct Ground {
    pub rules: Rules,
    pub genesis: Header,
    update: StateUpdate,
}

impl Ground {
    pub fn new(consensus: Consensus) -> Self {
        let genesis = genesis(consensus);
        let executed = ledger::execute_genesis(&genesis).expect("it can be executed");
        let header = genesis.block(executed.state_root).header;
        Self { rules: Rules::of(&genesis), genesis: header, update: executed.update }
    }

    pub fn state(&self) -> Overlay<'static> {
        let mut state = Overlay::new(&Nothing, Height(0));
        state.push(&self.update);
        state
    }

    /// The block at height 1 by the holder of `maker`, but for its seal.
    fn block(&self, maker: &Keypair, time: Timestamp, transactions: Vec<Transaction>, seal: Seal) -> Block {
        let (proposer, parent) = (maker.address(), self.genesis.hash());
        let place = self.rules.place(Height(1), parent, time, proposer);
        let executed = ledger::execute(&self.state(), place, &transactions);
        let header = Header {
            height: Height(1),
            parent,
            transactions_root: Hash::default(),
            state_root: executed.expect("it can be executed").state_root,
            timestamp: time,
            proposer,
            seal,
        };
        let mut block = Block { header, transactions };
        block.header.transactions_root = block.transactions_root();
        block
    }
}

pub fn vote(n: u8, round: Round, step: Step, block: Option<Hash>) -> Signed<Vote> {
    let vote = Vote { height: Height(1), round, step, block, validator: key(n).address() };
    Signed::new(vote, &chain(), &key(n))
}

fn proposal(block: Hash, proof_round: Option<Round>) -> Signed<Proposal> {
    let validator = key(1).address();
    Signed::new(Proposal { height: Height(1), round: 2, block, proof_round, validator }, &chain(), &key(1))
}

fn transaction((nonce, payload): (u64, Payload)) -> Transaction {
    let (sender, nonce, fee, valid_until) = (key(1).public(), Nonce(nonce), Amount(3), Height(99));
    Body { chain_id: chain(), sender, nonce, fee, valid_until, payload }.sign(&key(1))
}

/// One of each kind, and both kinds of evidence. They can be executed one after the other.
pub fn transactions() -> Vec<Transaction> {
    let prevote = |block: u8| vote(2, 2, Step::Prevote, Some(Hash([block; 32])));
    let votes = Equivocation::of_votes(prevote(1), prevote(2));
    let proposals = Equivocation::of_proposals(proposal(Hash([1; 32]), Some(1)), proposal(Hash([2; 32]), None));
    let payloads = [
        Payload::Transfer { to: Address([1; 20]), amount: Amount(5) },
        Payload::Stake { amount: Amount(5) },
        Payload::Unstake { amount: Amount(5) },
        Payload::Evidence { proof: Box::new(votes) },
        Payload::Evidence { proof: Box::new(proposals) },
    ];
    (0..).zip(payloads).map(transaction).collect()
}

/// A block of a chain of proof of work.
pub fn worked() -> Block {
    let ground = Ground::new(Consensus::Pow);
    let transfer = transactions().into_iter().take(1).collect();
    let mut block = ground.block(&key(1), EARLY, transfer, Seal::Genesis);
    let difficulty = ground.rules.params.difficulty_start;
    let seal = Search::new(block.header.unsealed_hash(), difficulty, 0).run(1000);
    block.header.seal = seal.expect("one of four hashes will do");
    block
}

/// A block of a chain of proof of stake as it is proposed: by whose turn it is, without a certificate.
pub fn proposed() -> Block {
    let ground = Ground::new(Consensus::Pos);
    let validators = ledger::validators(&ground.state(), Height(1)).expect("they are in the state");
    let is_its_turn = |round: &Round| validators.proposer(Height(1), *round).address() == key(1).address();
    let round = (0..).find(is_its_turn).expect("in as many rounds as there are validators, each proposes");
    let seal = Seal::Pos { round, certificate: Certificate::default() };
    ground.block(&key(1), EARLY, transactions(), seal)
}

/// The same block with a certificate: it is final.
pub fn agreed() -> Block {
    let mut block = proposed();
    let hash = block.hash();
    let Seal::Pos { certificate, .. } = &mut block.header.seal else { unreachable!("it is sealed by validators") };
    certificate.round = 7;
    certificate.signatures = precommits(7, hash);
    block
}

fn precommits(round: Round, block: Hash) -> Vec<(Address, Signature)> {
    let sign = |n| (key(n).address(), vote(n, round, Step::Precommit, Some(block)).signature);
    let mut signatures: Vec<_> = (1..VALIDATORS).map(sign).collect();
    signatures.sort();
    signatures
}

/// A block of a chain of operators, led by the first of them, with tasks of another.
pub fn led() -> Block {
    let ground = Ground::new(Consensus::Poot);
    let leads = ground.rules.engine.leads(&chain(), &ground.rules.params, Height(1), &ground.state());
    let (order, parent) = leads.expect("the state can be read").expect("operators lead");
    let leader = (1..=VALIDATORS).map(key).find(|key| key.address() == order[0]).expect("it is an operator");
    let opens = poot::opening(&ground.rules.params, parent, 0);
    let mut block = ground.block(&leader, opens, shown(), Seal::Genesis);
    block.header.lead(0, &leader);
    block
}

/// All tasks, and somebody who becomes an operator. They can be executed one after the other, in the first slot.
pub fn shown() -> Vec<Transaction> {
    let genesis = Ground::new(Consensus::Poot).genesis.hash();
    let proof = |task| Payload::Task { proof: TaskProof { period: Period(0), task } };
    let tasks = [
        Task::Uptime,
        Task::Validation { height: Height(0), block: genesis },
        Task::Storage { witness: witness(None) },
        Task::Relay { megabytes: 7, witness: witness(Some(7)) },
    ];
    let mut all: Vec<_> = (0..).zip(tasks.map(proof)).map(transaction).collect();
    let transfer = Payload::Transfer { to: key(9).address(), amount: Amount(2000 * TOKEN.0) };
    all.push(transaction((4, transfer)));
    let newcomer = Body { sender: key(9).public(), nonce: Nonce(0), payload: Payload::Register, ..all[0].body.clone() };
    all.push(newcomer.sign(&key(9)));
    all
}

fn witness(megabytes: Option<u32>) -> Witness {
    Testimony { operator: key(1).address(), period: Period(0), megabytes }.sign(&chain(), &key(2))
}

pub fn asking() -> Asking {
    let peer = identity::Keypair::ed25519_from_bytes([5; 32]).expect("32 bytes are a key").public().to_peer_id();
    Asking::new(&chain(), &key(1), &peer, Period(2), Some(Hash([6; 32])))
}

/// An operator's record and that of the last blocks.
pub fn operators() -> (Operator, Recent) {
    let ground = Ground::new(Consensus::Poot);
    let mut all = ledger::operators(&ground.state(), Height(0)).expect("the state can be read");
    let params = &ground.rules.params.poot;
    all.begin_block(params, Slot(1), Height(0), ground.genesis.hash());
    all.end_block(&key(1).address());
    let uptime = TaskProof { period: Period(0), task: Task::Uptime };
    all.prove(params, &chain(), &key(1).public(), &uptime).expect("it is right");
    (all.members[&key(1).address()].clone(), all.recent)
}

pub fn blocks() -> [Block; 4] {
    [worked(), proposed(), agreed(), led()]
}

fn polka() -> PolkaProof {
    let block = proposed().hash();
    let sign = |n| (key(n).address(), vote(n, 2, Step::Prevote, Some(block)).signature);
    PolkaProof { height: Height(1), round: 2, block, signatures: (1..VALIDATORS).map(sign).collect() }
}

pub fn messages() -> Vec<Message> {
    let nil = |n| (Step::Precommit, None, key(n).address(), vote(n, 2, Step::Precommit, None).signature);
    let round = |reason, voters| {
        let votes = (1..=voters).map(nil).collect();
        Content::Round(RoundProof { height: Height(1), round: 2, reason, votes })
    };
    let contents = [
        Content::Proposal(proposal(proposed().hash(), None), Box::new(proposed())),
        Content::Vote(vote(2, 0, Step::Prevote, None)),
        Content::Vote(vote(2, 1, Step::Precommit, Some(Hash([1; 32])))),
        Content::Polka(polka()),
        round(RoundReason::Skip, 2),
        round(RoundReason::Precommits, 3),
    ];
    (0..).zip(contents).map(|(copy, content)| Message { content, copy }).collect()
}

pub fn entries() -> [Entry; 5] {
    let block = Box::new(proposed());
    [
        Entry::Vote(vote(1, 0, Step::Prevote, None)),
        Entry::Proposal(proposal(block.hash(), Some(1))),
        Entry::Block { round: 1, proof_round: None, proposer: key(1).address(), block, is_valid: true },
        Entry::Polka(polka()),
        Entry::Elapsed(Wait { kind: WaitKind::Prevotes, round: 1 }),
    ]
}

fn status() -> Status {
    Status { genesis: Hash([1; 32]), head: Hash([2; 32]), height: Height(3), work: Work(4) }
}

pub fn requests() -> [Request; 4] {
    [
        Request::Status(status()),
        Request::Blocks { locator: vec![Hash([1; 32]); 3], count: 5 },
        Request::Addresses,
        Request::Witness(Box::new(asking())),
    ]
}

pub fn addresses() -> Vec<String> {
    let peer = "/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    let places = ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/65535", "/dns4/example.org/tcp/30303"];
    places.map(|place| [place, peer].concat()).into()
}

pub fn responses() -> [Response; 4] {
    let answer = Answer { storage: Some(witness(None)), relay: Some((7, witness(Some(7)))) };
    [
        Response::Status(status()),
        Response::Blocks(vec![agreed(), worked(), led()]),
        Response::Addresses(addresses()),
        Response::Witness(Box::new(answer)),
    ]
}

pub fn stakes() -> Stakes {
    let evidence = [(Height(1), key(1).address()), (Height(2), key(2).address())];
    Stakes { punished: evidence.into(), ..Stakes::of(&genesis(Consensus::Pos)) }
}

pub fn account() -> Account {
    Account { balance: Amount(5), nonce: Nonce(6) }
}

pub fn supply() -> Supply {
    Supply { height: Height(1), total: Amount(2) }
}

/// Of an account that is there, and of one that is not.
pub fn account_proofs() -> [AccountProofInfo; 2] {
    let ground = Ground::new(Consensus::Pos);
    [key(1).address(), Address([9; 20])].map(|address| {
        let proved = ledger::prove_account(&ground.state(), Height(0), &address);
        let AccountProof { account, proof } = proved.expect("the state can be read");
        let account = account.map(|Account { balance, nonce }| AccountInfo { balance, nonce });
        let (block, state_root) = (ground.genesis.hash(), ground.genesis.state_root);
        AccountProofInfo { address, height: Height(0), block, state_root, account, proof }
    })
}

pub fn inclusions() -> Vec<TransactionProofInfo> {
    let block = agreed();
    let leaves: Vec<_> = block.transactions.iter().map(encode).collect();
    let prove = |(place, transaction): (usize, &Transaction)| TransactionProofInfo {
        hash: transaction.id(),
        transaction: transaction.clone(),
        height: Height(1),
        block: block.hash(),
        transactions_root: block.header.transactions_root,
        proof: merkle::prove(&leaves, place).expect("the place is within the block"),
    };
    block.transactions.iter().enumerate().map(prove).collect()
}
