//! Paths that are not what they should be: missing, forbidden, links, pipes.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    process::Command,
};

use crate::util::{Scene, error_line};

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

#[test]
fn links_are_followed_and_never_lead_onto_the_input() {
    let scene = Scene::new();
    fs::write(scene.path("old"), "old").unwrap();
    symlink("old", scene.path("link")).unwrap();
    symlink(IN, scene.path("to-input")).unwrap();
    symlink("nowhere", scene.path("dangling")).unwrap();
    let left = ["dangling", IN, "link", "old", "to-input"];
    for (line, what) in [
        ("convert in.safetensors --to f16 --output-kind raw -o link", "--force"),
        (
            "convert in.safetensors --to f16 --output-kind raw -o to-input --force",
            "is the input itself",
        ),
        (
            "convert in.safetensors --to f16 --output-kind raw -o dangling --force",
            "symbolic link to nothing",
        ),
    ] {
        scene.assert_fails(scene.fpx(line), 2, what, &left);
    }
    assert_eq!(fs::read(scene.path("old")).unwrap(), b"old");
    let line =
        "convert to-input --input-kind safetensors --to f16 --output-kind raw -o link --force";
    let output = scene.fpx(line).output().unwrap();
    assert!(output.status.success(), "{}", error_line(&output));
    assert_eq!(fs::read_link(scene.path("link")).unwrap().to_str(), Some("old"));
    assert!(fs::metadata(scene.path("old")).unwrap().len() > 1 << 20);
    assert_eq!(scene.names(), left);
    scene.assert_input_is_intact();
}

#[test]
fn pipes_carry_raw_elements_and_nothing_that_needs_seeking() {
    let scene = Scene::new();
    let script = r#"mkfifo from to
        tail -c 4000 in.safetensors > from & cat to > got &
        "$FPX" convert from --input-kind raw --from f32 --to f16 --output-kind raw -o to --quiet; code=$?; wait
        wc -c < got; rm got; exit $code"#;
    let output = scene.shell(script).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "2000", "{output:?}");
    assert!(output.status.success(), "{output:?}");
    let script = r#"cat in.safetensors > from & "$FPX" convert from --input-kind safetensors --to f16 -o out; code=$?
        kill $! 2> /dev/null; exit $code"#;
    scene.assert_fails(scene.shell(script), 2, "needs a regular file", &["from", IN, "to"]);
    scene.assert_input_is_intact();
}
