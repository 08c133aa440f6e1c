//! Processes that are ended from outside, at moments spread over their run.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    process::{Child, Output},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::util::{Scene, safetensors};

const CONVERT: &str = "convert in.safetensors --to bf16 -o out.safetensors --threads 2";

/// Sends a signal after a while; the process may be done by then.
fn end(child: Child, after: Duration, signal: Signal) -> Output {
    sleep(after);
    let _ = kill_process(Pid::from_child(&child), signal);
    child.wait_with_output().unwrap()
}

/// Runs the command once to its end, and returns the time and the output.
fn reference(scene: &Scene, line: &str) -> Duration {
    let start = Instant::now();
    let output = scene.fpx(line).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
}

#[test]
fn killed_at_any_moment_the_output_is_whole_or_not_there() {
    let scene = Scene::new();
    let time = reference(&scene, CONVERT);
    let whole = fs::read(scene.path("out.safetensors")).unwrap();
    let mut killed = 0;
    for trial in 0..10 {
        fs::remove_file(scene.path("out.safetensors")).ok();
        let child = scene.fpx(CONVERT).spawn().unwrap();
        let output = end(child, time * trial / 10, Signal::KILL);
        killed += u32::from(!output.status.success());
        let found = fs::read(scene.path("out.safetensors")).ok();
        assert!(found.is_none_or(|found| found == whole), "half an output in trial {trial}");
        scene.assert_input_is_intact();
    }
    assert!(killed > 0, "no trial was killed before it was done");
    // What a killed run left beside the output disturbs no later run.
    fs::remove_file(scene.path("out.safetensors")).ok();
    reference(&scene, CONVERT);
    assert!(fs::read(scene.path("out.safetensors")).unwrap() == whole);
}

#[test]
fn interrupted_at_any_moment_nothing_is_left() {
    let scene = Scene::new();
    let time = reference(&scene, CONVERT);
    let whole = fs::read(scene.path("out.safetensors")).unwrap();
    let mut interrupted = 0;
    for trial in 1..10 {
        fs::remove_file(scene.path("out.safetensors")).ok();
        let child = scene.fpx(CONVERT).spawn().unwrap();
        let signal = if trial % 2 == 0 { Signal::INT } else { Signal::TERM };
        let output = end(child, time * trial / 10, signal);
        if output.status.success() {
            assert!(fs::read(scene.path("out.safetensors")).unwrap() == whole);
        } else {
            // Before the handler is there, the signal itself ends the process.
            interrupted += u32::from(output.status.code() == Some(130));
            assert_eq!(scene.names(), ["in.safetensors"], "trial {trial}: {output:?}");
        }
        scene.assert_input_is_intact();
    }
    assert!(interrupted > 0, "no trial was interrupted before it was done");
}

/// Makes the folder `model`, of three shards.
fn model(scene: &Scene) {
    let model = scene.path("model");
    fs::create_dir(&model).unwrap();
    let shard = |i: u32| format!("model-{i:05}-of-00003.safetensors");
    let mut map = serde_json::Map::new();
    for i in 1..=3 {
        fs::write(model.join(shard(i)), safetensors(&format!("w{i}"), 1 << 20)).unwrap();
        map.insert(format!("w{i}"), shard(i).into());
    }
    let index = serde_json::json!({"metadata": {"total_size": 3 << 22}, "weight_map": map});
    fs::write(model.join(INDEX), index.to_string()).unwrap();
}

const INDEX: &str = "model.safetensors.index.json";

#[test]
fn an_interrupted_folder_is_not_there() {
    let scene = Scene::new();
    model(&scene);
    let line = "convert model --to bf16 -o out --threads 2";
    let time = reference(&scene, line);
    let mut interrupted = 0;
    for trial in 1..8 {
        fs::remove_dir_all(scene.path("out")).ok();
        let output = end(scene.fpx(line).spawn().unwrap(), time * trial / 8, Signal::INT);
        if !output.status.success() {
            interrupted += 1;
            assert_eq!(scene.names(), ["in.safetensors", "model"], "trial {trial}: {output:?}");
        }
    }
    assert!(interrupted > 0, "no trial was interrupted before it was done");
}

#[test]
fn a_folder_that_fills_up_has_whole_files_only_and_is_resumed() {
    let scene = Scene::new();
    model(&scene);
    let line = "convert model --to bf16 -o out --threads 2 --resume";
    let time = reference(&scene, line);
    let files = |folder: &str| {
        let files = fs::read_dir(scene.path(folder)).into_iter().flatten().map(Result::unwrap);
        let content = |file: fs::DirEntry| (file.file_name(), fs::read(file.path()).unwrap());
        files.map(content).collect::<BTreeMap<_, _>>()
    };
    let whole = files("out");
    let mut broken_off = 0;
    for trial in 1..8 {
        fs::remove_dir_all(scene.path("out")).ok();
        let output = end(scene.fpx(line).spawn().unwrap(), time * trial / 8, Signal::INT);
        let left = files("out");
        assert!(left.iter().all(|(name, content)| whole[name] == *content), "trial {trial}");
        if !output.status.success() {
            broken_off += 1;
            assert!(!left.contains_key(OsStr::new(INDEX)), "trial {trial}");
        }
        reference(&scene, line);
        assert!(files("out") == whole, "trial {trial}");
    }
    assert!(broken_off > 0, "no trial was interrupted before it was done");
}
