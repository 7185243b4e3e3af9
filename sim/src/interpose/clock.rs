//! `clock_gettime`, `gettimeofday` and `time`.
//!
//! Inside a host, the real-time clocks show the host's wall time and all others its monotonic time, which is the
//! paused clock of its tokio runtime. The result is computed from durations; the private fields of `std::time::Instant`
//! are never looked at.

use super::refreshed_clock;
use libc::{c_int, clockid_t, time_t, timespec, timeval};
use std::{ffi::c_void, time::Duration};

/// What the clock `id` shows to the running host; none outside of a host.
fn virtual_time(id: clockid_t) -> Option<Duration> {
    let clock = refreshed_clock()?;
    Some(match id {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => clock.wall(),
        _ => clock.monotonic(),
    })
}

/// `clock_gettime(2)`.
///
/// # Safety
/// As for the system call: `out` must be valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(id: clockid_t, out: *mut timespec) -> c_int {
    match virtual_time(id) {
        Some(time) => {
            let value = timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
            // SAFETY: the caller's promise.
            unsafe { out.write(value) };
            0
        }
        // SAFETY: the caller's promise is passed on.
        None => unsafe { libc::syscall(libc::SYS_clock_gettime, id, out) as c_int },
    }
}

/// `gettimeofday(2)`. The time zone, if asked for, is UTC inside a host.
///
/// # Safety
/// As for the system call: `out` and `zone` must be null or valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(out: *mut timeval, zone: *mut c_void) -> c_int {
    match virtual_time(libc::CLOCK_REALTIME) {
        Some(time) => {
            let value = timeval { tv_sec: time.as_secs() as i64, tv_usec: i64::from(time.subsec_micros()) };
            // SAFETY: the caller's promise; a time zone is two C ints.
            unsafe {
                if !out.is_null() {
                    out.write(value);
                }
                if !zone.is_null() {
                    zone.cast::<[c_int; 2]>().write([0, 0]);
                }
            }
            0
        }
        // SAFETY: the caller's promise is passed on.
        None => unsafe { libc::syscall(libc::SYS_gettimeofday, out, zone) as c_int },
    }
}

/// `time(2)`.
///
/// # Safety
/// As for the system call: `out` must be null or valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn time(out: *mut time_t) -> time_t {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is ours; `out` is the caller's promise.
    unsafe {
        clock_gettime(libc::CLOCK_REALTIME, &mut now);
        if !out.is_null() {
            out.write(now.tv_sec);
        }
    }
    now.tv_sec
}

/// True if the C library's name leads here.
pub(super) fn is_effective() -> bool {
    std::ptr::eq(libc::clock_gettime as *const (), clock_gettime as *const ())
}
