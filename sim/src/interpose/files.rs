//! `mkdir`: the binding of RocksDB makes the directory of a database on the machine's disk before it opens one, whatever
//! disk that is on. A simulated host has nothing to do with the machine's disk, and its database makes its own directory.

use super::current_host;
use std::ffi::{c_char, c_int};

/// `mkdir(2)`: done already, on a simulated host.
///
/// # Safety
/// As for the system call: `path` must be a text with a zero at its end.
#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: libc::mode_t) -> c_int {
    if current_host().is_some() {
        return 0;
    }
    // SAFETY: the caller's promise is passed on. `mkdirat` is what `mkdir` is made of.
    unsafe { libc::mkdirat(libc::AT_FDCWD, path, mode) }
}

/// True if the C library's name leads here.
pub(super) fn is_effective() -> bool {
    std::ptr::eq(libc::mkdir as *const (), mkdir as *const ())
}
