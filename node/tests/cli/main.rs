//! The program `assay-node` as an operator meets it: real processes, real files, real ports.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "these tests start processes and look at their files and ports"
)]

mod backup;
mod homes;
mod logs;
mod run;
mod settings;
mod storage;
mod support;
