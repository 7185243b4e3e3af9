//! The memory of the machine and of the control group that this process is in.

use crate::seams::MemoryUse;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// What the system says now. What it does not say is 0.
///
/// The page cache is not counted as taken, for the system takes it back before anything is killed: of the machine that is
/// what is not available, of a control group what is not backed by files.
pub fn read() -> MemoryUse {
    let (Ok(mut system), Ok(pid)) = (System::new(), get_current_pid()) else { return MemoryUse::default() };
    system.refresh_memory();
    let only = ProcessesToUpdate::Some(&[pid]);
    system.refresh_processes_specifics(only, true, ProcessRefreshKind::nothing().with_memory().without_tasks());
    let process = system.process(pid);
    let machine = system.total_memory();
    let group = process.and_then(|process| process.cgroup_limits()).filter(|group| group.total_memory < machine);
    let (total, used) = match group {
        Some(group) => (group.total_memory, group.rss),
        None => (machine, machine.saturating_sub(system.available_memory())),
    };
    MemoryUse { total, used, resident: process.map_or(0, |process| process.memory()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_part_of_what_is_used() {
        let before = read();
        assert!(before.total > 0 && before.used <= before.total, "{before:?}");
        // Touched, so that the system has to give it.
        let block = vec![1_u8; 64 << 20];
        let after = read();
        assert!(after.resident >= before.resident + (32 << 20), "{before:?} {after:?} {}", block[block.len() / 2]);
        assert!(after.resident <= after.total, "{after:?}");
    }
}
