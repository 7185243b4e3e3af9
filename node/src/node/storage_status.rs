//! How the storage is, as health, metrics and the harness see it.

use crate::seams::Space;
use serde::Serialize;

/// Used space from which on an operator should look, in percent.
pub const WARNING_PERCENT: u64 = 70;
/// Used space from which on an operator must act, in percent.
pub const CRITICAL_PERCENT: u64 = 85;

/// What the storage can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    /// Everything.
    #[default]
    Open,
    /// It has no space: what is stored can be read, and nothing is written until there is some.
    Full,
    /// It was damaged, was set aside, and is built anew. It does not serve yet what it has.
    Rebuilding,
    /// As [`StorageState::Rebuilding`], and nobody who is connected has what is missing.
    Stranded,
    /// It failed, is closed, and is opened again as soon as the disk lets it.
    Failing,
}

impl StorageState {
    /// Every state, the best first.
    pub const ALL: [Self; 5] = [Self::Open, Self::Full, Self::Rebuilding, Self::Stranded, Self::Failing];

    /// Its name, as logs and metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Full => "full",
            Self::Rebuilding => "rebuilding",
            Self::Stranded => "stranded",
            Self::Failing => "failing",
        }
    }

    /// Whether what is stored may be shown to clients.
    pub fn serves(self) -> bool {
        matches!(self, Self::Open | Self::Full)
    }

    /// Whether blocks are taken in.
    pub fn imports(self) -> bool {
        !matches!(self, Self::Full | Self::Failing)
    }
}

/// How much of the disk is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    /// Below [`WARNING_PERCENT`].
    #[default]
    Normal,
    /// From [`WARNING_PERCENT`] on.
    Warning,
    /// From [`CRITICAL_PERCENT`] on.
    Critical,
}

impl Pressure {
    /// The pressure on a disk.
    pub fn of(space: Space) -> Self {
        match used_percent(space) {
            0..WARNING_PERCENT => Self::Normal,
            WARNING_PERCENT..CRITICAL_PERCENT => Self::Warning,
            _ => Self::Critical,
        }
    }

    /// Its name, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Used space in percent, rounded down; 0 for a disk of no size.
pub fn used_percent(space: Space) -> u64 {
    let used = u128::from(space.total.saturating_sub(space.free));
    (used * 100).checked_div(u128::from(space.total)).unwrap_or(0) as u64
}

/// The storage at one moment, and what happened to it since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StorageStatus {
    /// What it can do.
    pub state: StorageState,
    /// How full its disk is.
    pub pressure: Pressure,
    /// The space of its disk; zeros when the system does not tell.
    pub space: Space,
    /// Damage that was met.
    pub damage_found: u64,
    /// How often the disk failed.
    pub failures: u64,
    /// How often there was no space left.
    pub full: u64,
    /// Whether the last commits took longer than they should.
    pub slow: bool,
    /// How often the commits became slow.
    pub slowed: u64,
    /// How often it was opened again after a failure.
    pub reopened: u64,
    /// Rebuilds that were finished.
    pub rebuilt: u64,
    /// Readings of all that is stored which found nothing.
    pub audits: u64,
    /// Directories that were set aside and are still there.
    pub kept: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_has_two_thresholds() {
        let at = |used: u64| Pressure::of(Space { total: 1000, free: 1000 - used });
        assert_eq!(
            [0, 699, 700, 849, 850, 1000].map(at).map(Pressure::name),
            ["normal", "normal", "warning", "warning", "critical", "critical"]
        );
        assert_eq!(Pressure::of(Space::default()), Pressure::Normal, "nothing is known of it");
        assert_eq!(used_percent(Space { total: u64::MAX, free: 0 }), 100);
    }
}
