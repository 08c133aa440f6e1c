//! Where output goes: onto nothing that is there, with the permissions of a new file, to devices, in
//! constant memory. (`tests/faults` breaks conversions; here they work, or are refused.)

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use fpx::{
    container::{
        Hints, Packing, RAW, open,
        output::{Interrupt, Target, file_target},
    },
    convert::file::{Blame, Config, Destination, Progress, Select, convert_file},
    format::F32,
};

use crate::util::{convert, f32_bytes, folder_with, listing, run};

const MODEL: &str = "model.safetensors";
const FPX: &str = env!("CARGO_BIN_EXE_fpx");

/// Runs a shell script in which `$0` is fpx.
fn shell(dir: &Path, script: &str) -> crate::util::Run {
    run(assert_cmd::Command::new("bash").args(["-c", script, FPX]).current_dir(dir))
}

#[test]
fn nothing_is_written_over_without_force() {
    let dir = folder_with(MODEL);
    fs::write(dir.path().join("out.safetensors"), "theirs").unwrap();
    let to = ["--to", "bf16", "-o", "out.safetensors"];
    convert(dir.path(), &[&[MODEL], &to[..]].concat()).ends(2).says("add --force");
    assert_eq!(fs::read(dir.path().join("out.safetensors")).unwrap(), b"theirs");
    convert(dir.path(), &[&[MODEL, "--force"], &to[..]].concat()).ends(0);
    assert!(fs::read(dir.path().join("out.safetensors")).unwrap().len() > 2000);
}

#[test]
fn the_input_is_never_the_output() {
    let dir = folder_with(MODEL);
    let before = fs::read(dir.path().join(MODEL)).unwrap();
    fs::hard_link(dir.path().join(MODEL), dir.path().join("hard.safetensors")).unwrap();
    symlink(MODEL, dir.path().join("soft.safetensors")).unwrap();
    for output in [MODEL, "./model.safetensors", "hard.safetensors", "soft.safetensors"] {
        let arguments = [MODEL, "--to", "bf16", "--force", "-o", output];
        convert(dir.path(), &arguments).ends(2).says("is the input itself");
    }
    assert!(fs::read(dir.path().join(MODEL)).unwrap() == before);
    assert_eq!(listing(dir.path()).len(), 3);
}

#[test]
fn permissions_are_those_of_a_new_file() {
    let dir = folder_with(MODEL);
    for (umask, mode) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let script =
            format!("umask {umask}; \"$0\" convert {MODEL} --to bf16 --force -o out.safetensors");
        shell(dir.path(), &script).ends(0);
        let permissions = fs::metadata(dir.path().join("out.safetensors")).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "umask {umask}");
    }
}

#[test]
fn a_condition_that_is_met_keeps_nothing() {
    let dir = folder_with(MODEL);
    for (what, target, code) in [
        ("overflow", "e4m3fn", 1),
        ("nan", "f64", 1),
        ("flushed", "e5m2", 1),
        ("inexact", "bf16", 1),
        ("inexact", "f64", 0),
        ("overflow,flushed", "f32", 0),
    ] {
        let arguments =
            [MODEL, "--to", target, "--fail-on", what, "--force", "-o", "out.safetensors"];
        let run = convert(dir.path(), &arguments).ends(code);
        assert_eq!(run.stderr.contains("nothing kept"), code == 1, "{}", run.stderr);
        assert_eq!(dir.path().join("out.safetensors").exists(), code == 0, "{what} {target}");
        assert_eq!(listing(dir.path()).len(), if code == 0 { 2 } else { 1 });
        let _ = fs::remove_file(dir.path().join("out.safetensors"));
    }
}

#[test]
fn devices_are_streamed() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = f32_bytes(&(0..100_000u32).map(|i| i as f32).collect::<Vec<_>>());
    fs::write(dir.path().join("x"), &bytes).unwrap();
    let raw = "--from f32 --to f32";
    shell(dir.path(), &format!("\"$0\" convert x {raw} -o /dev/null")).ends(0);
    shell(dir.path(), &format!("\"$0\" convert x {raw} -o /dev/full"))
        .ends(4)
        .says("no space left");
    shell(dir.path(), &format!("\"$0\" convert x {raw} --output-kind npy -o /dev/null")).ends(2);
}

/// Cuts the input short after the first chunk.
struct Cut(File, AtomicBool);

impl Progress for Cut {
    fn start(&self, _: u64) {}

    fn advance(&self, _: u64) {
        if !self.1.swap(true, Ordering::Relaxed) {
            self.0.set_len(10).unwrap();
        }
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_read_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 26).unwrap();
    let hints = Hints { from: Some(F32.clone()), ..Hints::default() };
    let source = open(&path, None, &hints).unwrap();
    let config = Config {
        target: "bf16".parse().unwrap(),
        projection: fpx::codec::Projection::default(),
        seed: 0,
        from: None,
        select: Select::default(),
        simulate: false,
        packing: Packing::Dense,
        allow_unscaled: false,
        fail_on: Vec::new(),
    };
    let Target::File(place) = file_target(&dir.path().join("y"), &[], false).unwrap() else {
        panic!()
    };
    let cut = Cut(file, AtomicBool::new(false));
    let destination = Destination::Place(place);
    let error =
        convert_file(&config, source, &RAW, destination, &Interrupt::default(), &cut).unwrap_err();
    assert_eq!(error.blame(), Blame::System);
    assert!(error.to_string().contains("became shorter"), "{error}");
    assert_eq!(listing(dir.path()), ["x"]);
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("small", 1 << 22), ("large", 1 << 26)] {
        File::create(dir.path().join(name)).unwrap().set_len(bytes).unwrap();
    }
    for threads in ["1", "2", "16", "64"] {
        let arguments = ["large", "--from", "f32", "--to", "f16", "--threads", threads];
        let found = peak(dir.path(), &[&arguments[..], &["-o", "/dev/null"]].concat());
        assert!((1..=32 << 10).contains(&found), "{found} KiB with {threads} threads");
    }
    let small = ["small", "--from", "f32", "--to", "f16", "--threads", "1", "-o", "/dev/null"];
    assert!(peak(dir.path(), &small) <= 32 << 10);
}

#[test]
fn memory_does_not_grow_with_the_scales() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let bytes = 1 << 26;
    let header = format!(
        r#"{{"w":{{"dtype":"F32","shape":[2,{}],"data_offsets":[0,{bytes}]}}}}"#,
        bytes / 8
    );
    crate::util::write_safetensors(&path, &header, &[]);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(8 + header.len() as u64 + bytes)
        .unwrap();
    // Along the axis 0 a row of blocks has eight million scales.
    for target in ["mxfp4", "mxfp4/block:1", "nvfp4/axis:0", "e4m3fn/tile:2x1"] {
        for (input, target, output) in [
            ("x.safetensors", target, "q.safetensors"),
            ("q.safetensors", "f32", "back.safetensors"),
        ] {
            let arguments = [input, "--to", target, "--threads", "4", "--force", "-o", output];
            let found = peak(dir.path(), &arguments);
            assert!((1..=32 << 10).contains(&found), "{found} KiB from {input} to {target}");
        }
    }
}

/// The kernel's own account of a finished process: peak resident memory in KiB.
fn peak(dir: &Path, arguments: &[&str]) -> u64 {
    let mut command = Command::new(FPX);
    command.arg("convert").args(arguments).arg("--quiet");
    let mut child = command.current_dir(dir).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0u64;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{arguments:?}");
            return peak;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let found = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(found.unwrap_or_default());
        std::thread::sleep(Duration::from_millis(1));
    }
}
