//! When something goes wrong: one error line, no output, the input intact.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::{FileExt, PermissionsExt, symlink},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use fpx::{
    container::{
        Hints, Packing, RAW, open,
        output::{Interrupt, Target, file_target},
    },
    convert::file::{Blame, Config, Destination, Progress, Select, convert_file},
    format::F32,
};

use crate::util::{convert, f32_bytes, folder_with, listing, run, write_safetensors};

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
fn symbolic_links_are_followed_and_stay() {
    let dir = folder_with(MODEL);
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    fs::write(dir.path().join("elsewhere/real.safetensors"), "old").unwrap();
    symlink("elsewhere/real.safetensors", dir.path().join("link.safetensors")).unwrap();
    symlink("nowhere", dir.path().join("broken.safetensors")).unwrap();
    let to = |output| convert(dir.path(), &[MODEL, "--to", "bf16", "--force", "-o", output]);
    to("link.safetensors").ends(0);
    assert!(dir.path().join("link.safetensors").is_symlink());
    assert!(fs::read(dir.path().join("elsewhere/real.safetensors")).unwrap().len() > 2000);
    assert_eq!(listing(&dir.path().join("elsewhere")), ["real.safetensors"]);
    to("broken.safetensors").ends(2).says("symbolic link to nothing");
    to("elsewhere").ends(2).says("is a folder");
    to("missing/x.safetensors").ends(4).says("no such file or directory");
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
        assert_eq!(listing(dir.path()).len(), 2 - code as usize, "{what} {target}");
        let _ = fs::remove_file(dir.path().join("out.safetensors"));
    }
}

#[test]
fn devices_and_pipes_are_streamed() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = f32_bytes(&(0..100_000u32).map(|i| i as f32).collect::<Vec<_>>());
    fs::write(dir.path().join("x"), &bytes).unwrap();
    let raw = "--from f32 --to f32";
    shell(dir.path(), &format!("mkfifo p; \"$0\" convert x {raw} -o p & cat p > y; wait $!"))
        .ends(0);
    assert!(fs::read(dir.path().join("y")).unwrap() == bytes);
    shell(dir.path(), &format!("cat x > p & \"$0\" convert p {raw} -o z")).ends(0);
    assert!(fs::read(dir.path().join("z")).unwrap() == bytes);
    shell(dir.path(), &format!("\"$0\" convert x {raw} -o /dev/null")).ends(0);
    shell(dir.path(), &format!("\"$0\" convert x {raw} -o /dev/full"))
        .ends(4)
        .says("no space left");
    shell(dir.path(), &format!("\"$0\" convert x {raw} --output-kind npy -o /dev/null")).ends(2);
    // Who has read enough may go.
    let run = shell(
        dir.path(),
        &format!("\"$0\" convert x {raw} -o - | head -c 4 > head; exit ${{PIPESTATUS[0]}}"),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let run = shell(dir.path(), "\"$0\" convert <(cat x) --input-kind npy --to f32").ends(2);
    assert!(run.stderr.contains("needs a regular file"), "{}", run.stderr);
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x"), vec![0; 400_000]).unwrap();
    // A known size is compared with the limit before anything is written (ulimit counts KiB).
    let script = "ulimit -f 100; \"$0\" convert x --from f32 --to f64 -o y";
    shell(dir.path(), script)
        .ends(4)
        .says("800000 bytes needed, the limit on a file's size is 102400");
    // An unknown size meets it while writing.
    let script = "trap '' XFSZ; ulimit -f 100; cat x | \"$0\" convert - --input-kind raw --from f32 --to f64 -o y";
    shell(dir.path(), script).ends(4).says("file too large");
    assert_eq!(listing(dir.path()), ["x"]);
}

#[test]
fn a_full_file_system_is_refused_before_it_is_full() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x"), vec![0; 2_000_000]).unwrap();
    let script = "mkdir small && mount -t tmpfs -o size=1m none small || exit 77
        \"$0\" convert x --from f32 --to f64 -o small/y; code=$?
        ls -A small > left; exit $code";
    let command = ["--map-root-user", "--mount", "bash", "-c", script, FPX];
    let run = run(assert_cmd::Command::new("unshare").args(command).current_dir(dir.path()));
    // Where mounting is not allowed there is nothing to see.
    if run.code != 77 && run.stderr.contains("error: ") {
        let run = run.ends(4).says("4000000 bytes needed");
        assert!(run.stderr.contains("are free"), "{}", run.stderr);
        assert_eq!(fs::read(dir.path().join("left")).unwrap(), b"");
    }
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
fn truncated_and_lying_files_are_refused() {
    let dir = folder_with(MODEL);
    let whole = fs::read(dir.path().join(MODEL)).unwrap();
    for length in [0, 7, 8, 100, whole.len() - 1] {
        fs::write(dir.path().join("cut.safetensors"), &whole[..length]).unwrap();
        convert(dir.path(), &["cut.safetensors", "--to", "bf16", "-o", "out"]).ends(3);
    }
    let file = File::create(dir.path().join("cut.safetensors")).unwrap();
    file.set_len(10_000_000_100).unwrap();
    file.write_all_at(&10_000_000_000u64.to_le_bytes(), 0).unwrap();
    convert(dir.path(), &["cut.safetensors", "--to", "bf16", "-o", "out"])
        .ends(3)
        .says("MAX_HEADER_BYTES");
    let header = r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#;
    write_safetensors(&dir.path().join("cut.safetensors"), header, b"");
    convert(dir.path(), &["cut.safetensors", "--to", "bf16", "-o", "out"])
        .ends(3)
        .says("overflows");
    convert(dir.path(), &["missing.safetensors", "--to", "bf16", "-o", "out"]).ends(4);
    assert_eq!(listing(dir.path()), ["cut.safetensors", MODEL]);
}

/// A conversion that waits for more input.
fn waiting(dir: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(FPX);
    command.arg("convert").arg("-").args(arguments).current_dir(dir);
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until a condition holds.
fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "it never happens");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let raw = ["--input-kind", "raw", "--from", "f32", "--to", "bf16", "-o", "out"];
    for signal in ["-INT", "-TERM"] {
        let mut child = waiting(dir.path(), &raw);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&[0; 1 << 16]).unwrap();
        until(|| listing(dir.path()).len() == 1);
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        drop(stdin);
        assert!(listing(dir.path()).is_empty(), "after {signal}");
    }
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("small", 1 << 22), ("large", 1 << 26)] {
        File::create(dir.path().join(name)).unwrap().set_len(bytes).unwrap();
    }
    // The kernel's own account of a finished process: peak resident memory in KiB.
    let peak = |input: &str, threads: &str| {
        let arguments =
            [input, "--from", "f32", "--to", "f16", "--threads", threads, "-o", "/dev/null"];
        let mut command = Command::new(FPX);
        command.arg("convert").args(arguments).args(["--quiet", "-o", "/dev/null"]);
        let mut child = command.current_dir(dir.path()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0u64;
        while child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let found = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            peak = peak.max(found.unwrap_or_default());
            std::thread::sleep(Duration::from_millis(1));
        }
        peak
    };
    for threads in ["1", "2", "16", "64"] {
        let found = peak("large", threads);
        assert!((1..=32 << 10).contains(&found), "{found} KiB with {threads} threads");
    }
    assert!(peak("small", "1") <= 32 << 10);
}
