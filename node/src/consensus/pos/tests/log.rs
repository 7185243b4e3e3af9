//! The log: what is read again leads to where the machine was.

use super::rounds::{Bench, Me};
use crate::consensus::pos::{Entry, Output};

#[test]
fn a_machine_that_reads_its_log_says_what_it_said() {
    let mut bench = Bench::new(4, Me::Follower);
    let mut log: Vec<Entry> = Vec::new();
    let mut note = |outputs: &[Output]| {
        log.extend(outputs.iter().filter_map(|output| match output {
            Output::Log(entry) => Some(entry.as_ref().clone()),
            _ => None,
        }));
    };
    note(&bench.proposal(0, 'A', None));
    note(&bench.prevote(0, 0, Some('A')));
    note(&bench.prevote(1, 0, Some('A')));
    assert_eq!(bench.said(), ["round 0", "prevote 0 A", "precommit 0 A"]);

    // Its own vote is in the log before it is sent, so it was sent at most as it is there.
    let own = log.iter().filter(|entry| matches!(entry, Entry::Vote(vote) if vote.ballot.validator == bench.own()));
    assert_eq!(own.count(), 2);
    let mut again = bench.again(log);
    assert_eq!(
        again.said(),
        ["round 0", "prevote 0 A", "precommit 0 A"],
        "its peers may have forgotten, or never heard"
    );
    let outputs = again.elapsed_progress(0);
    let sent: Vec<_> = outputs.iter().filter(|output| matches!(output, Output::Send(_))).collect();
    assert_eq!(sent.len(), 2, "both votes");
    assert_eq!(again.said(), ["prevote 0 A", "precommit 0 A"]);
    // Locked on A, it does not vote for B in the next round.
    again.elapsed_precommits_of_round_0();
    again.proposal(1, 'B', None);
    assert_eq!(again.said(), ["round 1", "prevote 1 nil"]);
}
