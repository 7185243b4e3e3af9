//! The node as a program. See `assay-node --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    assay_node::native::cli::main()
}
