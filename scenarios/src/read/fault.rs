//! `[[fault]]`: one table, its times and its one action.

use super::section::{Section, Value};
use super::settings::loss;
use crate::error::{Form, Place, Problem, ScenarioError};
use crate::{Action, Fault, FaultId, LinkQuality, Loss, NodeIndex, ProcessDeed, Size, Target, keys, limits};
use std::time::Duration;

/// The faults in the order of the file, and where the action of each stands.
pub(super) fn faults(
    value: Option<Value<'_>>,
    nodes: u16,
    duration: Duration,
) -> Result<(Vec<Fault>, Vec<Place>), ScenarioError> {
    let Some(value) = value else { return Ok((Vec::new(), Vec::new())) };
    let tables = value.members(Form::Tables)?;
    if let Some(extra) = tables.get(limits::FAULTS) {
        return Err(extra.error(Problem::TooManyFaults));
    }
    let mut faults = Vec::with_capacity(tables.len());
    let mut places = Vec::with_capacity(tables.len());
    for (id, table) in (1..).zip(tables) {
        let section = table.section("[[fault]]", keys::FAULT, Form::Tables)?;
        let (fault, place) = Reader { section, nodes, duration }.fault(FaultId(id))?;
        faults.push(fault);
        places.push(place);
    }
    Ok((faults, places))
}

/// A fault's table, and what of the scenario bounds it.
pub(super) struct Reader<'a> {
    section: Section<'a>,
    nodes: u16,
    duration: Duration,
}

impl<'a> Reader<'a> {
    fn fault(&self, id: FaultId) -> Result<(Fault, Place), ScenarioError> {
        let section = &self.section;
        let at_value = section.need("at", Form::Duration)?;
        let at = at_value.duration(Duration::ZERO..=*limits::DURATION.end())?;
        if at >= self.duration {
            return Err(at_value.error(Problem::StartsAfterEnd { at, duration: self.duration }));
        }
        let value = self.the_action()?;
        let action = self.action(value, at)?;
        let line = Place::of(section.source.text, section.offset).line;
        Ok((Fault { id, line, at, action }, value.place()))
    }

    /// The one action of the fault.
    fn the_action(&self) -> Result<Value<'a>, ScenarioError> {
        let mut actions: Vec<_> = keys::ACTIONS.iter().filter_map(|key| self.section.get(key)).collect();
        actions.sort_by_key(|action| action.key_offset);
        match actions.as_slice() {
            [] => Err(self.section.source.error(self.section.offset, Problem::NoAction)),
            [action] => Ok(*action),
            [first, second, ..] => Err(second.key_error(Problem::TwoActions { first: first.key, second: second.key })),
        }
    }

    fn action(&self, value: Value<'a>, at: Duration) -> Result<Action, ScenarioError> {
        let refuse = |key| match self.section.get(key) {
            Some(time) => Err(time.key_error(Problem::TimeNotTaken { action: value.key, key })),
            None => Ok(()),
        };
        let process = |deed| Ok(Action::Process { deed, target: self.target(value, Form::Target)? });
        match value.key {
            "kill" | "power_cut" | "bit_rot" | "lose_volume" => {
                refuse("for")?;
                let restart_after = self.section.get("restart_after").map(|time| self.length(time, at)).transpose()?;
                match (value.key, restart_after) {
                    ("kill", _) => process(ProcessDeed::Kill { restart_after }),
                    ("power_cut", _) => self.power_cut(value, restart_after),
                    ("bit_rot", _) => self.bit_rot(value, restart_after),
                    (_, Some(restart_after)) => self.lose_volume(value, restart_after),
                    (action, None) => Err(value.key_error(Problem::RestartMissing { action })),
                }
            }
            "restart" | "backup" => {
                refuse("for")?;
                refuse("restart_after")?;
                match value.key {
                    "restart" => process(ProcessDeed::Restart),
                    _ => Ok(Action::Backup { target: self.target(value, Form::Target)? }),
                }
            }
            action => {
                refuse("restart_after")?;
                let Some(time) = self.section.get("for") else {
                    return Err(value.key_error(Problem::ForMissing { action }));
                };
                let lasts = self.length(time, at)?;
                match action {
                    "partition" => Ok(Action::Partition { lasts, groups: self.groups(value)? }),
                    "one_way" => self.one_way(value, lasts),
                    "isolate" if self.nodes == 1 => Err(value.key_error(Problem::NothingToIsolate)),
                    "isolate" => Ok(Action::Isolate { lasts, target: self.target(value, Form::Target)? }),
                    "link" => self.link(value, lasts),
                    "pause" => process(ProcessDeed::Pause { lasts }),
                    "clock" => self.clock(value, lasts),
                    "memory_full" => self.memory_full(value, lasts),
                    "lie" => self.lie(value, lasts),
                    "schema_newer" => process(ProcessDeed::SchemaNewer { lasts }),
                    _ => self.disk(value, lasts),
                }
            }
        }
    }

    /// The time from the start to the end of the fault, which must be within the run.
    fn length(&self, value: Value<'a>, at: Duration) -> Result<Duration, ScenarioError> {
        let lasts = value.duration(limits::FAULT_LENGTH)?;
        let end = at.saturating_add(lasts);
        match end <= self.duration {
            true => Ok(lasts),
            false => Err(value.error(Problem::EndsAfterEnd { end, duration: self.duration })),
        }
    }

    /// The nodes of a fault; `form` is how the message says to write them.
    pub(super) fn target(&self, value: Value<'a>, form: Form) -> Result<Target, ScenarioError> {
        match value.is_text() {
            true => value.word(&Size::WORDS, form).map(Target::Chosen),
            false => self.node_list(value, form, &mut Vec::new()).map(Target::Named),
        }
    }

    /// One node.
    pub(super) fn node(&self, value: Value<'a>) -> Result<NodeIndex, ScenarioError> {
        let name = value.text(Form::Node)?;
        NodeIndex::parse(name).filter(|node| node.0 < self.nodes).ok_or_else(|| {
            value.error(Problem::UnknownNode { key: value.key, node: name.to_owned(), nodes: self.nodes })
        })
    }

    /// A list of nodes, ascending; `seen` holds those that may not occur again and receives the new ones.
    pub(super) fn node_list(
        &self,
        value: Value<'a>,
        form: Form,
        seen: &mut Vec<NodeIndex>,
    ) -> Result<Vec<NodeIndex>, ScenarioError> {
        let mut list = Vec::new();
        for member in value.members(form)? {
            let node = self.node(member)?;
            if seen.contains(&node) {
                return Err(member.error(Problem::Twice { key: member.key, member: node.to_string() }));
            }
            seen.push(node);
            list.push(node);
        }
        list.sort_unstable();
        Ok(list)
    }

    /// The groups of a partition; the nodes that it doesn't name are the last one.
    fn groups(&self, value: Value<'a>) -> Result<Vec<Vec<NodeIndex>>, ScenarioError> {
        let mut seen = Vec::new();
        let mut groups = Vec::new();
        for group in value.members(Form::Groups)? {
            groups.push(self.node_list(group, Form::Groups, &mut seen)?);
        }
        let rest: Vec<NodeIndex> = (0..self.nodes).map(NodeIndex).filter(|node| !seen.contains(node)).collect();
        if !rest.is_empty() {
            groups.push(rest);
        }
        match groups.len() {
            1 => Err(value.error(Problem::OneSide)),
            _ => Ok(groups),
        }
    }

    fn one_way(&self, value: Value<'a>, lasts: Duration) -> Result<Action, ScenarioError> {
        let ends = value.section("`one_way`", keys::ONE_WAY, Form::Table)?;
        let mut seen = Vec::new();
        let from = self.node_list(ends.need("from", Form::Nodes)?, Form::Nodes, &mut seen)?;
        let to = self.node_list(ends.need("to", Form::Nodes)?, Form::Nodes, &mut seen)?;
        Ok(Action::OneWay { lasts, from, to })
    }

    fn link(&self, value: Value<'a>, lasts: Duration) -> Result<Action, ScenarioError> {
        let link = value.section("`link`", keys::LINK, Form::Table)?;
        let mut seen = Vec::new();
        let between = self.node_list(link.need("between", Form::Nodes)?, Form::Nodes, &mut seen)?;
        let to = self.node_list(link.need("to", Form::Nodes)?, Form::Nodes, &mut seen)?;
        let quality = LinkQuality {
            delay: link.or("delay", Duration::ZERO, |value| value.duration(limits::JITTER))?,
            jitter: link.or("jitter", Duration::ZERO, |value| value.duration(limits::JITTER))?,
            loss: link.or("loss", Loss::NONE, loss)?,
        };
        match quality == LinkQuality::default() {
            true => Err(value.error(Problem::NoEffect)),
            false => Ok(Action::Link { lasts, between, to, quality }),
        }
    }
}
