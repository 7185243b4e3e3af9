//! What can be wrong with a scenario file: the place, the problem, and (in `remedy`) what to do about it.

use crate::{NodeIndex, format_duration};
use std::{fmt, io, time::Duration};

/// A scenario that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file or folder cannot be read.
    #[error("{file}: cannot be read: {source}; check the path and its permissions")]
    Unreadable {
        /// Its path.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The text of the file is wrong.
    #[error("{file}:{place}: {problem}; {}", problem.remedy())]
    Invalid {
        /// The file.
        file: String,
        /// Where in it.
        place: Place,
        /// What is wrong there.
        problem: Box<Problem>,
    },
}

/// A position in a file, both from 1; the column counts characters. Written `14:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Place {
    /// The place of the byte at `offset`; beyond the end, the end.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        Place { line: count(before.matches('\n').count()), column: count(before[line_start..].chars().count()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Least and greatest value of a setting, both allowed, as the file would write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Least.
    pub min: String,
    /// Greatest.
    pub max: String,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line of text.
    Text,
    /// Lower-case words joined by dashes.
    Name,
    /// A whole number.
    Integer,
    /// A number, whole or not.
    Number,
    /// `90s`.
    Duration,
    /// `20ms..80ms`.
    Latency,
    /// `1%`.
    Loss,
    /// A size word or a list of nodes.
    Target,
    /// A target, alone or in a table with options.
    TargetOrTable,
    /// `n0`.
    Node,
    /// A list of nodes.
    Nodes,
    /// A list of lists of nodes.
    Groups,
    /// `ChainStalled`.
    Alert,
    /// A list of alert names.
    Alerts,
    /// `finality`.
    Invariant,
    /// A list of invariants.
    Invariants,
    /// `true` or `false`.
    Boolean,
    /// `64KiB`.
    Bytes,
    /// A kind of file, a list of kinds, or all.
    Files,
    /// `+30s`.
    Skew,
    /// A whole number that may be negative.
    Signed,
    /// One of the words of its key.
    Word(&'static [&'static str]),
    /// A table: `[section]` or `{ key = value }`.
    Table,
    /// An array of tables: `[[section]]`.
    Tables,
}

/// What is wrong at a place. Its text says so; [`Problem::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("not valid TOML: {message}")]
    Syntax {
        /// From the TOML parser.
        message: String,
    },
    /// Longer than [`crate::limits::FILE_BYTES`].
    #[error("the file is {bytes} bytes long, and at most {} are read", crate::limits::FILE_BYTES)]
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// More faults than [`crate::limits::FAULTS`].
    #[error("this is fault {}, and at most {} are read", crate::limits::FAULTS + 1, crate::limits::FAULTS)]
    TooManyFaults,
    /// A key that the format does not have.
    #[error("unknown key `{key}` in {section}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        section: &'static str,
        /// The keys that may stand there.
        known: &'static [&'static str],
    },
    /// A key that must be given.
    #[error("`{key}` is missing in {section}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// Where it belongs.
        section: &'static str,
        /// How it is written.
        form: Form,
    },
    /// An option that must be given, beside a target that stands alone.
    #[error("`{action}` needs `{key}`, and a target alone has no place for it")]
    OptionMissing {
        /// The option.
        key: &'static str,
        /// The action.
        action: &'static str,
    },
    /// A value of another TOML type.
    #[error("`{key}` must be {}, and is of type {got}", form.name())]
    WrongType {
        /// Its key.
        key: &'static str,
        /// How it is written.
        form: Form,
        /// The TOML type that it has.
        got: &'static str,
    },
    /// A value of the right type that cannot be read.
    #[error("`{key} = {got:?}` is not {}", form.name())]
    Malformed {
        /// Its key.
        key: &'static str,
        /// How it is written.
        form: Form,
        /// What stands there.
        got: String,
    },
    /// A value outside its bounds.
    #[error("`{key} = {got}` is out of bounds")]
    OutOfBounds {
        /// Its key.
        key: &'static str,
        /// What stands there.
        got: String,
        /// What is allowed.
        bounds: Bounds,
    },
    /// A key of another engine.
    #[error("`{key}` says nothing to a chain of consensus `{engine}`")]
    OtherEngine {
        /// The key.
        key: &'static str,
        /// The scenario's engine.
        engine: &'static str,
    },
    /// A target that is no node of this scenario.
    #[error("`{key}` names `{node}`, which is no node of this scenario")]
    UnknownNode {
        /// The key.
        key: &'static str,
        /// What it names.
        node: String,
        /// How many nodes there are.
        nodes: u16,
    },
    /// A list or group without a member.
    #[error("`{key}` has an empty list")]
    EmptyList {
        /// The key.
        key: &'static str,
    },
    /// A member that occurs twice.
    #[error("`{key}` names `{member}` again")]
    Twice {
        /// The key.
        key: &'static str,
        /// A node, an alert, an invariant or a kind of file.
        member: String,
    },
    /// A partition with one side.
    #[error("`partition` has only one group, and leaves no node outside of it")]
    OneSide,
    /// An isolation in a network of one.
    #[error("`isolate` needs a second node to be cut off from")]
    NothingToIsolate,
    /// A `link` that changes nothing.
    #[error("`link` has neither delay nor jitter nor loss, so it changes nothing")]
    NoEffect,
    /// A `clock` that stays right.
    #[error("`clock` has neither skew nor drift_ppm, so it changes nothing")]
    ClockRight,
    /// A lie without the one it is told to.
    #[error("`lie` with how = {how:?} needs `victim`: the node that it is about")]
    VictimMissing {
        /// The kind of the lie.
        how: &'static str,
    },
    /// A victim of a lie that is told to all.
    #[error("`lie` with how = {how:?} takes no `victim`: it is told to all")]
    VictimNotTaken {
        /// The kind of the lie.
        how: &'static str,
    },
    /// A lie that a node would tell itself.
    #[error("`victim` names `{node}`, which is among the liars")]
    VictimLies {
        /// The node.
        node: NodeIndex,
    },
    /// A fault that never begins.
    #[error(
        "the fault begins at {}, and the run ends at {}: it would never fire",
        format_duration(*.at), format_duration(*.duration)
    )]
    StartsAfterEnd {
        /// Its start.
        at: Duration,
        /// The end of the run.
        duration: Duration,
    },
    /// A fault that never ends.
    #[error(
        "the fault ends at {}, and the run at {}: it would never end",
        format_duration(*.end), format_duration(*.duration)
    )]
    EndsAfterEnd {
        /// Its end.
        end: Duration,
        /// The end of the run.
        duration: Duration,
    },
    /// A fault that does nothing.
    #[error("the fault has no action")]
    NoAction,
    /// A fault with more than one action.
    #[error("the fault has two actions, `{first}` and `{second}`")]
    TwoActions {
        /// The one that stands first.
        first: &'static str,
        /// The next one.
        second: &'static str,
    },
    /// An action that lasts, without its length.
    #[error("`{action}` needs `for`: how long it lasts")]
    ForMissing {
        /// The action.
        action: &'static str,
    },
    /// An action after which the node must start again, without the time.
    #[error("`{action}` needs `restart_after`: when the node starts again")]
    RestartMissing {
        /// The action.
        action: &'static str,
    },
    /// A time that the action does not take.
    #[error("`{action}` takes no `{key}`")]
    TimeNotTaken {
        /// The action.
        action: &'static str,
        /// `for` or `restart_after`.
        key: &'static str,
    },
    /// Two faults may have one process at the same time.
    #[error(
        "{} is then subject to the fault of line {line} too",
        .node.map_or("a node that it may hit".to_owned(), |node| format!("`{node}`"))
    )]
    Overlap {
        /// The node, where both name it.
        node: Option<NodeIndex>,
        /// The line of the other fault.
        line: u32,
    },
    /// A node is restored that has not lost its data.
    #[error("`restore` names `{node}`, and `nodes` does not")]
    NothingToRestore {
        /// The node.
        node: NodeIndex,
    },
    /// A node is restored without a backup.
    #[error("`{node}` is restored, and no earlier `backup` is sure to include it")]
    NoBackup {
        /// The node.
        node: NodeIndex,
    },
    /// A fault that no node survives, in a scenario that is not planted.
    #[error("`{action}` breaks what every node relies on, and the scenario is not planted")]
    NotPlanted {
        /// The action.
        action: &'static str,
    },
    /// A planted scenario that says not what it violates.
    #[error("`planted = true`, and `[expect]` has no `violates`")]
    ViolatesMissing,
    /// A violation is expected of a scenario that is not planted.
    #[error("`violates` expects a violation, and the scenario is not planted")]
    ViolatesUnplanted,
    /// Something is expected of a split and nothing splits the network.
    #[error("`{key}` expects something of a split, and no fault splits the network")]
    NoSplit {
        /// The key.
        key: &'static str,
    },
    /// Reorganisation depths that exclude each other.
    #[error("`reorg_depth_min = {min}` is above `reorg_depth_max = {max}`")]
    ReorgBounds {
        /// Least depth.
        min: u64,
        /// Greatest depth.
        max: u64,
    },
    /// The run ends before an expectation can be judged.
    #[error(
        "`{key}` allows {} after the last {after}, that is until {}, and the run ends at {}",
        format_duration(*.within), format_duration(*.until), format_duration(*.duration)
    )]
    CutOff {
        /// The expectation.
        key: &'static str,
        /// Which faults it is about: `fault`, or some of them.
        after: &'static str,
        /// What it allows.
        within: Duration,
        /// The last fault's end plus that.
        until: Duration,
        /// The end of the run.
        duration: Duration,
    },
}
