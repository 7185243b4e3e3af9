//! Bonds that are made and taken back, so that the set of validators changes.
//!
//! The bonds are the least that there may be, and nobody votes for them: they are small against those of the nodes.

use super::{Nodes, Oracle, wallet::Wallet};
use crate::entropy;
use assay_node::types::{Amount, ChainId};
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::time::MissedTickBehavior;

/// Who changes bonds, how often and until when.
pub(super) struct Market {
    pub nodes: Rc<Nodes>,
    pub oracle: Rc<RefCell<Oracle>>,
    pub idle: Rc<RefCell<Vec<Wallet>>>,
    pub chain_id: ChainId,
    pub interval: Duration,
    pub until: Duration,
    pub amount: Amount,
}

impl Market {
    pub async fn run(self, mut stream: entropy::Stream) {
        let mut tick = tokio::time::interval(self.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.nodes.now() < self.until {
            tick.tick().await;
            let stakers: Vec<usize> = {
                let idle = self.idle.borrow();
                (0..idle.len()).filter(|place| idle[*place].staker.is_some()).collect()
            };
            if stakers.is_empty() {
                continue;
            }
            let chosen = stakers[entropy::below(&mut stream, stakers.len() as u64) as usize];
            let mut wallet = self.idle.borrow_mut().swap_remove(chosen);
            wallet.change_bond(&self.nodes, &self.oracle, self.chain_id.clone(), self.amount).await;
            self.idle.borrow_mut().push(wallet);
        }
    }
}
