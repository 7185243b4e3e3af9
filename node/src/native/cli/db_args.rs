//! What can be typed after `assay-node db`.

use super::args::HomeArg;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    Check(DbCheck),
    Compact(DbCompact),
    Stats(DbStats),
    Migrate(DbMigrate),
}

/// Say whether what is stored is sound
///
/// Checks what every start checks: the recent headers, their work, the root of the state, the
/// schema and the chain. Says what is kept beside the database, and whether it is being rebuilt.
/// With --deep it reads everything: each record's checksum, each block from genesis to the head,
/// the index of transactions in both directions, each node of the head's state, and whether all
/// balances add up to the supply. It does not execute blocks again.
///
/// Nothing is changed, and a running node is not disturbed: what is checked is the database as
/// it is at this moment. What to do about damage: 'assay-node run' sets the database aside and
/// builds it anew from what can still be read of it and from peers.
///
/// Exit status: 0 sound, 1 damaged or failed, 2 wrong usage or settings.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DbCheck {
    #[command(flatten)]
    pub home: HomeArg,
    /// Read everything that is stored
    #[arg(long)]
    pub deep: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Write the database's tables anew, without what was overwritten or taken back
///
/// The node must not run. For a while this takes as much space again as the tables do; with less
/// it is refused. A node does without: it compacts as it goes.
///
/// Exit status: 0 done, 1 failed, 2 wrong usage or settings.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DbCompact {
    #[command(flatten)]
    pub home: HomeArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Show how large the database is and what it holds
///
/// Schema, chain and head; records, tables and bytes of each column family; the disk, and the
/// directories that were set aside. Nothing is changed, and a running node is not disturbed.
///
/// Exit status: 0 done, 1 failed, 2 wrong usage or settings.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DbStats {
    #[command(flatten)]
    pub home: HomeArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Bring the database of an older release to this release's schema
///
/// The node must not run. A new database is made beside the old one, counted and checked, and
/// then put in its place; the old one is kept beside it as DIR.migrated-N, for you to remove. It
/// is never written to before that, so a migration that fails or is cut off can be begun again,
/// and the older release still runs on it. There is no way back but that directory.
///
/// Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong usage or settings.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DbMigrate {
    #[command(flatten)]
    pub home: HomeArg,
    /// Read everything and say what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
