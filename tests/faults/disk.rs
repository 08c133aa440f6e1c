//! No room, and a reader that leaves.

use std::fs::{self, File};

use crate::util::{Scene, error_line};

/// A stream's length is not known before it ends, so the limit is met in the middle of writing.
#[test]
fn no_room_in_the_middle_of_a_stream() {
    let scene = Scene::new();
    let script = r#"trap '' XFSZ; ulimit -f 64
        tail -c 4000000 in.safetensors | "$FPX" convert - --input-kind raw --from f32 --to f16 -o out.f16"#;
    scene.assert_fails(scene.shell(script), 4, "file too large", &["in.safetensors"]);
    if fs::exists("/dev/full").unwrap() {
        let line = "convert in.safetensors --output-kind raw --to f16 -o /dev/full";
        scene.assert_fails(scene.fpx(line), 4, "no space left", &["in.safetensors"]);
        let mut streamed = scene.fpx("convert in.safetensors --output-kind raw --to f16 -o -");
        streamed.stdout(File::options().write(true).open("/dev/full").unwrap());
        scene.assert_fails(streamed, 4, "no space left", &["in.safetensors"]);
    }
    scene.assert_input_is_intact();
}

/// Needs the right to mount, which is tried first.
#[test]
fn a_full_file_system_is_an_error_before_and_while_writing() {
    let scene = Scene::new();
    fs::create_dir(scene.path("small")).unwrap();
    let mount = "mount -t tmpfs -o size=1m none small";
    let may_mount = scene.shell(&format!("unshare -m sh -c '{mount}'")).output().unwrap();
    if !may_mount.status.success() {
        return;
    }
    for (command, what) in [
        (r#""$FPX" convert in.safetensors --to bf16 -o small/out.safetensors"#, "bytes needed"),
        (
            r#"tail -c 8000000 in.safetensors | "$FPX" convert - --input-kind raw --from f32 --to f16 -o small/out"#,
            "no space left",
        ),
    ] {
        let script = format!("{mount}; {command}; code=$?; ls -A small; exit $code");
        let output = scene.shell(&format!("unshare -m bash -c '{script}'")).output().unwrap();
        let error = error_line(&output);
        assert_eq!(output.status.code(), Some(4), "{error}");
        assert!(error.contains(what), "{error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "what is left after {error}");
    }
    scene.assert_input_is_intact();
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let scene = Scene::new();
    let script = r#""$FPX" convert in.safetensors --output-kind raw --to f32 -o - | head -c 10 | wc -c
        exit ${PIPESTATUS[0]}"#;
    let output = scene.shell(script).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "10");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"), "{output:?}");
}
