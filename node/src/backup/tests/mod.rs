//! Archives in memory, and backups of real stores on a disk that can be made to fail.

mod alterations;
mod disks;
mod making;
mod restoring;
mod retention;

use super::{FORMAT, Manifest, ManifestHead};
use crate::{
    crypto::{Hash, Keypair},
    types::{Amount, ChainParams, Genesis, Height, Timestamp},
};

/// When the tests take place.
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn genesis(chain: &str) -> Genesis {
    Genesis {
        chain_id: chain.parse().expect("it is a chain id"),
        timestamp: Timestamp(1),
        params: ChainParams::default(),
        accounts: [(Keypair::from_secret([1; 32]).address(), Amount(5))].into(),
        validators: Default::default(),
        operators: Default::default(),
    }
}

/// A manifest of `chain` without its files.
fn manifest(chain: &str, height: u64, created: Timestamp) -> Manifest {
    Manifest {
        format: FORMAT,
        created,
        chain_id: chain.parse().expect("it is a chain id"),
        genesis: Hash([1; 32]),
        schema: 2,
        head: ManifestHead { height: Height(height), hash: Hash([2; 32]) },
        release: "0.1.0".into(),
        files: Vec::new(),
    }
}
