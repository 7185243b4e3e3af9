//! The actions of `[[fault]]` on what a node is to others and to itself: its clock, its memory, and whether it tells the
//! truth.

use super::fault::Reader;
use super::section::Value;
use crate::error::{Form, Problem, ScenarioError};
use crate::{Action, ByteSize, ClockError, Lie, LieKind, Target, keys, limits};
use std::time::Duration;

const HOW_WORDS: &[&str] = &LieKind::WORDS_ONLY;

impl<'a> Reader<'a> {
    pub(super) fn clock(&self, value: Value<'a>, lasts: Duration) -> Result<Action, ScenarioError> {
        let clock = value.section("`clock`", keys::CLOCK, Form::Table)?;
        let target = self.target(clock.need("nodes", Form::Target)?, Form::Target)?;
        let error = ClockError {
            skew_ms: clock.or("skew", 0, |value| value.skew(limits::SKEW_MAX))?,
            drift_ppm: clock.or("drift_ppm", 0, |value| value.signed(limits::DRIFT_PPM))?,
        };
        match error == ClockError::default() {
            true => Err(value.error(Problem::ClockRight)),
            false => Ok(Action::Clock { lasts, error, target }),
        }
    }

    pub(super) fn memory_full(&self, value: Value<'a>, lasts: Duration) -> Result<Action, ScenarioError> {
        let (target, options) = self.target_and_options(value)?;
        let leave = options.or("leave", ByteSize(0), |value| value.bytes(limits::MEMORY_LEAVE))?;
        Ok(Action::MemoryFull { lasts, leave, target })
    }

    pub(super) fn lie(&self, value: Value<'a>, lasts: Duration) -> Result<Action, ScenarioError> {
        let table = value.section("`lie`", keys::LIE, Form::Table)?;
        let liars = self.node_list(table.need("nodes", Form::Nodes)?, Form::Nodes, &mut Vec::new())?;
        let form = Form::Word(HOW_WORDS);
        let kind = table.need("how", form)?.word(&LieKind::WORDS, form)?;
        let victim = match (kind, table.get("victim")) {
            (kind, None) if kind.has_victim() => return Err(value.error(Problem::VictimMissing { how: kind.word() })),
            (_, None) => None,
            (kind, Some(named)) if kind.has_victim() => {
                let node = self.node(named)?;
                if liars.contains(&node) {
                    return Err(named.error(Problem::VictimLies { node }));
                }
                Some(node)
            }
            (kind, Some(named)) => return Err(named.key_error(Problem::VictimNotTaken { how: kind.word() })),
        };
        let power = table.or("power", limits::POWER_DEFAULT, |value| value.integer_u32(limits::POWER))?;
        Ok(Action::Lie { lasts, lie: Lie { kind, victim, power }, target: Target::Named(liars) })
    }
}
