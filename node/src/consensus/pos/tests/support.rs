//! Validators, blocks and dice.

use crate::{
    crypto::{Address, Hash, Keypair},
    types::{
        Amount, Block, Certificate, ChainId, Header, Height, PosParams, Round, Seal, TOKEN, Timestamp, Validator,
        ValidatorSet,
    },
};

pub fn chain() -> ChainId {
    "test".parse().expect("it is a chain's name")
}

pub fn params() -> PosParams {
    PosParams { propose_ms: 1000, vote_ms: 500, round_ms: 200, ..PosParams::default() }
}

pub fn keys(n: u8) -> Vec<Keypair> {
    (1..=n).map(|n| Keypair::from_secret([n; 32])).collect()
}

/// Validators of equal stake.
pub fn equals(keys: &[Keypair]) -> ValidatorSet {
    let validator = |key: &Keypair| Validator { key: key.public(), stake: Amount(1000 * TOKEN.0) };
    ValidatorSet::new(keys.iter().map(validator))
}

/// A block; `salt` keeps it apart from others of its place.
pub fn block(height: Height, parent: Hash, proposer: Address, round: Round, salt: u64) -> Block {
    let header = Header {
        height,
        parent,
        transactions_root: Hash::default(),
        state_root: Hash::default(),
        timestamp: Timestamp(salt),
        proposer,
        seal: Seal::Pos { round, certificate: Certificate::default() },
    };
    Block { header, transactions: Vec::new() }
}

/// SplitMix64: dice that a seed decides.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }
}
