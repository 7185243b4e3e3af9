//! `getrandom` and `getentropy`, and RocksDB's own generator of identifiers (`cpp/unique_id.cc`).

use super::with_rng;
use rand_chacha::rand_core::Rng;
use std::ffi::{c_int, c_uint, c_void};

/// Fills `len` bytes at `buffer` from the thread's stream; false if there is none.
///
/// # Safety
/// `buffer` must be valid for writes of `len` bytes.
unsafe fn fill(buffer: *mut c_void, len: usize) -> bool {
    if len == 0 {
        return true;
    }
    with_rng(|rng| {
        // SAFETY: the caller's promise; zeroed first because a slice of u8 must be initialised.
        let bytes = unsafe {
            buffer.cast::<u8>().write_bytes(0, len);
            std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
        };
        rng.fill_bytes(bytes);
    })
    .is_some()
}

/// `getrandom(2)`.
///
/// # Safety
/// As for the system call: `buffer` must be valid for writes of `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
    // SAFETY: the caller's promise is passed on.
    unsafe {
        if fill(buffer, len) {
            return len as isize;
        }
        libc::syscall(libc::SYS_getrandom, buffer, len, flags) as isize
    }
}

/// `getentropy(3)`.
///
/// # Safety
/// As for the library function: `buffer` must be valid for writes of `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, len: usize) -> c_int {
    // SAFETY: the caller's promise is passed on.
    let drawn = unsafe { getrandom(buffer, len, 0) };
    if drawn == len as isize { 0 } else { -1 }
}

/// 64 bits for RocksDB's session identifiers.
#[unsafe(no_mangle)]
extern "C" fn assay_entropy_u64() -> u64 {
    let mut bytes = [0_u8; 8];
    // SAFETY: the buffer is ours and eight bytes long.
    unsafe { getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    u64::from_ne_bytes(bytes)
}

/// True if the C library's name leads here.
pub(super) fn is_effective() -> bool {
    std::ptr::eq(libc::getrandom as *const (), getrandom as *const ())
}
