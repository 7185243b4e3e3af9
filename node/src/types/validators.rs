//! The validators of a height: their stakes, what two thirds of them is, and whose turn it is to propose.

use super::{Amount, Certificate, ChainId, Height, Round, TOKEN};
use crate::crypto::{Address, Hash, PublicKey, SignatureError};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

/// Validators in a set, at most: a certificate has a signature of each, and every vote goes to everyone.
pub const VALIDATORS_MAX: usize = 100;

/// Somebody who may vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Validator {
    /// What its ballots are signed with.
    pub key: PublicKey,
    /// What it has to lose.
    pub stake: Amount,
}

impl Validator {
    /// Its address.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// The weight of its vote: its stake in whole tokens.
    pub fn power(&self) -> u64 {
        self.stake.0 / TOKEN.0
    }
}

/// Who may vote, in order of address; no two have the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct ValidatorSet(Vec<Validator>);

/// A certificate that does not make its block final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signature of somebody who is no validator.
    #[error("{0} is no validator")]
    Unknown(Address),
    /// Signatures that are not in ascending order of address: perhaps one counts twice.
    #[error("the signatures are not in order of address, each once")]
    Order,
    /// A signature that does not verify.
    #[error("the signature of {0} does not verify")]
    Signature(Address),
    /// Not more than two thirds.
    #[error("signed by {signed} of {total}, which is not more than two thirds")]
    TooFew {
        /// Power of those who signed.
        signed: u64,
        /// Power of all.
        total: u64,
    },
}

impl ValidatorSet {
    /// A set. Of several with one address the first counts; beyond [`VALIDATORS_MAX`] those with the smallest stakes are left out.
    pub fn new(validators: impl IntoIterator<Item = Validator>) -> Self {
        let mut all: Vec<_> = validators.into_iter().filter(|validator| validator.power() > 0).collect();
        all.sort_by_key(Validator::address);
        all.dedup_by_key(|validator| validator.address());
        all.sort_by_key(|validator| std::cmp::Reverse(validator.stake));
        all.truncate(VALIDATORS_MAX);
        all.sort_by_key(Validator::address);
        Self(all)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Validator> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one at a place.
    pub fn at(&self, place: usize) -> Option<&Validator> {
        self.0.get(place)
    }

    /// The one with this address.
    pub fn get(&self, address: &Address) -> Option<&Validator> {
        self.0.iter().find(|validator| validator.address() == *address)
    }

    /// The power of all.
    pub fn power(&self) -> u64 {
        // Stakes add up to no more than the supply, which fits.
        self.0.iter().map(Validator::power).sum()
    }

    /// Whether `power` is more than two thirds of all.
    pub fn is_quorum(&self, power: u64) -> bool {
        u128::from(power) * 3 > u128::from(self.power()) * 2
    }

    /// Whose turn it is to propose: over many heights and rounds each has its turn as often as its stake says. The turns of
    /// one height and those of the next begin at places that a digest of the height gives, so that no one follows another for
    /// ever; within a height each round moves on by one validator.
    ///
    /// # Panics
    /// On an empty set, which no chain has.
    pub fn proposer(&self, height: Height, round: Round) -> &Validator {
        let digest = Hash::of(crate::crypto::Domain::Turn, &[&height.0.to_le_bytes()]);
        let mut start = [0; 8];
        start.copy_from_slice(&digest.0[..8]);
        let mut point = u64::from_le_bytes(start) % self.power().max(1);
        let mut place = 0;
        for (index, validator) in self.0.iter().enumerate() {
            place = index;
            if point < validator.power() {
                break;
            }
            point -= validator.power();
        }
        &self.0[(place + round as usize) % self.0.len()]
    }

    /// Checks that `certificate` makes the block at `height` final.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(
        &self,
        chain: &ChainId,
        height: Height,
        block: Hash,
        certificate: &Certificate,
    ) -> Result<(), CertificateError> {
        let signatures = &certificate.signatures;
        if !signatures.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(CertificateError::Order);
        }
        let mut signed = 0;
        for (address, _) in signatures {
            signed += self.get(address).ok_or(CertificateError::Unknown(*address))?.power();
        }
        if !self.is_quorum(signed) {
            return Err(CertificateError::TooFew { signed, total: self.power() });
        }
        for (address, signature) in signatures {
            let key = self.get(address).ok_or(CertificateError::Unknown(*address))?.key;
            let digest = super::Ballot::digest(&certificate.vote(height, block, *address), chain);
            let wrong = |SignatureError| CertificateError::Signature(*address);
            key.verify(&digest, signature).map_err(wrong)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::Keypair,
        types::{Signed, Vote},
    };

    fn keys(n: u8) -> Vec<Keypair> {
        (1..=n).map(|n| Keypair::from_secret([n; 32])).collect()
    }

    fn set(stakes: &[u64]) -> (ValidatorSet, Vec<Keypair>) {
        let keys = keys(stakes.len() as u8);
        let validators = keys.iter().zip(stakes);
        let validators = validators.map(|(key, stake)| Validator { key: key.public(), stake: Amount(stake * TOKEN.0) });
        (ValidatorSet::new(validators), keys)
    }

    fn certificate(keys: &[Keypair], height: Height, block: Hash) -> Certificate {
        let mut certificate = Certificate { round: 2, signatures: Vec::new() };
        let chain: ChainId = "test".parse().expect("it is one");
        for key in keys {
            let vote: Vote = certificate.vote(height, block, key.address());
            certificate.signatures.push((key.address(), Signed::new(vote, &chain, key).signature));
        }
        certificate.signatures.sort();
        certificate
    }

    #[test]
    fn a_quorum_is_more_than_two_thirds_of_the_stake() {
        let (set, _) = set(&[1, 1, 1]);
        assert!(!set.is_quorum(2) && set.is_quorum(3));
        let (set, _) = self::set(&[1, 1, 1, 1]);
        assert!(!set.is_quorum(2) && set.is_quorum(3));
        let (set, _) = self::set(&[50, 25, 24]);
        assert!(!set.is_quorum(66) && set.is_quorum(67));
    }

    #[test]
    fn a_certificate_is_checked_in_full() {
        let (set, keys) = set(&[1, 1, 1, 1]);
        let (chain, height, block) = ("test".parse().expect("it is one"), Height(9), Hash([7; 32]));
        let good = certificate(&keys[..3], height, block);
        assert_eq!(set.check(&chain, height, block, &good), Ok(()));

        let few = certificate(&keys[..2], height, block);
        let expected = CertificateError::TooFew { signed: 2, total: 4 };
        assert_eq!(set.check(&chain, height, block, &few), Err(expected));

        let mut twice = few.clone();
        twice.signatures.push(few.signatures[1]);
        assert_eq!(set.check(&chain, height, block, &twice), Err(CertificateError::Order));

        let mut forged = good.clone();
        forged.signatures[1].1 = good.signatures[0].1;
        let expected = CertificateError::Signature(forged.signatures[1].0);
        assert_eq!(set.check(&chain, height, block, &forged), Err(expected));

        assert!(set.check(&chain, Height(8), block, &good).is_err(), "it is of another height");
        assert!(set.check(&chain, height, Hash([8; 32]), &good).is_err(), "it is of another block");
        let other_round = Certificate { round: 3, ..good.clone() };
        assert!(set.check(&chain, height, block, &other_round).is_err(), "it is of another round");

        let stranger = Keypair::from_secret([99; 32]);
        let foreign = certificate(&[keys[0].clone(), keys[1].clone(), stranger.clone()], height, block);
        assert_eq!(set.check(&chain, height, block, &foreign), Err(CertificateError::Unknown(stranger.address())));
    }

    #[test]
    fn turns_follow_the_stakes() {
        let (set, keys) = set(&[10, 20, 70]);
        let turns = |key: &Keypair| {
            (0..3000).filter(|height| set.proposer(Height(*height), 0).address() == key.address()).count()
        };
        let turns: Vec<_> = keys.iter().map(turns).collect();
        assert!((240..360).contains(&turns[0]) && (500..700).contains(&turns[1]), "{turns:?}");
        let mut round: Vec<_> = (0..3).map(|round| set.proposer(Height(5), round).address()).collect();
        round.sort();
        round.dedup();
        assert_eq!(round.len(), 3, "in as many rounds as there are validators, each proposes");
    }

    #[test]
    fn a_set_is_bounded_and_has_no_doubles() {
        let key = |n: u64| {
            let mut secret = [0; 32];
            secret[..8].copy_from_slice(&n.to_le_bytes());
            Keypair::from_secret(secret).public()
        };
        let all = (0..150).map(|n| Validator { key: key(n), stake: Amount((n + 1) * TOKEN.0) });
        let set = ValidatorSet::new(all.chain([Validator { key: key(3), stake: Amount(900 * TOKEN.0) }]));
        assert_eq!(set.len(), VALIDATORS_MAX);
        assert_eq!(set.iter().map(|validator| validator.stake.0 / TOKEN.0).min(), Some(51));
    }
}
