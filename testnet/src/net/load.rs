//! Transfers at a steady rate from the funded accounts, and what became of them.
//!
//! Each account sends in turn, one transfer at a time, to its own node, and to the next one when that has trouble. A transfer is
//! due at a fixed time whatever became of those before it; its latency counts from then on.

use super::{
    Net,
    error::NetError,
    latency::{Latencies, Quantiles},
    wallet::{Outcome, Pace, TransferId, Wallet},
    watcher::watch,
};
use assay_node::api::Client;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Transfers a second, at most.
pub const RATE_MAX: u32 = 10_000;
/// Transfers that are followed until they are confirmed, at a time; further ones are sent and not followed.
const TRACKED_MAX: usize = 200_000;
/// How long is waited at the end for what was acknowledged to be confirmed.
const CONFIRMED_MAX: Duration = Duration::from_secs(60);
/// Between two tellings of how far it is.
const TELL_AGAIN: Duration = Duration::from_millis(200);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Transfers a second; 1 to [`RATE_MAX`].
    pub rate: u32,
    /// For how long.
    pub time: Duration,
}

/// Counts of transfers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// A node took them in.
    pub acknowledged: u64,
    /// A node refused them.
    pub refused: u64,
    /// No node took the connection.
    pub not_sent: u64,
    /// They were sent and the answer is missing.
    pub unknown: u64,
    /// Of those acknowledged or unknown, they are confirmed.
    pub confirmed: u64,
    /// They are followed and not confirmed yet.
    pub unconfirmed: u64,
    /// Acknowledged or unknown, and too many to be followed.
    pub not_followed: u64,
}

impl Counts {
    /// All that were tried.
    fn tried(&self) -> u64 {
        self.acknowledged + self.refused + self.not_sent + self.unknown
    }
}

/// How far it is.
#[derive(Clone, Debug)]
pub struct LoadProgress {
    /// Since it began.
    pub elapsed: Duration,
    /// Whether nothing is sent any more, and confirmations are waited for.
    pub is_waiting: bool,
    /// What became of the transfers so far.
    pub counts: Counts,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadReport {
    /// Transfers a second that were asked for.
    pub rate: u32,
    /// For how long it sent.
    pub seconds: f64,
    /// Transfers that were due in that time.
    pub due: u64,
    /// Those that could not be tried in it, because all accounts waited for answers.
    pub late: u64,
    /// What became of those that were tried.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why transfers were refused: the API's codes.
    pub refusals: BTreeMap<String, u64>,
    /// From when a transfer was due until a node had acknowledged it.
    pub answer: Option<Quantiles>,
    /// From when a transfer was due until it was seen to be confirmed.
    pub confirmation: Option<Quantiles>,
}

/// What wallets and watcher share.
pub(crate) struct Shared {
    pub clients: Vec<Client>,
    /// No transfer is sent any more.
    pub stopped: CancellationToken,
    /// Nothing is watched any more.
    pub over: CancellationToken,
    tally: Mutex<Tally>,
}

impl Shared {
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has become of transfers so far.
#[derive(Default)]
pub(crate) struct Tally {
    counts: Counts,
    /// When the transfers that are not confirmed yet were due, and whether they are acknowledged.
    tracked: BTreeMap<TransferId, (Instant, bool)>,
    refusals: BTreeMap<String, u64>,
    answer: Latencies,
    confirmation: Latencies,
}

impl Tally {
    /// One is about to be sent. It is followed from now on: it may be confirmed before its answer is here.
    pub(crate) fn sending(&mut self, id: TransferId, due: Instant) {
        if self.tracked.len() < TRACKED_MAX {
            self.tracked.insert(id, (due, false));
        }
    }

    /// It was not sent to that node.
    pub(crate) fn not_sent(&mut self, id: TransferId) {
        self.tracked.remove(&id);
    }

    /// No node took the connection.
    pub(crate) fn nobody_took_one(&mut self) {
        self.counts.not_sent += 1;
    }

    /// A node answered, or the answer is missing.
    pub(crate) fn answered(&mut self, id: TransferId, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Acknowledged => {
                self.counts.acknowledged += 1;
                self.answer.note(took);
                if let Some((_, is_acknowledged)) = self.tracked.get_mut(&id) {
                    *is_acknowledged = true;
                }
            }
            Outcome::Refused(code) => {
                self.counts.refused += 1;
                *self.refusals.entry(code).or_default() += 1;
                self.tracked.remove(&id);
            }
            Outcome::Unknown => self.counts.unknown += 1,
            Outcome::NotSent => self.not_sent(id),
        }
    }

    /// One is in a block that is confirmed; ours, or somebody else's.
    pub(crate) fn confirmed(&mut self, id: TransferId) {
        if let Some((due, _)) = self.tracked.remove(&id) {
            self.counts.confirmed += 1;
            self.confirmation.note(due.elapsed());
        }
    }

    fn counts(&self) -> Counts {
        let unconfirmed = self.tracked.len() as u64;
        let sent = self.counts.acknowledged + self.counts.unknown;
        let not_followed = sent.saturating_sub(self.counts.confirmed + unconfirmed);
        Counts { unconfirmed, not_followed, ..self.counts.clone() }
    }

    /// Whether something that was acknowledged is not confirmed yet.
    fn awaits(&self) -> bool {
        self.tracked.values().any(|(_, is_acknowledged)| *is_acknowledged)
    }
}

impl Net {
    /// Sends transfers until the time is over or `stop` ends, waits until what was acknowledged is confirmed, a minute at most,
    /// and says what became of all. `tell` hears how far it is. When `stop` ends while it waits, it waits no longer.
    ///
    /// # Errors
    /// [`NetError::Usage`] without accounts or with a rate out of bounds, [`NetError::NoneRuns`],
    /// [`NetError::Refused`] when none answers.
    pub async fn load(
        &self,
        load: Load,
        stop: impl Future<Output = ()> + Send + 'static,
        tell: &mut dyn FnMut(&LoadProgress),
    ) -> Result<LoadReport, NetError> {
        let Load { rate, time } = load;
        if rate == 0 || rate > RATE_MAX {
            return Err(NetError::Usage(format!("a rate of {rate} is out of bounds; give 1 to {RATE_MAX} a second")));
        }
        let accounts = self.accounts()?.accounts;
        if accounts.is_empty() {
            return Err(NetError::Usage("this testnet has no accounts; start one with --accounts".into()));
        }
        let running = self.running();
        let Some(first) = running.first() else { return Err(NetError::NoneRuns { name: self.state.name.clone() }) };
        let clients: Vec<_> = (0..self.state.nodes.len()).map(|n| self.client(n)).collect();
        let refused = |cause| NetError::Refused { what: "asking for the head".into(), cause };
        let head = clients[*first].head(super::ASK_MAX).await.map_err(refused)?;
        let shared = Arc::new(Shared {
            clients,
            stopped: CancellationToken::new(),
            over: CancellationToken::new(),
            tally: Mutex::default(),
        });
        let stopper = shared.clone();
        let stopper = tokio::spawn(async move {
            stop.await;
            stopper.stopped.cancel();
        });
        let watcher = tokio::spawn(watch(shared.clone(), head.confirmed_height.next()));
        let begun = Instant::now();
        let interval = Duration::from_secs(1) / rate;
        let mut wallets = JoinSet::new();
        for (n, account) in accounts.iter().enumerate() {
            let to = accounts[(n + 1) % accounts.len()].address;
            let wallet = Wallet {
                shared: shared.clone(),
                chain_id: self.state.chain_id.clone(),
                key: account.keypair(),
                to,
                home: running[n % running.len()],
                nonce: None,
            };
            let pace = Pace {
                first: begun + interval * n as u32,
                interval: interval * accounts.len() as u32,
                until: begun + time,
            };
            wallets.spawn(wallet.run(pace));
        }
        let mut say = |is_waiting| {
            let counts = shared.tally().counts();
            tell(&LoadProgress { elapsed: begun.elapsed(), is_waiting, counts });
        };
        // Each ends soon after its time is over: an answer is bounded.
        while !wallets.is_empty() {
            tokio::select! {
                biased;
                ended = wallets.join_next() => drop(ended.map(|ended| ended.expect("nobody aborts it, and it does not panic"))),
                () = sleep(TELL_AGAIN) => say(false),
            }
        }
        let sent_for = begun.elapsed().min(time);
        let waits = Instant::now();
        while shared.tally().awaits() && waits.elapsed() < CONFIRMED_MAX && !shared.stopped.is_cancelled() {
            say(true);
            sleep(TELL_AGAIN).await;
        }
        stopper.abort();
        shared.over.cancel();
        watcher.await.expect("nobody aborts it, and it does not panic");
        let tally = shared.tally();
        let counts = tally.counts();
        let due = (sent_for.as_nanos() / interval.as_nanos().max(1)) as u64;
        let due = due.max(counts.tried());
        Ok(LoadReport {
            rate,
            seconds: (sent_for.as_secs_f64() * 1000.0).round() / 1000.0,
            due,
            late: due - counts.tried(),
            refusals: tally.refusals.clone(),
            answer: tally.answer.quantiles(),
            confirmation: tally.confirmation.quantiles(),
            counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_node::crypto::{Domain, Hash};

    fn id(n: u8) -> TransferId {
        Hash::of(Domain::Transaction, &[&[n]])
    }

    #[tokio::test]
    async fn each_transfer_counts_once() {
        let mut tally = Tally::default();
        let due = Instant::now();
        for n in 0..4 {
            tally.sending(id(n), due);
        }
        tally.answered(id(0), Outcome::Acknowledged, Duration::from_millis(3));
        tally.answered(id(1), Outcome::Refused("balance".into()), Duration::from_millis(3));
        tally.answered(id(2), Outcome::Unknown, Duration::from_millis(3));
        tally.not_sent(id(3));
        tally.nobody_took_one();
        assert!(tally.awaits());
        tally.confirmed(id(0));
        tally.confirmed(id(0));
        tally.confirmed(id(1));
        assert!(!tally.awaits(), "what is unknown is not waited for");
        let counts = tally.counts();
        let wanted = Counts {
            acknowledged: 1,
            refused: 1,
            not_sent: 1,
            unknown: 1,
            confirmed: 1,
            unconfirmed: 1,
            not_followed: 0,
        };
        assert_eq!(counts, wanted);
        assert_eq!(counts.tried(), 4);
        assert_eq!(tally.refusals, BTreeMap::from([("balance".into(), 1)]));
        tally.confirmed(id(2));
        assert_eq!(tally.counts().confirmed, 2, "an unknown one may be confirmed");
    }
}
