//! Writing to a directory.
#![allow(clippy::disallowed_methods, reason = "reports are files; nothing simulated runs here")]

use std::fs;

use super::fixture::passed;
use crate::sweep::{self, SweepRecord, SweepRun, Tolerance};
use crate::{Record, SCHEMA_VERSION, files, write_all};

#[test]
fn a_report_is_written_and_replaced() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let target = dir.path().join("deep/er");
    let mut record = passed();
    write_all(&target, &record).expect("the report is written");
    record.seed = 8;
    let paths = write_all(&target, &record).expect("the report is replaced");
    let names: Vec<String> =
        paths.iter().map(|it| it.strip_prefix(&target).expect("inside").display().to_string()).collect();
    assert_eq!(
        names,
        [
            "summary.md",
            "junit.xml",
            "report.html",
            "plots/faults.svg",
            "plots/height.svg",
            "plots/requests.svg",
            "report.json"
        ]
    );
    let json = fs::read(target.join("report.json")).expect("the record is there");
    assert_eq!(Record::read(&json).expect("it is a record"), record);
    assert_eq!(fs::read_dir(&target).expect("the directory is there").count(), 5, "no temporary file is left");
}

#[test]
fn a_sweep_is_written() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let record = SweepRecord {
        schema_version: SCHEMA_VERSION,
        git_rev: "0badc0de".into(),
        shard: None,
        runs: vec![SweepRun::from(&passed())],
        not_run: Vec::new(),
    };
    let against = sweep::compare(&record, &record, Tolerance::default());
    let paths = files::write_sweep(dir.path(), &record, Some(&against)).expect("the sweep is written");
    let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    assert_eq!(names, ["summary.md", "junit.xml", "index.html", "regressions.md", "sweep.json"]);
    let summary = fs::read_to_string(dir.path().join("summary.md")).expect("the summary is there");
    assert!(summary.contains("## Nothing became worse"), "{summary}");
    let json = fs::read(dir.path().join("sweep.json")).expect("the record is there");
    assert_eq!(SweepRecord::read(&json).expect("it is a sweep"), record);
}

#[test]
fn an_error_names_the_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let taken = dir.path().join("taken");
    fs::write(&taken, "a file, not a directory").expect("the file is written");
    let error = write_all(&taken, &passed()).expect_err("a file is no directory");
    assert_eq!(error.path, taken.join("summary.md"));
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert!(error.to_string().contains("summary.md"), "{error}");
}
