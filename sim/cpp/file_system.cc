// RocksDB's FileSystem over the simulated disk. It holds no state of its own: everything is in the Rust model.

#include "file_system.h"

#include <string>
#include <vector>

#include "rocksdb/env.h"

using namespace ROCKSDB_NAMESPACE;

namespace {

IOStatus ToStatus(int32_t code, const std::string& what) {
  switch (code) {
    case ASSAY_OK:
      return IOStatus::OK();
    case ASSAY_NOT_FOUND:
      return IOStatus::NotFound(what, "no such file or directory");
    case ASSAY_EXISTS:
      return IOStatus::IOError(what, "file exists");
    case ASSAY_LOCKED:
      return IOStatus::IOError("lock " + what, "held by another handle");
    case ASSAY_NOT_A_DIRECTORY:
      return IOStatus::IOError(what, "not a directory");
    case ASSAY_NOT_EMPTY:
      return IOStatus::IOError(what, "directory not empty");
    case ASSAY_NO_SPACE:
      return IOStatus::NoSpace(what, "the quota is used up");
    case ASSAY_IO:
      return IOStatus::IOError(what, "input/output error");
    default:
      return IOStatus::IOError(what, "the host is down");
  }
}

// An open file. Closing happens once, in the destructor.
class Handle {
 public:
  Handle(AssayDisk* disk, uint64_t id, std::string path) : disk_(disk), id_(id), path_(std::move(path)) {
    assay_disk_retain(disk_);
  }
  ~Handle() {
    assay_disk_close(disk_, id_);
    assay_disk_release(disk_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  IOStatus Read(uint64_t offset, size_t n, Slice* result, char* scratch) const {
    size_t got = 0;
    int32_t code = assay_disk_read(disk_, id_, offset, scratch, n, &got);
    *result = Slice(scratch, code == ASSAY_OK ? got : 0);
    return ToStatus(code, path_);
  }
  IOStatus Append(const Slice& data) { return ToStatus(assay_disk_append(disk_, id_, data.data(), data.size()), path_); }
  IOStatus Truncate(uint64_t len) { return ToStatus(assay_disk_truncate(disk_, id_, len), path_); }
  IOStatus Sync() { return ToStatus(assay_disk_sync(disk_, id_), path_); }
  IOStatus Length(uint64_t* len) const { return ToStatus(assay_disk_handle_len(disk_, id_, len), path_); }

 private:
  AssayDisk* disk_;
  uint64_t id_;
  std::string path_;
};

class SequentialFile : public FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<Handle> file) : file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    IOStatus s = file_->Read(position_, n, result, scratch);
    position_ += result->size();
    return s;
  }
  IOStatus Skip(uint64_t n) override {
    position_ += n;
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<Handle> file_;
  uint64_t position_ = 0;
};

class RandomAccessFile : public FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<Handle> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return file_->Read(offset, n, result, scratch);
  }
  IOStatus GetFileSize(uint64_t* result) override { return file_->Length(result); }

 private:
  std::unique_ptr<Handle> file_;
};

class WritableFile : public FSWritableFile {
 public:
  WritableFile(std::unique_ptr<Handle> file, const FileOptions& options)
      : FSWritableFile(options), file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override { return file_->Append(data); }
  IOStatus Append(const Slice& data, const IOOptions&, const DataVerificationInfo&, IODebugContext*) override {
    return file_->Append(data);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    // RocksDB cuts its own padding on close; a cut to the present length is no operation.
    uint64_t len = 0;
    IOStatus s = file_->Length(&len);
    return !s.ok() || len == size ? s : file_->Truncate(size);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return file_->Sync(); }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    uint64_t len = 0;
    file_->Length(&len).PermitUncheckedError();
    return len;
  }

 private:
  std::unique_ptr<Handle> file_;
};

class Directory : public FSDirectory {
 public:
  Directory(AssayDisk* disk, std::string path) : disk_(disk), path_(std::move(path)) { assay_disk_retain(disk_); }
  ~Directory() override { assay_disk_release(disk_); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_sync_dir(disk_, path_.data(), path_.size()), path_);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  AssayDisk* disk_;
  std::string path_;
};

class Lock : public FileLock {
 public:
  explicit Lock(std::string path) : path(std::move(path)) {}
  const std::string path;
};

// RocksDB's own log names processes, threads and addresses of memory: it is not written.
class SilentLogger : public Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class SimulatedFileSystem : public FileSystem {
 public:
  explicit SimulatedFileSystem(AssayDisk* disk) : disk_(disk) { assay_disk_retain(disk_); }
  ~SimulatedFileSystem() override { assay_disk_release(disk_); }
  const char* Name() const override { return "AssayFileSystem"; }
  void SupportedOps(int64_t& supported_ops) override { supported_ops = 0; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&, std::unique_ptr<FSSequentialFile>* result,
                             IODebugContext*) override {
    return Open<SequentialFile>(path, ASSAY_READ, result);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<FSRandomAccessFile>* result, IODebugContext*) override {
    return Open<RandomAccessFile>(path, ASSAY_READ, result);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext*) override {
    return Open<WritableFile>(path, ASSAY_CREATE, result, options);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* result, IODebugContext*) override {
    return Open<WritableFile>(path, ASSAY_APPEND, result, options);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<FSDirectory>* result,
                        IODebugContext*) override {
    bool is_dir = false;
    int32_t code = assay_disk_stat(disk_, path.data(), path.size(), nullptr, nullptr, &is_dir);
    if (code == ASSAY_OK && !is_dir) code = ASSAY_NOT_A_DIRECTORY;
    if (code == ASSAY_OK) result->reset(new Directory(disk_, path));
    return ToStatus(code, path);
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<Logger>* result, IODebugContext*) override {
    *result = std::make_shared<SilentLogger>();
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_stat(disk_, path.data(), path.size(), nullptr, nullptr, nullptr), path);
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* len, IODebugContext*) override {
    return ToStatus(assay_disk_stat(disk_, path.data(), path.size(), len, nullptr, nullptr), path);
  }
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, uint64_t* seconds,
                                   IODebugContext*) override {
    return ToStatus(assay_disk_stat(disk_, path.data(), path.size(), nullptr, seconds, nullptr), path);
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_dir, IODebugContext*) override {
    return ToStatus(assay_disk_stat(disk_, path.data(), path.size(), nullptr, nullptr, is_dir), path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    result->clear();
    auto each = [](void* out, const char* name, size_t len) {
      static_cast<std::vector<std::string>*>(out)->emplace_back(name, len);
    };
    return ToStatus(assay_disk_list(disk_, path.data(), path.size(), result, each), path);
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_remove(disk_, path.data(), path.size()), path);
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions&, IODebugContext*) override {
    std::unique_ptr<FSWritableFile> file;
    IOStatus s = Open<WritableFile>(path, ASSAY_APPEND, &file, FileOptions());
    return s.ok() ? file->Truncate(size, IOOptions(), nullptr) : s;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_rename(disk_, from.data(), from.size(), to.data(), to.size()), from);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_link(disk_, from.data(), from.size(), to.data(), to.size()), from);
  }
  IOStatus AreFilesSame(const std::string& a, const std::string& b, const IOOptions&, bool* same,
                        IODebugContext*) override {
    return ToStatus(assay_disk_same(disk_, a.data(), a.size(), b.data(), b.size(), same), a);
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_make_dir(disk_, path.data(), path.size()), path);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    int32_t code = assay_disk_make_dir(disk_, path.data(), path.size());
    return ToStatus(code == ASSAY_EXISTS ? ASSAY_OK : code, path);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return ToStatus(assay_disk_remove_dir(disk_, path.data(), path.size()), path);
  }

  // Where this is supported, a full disk makes RocksDB's SstFileManager start a thread of its own, which polls in real
  // time until there is room and then recovers, outside of every lane of the trace.
  IOStatus GetFreeSpace(const std::string& path, const IOOptions&, uint64_t*, IODebugContext*) override {
    return IOStatus::NotSupported(path, "free space is not told");
  }

  IOStatus LockFile(const std::string& path, const IOOptions&, FileLock** lock, IODebugContext*) override {
    int32_t code = assay_disk_lock(disk_, path.data(), path.size());
    *lock = code == ASSAY_OK ? new Lock(path) : nullptr;
    return ToStatus(code, path);
  }
  IOStatus UnlockFile(FileLock* lock, const IOOptions&, IODebugContext*) override {
    std::unique_ptr<Lock> owned(static_cast<Lock*>(lock));
    return ToStatus(assay_disk_unlock(disk_, owned->path.data(), owned->path.size()), owned->path);
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/test";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, IODebugContext*) override {
    *out = !path.empty() && path[0] == '/' ? path : "/" + path;
    return IOStatus::OK();
  }

 private:
  template <class File, class Base, class... Args>
  IOStatus Open(const std::string& path, int32_t how, std::unique_ptr<Base>* result, const Args&... args) {
    uint64_t id = 0;
    int32_t code = assay_disk_open(disk_, path.data(), path.size(), how, &id);
    if (code == ASSAY_OK) result->reset(new File(std::make_unique<Handle>(disk_, id, path), args...));
    return ToStatus(code, path);
  }

  AssayDisk* disk_;
};

}  // namespace

std::shared_ptr<FileSystem> AssayFileSystem(AssayDisk* disk) { return std::make_shared<SimulatedFileSystem>(disk); }
