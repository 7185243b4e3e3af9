//! The miner: tries hashes at a bounded rate and reports the seal that it finds.
//!
//! The rate is bounded in `tokio::time`, so that the work of a node is a setting and not a property of the machine. What
//! is not used of a tick is lost, as it is for a real miner that was paused.

use super::{Failure, Metrics, input::Input};
use crate::{chain::Template, consensus::pow::Search, seams::Blocking};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

/// Time between two rounds of trying.
const TICK: Duration = Duration::from_millis(100);
/// Ticks in a second.
const TICKS_PER_SECOND: u64 = 10;

/// A miner that is not running yet.
pub(super) struct Miner {
    /// Hashes to try a second, at most.
    pub hash_rate: u64,
    /// What to work on.
    pub template: watch::Receiver<Option<Arc<Template>>>,
    /// The chain task.
    pub inputs: mpsc::Sender<Input>,
    pub metrics: Arc<Metrics>,
    pub blocking: Blocking,
}

impl Miner {
    /// Runs until told to stop or until the chain task is gone.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(TICK);
        // A tick that comes late does not put off the next one: the rate holds on a busy machine too.
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut search: Option<(Arc<Template>, Search)> = None;
        let mut credit = 0;
        self.template.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {}
            }
            if self.template.has_changed().unwrap_or(false) {
                search = self.template.borrow_and_update().clone().map(Self::begin);
            }
            credit += self.hash_rate;
            let tries = credit / TICKS_PER_SECOND;
            credit %= TICKS_PER_SECOND;
            if tries == 0 {
                continue;
            }
            let Some((template, mut nonces)) = search.take() else { continue };
            let (back, found) = self
                .blocking
                .run(move || {
                    let found = nonces.run(tries);
                    (nonces, found)
                })
                .await;
            self.metrics.hashes.inc_by(tries);
            match found {
                None => search = Some((template, back)),
                Some(seal) => {
                    if self.inputs.send(Input::Sealed(template, seal)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Starts at a random nonce, so that a new template of the same block does not repeat what was tried.
    fn begin(template: Arc<Template>) -> (Arc<Template>, Search) {
        let mut start = [0; 8];
        getrandom::fill(&mut start).expect("the operating system gives entropy");
        let search = Search::new(template.unsealed, template.difficulty, u64::from_le_bytes(start));
        (template, search)
    }
}
