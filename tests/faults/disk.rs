//! No room, input that ends early or changes, and memory that stays what it is.

use std::{
    fs::{self, File},
    io::Write as _,
    process::Stdio,
    thread::sleep,
    time::Duration,
};

use crate::util::{Scene, error_line, peak_memory};

#[test]
fn a_limit_on_the_size_of_files_is_seen_before_anything_is_written() {
    let scene = Scene::new();
    let script = r#"ulimit -f 64; exec "$FPX" convert in.safetensors --to bf16 -o out.safetensors"#;
    scene.assert_fails(scene.shell(script), 4, "bytes needed", &["in.safetensors"]);
    scene.assert_input_is_intact();
}

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
fn a_file_that_shrinks_under_way_is_an_error() {
    const LENGTH: u64 = 256 << 20;
    let scene = Scene::new();
    let mut failed = 0;
    for trial in 1..=20 {
        let file = File::create(scene.path("sparse.f32")).unwrap();
        file.set_len(LENGTH).unwrap();
        let line = "convert sparse.f32 --from f32 --to f64 -o out.f64 --threads 1";
        let child = scene.fpx(line).spawn().unwrap();
        sleep(Duration::from_millis(2 * trial));
        file.set_len(LENGTH / 2 + 1).unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            fs::remove_file(scene.path("out.f64")).unwrap();
            continue;
        }
        let error = error_line(&output);
        assert!(matches!(output.status.code(), Some(3 | 4)), "{error}");
        assert_eq!(scene.names(), ["in.safetensors", "sparse.f32"], "after {error}");
        failed += 1;
        if failed == 3 {
            return;
        }
    }
    panic!("the file never shrank while it was read");
}

#[test]
fn memory_does_not_grow_with_the_file() {
    /// The budget of a conversion.
    const MOST: u64 = 32 << 20;
    let scene = Scene::new();
    let file = File::create(scene.path("sparse.f32")).unwrap();
    file.set_len(128 << 20).unwrap();
    let mut child =
        scene.fpx("convert sparse.f32 --from f32 --to bf16 -o out.bf16").spawn().unwrap();
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        peak = peak_memory(&child).max(peak);
        sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    assert!(peak.is_none_or(|peak| peak <= MOST), "{peak:?} bytes");
    assert!(cfg!(not(target_os = "linux")) || peak.is_some());
}

#[test]
fn a_truncated_input_is_an_error() {
    let scene = Scene::new();
    let whole = fs::read(scene.path("in.safetensors")).unwrap();
    for length in [0, 7, 8, 40, 100, 1000, whole.len() - 1] {
        fs::write(scene.path("cut.safetensors"), &whole[..length]).unwrap();
        let line = "convert cut.safetensors --to bf16 -o out.safetensors";
        scene.assert_fails(
            scene.fpx(line),
            3,
            "'cut.safetensors'",
            &["cut.safetensors", "in.safetensors"],
        );
    }
    // The end of a stream in the middle of an element.
    let mut child = scene
        .fpx("convert - --input-kind raw --from f32 --to f16 -o out.f16")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&[0; 4099]).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", error_line(&output));
    assert_eq!(scene.names(), ["cut.safetensors", "in.safetensors"]);
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
