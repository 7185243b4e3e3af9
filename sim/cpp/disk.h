// What the simulated disk (Rust, src/disk/ffi.rs) offers to the adapter, and what the adapter offers back.
//
// A path is a pointer and a length. Functions return one of the codes below; results go through pointers.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct AssayDisk;  // opaque: one host's disk

enum AssayCode : int32_t {
  ASSAY_OK = 0,
  ASSAY_NOT_FOUND = 1,
  ASSAY_EXISTS = 2,
  ASSAY_LOCKED = 3,
  ASSAY_NOT_A_DIRECTORY = 4,
  ASSAY_NOT_EMPTY = 5,
  ASSAY_GONE = 6,  // the host was killed or lost power; nothing works on this handle any more
  ASSAY_NO_SPACE = 7,
  ASSAY_IO = 8,
};

enum AssayOpen : int32_t { ASSAY_READ = 0, ASSAY_CREATE = 1, ASSAY_APPEND = 2 };

void assay_disk_retain(AssayDisk*);
void assay_disk_release(AssayDisk*);

int32_t assay_disk_open(AssayDisk*, const char*, size_t, int32_t how, uint64_t* handle);
void assay_disk_close(AssayDisk*, uint64_t handle);
int32_t assay_disk_read(AssayDisk*, uint64_t handle, uint64_t offset, char* out, size_t len, size_t* got);
int32_t assay_disk_append(AssayDisk*, uint64_t handle, const char* data, size_t len);
int32_t assay_disk_truncate(AssayDisk*, uint64_t handle, uint64_t len);
int32_t assay_disk_sync(AssayDisk*, uint64_t handle);
int32_t assay_disk_handle_len(AssayDisk*, uint64_t handle, uint64_t* len);

int32_t assay_disk_sync_dir(AssayDisk*, const char*, size_t);
int32_t assay_disk_stat(AssayDisk*, const char*, size_t, uint64_t* len, uint64_t* modified_s, bool* is_dir);
int32_t assay_disk_list(AssayDisk*, const char*, size_t, void* context, void (*each)(void*, const char*, size_t));
int32_t assay_disk_remove(AssayDisk*, const char*, size_t);
int32_t assay_disk_rename(AssayDisk*, const char*, size_t, const char*, size_t);
int32_t assay_disk_link(AssayDisk*, const char*, size_t, const char*, size_t);
int32_t assay_disk_same(AssayDisk*, const char*, size_t, const char*, size_t, bool* same);
int32_t assay_disk_make_dir(AssayDisk*, const char*, size_t);
int32_t assay_disk_remove_dir(AssayDisk*, const char*, size_t);
int32_t assay_disk_lock(AssayDisk*, const char*, size_t);
int32_t assay_disk_unlock(AssayDisk*, const char*, size_t);

// The host's clock as its RocksDB sees it, in nanoseconds; and a sleep, which moves that view only.
uint64_t assay_disk_wall_ns(AssayDisk*);
uint64_t assay_disk_monotonic_ns(AssayDisk*);
void assay_disk_sleep_ns(AssayDisk*, uint64_t);

// Background jobs are counted, so that the scheduler can wait for them; each has a lane of its own in the trace.
// `queued` returns the time that the job will see.
uint64_t assay_disk_job_queued(AssayDisk*);
void assay_disk_job_dropped(AssayDisk*);
// `begin` returns a seed for RocksDB's generator of the thread.
uint32_t assay_disk_job_begin(AssayDisk*, int32_t priority, uint64_t queued_ns);
void assay_disk_job_end(AssayDisk*);

// 64 bits from the host's stream of entropy.
uint64_t assay_entropy_u64();

// Defined by the adapter. They exist so that the linker takes our definitions before RocksDB's own.
void assay_use_seeded_ids();
void assay_use_no_periodic_tasks();
}
