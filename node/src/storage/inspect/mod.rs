//! Reading everything and holding it against everything else: what an operator asks for who wants to be sure.
//!
//! | what | how |
//! |---|---|
//! | every record | RocksDB's checksums of its blocks, and the checksum of each value ([`Audit`]) |
//! | the chain | one block at each height from genesis to the head, each of which hashes to its key, stands on the one below and adds its work; no block beside them |
//! | transactions | those of each block have the root that its header commits to, the index says where each is, and says nothing else |
//! | the state of the head | every node and value of the tree hashes to what the node above it commits to, up to the header; balances add up to the supply |
//! | older states | their root is the one that their block's header commits to; the nodes below it have the first check only |
//! | undo records | one for each block, naming values that are there; there are no others |
//!
//! It does not execute blocks, and does not check seals and signatures: a chain that was wrong when it was taken in is
//! not what the disk did.
//!
//! Everything is read as it was when the inspection began, with a memory that does not depend on the size of the chain.

mod chain;
mod findings;
mod state;

pub use findings::{FINDINGS_MAX, Finding, Findings};

use super::{
    Audit, AuditReport, Settings, Store, StoreError,
    db::{Access, Db},
    keys,
};
use crate::types::Genesis;
use rocksdb::{IteratorMode, ReadOptions};
use serde::Serialize;

/// Bytes between two words about progress.
const STEP_BYTES: u64 = 4 << 20;

/// Of the blocks that an inspection reads, those of the state tree are read again and again.
const CACHE_SIZE_MB: usize = 32;

/// How far an inspection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub part: &'static str,
    /// How much of it was read.
    pub done: u64,
    /// How much there is, about.
    pub of: u64,
}

/// What was read, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Every record.
    pub records: AuditReport,
    /// Blocks that could be read.
    pub blocks: u64,
    /// Their transactions.
    pub transactions: u64,
    /// Nodes of the state tree of the head that could be read.
    pub nodes: u64,
    /// Its accounts.
    pub accounts: u64,
    /// What is wrong. Whoever tells of it puts it together with what else was found.
    #[serde(skip)]
    pub findings: Findings,
}

impl Store {
    /// Reads everything. `tell` is told how far it is.
    ///
    /// # Errors
    /// When it cannot begin. What is wrong with the records is among the findings.
    pub fn inspect(&self, tell: &mut dyn FnMut(Progress)) -> Result<Inspection, StoreError> {
        let settings = Settings { cache_size_mb: CACHE_SIZE_MB, ..self.settings };
        let mut audit = Audit::of(Db::open(&self.disk, &self.path, settings, Access::Read)?);
        let mut findings = Findings::default();
        let of = audit.db().statistic("rocksdb.estimate-num-keys");
        loop {
            tell(Progress { part: "records", done: audit.report().records, of });
            match audit.read(STEP_BYTES) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => findings.add(error),
            }
        }
        let report = Inspection { records: audit.report(), findings, ..Inspection::default() };
        let mut inspector = Inspector { db: audit.db(), genesis: &self.genesis, report, tell };
        if let Some(head) = inspector.chain() {
            inspector.state(&head);
        }
        Ok(inspector.report)
    }
}

/// An inspection under way.
struct Inspector<'a> {
    db: &'a Db,
    genesis: &'a Genesis,
    report: Inspection,
    tell: &'a mut dyn FnMut(Progress),
}

impl Inspector<'_> {
    /// What was read; a failure is a finding.
    fn read<T>(&mut self, read: Result<T, StoreError>) -> Option<T> {
        read.map_err(|error| self.report.findings.add(error)).ok()
    }

    /// As [`Inspector::read`], of what must be there.
    fn need<T>(&mut self, family: &'static str, key: &[u8], read: Result<Option<T>, StoreError>) -> Option<T> {
        let found = self.read(read)?;
        if found.is_none() {
            self.find(family, key, "it is missing");
        }
        found
    }

    fn find(&mut self, family: &'static str, key: &[u8], what: impl Into<String>) {
        self.report.findings.add(Finding { family, key: keys::shown(family, key), what: what.into() });
    }

    /// Gives each key of a family to `f`. One that cannot be read was found by the audit already.
    fn each_key(&mut self, family: &'static str, mut f: impl FnMut(&mut Self, &[u8])) {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        let db = self.db;
        for entry in db.rocks.iterator_cf_opt(db.family(family), options, IteratorMode::Start) {
            let Ok((key, _)) = entry else { return };
            f(self, &key);
        }
    }
}
