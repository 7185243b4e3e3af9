//! Standard output. A reader that has seen enough, such as `head`, ends the program quietly.

use std::io::{self, Write};

/// Prints a line.
pub fn say(line: impl std::fmt::Display) {
    if let Err(error) = writeln!(io::stdout().lock(), "{line}") {
        end(&error);
    }
}

/// Exit status when standard output cannot be written.
const INFRASTRUCTURE: i32 = 3;

fn end(error: &io::Error) -> ! {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("assay: standard output: {error}");
    std::process::exit(INFRASTRUCTURE);
}
