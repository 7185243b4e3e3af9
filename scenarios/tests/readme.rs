//! The format reference lists every key that the reader accepts and no other, and its example is a scenario.

use assay_scenarios::{Scenario, keys};
use std::collections::BTreeSet;

const README: &str = include_str!("../README.md");

/// The keys in the first column of the table under a heading.
fn documented(heading: &str) -> BTreeSet<&str> {
    let is_heading = |line: &&str| line.trim_start_matches('#').trim_start() == heading && line.starts_with('#');
    let section = README.lines().skip_while(|line| !is_heading(line)).skip(1).take_while(|line| !line.starts_with('#'));
    section.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn every_key_and_no_other() {
    for (heading, known) in keys::SECTIONS {
        assert_eq!(documented(heading), known.iter().copied().collect(), "{heading}");
    }
}

#[test]
fn the_example_is_a_scenario() {
    let example = README.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let scenario = Scenario::parse("README.md", example).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.faults.len(), 2);
}
