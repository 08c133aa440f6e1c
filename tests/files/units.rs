//! A folder converted in shares, and a conversion that was broken off.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    folder::{FIRST, SECOND, checkpoint},
    util::{Run, convert, listing},
};

const INDEX: &str = "model.safetensors.index.json";

/// A folder with the checkpoint `in`, and the same converted in one run as `whole`.
fn converted() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(&dir.path().join("in"));
    to(&dir, "whole", &[]).ends(0);
    dir
}

/// Converts `in`, at random so that the numbering of tensors shows.
fn to(dir: &tempfile::TempDir, output: &str, more: &[&str]) -> Run {
    convert(dir.path(), &[&["in", "--to", "e4m3fn/sr", "--seed", "7", "-o", output], more].concat())
}

/// Returns every file below a folder, with its content.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn shares_in_any_order_make_the_folder_that_one_run_makes() {
    for order in [["1/2", "2/2"], ["2/2", "1/2"]] {
        let dir = converted();
        let out = dir.path().join("out");
        to(&dir, "out", &["--shard", order[0]]).ends(0).says("1 of 2 files of weights");
        assert_eq!(listing(&out).len(), 1, "no index before all shards are there");
        to(&dir, "out", &["--shard", order[1]]).ends(0).says("2 of 2 files of weights");
        assert_eq!(contents(&out), contents(&dir.path().join("whole")));
    }
}

#[test]
fn more_shares_than_files_leave_some_with_nothing_to_do() {
    let dir = converted();
    for share in ["3/3", "1/3", "2/3"] {
        to(&dir, "out", &["--shard", share]).ends(0);
    }
    assert_eq!(contents(&dir.path().join("out")), contents(&dir.path().join("whole")));
}

#[test]
fn a_run_that_was_broken_off_goes_on_where_it_was() {
    let dir = converted();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::copy(dir.path().join("whole").join(FIRST), out.join(FIRST)).unwrap();
    let before = fs::metadata(out.join(FIRST)).unwrap().modified().unwrap();
    to(&dir, "out", &["--resume"]).ends(0).says("1 converted, 1 kept");
    assert_eq!(fs::metadata(out.join(FIRST)).unwrap().modified().unwrap(), before);
    assert_eq!(contents(&out), contents(&dir.path().join("whole")));
    to(&dir, "out", &["--resume"]).ends(0).says("0 converted, 2 kept");
    assert_eq!(contents(&out), contents(&dir.path().join("whole")));
}

#[test]
fn what_is_there_is_neither_replaced_nor_taken_for_finished_unasked() {
    let dir = converted();
    let first = dir.path().join("out").join(FIRST);
    to(&dir, "out", &["--shard", "1/2"]).ends(0);
    let finished = fs::read(&first).unwrap();
    to(&dir, "out", &["--shard", "1/2"]).ends(2).says("add --resume to keep it or --force");
    // Another rounding, a file that was cut, an input that changed since.
    let other = ["in", "--to", "e4m3fn", "-o", "out", "--resume"];
    convert(dir.path(), &other).ends(2).says("is not what this command makes");
    fs::write(&first, &finished[..finished.len() - 1]).unwrap();
    to(&dir, "out", &["--resume"]).ends(2).says("is not what this command makes");
    assert_eq!(fs::read(&first).unwrap(), finished[..finished.len() - 1]);
    fs::write(&first, &finished).unwrap();
    let input = fs::File::options().write(true).open(dir.path().join("in").join(FIRST)).unwrap();
    input.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    to(&dir, "out", &["--resume"]).ends(2).says("is not what this command makes");
    to(&dir, "out", &["--resume", "--force"]).ends(0).says("2 converted, 0 kept");
    assert_eq!(contents(&dir.path().join("out")), contents(&dir.path().join("whole")));
}

#[test]
fn a_share_that_fails_leaves_what_was_finished_and_no_index() {
    let dir = converted();
    to(&dir, "out", &["--shard", "1/2", "--fail-on", "inexact"]).ends(1).says("nothing kept");
    assert_eq!(listing(&dir.path().join("out")), [""; 0]);
    to(&dir, "out", &["--shard", "2/2"]).ends(0);
    assert_eq!(listing(&dir.path().join("out")), [SECOND]);
    assert!(!dir.path().join("out").join(INDEX).exists());
}

#[test]
fn shares_are_of_folders_and_well_formed() {
    let dir = converted();
    for share in ["0/2", "3/2", "1", "a/b", "-1/2"] {
        to(&dir, "out", &[&format!("--shard={share}")]).ends(2).says("expected i/n");
    }
    to(&dir, "in/out", &["--shard", "1/2"]).ends(2).says("overlaps the input");
    let file = format!("in/{FIRST}");
    for option in ["--resume", "--shard=1/2"] {
        let run = convert(dir.path(), &[&file, "--to", "f32", "-o", "x.safetensors", option]);
        run.ends(2).says("is for checkpoint folders");
    }
    convert(dir.path(), &["1", "--resume"]).ends(2).says("--resume is for files");
    assert_eq!(listing(dir.path()), ["in", "whole"]);
}

#[test]
fn a_share_is_measured_without_an_output() {
    let dir = converted();
    let share = ["in", "--to", "bf16", "--shard", "2/2"];
    convert(dir.path(), &share).ends(0).says("2 converted").says("nothing written (add -o)");
}
