//! What an inspection found wrong.

use super::super::StoreError;
use serde::Serialize;

/// Findings that are listed; of more there is a count. A database with as many is rebuilt, not repaired by hand.
pub const FINDINGS_MAX: usize = 100;

/// A record that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its column family; `files` for damage that RocksDB met in its own files.
    pub family: &'static str,
    /// Its key, as text.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { family, key, what } = self;
        let space = if key.is_empty() { "" } else { " " };
        write!(f, "{family}{space}{key}: {what}")
    }
}

impl From<StoreError> for Finding {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { family, key, cause } => Self { family, key, what: cause },
            StoreError::Corrupt(cause) => Self { family: "files", key: String::new(), what: cause },
            other => Self { family: "files", key: String::new(), what: other.to_string() },
        }
    }
}

/// All findings: the first [`FINDINGS_MAX`], and how many more there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Those that are listed.
    pub listed: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
}

impl Findings {
    /// Adds one. What was listed before, found in another way, is not listed again.
    pub fn add(&mut self, finding: impl Into<Finding>) {
        let finding = finding.into();
        if self.listed.contains(&finding) {
            return;
        }
        match self.listed.len() {
            FINDINGS_MAX.. => self.more += 1,
            _ => self.listed.push(finding),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.listed.len() as u64 + self.more
    }
}
