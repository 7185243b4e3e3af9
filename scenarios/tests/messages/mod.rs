//! The message of the reader for a file that is put together from a head and a tail.

use assay_scenarios::Scenario;

/// Five lines that every scenario needs; `[[fault]]` of the cases below is line 6.
pub const HEAD: &str = "name = \"x\"\nabout = \"A test.\"\nconsensus = \"pow\"\nnodes = 5\nduration = \"20m\"\n";

/// The message for `text`, or that there is none.
pub fn read(text: &str) -> String {
    Scenario::parse("x.toml", text).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

/// The messages for each of `tails` after the head.
pub fn tails(tails: &[&str]) -> String {
    tails.iter().map(|tail| read(&format!("{HEAD}{tail}"))).collect::<Vec<_>>().join("\n")
}

/// The messages for a fault of each of `bodies`, whose first line is line 7.
pub fn faults(bodies: &[&str]) -> String {
    bodies.iter().map(|body| read(&format!("{HEAD}[[fault]]\n{body}"))).collect::<Vec<_>>().join("\n")
}
