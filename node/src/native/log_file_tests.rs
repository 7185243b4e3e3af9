use super::*;
use tempfile::TempDir;

const LIMIT: u64 = 10;

fn file(folder: &TempDir, name: &str) -> LogFile {
    LogFile::new(folder.path().join(name), LIMIT, 2)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is a temporary folder")
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| format!("({:?})", error.kind()))
}

fn add(log: &mut LogFile, line: &str) -> Outcome {
    log.add(line.as_bytes(), Instant::now())
}

#[track_caller]
fn written(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Written), "{outcome:?}");
}

#[test]
fn a_line_that_would_exceed_the_limit_goes_to_the_next_file() {
    assert!(!must_rotate(4, 6, 10), "exactly the limit");
    assert!(must_rotate(4, 7, 10));
    assert!(!must_rotate(0, 11, 10), "rotating an empty file gives no room");
    assert!(must_rotate(u64::MAX - 1, 9, u64::MAX - 1));
}

#[test]
fn old_files_are_numbered_from_the_newest() {
    let renames: Vec<_> = renames(Path::new("a/node.log"), 3)
        .map(|(from, to)| format!("{} -> {}", from.display(), to.display()))
        .collect();
    let expected = ["a/node.log.2 -> a/node.log.3", "a/node.log.1 -> a/node.log.2", "a/node.log -> a/node.log.1"];
    assert_eq!(renames, expected);
}

#[test]
fn full_files_move_up_and_the_oldest_goes() {
    let folder = folder();
    let mut log = file(&folder, "log");
    for line in ["first\n", "2nd\n", "third\n", "a line beyond the limit\n", "fifth\n"] {
        written(add(&mut log, line));
    }
    let names = ["log", "log.1", "log.2", "log.3"];
    let texts = ["fifth\n", "a line beyond the limit\n", "third\n", "(NotFound)"];
    assert_eq!(names.map(|name| text(&folder, name)), texts);
}

#[test]
fn a_later_process_goes_on_in_the_file_after_ending_a_torn_line() {
    let folder = folder();
    fs::write(folder.path().join("log"), "tor").expect("the folder is ours");
    written(add(&mut file(&folder, "log"), "a\n"));
    written(add(&mut file(&folder, "log"), "b\n"));
    assert_eq!(text(&folder, "log"), "tor\na\nb\n");
}

#[test]
fn a_moved_file_gets_lines_until_it_is_reopened_and_is_not_rotated() {
    let folder = folder();
    let mut log = file(&folder, "log");
    written(add(&mut log, "a\n"));
    fs::rename(log.path(), folder.path().join("moved")).expect("the folder is ours");
    written(add(&mut log, "b\n"));
    log.reopen().expect("the folder is ours");
    written(add(&mut log, "c\n"));
    assert_eq!((text(&folder, "moved"), text(&folder, "log")), ("a\nb\n".into(), "c\n".into()));

    fs::rename(log.path(), folder.path().join("moved")).expect("the folder is ours");
    fs::write(log.path(), "new\n").expect("the folder is ours");
    written(add(&mut log, "12345678\n"));
    let texts = ["log", "log.1", "moved"].map(|name| text(&folder, name));
    assert_eq!(texts, ["12345678\n", "new\n", "c\n"], "the file at the path is what is rotated");
}

#[test]
fn a_removed_file_is_made_again() {
    let folder = folder();
    let mut log = file(&folder, "log");
    written(add(&mut log, "a\n"));
    fs::remove_file(log.path()).expect("the folder is ours");
    written(add(&mut log, "b\n"));
    assert_eq!(text(&folder, "log"), "b\n");
}

#[test]
fn a_failure_is_told_once_and_tried_again_after_a_while() {
    let folder = folder();
    let mut log = file(&folder, "gone/log");
    let start = Instant::now();
    let mut at = |after: Duration| log.add(b"a\n", start + after);
    let first = at(Duration::ZERO);
    assert!(matches!(&first, Outcome::Failed(cause) if cause.kind() == io::ErrorKind::NotFound), "{first:?}");
    let again = at(RETRY_AFTER);
    assert!(matches!(again, Outcome::Missed), "it failed again: {again:?}");
    fs::create_dir(folder.path().join("gone")).expect("the folder is ours");
    let early = at(RETRY_AFTER * 2 - Duration::from_nanos(1));
    assert!(matches!(early, Outcome::Missed), "it is not tried yet: {early:?}");
    let back = at(RETRY_AFTER * 2);
    assert!(matches!(back, Outcome::Recovered { lines_missed: 3 }), "{back:?}");
    written(at(RETRY_AFTER * 2));
    assert_eq!(text(&folder, "gone/log"), "a\na\n");
}

#[test]
fn after_reopening_a_failure_is_tried_again_at_once() {
    let folder = folder();
    let mut log = file(&folder, "gone/log");
    assert!(matches!(add(&mut log, "a\n"), Outcome::Failed(_)));
    assert_eq!(log.reopen().expect_err("its folder is gone").kind(), io::ErrorKind::NotFound);
    fs::create_dir(folder.path().join("gone")).expect("the folder is ours");
    let back = add(&mut log, "b\n");
    assert!(matches!(back, Outcome::Recovered { lines_missed: 1 }), "{back:?}");
    assert_eq!(text(&folder, "gone/log"), "b\n");
}

#[test]
fn a_file_that_cannot_be_rotated_does_not_grow() {
    let folder = folder();
    let mut log = file(&folder, "log");
    written(add(&mut log, "1234567\n"));
    fs::write(folder.path().join("log.1"), "").expect("the folder is ours");
    fs::create_dir(folder.path().join("log.2")).expect("the folder is ours");
    let failed = add(&mut log, "1234567\n");
    assert!(matches!(&failed, Outcome::Failed(cause) if cause.kind() == io::ErrorKind::IsADirectory), "{failed:?}");
    assert_eq!(text(&folder, "log"), "1234567\n");
}

#[test]
fn a_full_disk_is_a_failure_and_a_device_is_never_renamed() {
    let mut log = LogFile::new("/dev/full".into(), 1, 1);
    let full = add(&mut log, "a\n");
    assert!(matches!(&full, Outcome::Failed(cause) if cause.kind() == io::ErrorKind::StorageFull), "{full:?}");
    let mut log = LogFile::new("/dev/null".into(), 1, 1);
    written(add(&mut log, "a\n"));
    written(add(&mut log, "a\n"));
}

#[test]
fn a_pipe_that_nobody_reads_is_refused() {
    let folder = folder();
    let mut log = file(&folder, "pipe");
    let made = std::process::Command::new("mkfifo").arg(log.path()).status();
    assert!(made.expect("mkfifo is there").success());
    let refused = add(&mut log, "a\n");
    assert!(matches!(&refused, Outcome::Failed(cause) if cause.kind() == io::ErrorKind::Unsupported), "{refused:?}");
}
