//! Mending the store, in the chain task's steps. When to do what is [`super::upkeep`]'s to say.

use super::{
    Failure,
    agreement::Agreeing,
    chain_task::{State, TICK},
    storage_status::{Pressure, StorageState},
    upkeep::{Attempt, SALVAGE_BLOCKS_MAX, peers_to_hear},
};
use crate::{
    chain::{ChainEvent, Source, Verdict},
    crypto::Keypair,
    storage::{Audit, Loaded, Rebuild, StoreError, StoredHead, Trouble},
    types::{Height, Timestamp},
};
use std::time::Duration;
use tokio::time::Instant;

impl State {
    /// Deals with the failures of the disk that were met since the last step, by whomever.
    pub(super) fn mend(&mut self) -> Result<(), Failure> {
        // Mending may fail as well; then what is left is tried again later, so this ends.
        if let Some((trouble, cause)) = self.store.take_trouble() {
            let before = self.upkeep.status().state;
            let attempt = self.upkeep.on_trouble(trouble, Instant::now());
            match trouble {
                Trouble::Full if before == StorageState::Full => {}
                Trouble::Full => tracing::error!(%cause, "storage.full"),
                Trouble::Failed => tracing::error!(%cause, "storage.failed"),
                Trouble::Damaged => tracing::error!(%cause, "storage.damaged"),
            }
            self.rest();
            if let Some(attempt) = attempt {
                self.attempt(attempt)?;
            }
        }
        Ok(())
    }

    /// Before the first step: what the store is in the middle of. `key` is what this node votes with.
    pub(super) fn begin(&mut self, key: Option<Keypair>) -> Result<(), StoreError> {
        if !self.store.is_open() {
            self.upkeep.is_full();
            tracing::error!(cause = "it was full when the node started", "storage.full");
        }
        self.begin_rebuild()?;
        if self.upkeep.rebuilding.is_some() {
            self.upkeep.found_damaged();
        }
        self.count_kept();
        self.agreeing = Agreeing::new(&self.core, &self.store, key)?;
        self.publish_snapshot(self.clock.now());
        Ok(())
    }

    /// Once a tick: space, what is to be tried again, a rebuild's next blocks, an audit's next bytes.
    pub(super) fn look_after_disk(&mut self, now: Timestamp) -> Result<(), Failure> {
        self.look_at_space()?;
        if let Some(attempt) = self.upkeep.due(Instant::now()) {
            self.attempt(attempt)?;
        }
        if self.upkeep.rebuilding.is_some() && self.upkeep.imports() {
            self.rebuild_on(now);
        }
        self.audit_on();
        Ok(())
    }

    fn look_at_space(&mut self) -> Result<(), Failure> {
        // A disk that does not tell its space is one whose failures show elsewhere.
        let Ok(space) = self.store.space() else { return Ok(()) };
        let before = self.upkeep.status();
        let has_space_again = self.upkeep.on_space(space, Instant::now());
        let after = self.upkeep.status();
        let (used, free) = (super::storage_status::used_percent(space), space.free);
        if after.pressure != before.pressure {
            match after.pressure {
                Pressure::Normal => tracing::info!(used_percent = used, free_bytes = free, "storage.space_normal"),
                Pressure::Warning => tracing::warn!(used_percent = used, free_bytes = free, "storage.space_warning"),
                Pressure::Critical => tracing::error!(used_percent = used, free_bytes = free, "storage.space_critical"),
            }
        }
        if after.state == StorageState::Full && before.state != StorageState::Full {
            tracing::error!(free_bytes = free, cause = "the reserve is all that is left", "storage.full");
            self.rest();
        }
        if has_space_again {
            self.attempt(Attempt::Reopen)?;
        }
        Ok(())
    }

    /// A step with a commit took so long.
    pub(super) fn look_at_speed(&mut self, took: Duration) {
        if self.upkeep.on_commit(took) {
            let took_ms = took.as_millis() as u64;
            match self.upkeep.status().slow {
                true => tracing::warn!(took_ms, "storage.slow"),
                false => tracing::info!(took_ms, "storage.not_slow_any_more"),
            }
            self.publish_snapshot(self.clock.now());
        }
    }

    /// Nothing is produced while the store takes nothing.
    fn rest(&self) {
        if !self.upkeep.produces() {
            drop(self.outputs.template.send_replace(None));
        }
    }

    fn attempt(&mut self, attempt: Attempt) -> Result<(), Failure> {
        let done = match attempt {
            Attempt::Reopen => self.reopen(),
            Attempt::Rebuild => self.rebuild(),
        };
        let Err(error) = done else { return Ok(()) };
        // What was noted on the way is of this attempt, and worse than nothing.
        let noted = self.store.take_trouble().map(|(trouble, _)| trouble);
        match (attempt, error.trouble().or(noted)) {
            (Attempt::Reopen, Some(Trouble::Damaged)) => {
                tracing::error!(cause = %error, "storage.damaged");
                self.upkeep.on_trouble(Trouble::Damaged, Instant::now());
                self.attempt(Attempt::Rebuild)
            }
            (attempt, Some(_)) => {
                tracing::error!(cause = %error, "storage.still_failing");
                self.upkeep.failed(attempt, Instant::now());
                self.rest();
                Ok(())
            }
            (Attempt::Rebuild, None) if matches!(error, StoreError::TooManyKept { .. }) => {
                tracing::error!(cause = %error, "storage.not_set_aside");
                self.upkeep.failed(Attempt::Rebuild, Instant::now());
                self.rest();
                Ok(())
            }
            (_, None) => Err(error.into()),
        }
    }

    /// Opens the store again, from what is durable.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.upkeep.audit = None;
        self.store.reopen()?;
        let loaded = self.store.load()?;
        let is_writable = self.store.is_open();
        self.upkeep.opened(is_writable);
        tracing::info!(writable = is_writable, "storage.opened_again");
        self.reload(loaded);
        Ok(())
    }

    /// Sets the store aside and begins a new one.
    fn rebuild(&mut self) -> Result<(), StoreError> {
        self.upkeep.audit = None;
        let head = self.core.head();
        let was = match &mut self.upkeep.rebuilding {
            // What has been reached by now is not all that there was. The salvage keeps files of what is set aside open.
            Some(rebuilding) => {
                rebuilding.salvage = None;
                rebuilding.record.clone()
            }
            None => {
                let target = StoredHead { height: head.height, hash: head.hash, work: head.work };
                Rebuild { target: Some(target), kept: Vec::new() }
            }
        };
        self.store.rebuild_in_place(was)?;
        let loaded = self.store.load()?;
        self.begin_rebuild()?;
        self.reload(loaded);
        Ok(())
    }

    /// Goes on with what the store says of its own rebuild, if it is in one.
    pub(super) fn begin_rebuild(&mut self) -> Result<(), StoreError> {
        let Some(record) = self.store.rebuilding()? else { return Ok(()) };
        let salvage = self.store.salvage(&record);
        tracing::warn!(
            kept = ?record.kept,
            target_height = record.target.map(|target| target.height.0),
            readable = salvage.is_some(),
            "storage.rebuilding"
        );
        self.upkeep.begin_rebuild(record, salvage);
        self.rest();
        Ok(())
    }

    fn reload(&mut self, loaded: Loaded) {
        self.core.reload(loaded.headers);
        drop(self.outputs.template.send_replace(None));
        let (height, rebuilding) = (self.core.head().height, self.upkeep.rebuilding.is_some());
        self.notify(ChainEvent::Reloaded { height, rebuilding });
        self.agree_on_next(Duration::ZERO);
        self.count_kept();
    }

    pub(super) fn count_kept(&mut self) {
        if let Ok(kept) = self.store.kept() {
            self.upkeep.on_kept(kept);
        }
    }

    /// Takes over some blocks of the damaged database, and sees whether the new one has all that it had.
    fn rebuild_on(&mut self, now: Timestamp) {
        for _ in 0..SALVAGE_BLOCKS_MAX {
            let Some(rebuilding) = &mut self.upkeep.rebuilding else { return };
            let Some(salvage) = &rebuilding.salvage else { break };
            let Some(block) = salvage.block_at(rebuilding.next) else {
                tracing::info!(height = rebuilding.next.0, "storage.salvage_ended");
                rebuilding.salvage = None;
                break;
            };
            rebuilding.next = rebuilding.next.next();
            let (verdict, effects) = self.core.on_block(Source::Salvage, block, now, &*self.store);
            if self.carry_out(effects, now).is_err() {
                // The store has noted why.
                return;
            }
            if verdict == Verdict::Reject {
                let Some(rebuilding) = &mut self.upkeep.rebuilding else { return };
                tracing::warn!(height = rebuilding.next.back(1).0, "storage.salvage_refused");
                rebuilding.salvage = None;
            }
        }
        let (work, monotonic) = (self.core.head().work, Instant::now());
        let is_salvaging = self.upkeep.rebuilding.as_ref().is_some_and(|rebuilding| rebuilding.salvage.is_some());
        let peer_can_help = self.core.sync().best_claim().is_some_and(|(best, _)| best > work);
        if self.upkeep.on_help(is_salvaging || peer_can_help, monotonic) {
            tracing::error!(height = self.core.head().height.0, "storage.stranded");
        }
        let no_peer_is_further = self.core.sync().best_claim().is_some_and(|(best, _)| best <= work);
        let heard = self.core.sync().claims().filter(|(_, height)| *height > Height(0)).count();
        self.upkeep.on_heard(heard >= peers_to_hear(self.bootstrap_peers), monotonic);
        if self.upkeep.is_rebuilt(work, no_peer_is_further) && self.store.rebuilt().is_ok() {
            self.upkeep.end_rebuild();
            tracing::info!(height = self.core.head().height.0, "storage.rebuilt");
            self.core.forget_template();
        }
    }

    /// Reads on to find damage that nobody has met yet.
    fn audit_on(&mut self) {
        let now = Instant::now();
        let Some(bytes) = self.upkeep.audit_bytes(now, TICK) else { return };
        let audit = match self.upkeep.audit.take() {
            Some(audit) => Ok(audit),
            None => Audit::begin(&self.store),
        };
        let ended = audit.and_then(|mut audit| Ok((audit.step(&self.store, bytes)?, audit)));
        match ended {
            Ok((false, audit)) => self.upkeep.audit = Some(audit),
            Ok((true, audit)) => {
                let report = audit.report();
                tracing::info!(records = report.records, bytes = report.bytes, "storage.audited");
                self.upkeep.audited(now);
            }
            // What was met is noted in the store, and dealt with as if a client had met it.
            Err(error) => {
                tracing::warn!(%error, "storage.audit_ended");
                self.upkeep.audit_failed(now);
            }
        }
    }
}
