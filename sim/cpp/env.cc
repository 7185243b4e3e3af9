// RocksDB's Env for a simulated host: the simulated disk, the host's clock, and background jobs that are counted.

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cinttypes>
#include <cstring>
#include <string>

#include "env/composite_env_wrapper.h"
#include "file_system.h"
#include "port/port.h"
#include "rocksdb/env.h"
#include "rocksdb/system_clock.h"
#include "util/random.h"

using namespace ROCKSDB_NAMESPACE;

// As in RocksDB's C interface (db/c.cc).
struct rocksdb_env_t {
  Env* rep;
  bool is_default;
};

extern "C" void assay_seed_thread(uint32_t seed);

namespace {

constexpr uint64_t kNanosPerMicro = 1000;
constexpr uint64_t kNanosPerSecond = 1000 * 1000 * 1000;
// How long a timed wait really lasts, so that a background thread may answer it first.
constexpr uint64_t kRealWaitMicros = 1000;

class HostSystemClock : public SystemClock {
 public:
  explicit HostSystemClock(AssayDisk* disk) : disk_(disk) { assay_disk_retain(disk_); }
  ~HostSystemClock() override { assay_disk_release(disk_); }
  const char* Name() const override { return "AssayClock"; }
  uint64_t NowMicros() override { return assay_disk_wall_ns(disk_) / kNanosPerMicro; }
  uint64_t NowNanos() override { return assay_disk_monotonic_ns(disk_); }
  void SleepForMicroseconds(int micros) override {
    if (micros > 0) assay_disk_sleep_ns(disk_, static_cast<uint64_t>(micros) * kNanosPerMicro);
  }
  bool TimedWait(port::CondVar* cv, std::chrono::microseconds deadline) override {
    // The condition variable counts in the machine's time, which only a system call tells here.
    timespec real;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
    uint64_t real_us = static_cast<uint64_t>(real.tv_sec) * 1000000 + static_cast<uint64_t>(real.tv_nsec) / 1000;
    if (!cv->TimedWait(real_us + kRealWaitMicros)) return false;
    uint64_t now = NowMicros(), end = static_cast<uint64_t>(deadline.count());
    if (end > now) assay_disk_sleep_ns(disk_, (end - now) * kNanosPerMicro);
    return true;
  }
  Status GetCurrentTime(int64_t* seconds) override {
    *seconds = static_cast<int64_t>(assay_disk_wall_ns(disk_) / kNanosPerSecond);
    return Status::OK();
  }
  std::string TimeToString(uint64_t seconds) override { return std::to_string(seconds); }

 private:
  AssayDisk* disk_;
};

struct Job {
  AssayDisk* disk;
  Env::Priority priority;
  uint64_t queued_ns;
  void (*run)(void*);
  void (*drop)(void*);
  void* argument;
};

class HostEnv : public CompositeEnvWrapper {
 public:
  explicit HostEnv(AssayDisk* disk)
      : CompositeEnvWrapper(Env::Default(), AssayFileSystem(disk), std::make_shared<HostSystemClock>(disk)),
        disk_(disk) {
    assay_disk_retain(disk_);
  }
  ~HostEnv() override { assay_disk_release(disk_); }

  void Schedule(void (*run)(void*), void* argument, Priority priority, void* tag, void (*drop)(void*)) override {
    auto* job = new Job{disk_, priority, assay_disk_job_queued(disk_), run, drop, argument};
    assay_disk_retain(disk_);
    CompositeEnvWrapper::Schedule(&Run, job, priority, tag, &Drop);
  }
  // The names of the machine and of its threads would end up in files.
  Status GetHostName(char* name, uint64_t len) override {
    std::strncpy(name, "assay", len);
    return Status::OK();
  }
  uint64_t GetThreadID() const override { return 1; }
  std::string GenerateUniqueId() override {
    char text[40];
    uint64_t a = assay_entropy_u64(), b = assay_entropy_u64();
    snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012" PRIx64, static_cast<unsigned>(a >> 32),
             static_cast<unsigned>(a >> 16 & 0xffff), static_cast<unsigned>(a & 0xffff),
             static_cast<unsigned>(b >> 48), b & 0xffffffffffff);
    return text;
  }

 private:
  static void Run(void* raw) {
    auto* job = static_cast<Job*>(raw);
    // Checksums of table blocks start from a draw of this generator.
    assay_seed_thread(assay_disk_job_begin(job->disk, job->priority, job->queued_ns));
    job->run(job->argument);
    Finish(job);
  }
  static void Drop(void* raw) {
    auto* job = static_cast<Job*>(raw);
    if (job->drop != nullptr) job->drop(job->argument);
    AssayDisk* disk = job->disk;
    delete job;
    assay_disk_job_dropped(disk);
    assay_disk_release(disk);
  }
  static void Finish(Job* job) {
    AssayDisk* disk = job->disk;
    delete job;
    assay_disk_job_end(disk);
    assay_disk_release(disk);
  }

  AssayDisk* disk_;
};

}  // namespace

extern "C" rocksdb_env_t* assay_env_new(AssayDisk* disk) {
  assay_use_seeded_ids();
  assay_use_no_periodic_tasks();
  return new rocksdb_env_t{new HostEnv(disk), false};
}

// RocksDB draws the heights of its skip lists, and thereby when a memtable is full, from a generator per thread.
extern "C" void assay_seed_thread(uint32_t seed) { Random::GetTLSInstance()->Reset(seed); }
