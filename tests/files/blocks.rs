//! Weights become block formats in files, and numbers again.

use std::path::Path;

use fpx::block::Spec;

use crate::util::{Model, convert, fixture, folder_with};

const WEIGHTS: [&str; 5] = ["even", "short", "odd", "cube", "special"];
const FILE: &str = "blocks.safetensors";
const EXPECTED: &str = "blocks_expected.safetensors";

/// What a target is laid out as: the end of each tensor's name, and its element type.
fn layout(target: &str, weight: &str) -> Vec<(&'static str, &'static str)> {
    let own = match target.split('/').next().unwrap() {
        "mxfp8_e4m3" | "e4m3fn" => "F8_E4M3",
        "mxfp8_e5m2" => "F8_E5M2",
        // 99 codes of 4 or 6 bits do not fill bytes.
        "mxfp6_e2m3" | "mxfp6_e3m2" | "mxfp4" if weight == "odd" => "U8",
        "mxfp6_e3m2" => "F6_E3M2",
        "mxfp6_e2m3" => "F6_E2M3",
        "mxint8" => "I8",
        "mxfp4" => "F4",
        "nvfp4" => return vec![("", "U8"), ("_scale", "F8_E4M3"), ("_scale_2", "F32")],
        other => panic!("{other}"),
    };
    if target.starts_with("mxfp4") && !target.contains("/axis") {
        return vec![("_blocks", "U8"), ("_scales", "U8")];
    }
    vec![("", own), ("_scale", "F8_E8M0")]
}

fn write(dir: &Path, arguments: &[&str]) -> Model {
    let all = [arguments, &["--force", "-o", "out.safetensors"]].concat();
    convert(dir, &all).ends(0);
    Model::read(&dir.join("out.safetensors"))
}

#[test]
fn tensors_are_those_of_numpy_and_ml_dtypes() {
    let dir = folder_with(FILE);
    let expected = Model::read(&fixture(EXPECTED));
    let mut names = expected.names();
    names.retain(|name| !name.starts_with("gguf:"));
    let mut targets: Vec<&str> = names.iter().map(|name| name.split(':').next().unwrap()).collect();
    // The words of the two-level targets hold a colon themselves.
    targets.retain(|target| target.parse::<Spec>().is_ok());
    targets.extend(["e4m3fn/block:16", "mxfp4/block:5", "mxfp4/axis:0", "nvfp4/scale:0.25"]);
    targets.push("mxfp8_e4m3/axis:0/block:2");
    targets.sort_unstable();
    targets.dedup();
    let mut seen = 0;
    for target in targets {
        let model = write(dir.path(), &[FILE, "--to", target]);
        let mut written = vec!["norm".to_owned()];
        for weight in WEIGHTS {
            for (end, dtype) in layout(target, weight) {
                let name = format!("{weight}{end}");
                let (found, shape, bytes) = model.tensor(&name);
                let (_, expected_shape, expected) = expected.tensor(&format!("{target}:{name}"));
                assert_eq!(found, dtype, "{target} {name}");
                assert!(bytes == expected, "{target} {name}");
                if !matches!(dtype, "F4" | "F6_E2M3" | "F6_E3M2") {
                    assert_eq!(shape, expected_shape, "{target} {name}");
                }
                written.push(name);
                seen += 1;
            }
        }
        written.sort();
        assert_eq!(model.names(), written, "{target}");
        let metadata = model.metadata();
        let spec: Spec = target.parse().unwrap();
        assert_eq!(metadata["fpx.format"], spec.to_string());
        assert_eq!(metadata["fpx.version"], env!("CARGO_PKG_VERSION"));
        assert!(metadata.contains_key("fpx.block"));
        assert_eq!(metadata.contains_key("fpx.rule"), !target.starts_with("nvfp4"));
        // Numbers again, each rounded once.
        let arguments = ["out.safetensors", "--to", "f32", "--force", "-o", "back.safetensors"];
        convert(dir.path(), &arguments).ends(0);
        let back = Model::read(&dir.path().join("back.safetensors"));
        assert_eq!(back.names(), ["cube", "even", "norm", "odd", "short", "special"], "{target}");
        for weight in WEIGHTS {
            let name = format!("{target}:back:{weight}");
            if names.contains(&name) {
                let (_, shape, bytes) = expected.tensor(&name);
                assert!(same(&back.tensor(weight).2, &bytes), "{name}");
                assert_eq!(back.tensor(weight).1, shape);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, names.len());
}

/// Whether float32 numbers are the same, NaNs whatever their codes.
fn same(found: &[u8], expected: &[u8]) -> bool {
    found.len() == expected.len()
        && numbers(found).iter().zip(numbers(expected)).all(|(found, expected)| {
            found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan()
        })
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

#[test]
fn blocks_of_gguf_are_read_as_its_package_reads_them() {
    let dir = folder_with("blocks.gguf");
    convert(dir.path(), &["blocks.gguf", "--to", "f32", "-o", "out.safetensors"]).ends(0);
    let (model, expected) =
        (Model::read(&dir.path().join("out.safetensors")), Model::read(&fixture(EXPECTED)));
    assert_eq!(model.names(), ["mx.weight", "nv.weight", "scaled.weight"]);
    for name in model.names() {
        let (dtype, shape, bytes) = expected.tensor(&format!("gguf:{name}"));
        assert_eq!((dtype.as_str(), shape), ("F32", model.tensor(&name).1), "{name}");
        // ggml's table of numbers has no negative zero, E2M1 has.
        assert_eq!(numbers(&model.tensor(&name).2), numbers(&bytes), "{name}");
    }
    // Left out they cannot be copied, as safetensors has no such type.
    let arguments = ["blocks.gguf", "--to", "f32", "--exclude", "mx*", "-o", "x.safetensors"];
    convert(dir.path(), &arguments).ends(2).says("no type for its MXFP4 elements");
    // From block to block through exact numbers.
    convert(dir.path(), &["blocks.gguf", "--to", "mxfp4", "-o", "mx.safetensors"]).ends(0);
    convert(dir.path(), &["mx.safetensors", "--to", "f32", "-o", "mx-back.safetensors"]).ends(0);
    let back = Model::read(&dir.path().join("mx-back.safetensors")).tensor("mx.weight");
    assert!(back == model.tensor("mx.weight"));
}

#[test]
fn counts_of_scales_are_reported() {
    let dir = folder_with(FILE);
    let run = convert(dir.path(), &[FILE, "--to", "mxfp4", "--json"]).ends(0);
    let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let row = &json["rows"][0];
    // 18 blocks of even, 12 of short, 6 of odd, 6 of cube, 16 of special.
    assert_eq!((&row["scales"], &row["short_scales"]), (&58.into(), &7.into()));
    assert_eq!((&row["nan_scales"], &row["zero_scales"]), (&3.into(), &0.into()));
    assert_eq!((&row["nan"], &row["inf"], &row["lost"]), (&1.into(), &2.into(), &93.into()));
    assert_eq!(row["first_lost"]["tensor"], "special");
    assert_eq!(row["first_lost"]["index"], serde_json::json!([0, 0]));
    assert_eq!(json["options"]["overflow"], "saturate");
    let run = convert(dir.path(), &[FILE, "--to", "nvfp4"]).ends(0);
    run.says("scales    ").says("NaN 3, zero ").says("makes its whole block NaN");
    for watched in ["nan", "overflow", "flushed", "inexact"] {
        let arguments = [FILE, "--to", "mxfp4", "--fail-on", watched, "-o", "out.safetensors"];
        convert(dir.path(), &arguments).ends(1).says("nothing kept");
        assert!(!dir.path().join("out.safetensors").exists());
    }
}
