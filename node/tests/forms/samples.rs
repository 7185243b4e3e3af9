//! Values that are right: a node whose chain is at genesis takes each of them.

use assay_node::{
    api::model::{AccountInfo, AccountProofInfo, TransactionProofInfo},
    chain::{
        sync::{Request, Response, Status},
        validation::Rules,
    },
    consensus::{
        pos::{Content, Entry, Message, PolkaProof, RoundProof, RoundReason, Wait, WaitKind},
        pow::Search,
    },
    crypto::{Address, Hash, Keypair, Signature, merkle},
    encode, ledger,
    ledger::{Account, AccountProof, Overlay, Stakes, StateUpdate, Supply},
    types::{
        Amount, Block, Body, Certificate, ChainId, Consensus, Difficulty, Equivocation, Genesis, Header, Height, Nonce,
        Payload, Proposal, Round, Seal, Signed, Step, TOKEN, Timestamp, Transaction, Vote, Work,
    },
};
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};

/// The clock of whoever judges.
pub const NOW: Timestamp = Timestamp(10_000);
/// Validators of the chain of [`Consensus::Pos`], all with the same bond.
pub const VALIDATORS: u8 = 4;

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
    };
    genesis.params.consensus = consensus;
    genesis.params.difficulty_start = Difficulty(4);
    if consensus == Consensus::Pos {
        genesis.validators = keys.map(|n| (key(n).public(), Amount(5000 * TOKEN.0))).collect();
    }
    genesis
}

pub fn documents() -> [Genesis; 2] {
    [Consensus::Pow, Consensus::Pos].map(genesis)
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

    /// The block at height 1 but for its seal.
    fn block(&self, transactions: Vec<Transaction>, seal: Seal) -> Block {
        let proposer = key(1).address();
        let executed = ledger::execute(&self.state(), self.rules.place(Height(1), proposer), &transactions);
        let header = Header {
            height: Height(1),
            parent: self.genesis.hash(),
            transactions_root: Hash::default(),
            state_root: executed.expect("it can be executed").state_root,
            timestamp: Timestamp(5),
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
    let mut block = ground.block(transfer, Seal::Genesis);
    let difficulty = ground.rules.params.difficulty_start;
    let seal = Search::new(block.header.unsealed_hash(), difficulty, 0).run(1000);
    block.header.seal = seal.expect("one of four hashes will do");
    block
}

/// A block of a chain of proof of stake as it is proposed: by whose turn it is, without a certificate.
pub fn proposed() -> Block {
    let ground = Ground::new(Consensus::Pos);
    let validators = ledger::validators(&ground.state(), Consensus::Pos, Height(1)).expect("they are in the state");
    let is_its_turn = |round: &Round| validators.proposer(Height(1), *round).address() == key(1).address();
    let round = (0..).find(is_its_turn).expect("in as many rounds as there are validators, each proposes");
    ground.block(transactions(), Seal::Pos { round, certificate: Certificate::default() })
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

pub fn blocks() -> [Block; 3] {
    [worked(), proposed(), agreed()]
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

pub fn requests() -> [Request; 3] {
    [Request::Status(status()), Request::Blocks { locator: vec![Hash([1; 32]); 3], count: 5 }, Request::Addresses]
}

pub fn addresses() -> Vec<String> {
    let peer = "/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    let places = ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/65535", "/dns4/example.org/tcp/30303"];
    places.map(|place| [place, peer].concat()).into()
}

pub fn responses() -> [Response; 3] {
    [Response::Status(status()), Response::Blocks(vec![agreed(), worked()]), Response::Addresses(addresses())]
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
