//! Paths that are missing, in the wrong place, or forbidden.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::Command,
};

use crate::util::Scene;

const IN: &str = "in.safetensors";

#[test]
fn missing_and_misplaced_paths() {
    let scene = Scene::new();
    fs::create_dir(scene.path("folder")).unwrap();
    for (line, code, what) in [
        ("convert ./gone.safetensors --to f16 -o out", 4, "gone.safetensors"),
        ("convert in.safetensors/x.npy --to f16 -o out", 4, "x.npy"),
        ("convert folder --to f16 -o out", 3, "folder"),
        ("convert in.safetensors --to f16 -o gone/out.safetensors", 4, "gone/out.safetensors"),
        ("convert in.safetensors --to f16 -o in.safetensors/out", 4, "in.safetensors/out"),
        ("convert in.safetensors --to f16 -o folder", 2, "is a folder"),
        ("convert in.safetensors --to f16 -o in.safetensors", 2, "is the input itself"),
        ("convert in.safetensors --to f16 -o ./in.safetensors --force", 2, "is the input itself"),
        ("convert /proc/self/mem --from f32 --to f16 -o out", 4, "/proc/self/mem"),
    ] {
        scene.assert_fails(scene.fpx(line), code, what, &["folder", IN]);
    }
    scene.assert_input_is_intact();
}

/// The superuser may do everything, so the command runs as nobody then.
#[test]
fn forbidden_paths() {
    const NOBODY: u32 = 65_534;
    let scene = Scene::new();
    let open = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(scene.path(""), 0o755);
    let program = scene.path("fpx");
    fs::copy(env!("CARGO_BIN_EXE_fpx"), &program).unwrap();
    fs::create_dir(scene.path("closed")).unwrap();
    fs::write(scene.path("secret.npy"), "x").unwrap();
    open(scene.path("closed"), 0o555);
    open(scene.path("secret.npy"), 0);
    let is_root = rustix::process::getuid().is_root();
    let fpx = |line: &str| {
        let mut command = Command::new(&program);
        command.args(line.split_whitespace()).current_dir(scene.path(""));
        if is_root {
            command.uid(NOBODY)
        } else {
            &mut command
        };
        command
    };
    let left = ["closed", "fpx", IN, "secret.npy"];
    scene.assert_fails(fpx("convert secret.npy --to f16 -o out"), 4, "permission denied", &left);
    let line = "convert in.safetensors --to f16 -o closed/out.safetensors";
    scene.assert_fails(fpx(line), 4, "permission denied", &left);
    assert_eq!(fs::read_dir(scene.path("closed")).unwrap().count(), 0);
    scene.assert_input_is_intact();
}
