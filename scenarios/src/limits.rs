//! The bounds of every setting, each with its reason.

use crate::{ByteSize, LatencyRange};
use std::{ops::RangeInclusive, time::Duration};

/// Longest file: a hundred times the longest that a person would write.
pub const FILE_BYTES: usize = 1 << 20;
/// Faults in one scenario: past this, planning and the report's timeline are no longer readable.
pub const FAULTS: usize = 1000;
/// Characters in a name: it becomes a file name.
pub const NAME_CHARS: usize = 64;
/// Characters in `about`: it is one line of a listing.
pub const ABOUT_CHARS: usize = 200;
/// Nodes in a scenario: the simulator's budget on one core.
pub const NODES: RangeInclusive<u32> = 1..=100;
/// Length of a run: a week of virtual time.
pub const DURATION: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3600);
/// One-way latency of a link. The least is the simulator's smallest scheduling window.
pub const LATENCY: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
/// Jitter and added delay of a link.
pub const JITTER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);
/// Block interval that the difficulty aims at.
pub const BLOCK_INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
/// Confirmations (k).
pub const CONFIRMATIONS: RangeInclusive<u32> = 1..=1000;
/// Hashes per second and node: real hashes, so a run's cost grows with it.
pub const HASH_RATE: RangeInclusive<u32> = 1..=1_000_000;
/// Validators at first: as many as a set may have.
pub const VALIDATORS: RangeInclusive<u32> = 1..=100;
/// Blocks of an epoch.
pub const EPOCH_BLOCKS: RangeInclusive<u32> = 1..=100_000;
/// Bonds that change per minute: one a second is more than any set of validators sees.
pub const STAKE_CHANGES_PER_MINUTE: RangeInclusive<u32> = 0..=60;
/// Time between two scheduled backups. A backup takes a moment, and a longer time than a run would make none.
pub const BACKUP_EVERY: RangeInclusive<Duration> = Duration::from_secs(10)..=*DURATION.end();
/// Block cache: the bounds of the node's own setting.
pub const CACHE: RangeInclusive<ByteSize> = ByteSize(1 << 20)..=ByteSize(64 << 30);
/// What waiting transactions may take: the bounds of the node's own setting.
pub const MEMPOOL: RangeInclusive<ByteSize> = ByteSize(64 << 10)..=ByteSize(1 << 30);
/// Transfers, and questions, per second of the workload.
pub const PER_SECOND: RangeInclusive<f64> = 0.0..=1000.0;
/// Funded accounts: a transfer needs two.
pub const ACCOUNTS: RangeInclusive<u32> = 2..=1000;
/// Length of a fault, and time until a killed node starts again. The least is the simulator's smallest scheduling
/// window.
pub const FAULT_LENGTH: RangeInclusive<Duration> = Duration::from_millis(1)..=*DURATION.end();
/// Room that a full disk leaves. The greatest is far beyond what a run writes, so that more would never be a full disk.
pub const DISK_LEAVE: RangeInclusive<ByteSize> = ByteSize(0)..=ByteSize(1 << 30);
/// Memory that other programs leave. The greatest is a quarter of a simulated machine, where nothing is scarce.
pub const MEMORY_LEAVE: RangeInclusive<ByteSize> = ByteSize(0)..=ByteSize(1 << 30);
/// How much longer an operation of a slow disk takes. The greatest is where kernels give up a device.
pub const DISK_SLOW: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(30);
/// Which of a disk's operations: more than the longest run has.
pub const NTH: RangeInclusive<u64> = 1..=1_000_000_000;
/// Bits that flip: past this the files might as well be gone, and `lose_volume` says so.
pub const BITS: RangeInclusive<u32> = 1..=4096;
/// How far a wall clock is off at first, either way: a day, as by a wrong date or time zone.
pub const SKEW_MAX: Duration = Duration::from_secs(24 * 3600);
/// How much faster or slower a wall clock runs, in millionths: half its speed and one and a half times at the ends, far
/// beyond a broken oscillator, so that short runs show it.
pub const DRIFT_PPM: RangeInclusive<i64> = -500_000..=500_000;
/// Hash rate of a liar, in hash rates of one node: past this it is a majority in the largest scenario.
pub const POWER: RangeInclusive<u32> = 1..=200;
/// Times that `[expect]` allows: nothing recovers at once, so zero would be a mistake.
pub const WITHIN: RangeInclusive<Duration> = Duration::from_millis(1)..=*DURATION.end();
/// Reorganisation depths and transaction counts of `[expect]`.
pub const COUNT: RangeInclusive<u64> = 0..=1_000_000_000;

/// Default latency: nodes in one part of the world.
pub const LATENCY_DEFAULT: LatencyRange =
    LatencyRange { min: Duration::from_millis(20), max: Duration::from_millis(80) };
/// Default block interval.
pub const BLOCK_INTERVAL_DEFAULT: Duration = Duration::from_secs(10);
/// Default confirmations.
pub const CONFIRMATIONS_DEFAULT: u32 = 6;
/// Default hashes per second and node.
pub const HASH_RATE_DEFAULT: u32 = 20;
/// Default blocks of an epoch: a run of minutes sees several.
pub const EPOCH_BLOCKS_DEFAULT: u32 = 20;
/// Default funded accounts.
pub const ACCOUNTS_DEFAULT: u32 = 16;
/// Default of `caught_up_within`.
pub const CAUGHT_UP_WITHIN_DEFAULT: Duration = Duration::from_secs(60);
/// Default of a `bit_rot`: one bit is the hardest to notice.
pub const BITS_DEFAULT: u32 = 1;
/// Default `power` of a `lie`: what the node had before it lied.
pub const POWER_DEFAULT: u32 = 1;
/// Default `nth` of a `misdirected_write`.
pub const MISDIRECTED_NTH_DEFAULT: u64 = 1;
/// Default of `writable_within`: nothing has to be fetched, a node has only to try its disk again.
pub const WRITABLE_WITHIN_DEFAULT: Duration = Duration::from_secs(10);
/// Default of `confirms_within` with validators, beside a block interval: what this project promises after a split.
pub const AGREES_WITHIN_DEFAULT: Duration = Duration::from_secs(30);
/// `confirms_within` is k + 1 block intervals times this unless it is given: block arrival is Poisson, so the mean is
/// not enough.
pub const CONFIRMS_WITHIN_FACTOR: u32 = 3;
