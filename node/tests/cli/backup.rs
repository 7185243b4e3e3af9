//! `backup`: of a running node and of a stopped one, and back.

use super::support::{Folder, Running, Said};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

fn json(said: &Said) -> Value {
    assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{}", said.out);
    serde_json::from_str(&said.out).expect("it is JSON")
}

/// Makes a backup of a running node.
fn create(folder: &Folder, node: &Running, more: &str) -> Value {
    json(&folder.say(&format!("backup create --home home --url http://{} --json {more}", node.api)))
}

fn stop(node: Running) {
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}

/// Names of the home's archives, whole or not.
fn archives(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path("home/backups")).expect("it is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_of_a_running_node_starts_elsewhere_with_the_head_that_it_says() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.start("home");
    node.wait_for_height(5);
    let first = create(&folder, &node, "");
    // The chain goes on while more are made.
    let made: Vec<_> = (0..3).map(|_| create(&folder, &node, "")).collect();
    let last = &made[2]["backup"];
    let (height, hash) = (last["height"].as_u64().expect("it has a height"), &last["hash"]);
    assert!(height >= first["backup"]["height"].as_u64().expect("it has a height") && height >= 5);
    node.wait_for_height(height + 1);
    assert_eq!(node.get(&format!("/block/{height}")).1["hash"], *hash, "the block at that height is the backup's head");
    assert_eq!(archives(&folder).len(), 4);
    stop(node);

    folder.write("genesis.json", &folder.read("home/genesis.json"));
    assert_eq!(folder.say("init --home other --genesis genesis.json").status, Some(0));
    let path = made[2]["path"].as_str().expect("it has a path").to_owned();
    let restored = json(&folder.say(&format!("backup restore {path} --home other --json")));
    assert_eq!((&restored["backup"], &restored["kept"]), (last, &Value::Null));
    let node = folder.start("other");
    assert_eq!(node.get(&format!("/block/{height}")).1["hash"], *hash);
    assert!(node.get("/chain/head").1["height"].as_u64() >= Some(height));
    node.wait_for_height(height + 3);
    stop(node);
}

#[test]
fn a_stopped_node_is_backed_up_and_restored_and_its_database_kept() {
    let folder = Folder::new();
    folder.init("home");
    let said = folder.say("backup create --home home");
    insta::assert_snapshot!(said.err, @"assay-node: there is no database at home/db; run the node once, or restore a backup");
    let node = folder.start("home");
    node.wait_for_height(4);
    stop(node);
    let made = json(&folder.say("backup create --home home --to elsewhere --json"));
    let copy = made["copy"].as_str().expect("it was copied");
    assert_eq!(folder.say(&format!("backup verify {copy}")).status, Some(0));
    let name = made["backup"]["name"].as_str().expect("it has a name");
    let (height, hash) = (made["backup"]["height"].as_u64().expect("it has one"), &made["backup"]["hash"]);

    let node = folder.start("home");
    node.wait_for_height(height + 3);
    let running = folder.say(&format!("backup restore {name} --home home --yes"));
    insta::assert_snapshot!(running.err, @"assay-node: the database home/db is in use by another process; stop the node first");
    assert_eq!(running.status, Some(1));
    let unreachable = folder.say("backup create --home home");
    assert_eq!(unreachable.status, Some(3), "its port is not the one of the home's settings: {}", unreachable.err);
    stop(node);

    let unasked = folder.say(&format!("backup restore {name} --home home"));
    insta::assert_snapshot!(unasked.err, @"assay-node: this replaces the database of home, which is kept beside it; answer yes, or add --yes");
    assert_eq!(unasked.status, Some(2));
    let dry = json(&folder.say(&format!("backup restore {name} --home home --dry-run --json")));
    assert_eq!((&dry["dry_run"], folder.path("home/db.replaced-1").exists()), (&Value::Bool(true), false));
    let restored = json(&folder.say(&format!("backup restore {name} --home home --yes --json")));
    let kept = restored["kept"].as_str().expect("there was a database");
    assert!(kept.ends_with("home/db.replaced-1") && folder.path("home/db.replaced-1/CURRENT").exists(), "{kept}");
    let again = json(&folder.say("backup create --home home --json"));
    assert_eq!((&again["backup"]["height"], &again["backup"]["hash"]), (&height.into(), hash));
    let node = folder.start("home");
    assert_eq!(node.get(&format!("/block/{height}")).1["hash"], *hash);
    stop(node);
}

#[test]
fn a_damaged_archive_is_refused_with_its_file_and_found_among_others() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.start("home");
    node.wait_for_height(2);
    let names: Vec<_> =
        (0..3).map(|_| create(&folder, &node, "")["backup"]["name"].as_str().expect("it has one").to_owned()).collect();
    stop(node);
    let path = |name: &str| folder.path("home/backups").join(name);
    let change = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = std::fs::read(path(name)).expect("it is there");
        change(&mut bytes);
        std::fs::write(path(name), bytes).expect("it is ours");
    };
    change(&names[0], &|bytes| bytes[20] ^= 1);
    change(&names[1], &|bytes| bytes.truncate(bytes.len() / 2));

    let told = |said: Said| {
        let text =
            names.iter().enumerate().fold(said.err, |text, (n, name)| text.replace(name, &format!("{n}.backup")));
        (said.status, text)
    };
    let (status, text) = told(folder.say(&format!("backup restore {} --home home --yes", names[0])));
    let file = text.split(" in its file ").nth(1).and_then(|rest| rest.split(':').next()).expect("it names a file");
    assert!(status == Some(1) && [".log", ".sst"].iter().any(|kind| file.ends_with(kind)), "{text}");
    let (status, text) = told(folder.say(&format!("backup restore {} --home home --yes", names[1])));
    insta::assert_snapshot!(text, @"assay-node: home/backups/1.backup is damaged: it does not end as an archive does, so it was cut short, added to or altered; use another backup");
    assert_eq!((status, folder.path("home/db.replaced-1").exists()), (Some(1), false));

    let all = folder.say("backup verify --all --home home --json");
    let shown: Value = serde_json::from_str(&all.out).expect("it is JSON");
    let count = |what: &str| shown[what].as_array().map(Vec::len);
    assert_eq!((all.status, count("whole"), count("damaged")), (Some(1), Some(1), Some(2)));
    insta::assert_snapshot!(all.err, @"assay-node: 2 of 3 backups are damaged; make a new one, and remove those");
    let listed = json(&folder.say("backup list --home home --json"));
    let count = |what: &str| listed[what].as_array().map(Vec::len);
    assert_eq!((count("backups"), count("damaged")), (Some(2), Some(1)), "a list reads manifests alone");
    assert_eq!(folder.say(&format!("backup verify {} --home home", names[2])).status, Some(0));
}

#[test]
fn a_backup_of_another_chain_is_refused() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.start("home");
    let path = create(&folder, &node, "")["path"].as_str().expect("it has a path").to_owned();
    stop(node);
    assert_eq!(folder.say("init --home other --chain-id other").status, Some(0));
    let said = folder.say(&format!("backup restore {path} --home other"));
    insta::assert_snapshot!(said.err, @"assay-node: the backup is of chain assay-dev, and the home is of other; use a backup of that chain");
    assert_eq!((said.status, folder.path("other/db").exists()), (Some(1), false));
}

#[test]
fn old_backups_are_removed_and_the_newest_stay() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.start("home");
    (0..3).for_each(|_| drop(create(&folder, &node, "")));
    stop(node);
    let said = folder.say("backup prune --home home");
    assert_eq!((said.status, said.out.as_str(), archives(&folder).len()), (Some(0), "nothing to remove\n", 3));
    let shown = folder.say("backup list --home home").out;
    assert_eq!(shown.lines().filter(|line| line.contains(".backup  height ")).count(), 3, "{shown}");
    assert_eq!(folder.say("backup prune --home home --keep-days 0").status, Some(2));
}

#[test]
fn a_home_without_an_administrators_key_gets_one_at_its_first_start() {
    let folder = Folder::new();
    folder.init("home");
    std::fs::remove_file(folder.path("home/admin.key")).expect("init made it");
    assert_eq!(folder.say("config check --home home").status, Some(0));
    assert!(!folder.path("home/admin.key").exists(), "a check writes nothing");
    let node = folder.start("home");
    let mode = std::fs::metadata(folder.path("home/admin.key")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    create(&folder, &node, "");
    assert_eq!(node.get("/admin/backups").0, 401);
    folder.write("other.key", &"ab".repeat(32));
    let key = folder.read("home/admin.key");
    folder.write("home/admin.key", &folder.read("other.key"));
    let said = folder.say(&format!("backup create --home home --url http://{}", node.api));
    assert!(said.err.contains("the token is not signed with this node's admin.key"), "{}", said.err);
    folder.write("home/admin.key", &key);
    stop(node);
}

#[test]
fn a_directory_in_the_database_takes_no_backups() {
    let folder = Folder::new();
    folder.init("home");
    let said = folder.say("config check --home home --set backup.path=db/backups");
    insta::assert_snapshot!(said.err, @"assay-node: backup.path = home/db/backups is in the database's directory; choose another one");
    assert_eq!(said.status, Some(2));
}

#[test]
fn a_missing_archive_is_told() {
    let folder = Folder::new();
    folder.init("home");
    let said = folder.say("backup verify nothing.backup");
    insta::assert_snapshot!(said.err, @"assay-node: cannot read nothing.backup: No such file or directory (os error 2); see that it is there and that this user may read it");
    let said = folder.say("backup list --home home");
    assert_eq!((said.status, said.out.as_str()), (Some(0), "no backups in home/backups\n"));
    assert_eq!(json(&folder.say("backup list --home home --json"))["backups"], serde_json::json!([]));
}
