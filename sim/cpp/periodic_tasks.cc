// RocksDB's periodic tasks (statistics, flushing of its log), none of which run in a program that links the simulator:
// they would come from a thread that counts in the machine's time.

#include "db/periodic_task_scheduler.h"

#include "disk.h"
#include "rocksdb/system_clock.h"

extern "C" void assay_use_no_periodic_tasks() {}

namespace ROCKSDB_NAMESPACE {

Status PeriodicTaskScheduler::Register(PeriodicTaskType, const PeriodicTaskFunc&, bool) { return Status::OK(); }

Status PeriodicTaskScheduler::Register(PeriodicTaskType, const PeriodicTaskFunc&, uint64_t, bool) {
  return Status::OK();
}

Status PeriodicTaskScheduler::Unregister(PeriodicTaskType) { return Status::OK(); }

// Never started.
Timer* PeriodicTaskScheduler::Default() {
  static Timer* const timer = new Timer(SystemClock::Default().get());
  return timer;
}

}  // namespace ROCKSDB_NAMESPACE
