//! Compiles the RocksDB adapter in `cpp/` against the headers and with the defines that `librocksdb-sys` used.

fn main() {
    println!("cargo:rerun-if-changed=cpp");
    #[allow(clippy::disallowed_methods, reason = "a build script reads what cargo tells it")]
    let root = std::env::var("DEP_ROCKSDB_CARGO_MANIFEST_DIR").expect("librocksdb-sys names its directory");
    let mut build = cc::Build::new();
    build.cpp(true).flag("-std=c++20").flag("-include").flag("cstdint").flag("-Wno-unused-parameter");
    for define in ["HAVE_ALIGNED_NEW", "HAVE_UINT128_EXTENSION", "OS_LINUX", "ROCKSDB_PLATFORM_POSIX"] {
        build.define(define, None);
    }
    build.define("ROCKSDB_LIB_IO_POSIX", None).define("NDEBUG", "1").define("LZ4", "1");
    build.include(format!("{root}/rocksdb/include")).include(format!("{root}/rocksdb"));
    for file in ["env", "file_system", "unique_id", "periodic_tasks"] {
        build.file(format!("cpp/{file}.cc"));
    }
    build.compile("assay_disk");
    // With this flag tokio lets a runtime be seeded (see `world::host`).
}
