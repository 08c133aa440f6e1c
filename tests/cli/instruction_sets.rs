//! The same bytes whatever the registers, and however many threads.

use std::{fs, path::Path};

use fpx::kernel::InstructionSet;

use crate::util::fpx;

/// Checks that `made` returns the same of a command that is run on every instruction set of this machine,
/// on one thread and on two; it is given what the command printed.
fn is_the_same(dir: &Path, line: &str, made: impl Fn(&str) -> Vec<u8>) {
    let mut first = None;
    for set in InstructionSet::found() {
        for threads in ["1", "2"] {
            let command = fpx(&format!("{line} --threads {threads}")).dir(dir);
            let ran = command.env("FPX_SIMD", set.name()).run();
            assert_eq!(ran.code, Some(0), "{line}: {}", ran.stderr);
            let made = made(&ran.stdout);
            let expected = first.get_or_insert_with(|| made.clone());
            assert!(made == *expected, "{line} on {} with {threads} threads", set.name());
        }
    }
}

fn printed(stdout: &str) -> Vec<u8> {
    stdout.into()
}

/// What training prints, without its seconds.
fn trained(stdout: &str) -> Vec<u8> {
    let mut report: serde_json::Value = serde_json::from_str(stdout).expect("JSON");
    for row in report["rows"].as_array_mut().expect("rows") {
        row.as_object_mut().expect("an object").remove("seconds");
    }
    report.to_string().into()
}

#[test]
fn sweeps_are_the_same_on_every_instruction_set() {
    let dir = tempfile::tempdir().expect("a folder");
    let formats = "f16,e4m3fn,bf16/sr,e3m3,mxfp8,mxfp4/rceil,nvfp4,e4m3fn/tensor";
    for distribution in ["normal:0,1", "lognormal:0,8", "cauchy:0,1"] {
        let line = format!("error-sweep --dist {distribution} --samples 200k --formats {formats}");
        is_the_same(dir.path(), &format!("{line} --histogram --json"), printed);
    }
}

#[test]
fn training_is_the_same_on_every_instruction_set() {
    let dir = tempfile::tempdir().expect("a folder");
    let policies = "f32,f16-amp,bf16-pure-sr,fp8-delayed,mxfp4-sr,nvfp4-full";
    let line = format!("train-demo --policy {policies} --epochs 1 --seeds 1 --json");
    is_the_same(dir.path(), &line, trained);
    let line = "train-demo --policy f16-amp --set accumulate=bf16:64 --epochs 1 --seeds 1 --json";
    is_the_same(dir.path(), &format!("{line} --save m.safetensors --force"), |stdout| {
        let model = fs::read(dir.path().join("m.safetensors")).expect("a model");
        [trained(stdout), model].concat()
    });
}

#[test]
fn files_are_the_same_on_every_instruction_set() {
    let dir = tempfile::tempdir().expect("a folder");
    let numbers: Vec<u8> =
        (0..300_000u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    fs::write(dir.path().join("x.f32"), numbers).expect("a file");
    let read = "x.f32 --input-kind raw --from f32";
    for to in ["f16", "bf16/sr", "e4m3fn", "e2m1fn --nan-to zero", "nvfp4 --simulate"] {
        let line = format!("convert {read} --to {to} --output-kind raw -o y --force --quiet");
        is_the_same(dir.path(), &line, |_| fs::read(dir.path().join("y")).expect("an output"));
    }
}
