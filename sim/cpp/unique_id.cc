// RocksDB's generators of identifiers, drawing from the simulation's entropy.
//
// The originals (env/unique_id_gen.cc) mix the process id, the time-stamp counter and /proc into the names of
// sessions, which end up in files. All their functions are defined here, so that the linker never takes the originals.
// Outside of a simulation the draws are the machine's own.

#include "env/unique_id_gen.h"

#include "disk.h"

extern "C" void assay_use_seeded_ids() {}

namespace ROCKSDB_NAMESPACE {

void GenerateRawUniqueId(uint64_t* a, uint64_t* b, bool) {
  *a = assay_entropy_u64();
  *b = assay_entropy_u64();
}

// Generators live as long as the process and serve all of its simulations: they keep nothing.
void SemiStructuredUniqueIdGen::Reset() {
  base_upper_ = 0;
  base_lower_ = 0;
  counter_ = 0;
  saved_process_id_ = 0;
}

void SemiStructuredUniqueIdGen::GenerateNext(uint64_t* upper, uint64_t* lower) { GenerateRawUniqueId(upper, lower); }

void UnpredictableUniqueIdGen::Reset() {
  for (auto& word : pool_) word = 0;
  counter_ = 0;
}

void UnpredictableUniqueIdGen::GenerateNext(uint64_t* upper, uint64_t* lower) { GenerateRawUniqueId(upper, lower); }

void UnpredictableUniqueIdGen::GenerateNextWithEntropy(uint64_t* upper, uint64_t* lower, uint64_t) {
  GenerateRawUniqueId(upper, lower);
}

}  // namespace ROCKSDB_NAMESPACE
