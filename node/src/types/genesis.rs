//! The genesis document: what makes two nodes members of the same chain.

use super::{
    Amount, Block, ChainParams, Consensus, Header, Height, OPERATORS_MAX, PootParams, PosParams, Seal, TOKEN,
    Timestamp, VALIDATORS_MAX, WINDOW_PERIODS_MAX,
};
use crate::crypto::{Address, Domain, Hash, PublicKey, merkle};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    str::FromStr,
};

/// Bytes of a document behind its accounts, at most: rules, and some members of the largest set.
const GENESIS_REST_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of a chain's name, at most.
const CHAIN_ID_BYTES_MAX: usize = 32;

/// The chain's first state and its rules. Its digest is in the genesis block, so a change makes another chain.
///
/// Its encoding is that of the first chains, which knew proof of work only, and behind it what other engines need: so those
/// chains stay the same chains. It must therefore be the last value where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The chain's name.
    pub chain_id: ChainId,
    /// Timestamp of the genesis block, in milliseconds since 1970.
    pub timestamp: Timestamp,
    /// The rules.
    pub params: ChainParams,
    /// The first balances.
    pub accounts: BTreeMap<Address, Amount>,
    /// The first validators and what they have bonded, beside their balances. Proof of stake only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub validators: BTreeMap<PublicKey, Amount>,
    /// The first operators. Proof of operational tasks only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub operators: BTreeSet<PublicKey>,
}

impl BorshSerialize for Genesis {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let Genesis { chain_id, timestamp, params, accounts, validators, operators } = self;
        let ChainParams {
            consensus,
            block_interval_ms,
            confirmations,
            difficulty_start,
            retarget_interval,
            future_max_ms,
            block_reward,
            block_transactions_max,
            pos,
            poot,
        } = params;
        BorshSerialize::serialize(&(chain_id, timestamp), writer)?;
        BorshSerialize::serialize(&(block_interval_ms, confirmations, difficulty_start, retarget_interval), writer)?;
        BorshSerialize::serialize(&(future_max_ms, block_reward, block_transactions_max, accounts), writer)?;
        match consensus {
            Consensus::Pow => Ok(()),
            Consensus::Pos => BorshSerialize::serialize(&(consensus, pos, validators), writer),
            Consensus::Poot => BorshSerialize::serialize(&(consensus, poot, operators), writer),
        }
    }
}

impl BorshDeserialize for Genesis {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (chain_id, timestamp) = BorshDeserialize::deserialize_reader(reader)?;
        let (block_interval_ms, confirmations, difficulty_start, retarget_interval) =
            BorshDeserialize::deserialize_reader(reader)?;
        let (future_max_ms, block_reward, block_transactions_max, accounts) =
            BorshDeserialize::deserialize_reader(reader)?;
        let mut rest = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(&mut *reader, GENESIS_REST_BYTES_MAX), &mut rest)?;
        let has_rest = !rest.is_empty();
        let mut rest = rest.as_slice();
        let consensus = if rest.is_empty() { Consensus::Pow } else { BorshDeserialize::deserialize(&mut rest)? };
        let (mut pos, mut validators) = <(PosParams, BTreeMap<_, _>)>::default();
        let (mut poot, mut operators) = <(PootParams, BTreeSet<_>)>::default();
        match consensus {
            Consensus::Pow => {}
            Consensus::Pos => (pos, validators) = BorshDeserialize::deserialize(&mut rest)?,
            Consensus::Poot => (poot, operators) = BorshDeserialize::deserialize(&mut rest)?,
        }
        if !rest.is_empty() || (consensus == Consensus::Pow && has_rest) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "there is more behind it than its consensus has"));
        }
        let params = ChainParams {
            consensus,
            block_interval_ms,
            confirmations,
            difficulty_start,
            retarget_interval,
            future_max_ms,
            block_reward,
            block_transactions_max,
            pos,
            poot,
        };
        Ok(Self { chain_id, timestamp, params, accounts, validators, operators })
    }
}

/// A genesis document that no chain can start from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A rule outside its bounds.
    #[error("params.{key} is {got}, and must be from {min} to {max}")]
    OutOfBounds {
        /// The rule's key.
        key: &'static str,
        /// What the document says.
        got: u64,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Balances that add up to more than an amount can hold.
    #[error("the balances of genesis add up to more than {}", u64::MAX)]
    SupplyOverflow,
    /// A chain of validators without any, or validators of another kind of chain.
    #[error("a {consensus} chain cannot have {got} validators: pos needs 1 to {VALIDATORS_MAX}, others have none")]
    Validators {
        /// The chain's consensus.
        consensus: Consensus,
        /// How many the document has.
        got: usize,
    },
    /// Rules of an engine that this chain does not have: they would be no part of its identity.
    #[error("params.{key} says nothing to a chain of consensus {consensus}")]
    Foreign {
        /// The key.
        key: &'static str,
        /// The chain's consensus.
        consensus: Consensus,
    },
    /// A chain of operators without any, or operators of another kind of chain.
    #[error("a {consensus} chain cannot have {got} operators: poot needs 1 to {OPERATORS_MAX}, others have none")]
    Operators {
        /// The chain's consensus.
        consensus: Consensus,
        /// How many the document has.
        got: usize,
    },
    /// A validator with less than the minimum.
    #[error("validator {key} has a bond of {got}, and params.pos.stake_min is {min}")]
    Stake {
        /// Which.
        key: PublicKey,
        /// Its bond.
        got: Amount,
        /// The minimum.
        min: Amount,
    },
}

impl Genesis {
    /// Checks the bounds of every rule.
    ///
    /// # Errors
    /// The first rule that is out of bounds, or a supply that overflows.
    pub fn validate(&self) -> Result<(), GenesisError> {
        let p = &self.params;
        let bounds = [
            ("block_interval_ms", p.block_interval_ms, 100, 3_600_000),
            ("confirmations", p.confirmations, 1, 1000),
            ("difficulty_start", p.difficulty_start.0, 4, u64::MAX),
            ("retarget_interval", p.retarget_interval, 2, 1000),
            ("future_max_ms", p.future_max_ms, 1000, 7_200_000),
            ("block_reward", p.block_reward.0, 0, u64::MAX / 1_000_000_000),
            ("block_transactions_max", p.block_transactions_max.into(), 1, 10_000),
            ("pos.stake_min", p.pos.stake_min.0, TOKEN.0, u64::MAX),
            ("pos.epoch_blocks", p.pos.epoch_blocks, 1, 100_000),
            ("pos.unbonding_blocks", p.pos.unbonding_blocks, 1, 10_000_000),
            ("pos.slash_percent", p.pos.slash_percent, 1, 100),
            ("pos.propose_ms", p.pos.propose_ms, 100, 60_000),
            ("pos.vote_ms", p.pos.vote_ms, 100, 60_000),
            ("pos.round_ms", p.pos.round_ms, 0, 60_000),
            ("poot.leader_timeout_ms", p.poot.leader_timeout_ms, 100, 60_000),
            ("poot.cooldown_slots", p.poot.cooldown_slots, 0, 1000),
            ("poot.period_slots", p.poot.period_slots, 3, 10_000),
            ("poot.window_periods", p.poot.window_periods, 1, WINDOW_PERIODS_MAX),
            ("poot.density_min_permille", p.poot.density_min_permille, 0, 1000),
            ("poot.megabytes_per_credit", p.poot.megabytes_per_credit, 1, 1000),
            ("poot.relay_megabytes_max", p.poot.relay_megabytes_max, 1, 1_000_000),
            ("poot.registration", p.poot.registration.0, 0, u64::MAX),
        ];
        for (key, got, min, max) in bounds {
            if got < min || got > max {
                return Err(GenesisError::OutOfBounds { key, got, min, max });
            }
        }
        if p.consensus != Consensus::Pos && p.pos != PosParams::default() {
            return Err(GenesisError::Foreign { key: "pos", consensus: p.consensus });
        }
        if p.consensus != Consensus::Poot && p.poot != PootParams::default() {
            return Err(GenesisError::Foreign { key: "poot", consensus: p.consensus });
        }
        let members = |wanted: Consensus, max: usize| if p.consensus == wanted { 1..=max } else { 0..=0 };
        let got = self.validators.len();
        if !members(Consensus::Pos, VALIDATORS_MAX).contains(&got) {
            return Err(GenesisError::Validators { consensus: p.consensus, got });
        }
        let got = self.operators.len();
        if !members(Consensus::Poot, OPERATORS_MAX).contains(&got) {
            return Err(GenesisError::Operators { consensus: p.consensus, got });
        }
        if let Some((key, got)) = self.validators.iter().find(|(_, bond)| **bond < p.pos.stake_min) {
            return Err(GenesisError::Stake { key: *key, got: *got, min: p.pos.stake_min });
        }
        self.supply().map(|_| ())
    }

    /// The sum of the first balances and bonds.
    ///
    /// # Errors
    /// [`GenesisError::SupplyOverflow`].
    pub fn supply(&self) -> Result<Amount, GenesisError> {
        let all = self.accounts.values().chain(self.validators.values());
        all.copied().try_fold(Amount(0), |sum, amount| sum.checked_add(amount)).ok_or(GenesisError::SupplyOverflow)
    }

    /// The genesis block over the state root that executing this document gives.
    pub fn block(&self, state_root: Hash) -> Block {
        let header = Header {
            height: Height(0),
            parent: Hash::of(Domain::Genesis, &[&crate::encode(self)]),
            transactions_root: merkle::EMPTY_ROOT,
            state_root,
            timestamp: self.timestamp,
            proposer: Address([0; 20]),
            seal: Seal::Genesis,
        };
        Block { header, transactions: Vec::new() }
    }
}

/// A chain's name: 1 to 32 characters out of `a-z`, `0-9` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct ChainId(String);

/// Text that is no chain's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain id is 1 to 32 characters out of a-z, 0-9 and '-', not {0:?}")]
pub struct ChainIdError(String);

impl FromStr for ChainId {
    type Err = ChainIdError;
    fn from_str(text: &str) -> Result<Self, ChainIdError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if text.is_empty() || text.len() > CHAIN_ID_BYTES_MAX || !text.bytes().all(allowed) {
            return Err(ChainIdError(text.chars().take(80).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl BorshDeserialize for ChainId {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let text = super::bounded::text(reader, CHAIN_ID_BYTES_MAX)?;
        text.parse().map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::crypto::serde_as_text!(ChainId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Keypair;

    fn genesis() -> Genesis {
        Genesis {
            chain_id: "test".parse().expect("it is a chain id"),
            timestamp: Timestamp(1),
            params: ChainParams::default(),
            accounts: [(Address([1; 20]), Amount(5))].into(),
            validators: BTreeMap::new(),
            operators: BTreeSet::new(),
        }
    }

    fn with_operators() -> Genesis {
        let mut genesis = genesis();
        genesis.params.consensus = Consensus::Poot;
        genesis.operators = [Keypair::from_secret([1; 32]).public()].into();
        genesis
    }

    fn with_validators() -> Genesis {
        let mut genesis = genesis();
        genesis.params.consensus = Consensus::Pos;
        genesis.validators = [(Keypair::from_secret([1; 32]).public(), Amount(1000 * TOKEN.0))].into();
        genesis
    }

    #[test]
    fn chains_of_the_first_release_stay_the_same_chains() {
        // 4 + 4 bytes of name, 8 of time, 52 of rules, 4 + 28 of accounts.
        let digest = Hash::of(Domain::Genesis, &[&crate::encode(&genesis())]);
        assert_eq!(crate::encode(&genesis()).len(), 100);
        assert_eq!(digest.short(), "dde93ae6");
    }

    #[test]
    fn documents_come_back_from_their_encoding() {
        for genesis in [genesis(), with_validators(), with_operators()] {
            assert_eq!(borsh::from_slice::<Genesis>(&crate::encode(&genesis)).expect("it is one"), genesis);
        }
        let odd = [crate::encode(&genesis()), crate::encode(&Consensus::Pow)].concat();
        assert!(borsh::from_slice::<Genesis>(&odd).is_err(), "a document has one encoding");
        let longer = [crate::encode(&with_operators()), vec![0]].concat();
        assert!(borsh::from_slice::<Genesis>(&longer).is_err(), "nothing may follow it");
    }

    #[test]
    fn operators_are_of_their_chain() {
        assert_eq!(with_operators().validate(), Ok(()));
        let mut none = with_operators();
        none.operators.clear();
        assert!(matches!(none.validate(), Err(GenesisError::Operators { got: 0, .. })));
        let mut foreign = with_operators();
        foreign.params.consensus = Consensus::Pow;
        assert!(matches!(foreign.validate(), Err(GenesisError::Operators { got: 1, .. })));
        let mut rules = genesis();
        rules.params.poot.cooldown_slots = 7;
        assert!(matches!(rules.validate(), Err(GenesisError::Foreign { key: "poot", .. })));
    }

    #[test]
    fn validators_are_of_their_chain() {
        assert_eq!(genesis().validate(), Ok(()));
        assert_eq!(with_validators().validate(), Ok(()));
        let mut poor = with_validators();
        poor.validators.values_mut().for_each(|bond| bond.0 -= 1);
        assert!(matches!(poor.validate(), Err(GenesisError::Stake { .. })));
        let mut none = with_validators();
        none.validators.clear();
        assert!(matches!(none.validate(), Err(GenesisError::Validators { got: 0, .. })));
        let mut foreign = with_validators();
        foreign.params.consensus = Consensus::Pow;
        assert!(matches!(foreign.validate(), Err(GenesisError::Validators { got: 1, .. })));
        let mut rules = genesis();
        rules.params.pos.epoch_blocks = 7;
        assert!(matches!(rules.validate(), Err(GenesisError::Foreign { key: "pos", .. })));
        rules.params.confirmations = 0;
        assert!(matches!(rules.validate(), Err(GenesisError::OutOfBounds { key: "confirmations", .. })));
    }
}
