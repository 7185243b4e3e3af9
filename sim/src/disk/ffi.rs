//! The functions of `cpp/disk.h`: the C++ adapter's door to a [`Disk`].
//!
//! A disk crosses the border as the raw pointer of its `Arc`; the adapter holds a count for each object of its own. A
//! panic in one of these functions aborts the process, as it must: RocksDB cannot be unwound.

use super::{
    Disk, DiskError, Shared, jobs,
    model::{Handle, Open, Stat},
};
use std::{
    ffi::{c_char, c_void},
    mem::ManuallyDrop,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

unsafe extern "C" {
    fn assay_env_new(disk: *const c_void) -> *mut librocksdb_sys::rocksdb_env_t;
    fn assay_seed_thread(seed: u32);
}

/// A new RocksDB environment.
pub(super) fn new_env(disk: &Disk) -> rocksdb::Env {
    // SAFETY: the adapter takes counts of its own for as long as the environment lives; `from_raw` becomes its owner.
    unsafe { rocksdb::Env::from_raw(assay_env_new(Arc::as_ptr(&disk.0).cast())) }
}

/// Seeds the generator from which RocksDB draws the heights of its skip lists on this thread.
pub(crate) fn seed_rocksdb_thread(seed: u32) {
    // SAFETY: the function touches the calling thread's generator only.
    unsafe { assay_seed_thread(seed) }
}

/// The disk behind a pointer, without taking a count.
///
/// # Safety
/// `raw` comes from [`new_env`] and the adapter holds a count of it.
unsafe fn disk(raw: *const Shared) -> ManuallyDrop<Disk> {
    // SAFETY: the caller's promise; the count is not given back.
    ManuallyDrop::new(Disk(unsafe { Arc::from_raw(raw) }))
}

/// The path of a C++ string. RocksDB's own names are ASCII; other bytes would be replaced.
///
/// # Safety
/// `path` is valid for reads of `len` bytes.
unsafe fn text(path: *const c_char, len: usize) -> String {
    // SAFETY: the caller's promise.
    String::from_utf8_lossy(unsafe { slice(path, len) }).into_owned()
}

/// # Safety
/// `data` is valid for reads of `len` bytes for as long as the result lives, or `len` is 0.
unsafe fn slice<'a>(data: *const c_char, len: usize) -> &'a [u8] {
    match len {
        0 => &[],
        // SAFETY: the caller's promise.
        _ => unsafe { std::slice::from_raw_parts(data.cast(), len) },
    }
}

fn code<T>(result: Result<T, DiskError>, done: impl FnOnce(T)) -> i32 {
    match result {
        Ok(value) => {
            done(value);
            0
        }
        Err(DiskError::NotFound) => 1,
        Err(DiskError::Exists) => 2,
        Err(DiskError::Locked) => 3,
        Err(DiskError::NotADirectory) => 4,
        Err(DiskError::NotEmpty) => 5,
        Err(DiskError::Gone) => 6,
        Err(DiskError::NoSpace) => 7,
        // The last three are answers to the harness and to the host's own program, never to RocksDB.
        Err(
            DiskError::Io | DiskError::SyncFailed | DiskError::IntoItself | DiskError::InUse | DiskError::BeyondEnd,
        ) => 8,
    }
}

/// Defines functions of `cpp/disk.h`. In each, `$disk` is the disk behind the first argument.
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($disk:ident $(, $arg:ident: $type:ty)*) $(-> $out:ty)? $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As `cpp/disk.h` says: the disk is held by the adapter, and pointers are valid for their lengths.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(raw: *const Shared $(, $arg: $type)*) $(-> $out)? {
            // SAFETY: the adapter's promise, for the whole of the body.
            unsafe {
                let $disk = disk(raw);
                $body
            }
        }
    )*};
}

exports! {
    /// One holder more.
    fn assay_disk_retain(disk) { Arc::increment_strong_count(Arc::as_ptr(&disk.0)) }
    /// One holder less.
    fn assay_disk_release(disk) { Arc::decrement_strong_count(Arc::as_ptr(&disk.0)) }

    /// Opens a file.
    fn assay_disk_open(disk, path: *const c_char, len: usize, how: i32, handle: *mut u64) -> i32 {
        let how = match how { 0 => Open::Read, 1 => Open::Create, _ => Open::Append };
        code(disk.open(&text(path, len), how), |opened| handle.write(opened.0))
    }
    /// Closes a handle.
    fn assay_disk_close(disk, handle: u64) { disk.close(Handle(handle)) }
    /// Reads at an offset.
    fn assay_disk_read(disk, handle: u64, offset: u64, out: *mut c_char, len: usize, got: *mut usize) -> i32 {
        let buffer = if len == 0 { &mut [] } else { std::slice::from_raw_parts_mut(out.cast(), len) };
        code(disk.read_into(Handle(handle), offset, buffer), |count| got.write(count))
    }
    /// Appends.
    fn assay_disk_append(disk, handle: u64, data: *const c_char, len: usize) -> i32 {
        code(disk.append(Handle(handle), slice(data, len)), drop)
    }
    /// Cuts or fills up.
    fn assay_disk_truncate(disk, handle: u64, len: u64) -> i32 { code(disk.truncate(Handle(handle), len), drop) }
    /// Makes the bytes durable.
    fn assay_disk_sync(disk, handle: u64) -> i32 { code(disk.sync(Handle(handle)), drop) }
    /// The length of an open file.
    fn assay_disk_handle_len(disk, handle: u64, len: *mut u64) -> i32 {
        code(disk.handle_len(Handle(handle)), |value| len.write(value))
    }

    /// Makes the names of a directory durable.
    fn assay_disk_sync_dir(disk, path: *const c_char, len: usize) -> i32 {
        code(disk.sync_dir(&text(path, len)), drop)
    }
    /// Length, time of modification and kind; each pointer may be null.
    fn assay_disk_stat(
        disk, path: *const c_char, len: usize, bytes: *mut u64, modified_s: *mut u64, is_dir: *mut bool
    ) -> i32 {
        code(disk.stat(&text(path, len)), |stat| {
            let (length, modified, dir) = match stat {
                Stat::File(length, modified) => (length, modified, false),
                Stat::Dir => (0, Duration::ZERO, true),
            };
            if !bytes.is_null() { bytes.write(length) }
            if !modified_s.is_null() { modified_s.write(modified.as_secs()) }
            if !is_dir.is_null() { is_dir.write(dir) }
        })
    }
    /// The names in a directory, each given to `each`.
    fn assay_disk_list(
        disk, path: *const c_char, len: usize, context: *mut c_void,
        each: unsafe extern "C" fn(*mut c_void, *const c_char, usize)
    ) -> i32 {
        code(disk.ask(&text(path, len), |model, path| model.list(path)), |names| {
            names.iter().for_each(|name| each(context, name.as_ptr().cast(), name.len()))
        })
    }
    /// Removes a name.
    fn assay_disk_remove(disk, path: *const c_char, len: usize) -> i32 {
        code(disk.change_names("remove", &text(path, len), "", |model, path, _, _| model.remove(path)), drop)
    }
    /// Renames.
    fn assay_disk_rename(disk, from: *const c_char, from_len: usize, to: *const c_char, to_len: usize) -> i32 {
        let (from, to) = (text(from, from_len), text(to, to_len));
        code(disk.change_names("rename", &from, &to, |model, from, to, _| model.rename(from, to)), drop)
    }
    /// Links.
    fn assay_disk_link(disk, from: *const c_char, from_len: usize, to: *const c_char, to_len: usize) -> i32 {
        let (from, to) = (text(from, from_len), text(to, to_len));
        code(disk.change_names("link", &from, &to, |model, from, to, _| model.link(from, to)), drop)
    }
    /// Whether two paths name one file.
    fn assay_disk_same(
        disk, a: *const c_char, a_len: usize, b: *const c_char, b_len: usize, same: *mut bool
    ) -> i32 {
        let other = super::normal(&text(b, b_len));
        code(disk.ask(&text(a, a_len), |model, path| model.same(path, &other)), |value| same.write(value))
    }
    /// Makes a directory and those above it.
    fn assay_disk_make_dir(disk, path: *const c_char, len: usize) -> i32 {
        code(disk.change_names("make-dir", &text(path, len), "", |model, path, _, _| model.make_dir(path)), drop)
    }
    /// Removes an empty directory.
    fn assay_disk_remove_dir(disk, path: *const c_char, len: usize) -> i32 {
        code(disk.change_names("remove-dir", &text(path, len), "", |model, path, _, _| model.remove_dir(path)), drop)
    }
    /// Takes a lock.
    fn assay_disk_lock(disk, path: *const c_char, len: usize) -> i32 {
        code(disk.change_names("lock", &text(path, len), "", |model, path, _, now| model.lock(path, now)), drop)
    }
    /// Gives a lock back.
    fn assay_disk_unlock(disk, path: *const c_char, len: usize) -> i32 {
        code(disk.unlock(&text(path, len)), drop)
    }

    /// Wall time in nanoseconds, for RocksDB.
    fn assay_disk_wall_ns(disk) -> u64 { disk.rocksdb_time().0.as_nanos() as u64 }
    /// Monotonic time in nanoseconds, for RocksDB.
    fn assay_disk_monotonic_ns(disk) -> u64 { disk.rocksdb_time().1.as_nanos() as u64 }
    /// Moves RocksDB's view of the clock: a write that it stalls costs no virtual time, but ends.
    fn assay_disk_sleep_ns(disk, ns: u64) {
        disk.0.slept_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// A background job was queued; returns the virtual time in nanoseconds, which it will see.
    fn assay_disk_job_queued(disk) -> u64 {
        disk.0.jobs.add();
        disk.now().as_nanos() as u64
    }
    /// It was dropped before it ran.
    fn assay_disk_job_dropped(disk) { disk.0.jobs.remove() }
    /// A background job of this priority starts on this thread; returns a seed for its generator.
    fn assay_disk_job_begin(disk, priority: i32, queued_ns: u64) -> u32 {
        disk.0.jobs.begin(priority, Duration::from_nanos(queued_ns))
    }
    /// It has run, on this thread.
    fn assay_disk_job_end(disk) {
        jobs::end();
        disk.0.jobs.remove()
    }
}
