//! `db`: work on the database of a home.

use super::{
    args::HomeArg,
    commands::{print, print_pairs},
    db_args::{DbCheck, DbCompact, DbMigrate, DbStats},
    failure::CommandError,
    progress::Line,
};
use crate::{
    native::{config_file, database, home::Home, seams},
    seams::{Disk, Space},
    storage::{
        FamilyStats, Findings, Inspection, Kept, Migration, Plan, Rebuild, Settings, Stats, Store, StoreError,
        StoredHead, Trouble,
    },
    types::{ChainId, Genesis},
};
use serde::Serialize;
use std::path::PathBuf;

/// The database of a home.
struct Place {
    disk: Disk,
    path: PathBuf,
    genesis: Genesis,
    settings: Settings,
}

impl Place {
    fn of(home: &HomeArg) -> Result<Self, CommandError> {
        let home = Home::new(&home.home)?;
        let config = config_file::load(Some(&home.config()), Vec::new())?.config;
        let (path, genesis) = home.chain(&config)?;
        Ok(Self { disk: seams::disk()?, path, genesis, settings: config.storage_settings() })
    }

    fn look(&self) -> Result<Store, StoreError> {
        Store::look(&self.disk, &self.path, self.genesis.clone(), self.settings)
    }

    /// The process that has it open.
    fn user(&self) -> Result<Option<i32>, CommandError> {
        let user = database::user(&self.path).map_err(crate::native::home::HomeError::from)?;
        Ok(user.map(|process| process.as_raw_nonzero().get()))
    }
}

/// What `db stats` says.
#[derive(Serialize)]
struct Measured {
    database: PathBuf,
    #[serde(flatten)]
    stats: Stats,
}

/// What `db compact` says.
#[derive(Serialize)]
struct AllCompacted {
    database: PathBuf,
    families: Vec<Compacted>,
}

#[derive(Serialize)]
struct Compacted {
    name: &'static str,
    before_bytes: u64,
    after_bytes: u64,
}

/// What `db migrate` says.
#[derive(Serialize)]
struct Migrated {
    database: PathBuf,
    is_done: bool,
    #[serde(flatten)]
    plan: Plan,
}

/// What `db check` says.
#[derive(Serialize)]
struct Checked {
    database: PathBuf,
    in_use_by: Option<i32>,
    schema: Option<u32>,
    chain: ChainId,
    head: Option<StoredHead>,
    kept: Vec<Kept>,
    rebuild: Option<Rebuild>,
    inspection: Option<Inspection>,
    findings: Findings,
    is_sound: bool,
}

pub fn check(args: &DbCheck) -> Result<(), CommandError> {
    let place = Place::of(&args.home)?;
    let (database, in_use_by) = (place.path.clone(), place.user()?);
    let kept = crate::storage::list_kept(&place.disk, &place.path)?;
    let mut checked = Checked {
        database,
        in_use_by,
        schema: None,
        chain: place.genesis.chain_id.clone(),
        head: None,
        kept,
        rebuild: None,
        inspection: None,
        findings: Findings::default(),
        is_sound: false,
    };
    match place.look().and_then(|store| checked.fill(&store, args.deep)) {
        Err(error) if error.trouble() == Some(Trouble::Damaged) => checked.findings.add(error),
        other => other?,
    }
    if let Some(inspection) = &mut checked.inspection {
        let found = std::mem::take(&mut inspection.findings);
        found.listed.into_iter().for_each(|finding| checked.findings.add(finding));
        checked.findings.more += found.more;
    }
    let count = checked.findings.count();
    checked.is_sound = count == 0;
    match args.json {
        true => print_json(&checked)?,
        false => print_pairs(&checked.lines(), false)?,
    }
    if checked.is_sound { Ok(()) } else { Err(CommandError::DamageFound(count)) }
}

impl Checked {
    fn fill(&mut self, store: &Store, deep: bool) -> Result<(), StoreError> {
        if deep {
            let mut line = Line::new();
            self.inspection = Some(store.inspect(&mut |progress| line.tell(progress))?);
        }
        self.schema = Some(store.schema()?);
        self.rebuild = store.rebuilding()?;
        self.head = Some(store.head()?);
        store.load().map(drop).map_err(|error| store.judged(error))
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("database", self.database.display().to_string())];
        if let Some(process) = self.in_use_by {
            lines.push(("in_use", format!("by process {process}; this is what it had stored when the check began")));
        }
        lines.extend(self.schema.map(|schema| ("schema", schema.to_string())));
        lines.push(("chain", self.chain.to_string()));
        lines.extend(self.head.as_ref().map(|head| ("head", head_text(head))));
        lines.extend(self.rebuild.as_ref().map(|rebuild| ("rebuild", rebuild_text(rebuild))));
        lines.extend(kept_lines(&self.kept));
        lines.push(("checked", self.inspection.as_ref().map_or(FAST.into(), inspection_text)));
        lines.extend(self.findings.listed.iter().map(|finding| ("damage", finding.to_string())));
        if self.findings.more > 0 {
            lines.push(("damage", format!("and {} more", self.findings.more)));
        }
        let verdict = match (self.is_sound, &self.rebuild) {
            (false, _) => "damaged",
            (true, Some(_)) => "sound as far as it is rebuilt; 'assay-node run' goes on with that",
            (true, None) => "sound",
        };
        lines.push(("verdict", verdict.into()));
        lines
    }
}

const FAST: &str = "what a start checks: recent headers, their work, the root of the state; --deep reads everything";

fn inspection_text(inspection: &Inspection) -> String {
    let Inspection { records, blocks, transactions, nodes, accounts, .. } = inspection;
    format!(
        "{} records ({}), {blocks} blocks, {transactions} transactions, {nodes} nodes of the state, {accounts} accounts",
        records.records,
        size(records.bytes)
    )
}

fn rebuild_text(Rebuild { target, kept }: &Rebuild) -> String {
    let kept = kept.join(" and ");
    match target {
        Some(target) => format!("from {kept}, to height {} and work {}", target.height, target.work),
        None => format!("from {kept}, to whatever peers have"),
    }
}

fn head_text(head: &StoredHead) -> String {
    format!("{} {}", head.height, head.hash)
}

fn kept_lines(kept: &[Kept]) -> Vec<(&'static str, String)> {
    kept.iter().map(|kept| ("kept", format!("{} ({})", kept.name, size(kept.bytes)))).collect()
}

pub fn stats(args: &DbStats) -> Result<(), CommandError> {
    let place = Place::of(&args.home)?;
    let stats = place.look()?.stats()?;
    if args.json {
        return print_json(&Measured { database: place.path, stats });
    }
    let mut lines = vec![("database", place.path.display().to_string())];
    lines.extend([
        ("schema", stats.schema.to_string()),
        ("chain", stats.chain.to_string()),
        ("head", head_text(&stats.head)),
    ]);
    lines.push(("size", format!("{}, {} of it in the log", size(stats.total_bytes), size(stats.log_bytes))));
    let Space { total, free } = stats.disk;
    lines.push(("disk", format!("{}, {} free", size(total), size(free))));
    lines.extend(kept_lines(&stats.kept));
    print_pairs(&lines, false)?;
    let mut rows = vec![["family", "records", "tables", "size", "levels"].map(str::to_owned)];
    rows.extend(stats.families.iter().map(|FamilyStats { name, records_estimate, table_bytes, tables }| {
        let levels: Vec<_> = tables.iter().map(|(level, count)| format!("L{level}:{count}")).collect();
        let count: u64 = tables.values().sum();
        [(*name).to_owned(), format!("~{records_estimate}"), count.to_string(), size(*table_bytes), levels.join(" ")]
    }));
    print(&format!("\n{}", table(&rows)))
}

pub fn compact(args: &DbCompact) -> Result<(), CommandError> {
    let place = Place::of(&args.home)?;
    // Looked at first: opened for writing, a database that is not there would be made.
    drop(place.look()?);
    let store = Store::open(&place.disk, &place.path, place.genesis.clone(), place.settings)?;
    store.flush()?;
    let before = store.families()?;
    let mut line = Line::new();
    store.compact(&mut |progress| line.tell(progress))?;
    drop(line);
    let after = store.families()?;
    let sizes =
        || before.iter().zip(&after).map(|(before, after)| (before.name, before.table_bytes, after.table_bytes));
    let total = sizes().fold((0, 0), |sum, (_, before, after)| (sum.0 + before, sum.1 + after));
    if args.json {
        let families = sizes().map(|(name, before_bytes, after_bytes)| Compacted { name, before_bytes, after_bytes });
        return print_json(&AllCompacted { database: place.path, families: families.collect() });
    }
    let row = |(name, before, after): (&str, u64, u64)| [name.to_owned(), size(before), size(after)];
    let mut rows = vec![["family", "before", "after"].map(str::to_owned)];
    rows.extend(sizes().map(row));
    rows.push(row(("total", total.0, total.1)));
    print(&table(&rows))
}

pub fn migrate(args: &DbMigrate) -> Result<(), CommandError> {
    let place = Place::of(&args.home)?;
    let Place { disk, path, genesis, settings } = &place;
    if place.user()?.is_some() {
        return Err(StoreError::InUse { path: path.display().to_string() }.into());
    }
    let failed = CommandError::Migrate;
    let open = if args.dry_run { Migration::look } else { Migration::begin };
    let Some(migration) = open(disk, path, genesis.clone(), *settings).map_err(failed)? else {
        let lines = [("database", path.display().to_string()), ("verdict", "it has this release's schema".into())];
        return print_pairs(&lines, args.json);
    };
    let mut line = Line::new();
    let plan = migration.plan(&mut |progress| line.tell(progress)).map_err(failed)?;
    if plan.disk.free < plan.needed_bytes {
        drop(line);
        return Err(StoreError::NoRoom { needed: plan.needed_bytes, free: plan.disk.free }.into());
    }
    if !args.dry_run {
        migration.run(&plan, &mut |progress| line.tell(progress)).map_err(failed)?;
    }
    drop(line);
    if args.json {
        return print_json(&Migrated { database: path.clone(), is_done: !args.dry_run, plan });
    }
    print_pairs(&plan_lines(&place, &plan, args.dry_run), false)
}

fn plan_lines(place: &Place, plan: &Plan, is_dry: bool) -> Vec<(&'static str, String)> {
    let Plan { from, to, steps, records, bytes, needed_bytes, disk, kept } = plan;
    let verdict = match is_dry {
        true => "nothing was written; the same without --dry-run does it",
        false => "done; remove what was kept when the node runs well",
    };
    let mut lines = vec![("database", place.path.display().to_string()), ("schema", format!("{from} to {to}"))];
    lines.extend(steps.iter().map(|step| ("step", (*step).to_owned())));
    lines.extend([
        ("records", format!("{records} ({})", size(*bytes))),
        ("space", format!("up to {} for a while, and {} are free", size(*needed_bytes), size(disk.free))),
        ("kept", kept.clone()),
        ("verdict", verdict.to_owned()),
    ]);
    lines
}

fn print_json(answer: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(answer).expect("an answer has a JSON form");
    print(&(text + "\n"))
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut rest = bytes as f64 / 1024.0;
    while rest >= 1023.95 && unit + 1 < UNITS.len() {
        rest /= 1024.0;
        unit += 1;
    }
    format!("{rest:.1} {}", UNITS[unit])
}

/// Rows under a head: the first and a fifth column on the left, numbers on the right.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    let line = |row: &[String; N]| {
        let cells: Vec<_> = (0..N)
            .map(|column| {
                let (cell, width) = (&row[column], widths[column]);
                if column == 0 || column == 4 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_four_digits_at_most() {
        let shown = [0, 1023, 1024, 1536, 1_048_550, 1_048_576, 5 << 30, 3 << 50].map(size);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.0 MiB", "5.0 GiB", "3072.0 TiB"]);
    }
}
