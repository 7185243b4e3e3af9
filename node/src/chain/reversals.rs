//! Confirmed blocks that were taken back, and forks that were refused for their depth. Pure.
//!
//! In proof of work, confirmation is a bet on which branch wins. A node that has lost it follows the heaviest branch all the
//! same, down to [`REORG_DEPTH_MAX`](super::REORG_DEPTH_MAX) below its head, or it would part from the others for good. But
//! whoever relied on the confirmation must hear of it: by an event, an error in the log, a counter, and a health check that
//! stays degraded for [`REVERTED_SHOWN_MS`].
//!
//! What it cannot do: after a restart, or when the store was read again, it knows only what is k below the stored head.

use crate::types::{Height, Timestamp};

/// How long a reversal is shown, in milliseconds: longer than any interval at which an operator's monitoring asks.
pub const REVERTED_SHOWN_MS: u64 = 3_600_000;

/// Heights that were confirmed and were taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reverted {
    /// The last height that stayed.
    pub fork: Height,
    /// The highest height that had been confirmed; above `fork`.
    pub confirmed: Height,
}

/// What this node took back or refused since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reversals {
    /// Confirmed blocks that were taken back.
    pub confirmed_reverted: u64,
    /// The last such reversal, with those that it followed while they were shown, until [`REVERTED_SHOWN_MS`] have passed.
    pub recent: Option<Reverted>,
    /// Blocks that were refused because they fork too far below the head.
    pub forks_refused: u64,
}

/// Notes them.
#[derive(Debug)]
pub(super) struct ReversalLog {
    /// The highest height that was ever told to be confirmed and was not taken back since. A heavier branch may be shorter, so
    /// this is not always the one k below the head.
    confirmed: Height,
    seen: Reversals,
    /// When the last reversal was, by the clock that never steps.
    reverted_at: Timestamp,
}

impl ReversalLog {
    /// Of a chain that is confirmed up to this height.
    pub fn new(confirmed: Height) -> Self {
        Self { confirmed, seen: Reversals::default(), reverted_at: Timestamp(0) }
    }

    /// Everything up to here is confirmed.
    pub fn confirm(&mut self, height: Height) {
        self.confirmed = self.confirmed.max(height);
    }

    /// The blocks above `fork` are taken back. Says so if any of them was confirmed.
    pub fn take_back(&mut self, fork: Height, elapsed: Timestamp) -> Option<Reverted> {
        if fork >= self.confirmed {
            return None;
        }
        let now = Reverted { fork, confirmed: self.confirmed };
        let all = match self.status(elapsed).recent {
            Some(before) => Reverted { fork: fork.min(before.fork), confirmed: now.confirmed.max(before.confirmed) },
            None => now,
        };
        self.seen.confirmed_reverted += self.confirmed.0 - fork.0;
        self.seen.recent = Some(all);
        (self.confirmed, self.reverted_at) = (fork, elapsed);
        Some(now)
    }

    /// The chain was read again from a store that may lack blocks for now. They were not taken back.
    pub fn reload(&mut self, confirmed: Height) {
        self.confirmed = confirmed;
    }

    /// A block was refused because it forks too far below the head.
    pub fn refuse_fork(&mut self) {
        self.seen.forks_refused += 1;
    }

    /// What is to be shown.
    pub fn status(&self, elapsed: Timestamp) -> Reversals {
        let is_shown = elapsed.since(self.reverted_at) < REVERTED_SHOWN_MS;
        Reversals { recent: self.seen.recent.filter(|_| is_shown), ..self.seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reverted(fork: u64, confirmed: u64) -> Option<Reverted> {
        Some(Reverted { fork: Height(fork), confirmed: Height(confirmed) })
    }

    #[test]
    fn only_what_was_confirmed_is_missed() {
        let mut log = ReversalLog::new(Height(5));
        let now = Timestamp(1_000);
        assert_eq!(log.take_back(Height(5), now), None);
        log.confirm(Height(8));
        log.confirm(Height(7));
        assert_eq!(
            log.take_back(Height(7), now),
            reverted(7, 8),
            "a shorter branch takes no confirmation back by itself"
        );
        assert_eq!(log.take_back(Height(7), now), None, "it was taken back once");
        log.reload(Height(2));
        assert_eq!(log.take_back(Height(3), now), None, "what the store lost was not taken back");
        assert_eq!(log.status(now).confirmed_reverted, 1);
    }

    #[test]
    fn it_is_shown_for_a_while_and_counted_for_ever() {
        let mut log = ReversalLog::new(Height(9));
        log.take_back(Height(6), Timestamp(1_000));
        log.confirm(Height(8));
        log.take_back(Height(7), Timestamp(2_000));
        let shown = |log: &ReversalLog, at| log.status(Timestamp(at)).recent;
        assert_eq!(shown(&log, 2_000 + REVERTED_SHOWN_MS - 1), reverted(6, 9), "the second does not hide the first");
        assert_eq!(shown(&log, 2_000 + REVERTED_SHOWN_MS), None);
        log.confirm(Height(20));
        log.take_back(Height(18), Timestamp(2_000 + REVERTED_SHOWN_MS));
        assert_eq!(shown(&log, 2_000 + REVERTED_SHOWN_MS), reverted(18, 20));
        assert_eq!(log.status(Timestamp(u64::MAX)).confirmed_reverted, 3 + 1 + 2);
    }
}
