//! What is for the administrator alone, and backups of a node that goes on.

use super::host::{ADMIN_KEY, Host, LONG, Mining, START_MS};
use crate::{
    Setup,
    api::{AdminKey, TOKEN_TIME_MAX, client::ClientError, model::BackupList},
    backup::{BackupError, Mode, Target, restore},
    native::{files::SystemFiles, seams},
    seams::Files,
    storage::{Settings, Store},
    types::Timestamp,
};
use axum::http::Method;
use std::time::Duration;

/// A token that is valid now.
fn token(host: &Host) -> String {
    AdminKey(ADMIN_KEY).token(host.node.view().clock.now(), Duration::from_secs(60))
}

/// Waits until that backup has ended.
async fn ended(host: &Host, attempt: u64) -> crate::BackupAttempt {
    loop {
        let state = host.client().backup(attempt, &token(host), LONG).await.expect("it is known");
        match state.ended {
            Some(ended) => return ended,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn listed(host: &Host) -> BackupList {
    let answer = host.client().request_as_admin(Method::GET, "/admin/backups", &token(host), LONG).await;
    serde_json::from_slice(&answer.expect("it is answered").body).expect("it is a list")
}

/// The value of a metric without labels.
async fn metric(host: &Host, name: &str) -> f64 {
    let text = host.get("/metrics").await;
    let text = std::str::from_utf8(&text.body).expect("metrics are text");
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().expect("it is a number")
}

#[tokio::test(start_paused = true)]
async fn nobody_without_the_key_gets_in() {
    let host = Host::start(Mining::Off).await;
    let now = host.node.view().clock.now();
    let tokens = [
        ("of another key", AdminKey([6; 32]).token(now, LONG)),
        ("of an hour ago", AdminKey(ADMIN_KEY).token(Timestamp(START_MS - 3_600_000), LONG)),
        ("for ever", AdminKey(ADMIN_KEY).token(now, TOKEN_TIME_MAX * 10)),
        ("of no form", "x".into()),
    ];
    for (method, path) in
        [(Method::POST, "/admin/backup"), (Method::GET, "/admin/backups"), (Method::GET, "/admin/backup/1")]
    {
        for (what, token) in &tokens {
            let answer =
                host.client().request_as_admin(method.clone(), path, token, LONG).await.expect("it is answered");
            assert_eq!(answer.status.as_u16(), 401, "{path} with a token {what}");
        }
    }
    let answer = host.raw("POST /admin/backup HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("www-authenticate: Bearer\r\n"), "{answer}");
    assert!(answer.contains("\"unauthorized\""), "{answer}");
    assert_eq!(host.node.view().backups.status().attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_without_a_key_has_no_administrator() {
    let host = Host::start_with(Mining::Off, |setup: &mut Setup| setup.admin_key = None).await;
    let error = host.client().begin_backup(&token(&host), LONG).await.expect_err("there is no key");
    insta::assert_snapshot!(error, @"403: this node has no admin.key, so nobody is its administrator (admin_disabled)");
    host.node.view().backup().await.expect("who has the node itself may");
}

#[tokio::test(start_paused = true)]
async fn a_backup_of_a_node_that_goes_on_has_the_head_that_it_says() {
    let host = Host::start(Mining::On).await;
    host.height(5).await;
    let attempt = host.client().begin_backup(&token(&host), LONG).await.expect("the token is right").attempt;
    let ended = ended(&host, attempt).await;
    let backup = ended.backup.expect("there is room");
    host.height(backup.height.0 + 3).await;
    let again = host.node.view().backup().await.expect("there is room");
    assert!(again.height > backup.height && again.name != backup.name);
    assert_eq!(listed(&host).await.backups, [again.clone(), backup.clone()]);

    for backup in [again, backup] {
        let archive = host.home().join("backups").join(&backup.name);
        let (disk, database) = (seams::disk().expect("the default environment"), host.home().join("restored"));
        let genesis = host.node.view().store.genesis();
        let target = Target { disk: &disk, database: &database, genesis, settings: Settings::default() };
        restore(target, &archive, Mode::Replace, &mut |_| {}).expect("it is whole");
        let store = Store::open(&disk, &database, genesis.clone(), Settings::default()).expect("it is whole");
        assert_eq!(store.head().expect("it can be read").hash, backup.hash);
        assert_eq!(host.node.view().store.canonical(backup.height).expect("it can be read"), Some(backup.hash));
    }
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_and_the_last_one_is_remembered() {
    let host = Host::start(Mining::Off).await;
    let view = host.node.view().clone();
    assert!(matches!(view.backups.begin(), Ok(1)));
    assert!(matches!(view.backups.begin(), Err(BackupError::Busy)));
    let error = host.client().begin_backup(&token(&host), LONG).await;
    if let Err(error) = &error {
        // It may be over by now.
        assert!(matches!(error, ClientError::Refused { status: 409, code, .. } if code == "backup_running"), "{error}");
    }
    ended(&host, view.backups.status().attempts).await;
    let last = view.backup().await.expect("there is room");
    let attempts = view.backups.status().attempts;
    assert_eq!(ended(&host, attempts).await.backup, Some(last));
    let error = host.client().backup(attempts - 1, &token(&host), LONG).await.expect_err("it is forgotten").to_string();
    assert!(error.ends_with("(unknown_backup)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_makes_backups_and_removes_old_ones() {
    let day = Duration::from_secs(24 * 3600);
    let host = Host::start_with(Mining::Off, |setup| {
        setup.config.backup.interval_s = day.as_secs();
        setup.config.backup.keep_days = 3;
    })
    .await;
    let view = host.node.view().clone();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((view.backups.status().made, listed(&host).await.backups.len()), (1, 1), "there was none");
    tokio::time::sleep(day * 6).await;
    assert_eq!((view.backups.status().made, listed(&host).await.backups.len()), (7, 4));
    assert_eq!(metric(&host, "assay_backup_interval_seconds").await, 86_400.0);
    let age = metric(&host, "assay_backup_age_seconds").await;
    assert!((0.9..1.1).contains(&age), "{age}");
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_fails_is_told_until_one_is_made() {
    let host = Host::start(Mining::Off).await;
    assert_eq!(metric(&host, "assay_backup_last_result").await, 1.0, "none was made, and none failed");
    assert_eq!(metric(&host, "assay_backup_last_success_timestamp_seconds").await, 0.0);
    let in_the_way = host.home().join("backups");
    SystemFiles.create(&in_the_way).expect("it is ours");
    let error = host.node.view().backup().await.expect_err("there is no directory");
    assert!(matches!(error, BackupError::File { .. }), "{error}");
    let health = async || String::from_utf8(host.get("/health").await.body.to_vec()).expect("it is text");
    assert!(health().await.contains("the last one failed: "), "{}", health().await);
    let told = ["assay_backup_last_result", "assay_backup_failures_total", "assay_backup_size_bytes"];
    assert_eq!(
        [metric(&host, told[0]).await, metric(&host, told[1]).await, metric(&host, told[2]).await],
        [0.0, 1.0, 0.0]
    );

    SystemFiles.remove(&in_the_way).expect("it is ours");
    let made = host.node.view().backup().await.expect("there is room");
    assert_eq!(
        [metric(&host, told[0]).await, metric(&host, told[1]).await, metric(&host, told[2]).await],
        [1.0, 1.0, made.bytes as f64]
    );
    assert_eq!(metric(&host, "assay_backup_last_success_timestamp_seconds").await, made.created.0 as f64 / 1000.0);
    assert!(health().await.contains("the newest is of height 0, "), "{}", health().await);
}
