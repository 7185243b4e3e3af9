//! The command line: what is typed becomes a call of the drivers, and what they return becomes one line and a status.

mod args;
mod backup;
mod backup_args;
mod commands;
mod db;
mod db_args;
mod failure;
mod progress;
mod setting_args;

use args::{Cli, Command, ConfigCommand, KeysCommand};
use clap::Parser;
use db_args::DbCommand;
use std::process::ExitCode;

/// Runs the command that this process was started with, to its end.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Init(init) => commands::init(&init),
        Command::Run(run) => commands::run(&run),
        Command::Health(health) => commands::health(&health),
        Command::Keys { command: KeysCommand::Show(show) } => commands::keys_show(&show),
        Command::Keys { command: KeysCommand::New(new) } => commands::keys_new(&new),
        Command::Backup { command } => backup::run(command),
        Command::Config { command: ConfigCommand::Check(config) } => commands::config_check(&config),
        Command::Config { command: ConfigCommand::Show(config) } => commands::config_show(&config),
        Command::Db { command: DbCommand::Check(check) } => db::check(&check),
        Command::Db { command: DbCommand::Compact(compact) } => db::compact(&compact),
        Command::Db { command: DbCommand::Stats(stats) } => db::stats(&stats),
        Command::Db { command: DbCommand::Migrate(migrate) } => db::migrate(&migrate),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("assay-node: {failure}");
            failure.status()
        }
    }
}
