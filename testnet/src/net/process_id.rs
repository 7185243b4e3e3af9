//! A process that outlives whoever started it, and how to mean it and no other.
//!
//! The system gives a number again once its process is gone. So a process is named by its number, the time of its start and the
//! boot of the machine, and a signal goes through a descriptor that was opened before those were compared: no other process
//! ever gets it.

use rustix::{
    fd::OwnedFd,
    process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid},
};
use serde::{Deserialize, Serialize};
use std::{fs, io};

/// A process of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since the machine did; field 22 of `/proc/PID/stat`.
    pub started: u64,
    /// The machine's boot, as `/proc/sys/kernel/random/boot_id` names it.
    pub boot: String,
}

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs, or could.
    Running,
    /// It was stopped by SIGSTOP and goes on after SIGCONT.
    Paused,
    /// It has ended, or its number is another process's now.
    Gone,
}

impl ProcessId {
    /// The process that has this number now.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(pid: u32) -> io::Result<Self> {
        Ok(Self { pid, started: read_stat(pid)?.started, boot: boot()? })
    }

    /// How it is. A child of this process that has ended is taken leave of, so that it does not stay as a zombie.
    pub fn condition(&self) -> Condition {
        let stat = match (read_stat(self.pid), boot()) {
            (Ok(stat), Ok(boot)) if stat.started == self.started && boot == self.boot => stat,
            _ => return Condition::Gone,
        };
        match stat.state {
            'Z' | 'X' => {
                // Of somebody else's child this is refused, and whoever started it takes leave of it.
                let _taken_leave_of = self.number().map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
                Condition::Gone
            }
            'T' | 't' => Condition::Paused,
            _ => Condition::Running,
        }
    }

    /// Sends a signal to it and to no other process. Whether it was there.
    ///
    /// # Errors
    /// When the system refuses: it is another user's.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(descriptor) = self.descriptor()? else { return Ok(false) };
        if self.condition() == Condition::Gone {
            return Ok(false);
        }
        match pidfd_send_signal(descriptor, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn descriptor(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = self.number() else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => Ok(Some(descriptor)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn number(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

struct Stat {
    state: char,
    started: u64,
}

fn read_stat(pid: u32) -> io::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_stat(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat has another form"))
}

/// State and start. The program's name, in parentheses, may hold anything, parentheses too.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // The state is field 3, the start field 22.
    let started = fields.nth(18)?.parse().ok()?;
    Some(Stat { state, started })
}

fn boot() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let text = "4711 (a) b (c)) S 1 4711 4711 0 -1 4194560 1 0 0 0 7 3 0 0 20 0 5 0 987654 1 2 3";
        let stat = parse_stat(text).expect("it is the system's form");
        assert_eq!((stat.state, stat.started), ('S', 987_654));
        assert!(parse_stat("4711 (a) S 1").is_none());
        assert!(parse_stat("").is_none());
    }

    #[test]
    fn a_process_with_the_number_of_another_one_gets_no_signal() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("there is a sleep");
        let id = ProcessId::of(child.id()).expect("it runs");
        for other in [ProcessId { started: id.started + 1, ..id.clone() }, ProcessId { boot: "b".into(), ..id.clone() }]
        {
            assert_eq!(other.condition(), Condition::Gone);
            assert!(!other.signal(Signal::KILL).expect("nothing is sent"));
        }
        assert!(child.try_wait().expect("it is ours").is_none(), "it runs on");
        assert_eq!(id.condition(), Condition::Running);
        assert!(id.signal(Signal::KILL).expect("it is ours"));
        child.wait().expect("it is ours");
        assert_eq!(id.condition(), Condition::Gone);
        assert!(!id.signal(Signal::KILL).expect("nothing is sent"));
    }

    #[test]
    #[expect(clippy::zombie_processes, reason = "asking for its condition takes leave of it, which is tested here")]
    fn a_paused_process_is_told_apart() {
        let child = Command::new("sleep").arg("60").spawn().expect("there is a sleep");
        let id = ProcessId::of(child.id()).expect("it runs");
        let is = |wanted: Condition| (0..10_000).any(|_| id.condition() == wanted);
        assert!(id.signal(Signal::STOP).expect("it is ours"));
        assert!(is(Condition::Paused));
        assert!(id.signal(Signal::CONT).expect("it is ours"));
        assert!(is(Condition::Running));
        assert!(id.signal(Signal::KILL).expect("it is ours"));
        // A zombie counts as gone, and is taken leave of.
        assert!(is(Condition::Gone));
    }
}
