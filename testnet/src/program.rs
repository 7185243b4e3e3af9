//! Where the node's program is.

use crate::TestnetError;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The `assay-node` that was built beside the running program: next to it, or one directory up for a test in `deps`.
///
/// # Errors
/// [`TestnetError::NoProgram`], which names the command that builds it.
pub fn program() -> Result<PathBuf, TestnetError> {
    let here = env::current_exe().map_err(TestnetError::system("cannot tell where this program is"))?;
    let directory = here.parent().map(Path::to_path_buf).unwrap_or_default();
    let directory = if directory.ends_with("deps") { directory.join("..") } else { directory };
    let path = directory.join("assay-node");
    if path.is_file() { Ok(path) } else { Err(TestnetError::NoProgram { path }) }
}
