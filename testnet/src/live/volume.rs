//! A disk of a node's own: a file with an ext4 file system in it, mounted through a loop device.
//!
//! It has a size, so it can be full; and its power can be cut: the file system is shut down without its log being flushed,
//! so that everything that no sync has made durable is lost, as the page cache is when a machine loses power. Then it is
//! mounted again, which replays the journal. Both take the rights of root.

use crate::TestnetError;
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    ioctl,
    mount::UnmountFlags,
};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Why volumes cannot be had; none when they can.
pub fn refusal() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("a volume of its own takes root: a loop device is mounted".into());
    }
    let missing = ["mkfs.ext4", "losetup", "mount"].into_iter().find(|program| !is_installed(program));
    missing.map(|program| format!("a volume of its own takes {program}: install e2fsprogs and util-linux"))
}

/// Whether a program is there, on the path or where administrators have theirs.
pub(super) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).any(|dir| dir.join(program).is_file())
}

/// A mounted volume; unmounted when it is dropped.
#[derive(Debug)]
pub struct Volume {
    image: PathBuf,
    at: PathBuf,
    /// The loop device that it is mounted through.
    device: Option<PathBuf>,
}

impl Volume {
    /// Makes a volume of `bytes` whose file system is seen at `at`.
    ///
    /// # Errors
    /// When it exists, or the system refuses.
    pub fn create(image: &Path, at: &Path, bytes: u64) -> Result<Self, TestnetError> {
        let failed = |what: &str| TestnetError::system(format!("{what} {}", image.display()));
        let file = File::create_new(image).map_err(failed("cannot make"))?;
        file.set_len(bytes).map_err(failed("cannot size"))?;
        // No blocks are kept for root, or the node's user would have less than there is.
        run("mkfs.ext4", &["-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"], &[image])?;
        fs::create_dir_all(at).map_err(failed("cannot make the mount point of"))?;
        let mut volume = Self { image: image.to_owned(), at: at.to_owned(), device: None };
        volume.mount()?;
        Ok(volume)
    }

    fn mount(&mut self) -> Result<(), TestnetError> {
        // A device of its own each time: if another mount namespace has taken over the last mount, as that of a container
        // that was just started has for a moment, the device with the file system that was shut down is still there.
        let device = PathBuf::from(run("losetup", &["--find", "--show"], &[&self.image])?);
        // Dirty pages go to the disk by a sync or not at all, as far as the kernel can be told.
        let mounted = run("mount", &["-o", "commit=300"], &[&device, &self.at]);
        self.device = Some(device);
        mounted.map(drop)
    }

    /// Cuts its power. Whoever still has files of it open meets errors; nothing that was not synced is ever written.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn cut(&mut self) -> Result<(), TestnetError> {
        let what = || TestnetError::system(format!("cannot cut the power of {}", self.at.display()));
        let open = rustix::fs::open(&self.at, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
        let open = open.map_err(|error| what()(error.into()))?;
        shut_down(&open).map_err(|error| what()(error.into()))
    }

    /// Brings it back after [`Volume::cut`]. Nobody may have a file of it open.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn power_up(&mut self) -> Result<(), TestnetError> {
        self.unmount()?;
        self.mount()
    }

    fn unmount(&mut self) -> Result<(), TestnetError> {
        let done = rustix::mount::unmount(&self.at, UnmountFlags::empty());
        done.map_err(|error| TestnetError::system(format!("cannot unmount {}", self.at.display()))(error.into()))?;
        self.device.take().map_or(Ok(()), |device| run("losetup", &["--detach"], &[&device]).map(drop))
    }

    /// Fills it until `leave` bytes are left, or as near as blocks allow. Returns the file that fills it.
    ///
    /// # Errors
    /// When the system refuses for another reason than that no space is left.
    pub fn fill(&self, leave: u64) -> Result<PathBuf, TestnetError> {
        let path = self.at.join(FILLER);
        let failed = || TestnetError::system(format!("cannot fill {}", path.display()));
        let mut file = File::create(&path).map_err(failed())?;
        // What the node has deleted a moment ago may come free meanwhile, so this is done until nothing more fits.
        let space = rustix::fs::statvfs(&self.at).map_err(|error| failed()(error.into()))?;
        let bytes = (space.f_bavail * space.f_frsize).saturating_sub(leave);
        if bytes > 0 {
            match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
                Ok(()) | Err(Errno::NOSPC) => {}
                Err(error) => return Err(failed()(error.into())),
            }
        }
        if leave == 0 {
            let zeros = vec![0; 4096];
            io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(failed())?;
            loop {
                match file.write_all(&zeros) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(failed()(error)),
                }
            }
        }
        Ok(path)
    }
}

/// Takes the volume at `at` away, which nobody of this process has: unmounts it and lets go of its device.
///
/// # Errors
/// When the system refuses: a process still has a file of it open.
pub(super) fn take_away(at: &Path) -> Result<(), TestnetError> {
    let device = PathBuf::from(run("findmnt", &["-no", "SOURCE"], &[at])?);
    Volume { image: PathBuf::new(), at: at.to_owned(), device: Some(device) }.unmount()
}

/// The file that fills a volume.
const FILLER: &str = "filler";

impl Drop for Volume {
    fn drop(&mut self) {
        if self.device.is_some() && self.unmount().is_err() {
            // A process that has files open is being killed: it goes when they do, and the device then as well.
            let _lazily = rustix::mount::unmount(&self.at, UnmountFlags::DETACH);
            if let Some(device) = self.device.take() {
                let _lazily = run("losetup", &["--detach"], &[&device]);
            }
        }
    }
}

/// `FS_IOC_SHUTDOWN` without a flush of the log (`fs/ext4/ioctl.c`, `EXT4_GOING_FLAGS_NOLOGFLUSH`).
fn shut_down(file: &impl std::os::fd::AsFd) -> Result<(), Errno> {
    const SHUTDOWN: ioctl::Opcode = ioctl::opcode::read::<u32>(b'X', 125);
    const NO_LOG_FLUSH: u32 = 2;
    let mut flags = NO_LOG_FLUSH;
    // SAFETY: the request reads a `u32` at the pointer, which is one.
    unsafe {
        let request = ioctl::Updater::<SHUTDOWN, u32>::new(&mut flags);
        ioctl::ioctl(file, request)
    }
}

/// Runs a program to its end; returns what it printed.
fn run(program: &str, options: &[&str], paths: &[&Path]) -> Result<String, TestnetError> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let done = Command::new(program).args(options).args(paths).env("PATH", path).output();
    let done = done.map_err(TestnetError::system(format!("cannot run {program}")))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(TestnetError::system(format!("{program} failed"))(io::Error::other(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(folder: &Path) -> Option<Volume> {
        if let Some(reason) = refusal() {
            eprintln!("skipped: {reason}");
            return None;
        }
        Some(Volume::create(&folder.join("image"), &folder.join("volume"), 32 << 20).expect("root may mount"))
    }

    #[test]
    fn what_is_not_synced_is_lost_with_the_power() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let Some(mut volume) = volume(folder.path()) else { return };
        let write = |name: &str, sync: bool| {
            let mut file = File::create(volume.at.join(name)).expect("there is room");
            file.write_all(b"text").expect("there is room");
            if sync {
                file.sync_all().expect("the disk works");
                File::open(&volume.at).and_then(|dir| dir.sync_all()).expect("the disk works");
            }
        };
        write("synced", true);
        write("pending", false);
        volume.cut().expect("root may");
        assert!(fs::read(volume.at.join("synced")).is_err(), "a disk without power serves nothing");
        volume.power_up().expect("nobody has a file open");
        assert_eq!(fs::read(volume.at.join("synced")).expect("it was synced"), b"text");
        assert!(!volume.at.join("pending").exists());
    }

    #[test]
    fn a_full_volume_takes_no_byte() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let Some(volume) = volume(folder.path()) else { return };
        let filler = volume.fill(0).expect("root may");
        let refused = fs::write(volume.at.join("more"), [0; 8192]).expect_err("it is full");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        fs::remove_file(filler).expect("it is there");
        volume.fill(1 << 20).expect("root may");
        fs::write(volume.at.join("more"), [0; 8192]).expect("there is room");
    }
}
