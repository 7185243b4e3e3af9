#pragma once

#include <memory>

#include "disk.h"
#include "rocksdb/file_system.h"

// RocksDB's view of one host's simulated disk.
std::shared_ptr<ROCKSDB_NAMESPACE::FileSystem> AssayFileSystem(AssayDisk* disk);
