//! Tasks that an operator has not done: periods that are to come or long gone, a block that does not exist, more traffic than
//! anybody can relay, and witnesses who have signed nothing.

use super::{Deed, Liar, noise};
use crate::entropy;
use assay_node::{
    crypto::{Hash, Keypair},
    ledger,
    p2p::Topic,
    types::{Amount, Body, Height, Payload, Period, Task, TaskProof, Testimony, Witness},
};

#[derive(Default)]
pub(super) struct FalseProofs {
    shown: u64,
}

impl Deed for FalseProofs {
    fn act(&mut self, liar: &mut Liar) {
        self.shown += 1;
        let store = &*liar.view.store;
        let Ok(head) = store.head() else { return };
        let Ok(operators) = ledger::operators(store, head.height) else { return };
        let Ok(account) = ledger::account(store, head.height, &liar.account.address()) else { return };
        let genesis = store.genesis().clone();
        let params = &genesis.params.poot;
        let (now, own) = (params.period(operators.recent.slot), liar.account.address());
        let others: Vec<_> = operators.members.keys().filter(|address| **address != own).collect();
        let Some(other) = others.get(entropy::below(&mut liar.stream, others.len().max(1) as u64) as usize) else {
            return;
        };
        let nobody = Keypair::from_secret(noise(&mut liar.stream, 32).try_into().expect("32 bytes"));
        let testimony =
            |megabytes, key: &Keypair| Testimony { operator: own, period: now, megabytes }.sign(&genesis.chain_id, key);
        let forged = |megabytes| Witness { operator: **other, ..testimony(megabytes, &nobody) };
        let most = params.relay_megabytes_max as u32;
        let (period, task) = match self.shown % 8 {
            0 => (Period(now.0 + 1), Task::Uptime),
            1 => (Period(now.0.saturating_sub(2)), Task::Uptime),
            2 => (now, Task::Validation { height: Height(1), block: Hash([7; 32]) }),
            3 => (now, Task::Storage { witness: forged(None) }),
            4 => (now, Task::Storage { witness: testimony(None, &liar.account) }),
            5 => (now, Task::Storage { witness: testimony(None, &nobody) }),
            6 => (now, Task::Relay { megabytes: most, witness: forged(Some(most)) }),
            _ => (now, Task::Relay { megabytes: u32::MAX, witness: forged(Some(u32::MAX)) }),
        };
        let body = Body {
            chain_id: genesis.chain_id.clone(),
            sender: liar.account.public(),
            nonce: account.nonce,
            fee: Amount(self.shown),
            valid_until: Height(u64::MAX),
            payload: Payload::Task { proof: TaskProof { period, task } },
        };
        let transaction = body.sign(&liar.account);
        liar.publish(Topic::Transactions, assay_node::encode(&transaction));
    }
}
