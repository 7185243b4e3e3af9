//! The `assay` command line: plays scenarios, repeats them from a seed, writes reports, and runs testnets.
//!
//! Exit status: 0 passed, 1 an invariant was violated or an expectation not met, 2 usage or scenario error,
//! 3 infrastructure, 4 nondeterministic. Of `testnet`: 1 a node or a check failed.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the command line is outside every simulation")]

mod alerts;
mod args;
mod commands;
mod failure;
mod files;
mod live;
mod output;
mod revision;
mod testnet_args;

use args::{Args, Command, MetricsCommand};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(args) => commands::run::main(&args),
        Command::Drills(args) => commands::drills::main(&args),
        Command::List(args) => commands::list::main(&args),
        Command::Metrics(MetricsCommand::Export(args)) => commands::metrics::main(&args),
        Command::Determinism(args) => commands::determinism::main(&args),
        Command::Replay(args) => commands::replay::main(&args),
        Command::Report(args) => commands::report::main(&args),
        Command::Parity(args) => commands::parity::main(&args),
        Command::Sweep(args) => commands::sweep::main(&args),
        Command::Testnet(args) => commands::testnet::main(args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("assay: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
