//! `fpx error-sweep` over files: tensors that hurt, and two files compared.

use std::{collections::HashMap, fs, path::Path, process::Command, time::Duration};

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

use crate::util::{Ran, fpx};

/// The elements of a tensor.
type Numbers = (Dtype, Vec<u8>);

/// A tensor of f32 numbers.
fn f32s(numbers: &[f32]) -> Numbers {
    (Dtype::F32, numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
}

/// The codes of bf16 numbers that it holds exactly.
fn bf16s(numbers: &[f32]) -> Numbers {
    let codes = numbers.iter().map(|x| half::bf16::from_f32(*x));
    (Dtype::BF16, codes.flat_map(half::bf16::to_le_bytes).collect())
}

/// Writes tensors with their shapes.
fn write(dir: &Path, name: &str, tensors: &[(&str, &[usize], Numbers)]) {
    let views: HashMap<_, _> = tensors
        .iter()
        .map(|(name, shape, (dtype, bytes))| {
            (*name, TensorView::new(*dtype, shape.to_vec(), bytes).expect("a tensor"))
        })
        .collect();
    fs::write(dir.join(name), serialize(views, None).expect("a file")).expect("it is written");
}

fn run(dir: &Path, line: &str) -> Ran {
    fpx(&format!("error-sweep {line}")).dir(dir).run()
}

fn rows(dir: &Path, line: &str) -> Vec<Value> {
    let ran = run(dir, &format!("{line} --emit jsonl"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
    ran.stdout.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect()
}

#[test]
fn nan_infinite_and_empty_tensors_are_counted() {
    let dir = tempfile::tempdir().expect("a folder");
    let odd = [1.0, f32::NAN, f32::INFINITY, -2.0, 1e6, 0.0];
    write(
        dir.path(),
        "m.safetensors",
        &[
            ("empty", &[0, 4], f32s(&[])),
            ("odd", &[6], f32s(&odd)),
            ("nan", &[1], f32s(&[f32::NAN])),
        ],
    );
    let formats = "--formats f16,e4m3fn,e4m3fn/tensor,mxfp4,nvfp4";
    let found = rows(dir.path(), &format!("m.safetensors --by tensor {formats}"));
    let row = |tensor: &str, format: &str| {
        let is = |row: &&Value| row["tensor"] == tensor && row["format"] == format;
        found.iter().find(is).unwrap_or_else(|| panic!("no row of {tensor} in {format}"))
    };
    let counts = |row: &Value| ["n", "nan", "inf", "overflow"].map(|name| row[name].as_u64());
    assert_eq!(counts(row("odd", "f16")), [6, 1, 1, 1].map(Some));
    assert_eq!(row("odd", "f16")["max_abs"], 0.0, "what overflowed is not in the sums");
    // 1e6 shares a block with a NaN, which spoils it; a scale of the tensor leaves it out.
    assert_eq!(row("odd", "mxfp4")["sqnr_db"], Value::Null);
    assert_eq!(row("odd", "mxfp4")["scale_codes"], serde_json::json!([["0xff", 1]]));
    assert!(row("odd", "e4m3fn/tensor")["sqnr_db"].as_f64().is_some_and(|db| db > 20.0));
    for format in ["f16", "e4m3fn/tensor", "mxfp4", "nvfp4"] {
        assert_eq!(counts(row("empty", format)), [0, 0, 0, 0].map(Some), "{format}");
        assert_eq!(row("nan", format)["rmse"], Value::Null, "{format}");
    }
    let screen = run(dir.path(), &format!("m.safetensors --by tensor {formats}"));
    assert_eq!(screen.code, Some(0));
    assert!(
        screen.stdout.contains("2 NaN and 1 infinite inputs are left out"),
        "{}",
        screen.stdout
    );
    assert!(
        screen.stdout.starts_with("m.safetensors   3 tensors, 7 elements F32, 28 B   to nearest")
    );
    assert!(screen.stdout.lines().all(|line| line.chars().count() <= 100), "{}", screen.stdout);
}

#[test]
fn a_file_without_numbers_is_bad_data() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "i.safetensors", &[("ids", &[2], (Dtype::I32, vec![0; 8]))]);
    let error = "'i.safetensors': no tensor of floating-point numbers to measure";
    fpx("error-sweep i.safetensors").dir(dir.path()).fails(3, error);
    fpx("error-sweep i.safetensors --against i.safetensors").dir(dir.path()).fails(3, error);
}

#[test]
fn two_files_differ_in_what_exact_fractions_say() {
    let dir = tempfile::tempdir().expect("a folder");
    let exact = [1.0, 0.0, 3.0, -2.0 - 3.0 / 256.0, f32::NAN, f32::INFINITY, 0.0, 300.0];
    let rounded = [1.0, -0.0, 3.25, -2.0 - 4.0 / 256.0, f32::NAN, 1.0, 0.5, 300.0];
    write(dir.path(), "a.safetensors", &[("w", &[2, 4], f32s(&exact))]);
    write(dir.path(), "b.safetensors", &[("w", &[2, 4], bf16s(&rounded))]);
    let found = rows(dir.path(), "a.safetensors --against b.safetensors");
    let row = &found[0];
    assert_eq!((&row["dtype"], &row["against_dtype"]), (&"F32".into(), &"BF16".into()));
    // The errors are 1/4, -1/256 and 1/2: in ulps of bf16 at 3, just below -2 and at 0, whose
    // quantum is 2^-133.
    let number = |name: &str| row[name].as_f64().unwrap_or_else(|| panic!("{name}"));
    let counts = ["n", "nan", "inf", "differing", "first_index"].map(|name| row[name].as_u64());
    assert_eq!(counts, [8, 1, 1, 4, 2].map(Some));
    assert_eq!((number("first_value"), number("against_value")), (3.0, 3.25));
    assert_eq!((number("max_abs"), number("max_abs_input")), (0.5, 0.0));
    assert!((number("max_rel") - 0.25 / 3.0).abs() < 1e-15);
    assert_eq!(number("max_ulp"), 2f64.powi(132));
    assert!((number("bias") - (0.25 - 1.0 / 256.0 + 0.5) / 6.0).abs() < 1e-15);
    let squares = 0.0625 + 1.0 / 65536.0 + 0.25;
    assert!((number("rmse") - (squares / 6.0f64).sqrt()).abs() < 1e-15);
    let x = 2.0 + 3.0 / 256.0f64;
    let r = 2.0 + 4.0 / 256.0f64;
    let (signal, power) = (1.0 + 9.0 + x * x + 9e4, 1.0 + 3.25 * 3.25 + r * r + 0.25 + 9e4);
    assert!((number("sqnr_db") - 10.0 * (signal / squares).log10()).abs() < 1e-12);
    let cosine = (1.0 + 9.75 + x * r + 9e4) / (signal * power).sqrt();
    assert!((number("cosine") - cosine).abs() < 1e-15);
    let total = found.last().expect("a total");
    assert_eq!((&total["tensor"], &total["rmse"]), (&Value::Null, &row["rmse"]));
    let screen = run(dir.path(), "a.safetensors --against b.safetensors").stdout;
    assert!(screen.contains("[0, 2]") && screen.contains("finite in both files"), "{screen}");
}

#[test]
fn scales_are_applied_and_count_in_an_ulp() {
    let dir = tempfile::tempdir().expect("a folder");
    let numbers: Vec<f32> = (0..256u16).map(|i| f32::from(i) / 64.0 - 1.3).collect();
    write(dir.path(), "a.safetensors", &[("w", &[4, 64], f32s(&numbers))]);
    let convert =
        fpx("convert a.safetensors --to e4m3fn/tensor -o b.safetensors").dir(dir.path()).run();
    assert_eq!(convert.code, Some(0), "{}", convert.stderr);
    let compared = &rows(dir.path(), "a.safetensors --against b.safetensors")[0];
    let measured = &rows(dir.path(), "a.safetensors --formats e4m3fn/tensor")[0];
    for name in ["n", "max_abs", "rmse", "bias", "mean_rel", "max_ulp", "mean_ulp", "sqnr_db"] {
        assert_eq!(compared[name], measured[name], "{name}");
    }
    let ulps = measured["max_ulp"].as_f64().expect("an ulp");
    assert!((0.4..=0.5).contains(&ulps), "{ulps}");
}

#[test]
fn tensors_that_cannot_be_compared_are_named_and_fail_limits() {
    let dir = tempfile::tempdir().expect("a folder");
    let four = || f32s(&[1.0, 2.0, 3.0, 4.0]);
    let a = [("gone", &[4][..], four()), ("same", &[4][..], four()), ("turned", &[4][..], four())];
    let b =
        [("new", &[4][..], four()), ("same", &[4][..], four()), ("turned", &[2, 2][..], four())];
    write(dir.path(), "a.safetensors", &a);
    write(dir.path(), "b.safetensors", &b);
    let ran = run(dir.path(), "a.safetensors --against b.safetensors");
    let expected = "\
a.safetensors against b.safetensors   1 tensor, 4 elements

1 of 1 tensors hold the same numbers
only in a.safetensors: gone
only in b.safetensors: new
not compared, of different shapes: turned [4] and [2, 2]
";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), expected));
    let limited = run(dir.path(), "a.safetensors --against b.safetensors --limit max_ulp<=1");
    assert_eq!(limited.code, Some(1));
    assert!(limited.stderr.contains("warning: gone: max_ulp is none, not max_ulp<=1"));
    assert_eq!(limited.stderr.lines().count(), 3, "{}", limited.stderr);
    let same = "a.safetensors --against b.safetensors --include same";
    assert_eq!(run(dir.path(), &format!("{same} --limit max_ulp<=0,cosine>=1")).code, Some(0));
    assert_eq!(run(dir.path(), &format!("{same} --limit differing>0")).code, Some(1));
    let csv = run(dir.path(), &format!("{same} --emit csv")).stdout;
    assert!(csv.starts_with("tensor,dtype,against_dtype,shape,against_shape,n,nan,inf,"), "{csv}");
    // Files with one tensor each are compared whatever it is called.
    write(dir.path(), "one.safetensors", &[("x", &[4], four())]);
    write(dir.path(), "other.safetensors", &[("y", &[4], four())]);
    let single = run(dir.path(), "one.safetensors --against other.safetensors").stdout;
    assert!(single.contains("1 of 1 tensors hold the same numbers"), "{single}");
}

#[test]
fn arguments_of_a_comparison_are_checked() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "a.safetensors", &[("w", &[1], f32s(&[1.0]))]);
    let lost = "'none.safetensors': no such file or folder";
    fpx("error-sweep a.safetensors --against none.safetensors").dir(dir.path()).fails(4, lost);
    for (line, what) in [
        ("--against a.safetensors", "INPUT"),
        ("a.safetensors --against a.safetensors --formats f16", "--formats"),
        ("a.safetensors --against a.safetensors --rounding rtz", "cannot be used with"),
        ("a.safetensors --against a.safetensors --by tensor", "--by"),
        (
            "a.safetensors --against a.safetensors --columns used_codes",
            "unknown column 'used_codes'",
        ),
        (
            "a.safetensors --against a.safetensors --limit used_codes>1",
            "unknown column 'used_codes'",
        ),
        ("a.safetensors --limit cosine>=1", "unknown column 'cosine'"),
    ] {
        let ran = run(dir.path(), line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(ran.stderr.contains(what) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
}

#[test]
fn block_formats_and_their_rules_are_recommended() {
    let dir = tempfile::tempdir().expect("a folder");
    // Every block's largest number is 1.9 times a power of two, which the floor rule clips to 1.75.
    let numbers: Vec<f32> = (0..2048u16).map(|i| f32::from(i % 32 + 1) * 1.9 / 32.0).collect();
    write(dir.path(), "a.safetensors", &[("w", &[8, 256], f32s(&numbers))]);
    let screen = run(dir.path(), "a.safetensors --formats mxfp8,e4m3fn/tensor").stdout;
    assert!(screen.contains("the floor rule clips block maxima"), "{screen}");
    assert!(screen.contains("try mxfp8_e4m3/rceil."), "{screen}");
    let both = run(dir.path(), "a.safetensors --formats mxfp8,mxfp8/rceil").stdout;
    assert!(both.contains("below mxfp8_e4m3/rceil: the floor rule clips"), "{both}");
    assert!(!both.contains("; try"), "{both}");
    let all = run(dir.path(), "a.safetensors --recommend=bits<=4.5").stdout;
    // NVFP4's scale of the tensor does not count; of what costs enough, the best quality wins.
    assert!(all.contains("recommended for bits<=4.5: mxfp4/rceil, 4.25 bits"), "{all}");
    let nvfp4 = all.lines().find(|line| line.starts_with("nvfp4 ")).expect("a row");
    assert!(nvfp4.contains("4.50") && nvfp4.ends_with("meets it"), "{nvfp4}");
    for rule in ["floor", "rceil", "ceil", "even"] {
        assert!(
            all.lines().any(|line| line.starts_with("sqnr, dB") && line.contains(rule)),
            "{all}"
        );
    }
    assert!(all.lines().all(|line| line.chars().count() <= 100), "{all}");
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let child = Command::new(env!("CARGO_BIN_EXE_fpx"))
        .args(["error-sweep", "--samples", "2^40", "--plot", "x.svg", "--quiet"])
        .current_dir(dir.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    std::thread::sleep(Duration::from_millis(700));
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("a signal");
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(130), &b""[..]));
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0, "nothing is left");
}
