//! The actions of `[[fault]]` that may have options, each a target alone or a table with it: those of disks, `power_cut`
//! and `lose_volume`.

use super::fault::Reader;
use super::section::{Section, Value};
use crate::error::{Form, Problem, ScenarioError};
use crate::{Action, ByteSize, DiskDeed, FileKind, Files, NodeIndex, Operations, ProcessDeed, Target, keys, limits};
use std::time::Duration;

const ALL: &str = "all";
const OPERATION_WORDS: &[&str] = &["read", "write", "sync", "all"];
const KIND_WORDS: &[&str] = &["wal", "sst", "manifest", "current", "backup"];

impl<'a> Reader<'a> {
    /// The target of an action and its options: of a table `{ nodes = TARGET, ... }`, or of a target alone, where every
    /// option has its default.
    pub(super) fn target_and_options(&self, value: Value<'a>) -> Result<(Target, Section<'a>), ScenarioError> {
        let Some((name, known)) = keys::action_table(value.key).filter(|_| value.is_table()) else {
            return Ok((self.target(value, Form::TargetOrTable)?, value.no_section()));
        };
        let options = value.section(name, known, Form::TargetOrTable)?;
        Ok((self.target(options.need("nodes", Form::Target)?, Form::Target)?, options))
    }

    pub(super) fn disk(&self, value: Value<'a>, lasts: Duration) -> Result<Action, ScenarioError> {
        let (target, options) = self.target_and_options(value)?;
        let deed = match value.key {
            "disk_full" => {
                DiskDeed::Full { leave: options.or("leave", ByteSize(0), |value| value.bytes(limits::DISK_LEAVE))? }
            }
            "disk_error" => DiskDeed::Error {
                operations: operations(&options)?,
                files: files(&options, Files::All)?,
                nth: nth(&options)?,
            },
            "fsync_fails" => DiskDeed::FsyncFails { files: files(&options, Files::All)?, nth: nth(&options)? },
            "disk_slow" => DiskDeed::Slow {
                by: options.need("by", Form::Duration)?.duration(limits::DISK_SLOW)?,
                operations: operations(&options)?,
                files: files(&options, Files::All)?,
            },
            "misdirected_write" => DiskDeed::MisdirectedWrite {
                files: files(&options, Files::All)?,
                nth: nth(&options)?.unwrap_or(limits::MISDIRECTED_NTH_DEFAULT),
            },
            _ => DiskDeed::FsyncLies { files: files(&options, Files::All)? },
        };
        Ok(Action::Disk { lasts, deed, target })
    }

    pub(super) fn bit_rot(&self, value: Value<'a>, restart_after: Option<Duration>) -> Result<Action, ScenarioError> {
        let (target, options) = self.target_and_options(value)?;
        let files = files(&options, Files::Kinds(vec![FileKind::Sst]))?;
        let bits = options.or("bits", limits::BITS_DEFAULT, |value| value.integer_u32(limits::BITS))?;
        Ok(Action::BitRot { files, bits, restart_after, target })
    }

    pub(super) fn power_cut(&self, value: Value<'a>, restart_after: Option<Duration>) -> Result<Action, ScenarioError> {
        let (target, options) = self.target_and_options(value)?;
        let torn = options.or("torn", false, |value| value.boolean())?;
        Ok(Action::Process { deed: ProcessDeed::PowerCut { restart_after, torn }, target })
    }

    pub(super) fn lose_volume(&self, value: Value<'a>, restart_after: Duration) -> Result<Action, ScenarioError> {
        let (target, options) = self.target_and_options(value)?;
        let restore = options.or("restore", Vec::new(), |value| self.restored(value, &target))?;
        Ok(Action::Process { deed: ProcessDeed::LoseVolume { restart_after, restore }, target })
    }

    /// The nodes whose data an operator restores: all of them targets, where those are named.
    fn restored(&self, value: Value<'a>, target: &Target) -> Result<Vec<NodeIndex>, ScenarioError> {
        let restored = self.node_list(value, Form::Nodes, &mut Vec::new())?;
        let stray = match target {
            Target::Named(named) => restored.iter().find(|node| !named.contains(node)),
            Target::Chosen(_) => None,
        };
        match stray {
            None => Ok(restored),
            Some(node) => Err(value.error(Problem::NothingToRestore { node: *node })),
        }
    }
}

fn operations(options: &Section<'_>) -> Result<Operations, ScenarioError> {
    options.or("operations", Operations::All, |value| value.word(&Operations::WORDS, Form::Word(OPERATION_WORDS)))
}

fn nth(options: &Section<'_>) -> Result<Option<u64>, ScenarioError> {
    options.or("nth", None, |value| value.integer(limits::NTH).map(Some))
}

/// One kind of file, a list of kinds, or `"all"`.
fn files(options: &Section<'_>, default: Files) -> Result<Files, ScenarioError> {
    options.or("files", default, |value| {
        if value.is_text() {
            let words = FileKind::WORDS.map(|(word, kind)| (word, Some(kind)));
            let words = [words.as_slice(), &[(ALL, None)]].concat();
            let kind = value.word(&words, Form::Files)?;
            return Ok(kind.map_or(Files::All, |kind| Files::Kinds(vec![kind])));
        }
        let mut kinds = Vec::new();
        for member in value.members(Form::Files)? {
            let kind = member.word(&FileKind::WORDS, Form::Word(KIND_WORDS))?;
            if kinds.contains(&kind) {
                return Err(member.error(Problem::Twice { key: member.key, member: kind.word().to_owned() }));
            }
            kinds.push(kind);
        }
        kinds.sort_unstable();
        Ok(Files::Kinds(kinds))
    })
}
