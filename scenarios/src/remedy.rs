//! What to do about each problem, in words that follow its text after a semicolon.

use crate::{
    FileKind, Size,
    error::{Form, Problem},
    format_duration,
};

impl Form {
    /// With its article: `a duration`.
    pub fn name(self) -> String {
        let name = match self {
            Form::Text => "a line of text",
            Form::Name => "a name of lower-case words and dashes",
            Form::Integer => "a whole number",
            Form::Number => "a number",
            Form::Duration => "a duration",
            Form::Latency => "a latency",
            Form::Loss => "a percentage",
            Form::Target => "a size or a list of nodes",
            Form::TargetOrTable => "a size, a list of nodes or a table",
            Form::Node => "a node",
            Form::Nodes => "a list of nodes",
            Form::Groups => "a list of groups of nodes",
            Form::Alert => "an alert name",
            Form::Alerts => "a list of alert names",
            Form::Invariant => "the name of an invariant",
            Form::Invariants => "a list of names of invariants",
            Form::Boolean => "`true` or `false`",
            Form::Bytes => "a size in bytes",
            Form::Files => "a kind of file or a list of them",
            Form::Skew => "a duration with its sign",
            Form::Signed => "a whole number",
            Form::Word(words) => return one_of(words),
            Form::Table => "a table",
            Form::Tables => "a list of tables",
        };
        name.to_owned()
    }

    /// How to write it.
    fn example(self) -> String {
        let example = match self {
            Form::Text => "write one line in quotes, such as \"a split heals\"",
            Form::Name => "write it like \"partition-heal\"",
            Form::Integer => "write digits without quotes, such as 5",
            Form::Number => "write it without quotes, such as 5 or 0.5",
            Form::Duration => "write whole numbers with units (d, h, m, s, ms), such as \"90s\" or \"1h30m\"",
            Form::Latency => "write one duration or the least and the greatest, such as \"20ms..80ms\"",
            Form::Loss => "write it in quotes with its sign, such as \"1%\" or \"0.25%\"",
            Form::Target => {
                let words = Size::WORDS.map(|(word, _)| word);
                return format!("write one of {}, or nodes such as [\"n0\", \"n2\"]", ticked(&words));
            }
            Form::TargetOrTable => return format!("{}, or {{ nodes = ..., ... }}", Form::Target.example()),
            Form::Node => "write it like \"n0\"",
            Form::Nodes => "write it like [\"n0\", \"n2\"]",
            Form::Groups => "write it like [[\"n0\", \"n1\"], [\"n2\", \"n3\", \"n4\"]]",
            Form::Alert => "write it like \"ChainStalled\"",
            Form::Alerts => "write it like [\"ChainStalled\"]",
            Form::Invariant => "write it like \"finality\"",
            Form::Invariants => "write it like [\"finality\", \"agreement\"]",
            Form::Boolean => "write true or false without quotes",
            Form::Bytes => "write a whole number with its unit (B, KiB, MiB, GiB) in quotes, such as \"64KiB\"",
            Form::Files => {
                let words = FileKind::WORDS.map(|(word, _)| word);
                return format!("write one of {}, `all`, or kinds such as [\"wal\", \"sst\"]", ticked(&words));
            }
            Form::Skew => "write a sign and a duration in quotes, such as \"+30s\" or \"-2m\"",
            Form::Signed => "write digits without quotes, with a minus sign if need be, such as -200000",
            Form::Word(words) => return format!("write {} in quotes", one_of(words)),
            Form::Table => "write { key = value, ... } or a section of its own",
            Form::Tables => "begin each with its name in double brackets, such as [[fault]]",
        };
        example.to_owned()
    }
}

impl Problem {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Problem::Syntax { .. } => "correct this line; text goes in double quotes, a key stands once".to_owned(),
            Problem::TooLong { .. } | Problem::TooManyFaults => "split the scenario into several files".to_owned(),
            Problem::UnknownKey { key, known, .. } => match nearest(key, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys are {}", ticked(known)),
            },
            Problem::MissingKey { form, .. } => format!("add it and {}", form.example()),
            Problem::OptionMissing { key, .. } => format!("write a table instead: {{ nodes = ..., {key} = ... }}"),
            Problem::WrongType { form, .. } => form.example(),
            Problem::Malformed { form, got, .. } => {
                let near = match form {
                    Form::Word(words) => nearest(got, words),
                    Form::Target | Form::TargetOrTable => nearest(got, &Size::WORDS.map(|(word, _)| word)),
                    Form::Files => nearest(got, &FileKind::WORDS.map(|(word, _)| word)),
                    _ => None,
                };
                near.map_or_else(|| form.example(), |near| format!("did you mean `{near}`?"))
            }
            Problem::OutOfBounds { bounds, .. } => format!("it must be from {} to {}", bounds.min, bounds.max),
            Problem::OtherEngine { .. } => "remove it, or use the engine that it is for".to_owned(),
            Problem::UnknownNode { nodes: 1, .. } => "the only one is `n0`".to_owned(),
            Problem::UnknownNode { nodes, .. } => format!("they are `n0` to `n{}`", nodes.saturating_sub(1)),
            Problem::EmptyList { .. } => "name at least one member".to_owned(),
            Problem::Twice { .. } => "name it once".to_owned(),
            Problem::OneSide => "move some nodes to a second group".to_owned(),
            Problem::NothingToIsolate => "raise `nodes`".to_owned(),
            Problem::NoEffect => "give at least one of them, such as loss = \"5%\"".to_owned(),
            Problem::ClockRight => "give at least one of them, such as skew = \"+30s\"".to_owned(),
            Problem::VictimMissing { .. } => "add victim = \"n0\"".to_owned(),
            Problem::VictimNotTaken { .. } => "remove it".to_owned(),
            Problem::VictimLies { .. } => "name an honest node".to_owned(),
            Problem::StartsAfterEnd { .. } => "move it earlier or lengthen `duration`".to_owned(),
            Problem::EndsAfterEnd { .. } => "end it earlier or lengthen `duration`".to_owned(),
            Problem::NoAction => format!("give it one of {}", ticked(crate::keys::ACTIONS)),
            Problem::TwoActions { .. } => "give each a [[fault]] of its own".to_owned(),
            Problem::ForMissing { .. } => "add for = \"30s\"".to_owned(),
            Problem::RestartMissing { .. } => "add restart_after = \"30s\"".to_owned(),
            Problem::TimeNotTaken { action: "backup", .. } => "remove it; a backup is made once".to_owned(),
            Problem::TimeNotTaken { action: "bit_rot", .. } => {
                "remove it; bits flip at once, and stay so until the node repairs them".to_owned()
            }
            Problem::TimeNotTaken { action: "restart", .. } => {
                "remove it; the node stops in order and starts at once".to_owned()
            }
            Problem::TimeNotTaken { key: "for", .. } => "use `restart_after`".to_owned(),
            Problem::TimeNotTaken { .. } => "use `for`".to_owned(),
            Problem::Overlap { node: Some(_), .. } => "move one of the two, or name another node".to_owned(),
            Problem::Overlap { node: None, .. } => "move one of the two, or name nodes in both that differ".to_owned(),
            Problem::NothingToRestore { .. } => "name it in both or in neither".to_owned(),
            Problem::NoBackup { node } => format!("add a fault with backup = [\"{node}\"] before this one"),
            Problem::NotPlanted { .. } => {
                "use `fsync_fails`, or set planted = true and say in `[expect]` what it `violates`".to_owned()
            }
            Problem::ViolatesMissing => "add violates = [\"finality\"] there, or remove `planted`".to_owned(),
            Problem::ViolatesUnplanted => "remove it, or set planted = true at the top".to_owned(),
            Problem::NoSplit { key } => {
                format!("add a fault with `partition`, `isolate` or `one_way`, or remove `{key}`")
            }
            Problem::ReorgBounds { .. } => "lower the first or raise the second".to_owned(),
            Problem::CutOff { key, until, .. } => {
                format!("lower `{key}`, or set `duration` to at least {:?}", format_duration(*until))
            }
        }
    }
}

/// The word nearest to `word`: at most a third of its letters (one at least) are mistyped.
fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let allowed = (word.chars().count() / 3).max(1);
    let distances = known.iter().map(|known| (strsim::damerau_levenshtein(word, known), *known));
    distances.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

/// `` one of `a`, `b` ``, or `` `a` `` when there is no choice.
fn one_of(words: &[&str]) -> String {
    let choice = if words.len() > 1 { "one of " } else { "" };
    format!("{choice}{}", ticked(words))
}

/// `` `a`, `b`, `c` ``.
fn ticked(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
