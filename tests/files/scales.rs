//! Weights with scales, in the conventions of several producers.

use std::{fmt::Write, fs, path::Path};

use fpx::{
    codec::decode,
    format::{
        E4M3FN, Format,
        catalogue::{E2M1FN, E8M0},
    },
};

use crate::util::{Model, convert, f32_bytes, write_safetensors};

/// A tensor to be written: name, element type, shape, bytes.
type Entry = (&'static str, &'static str, Vec<usize>, Vec<u8>);

fn write(path: &Path, metadata: &str, entries: &[Entry]) {
    let mut data = Vec::new();
    let mut header = format!("{{\"__metadata__\":{{{metadata}}}");
    for (name, dtype, shape, bytes) in entries {
        let begin = data.len();
        data.extend(bytes);
        let end = data.len();
        write!(
            header,
            ",\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{begin},{end}]}}"
        )
        .unwrap();
    }
    write_safetensors(path, &(header + "}"), &data);
}

fn value(format: &Format, code: u8) -> f64 {
    decode(format, code.into()).to_f64()
}

/// Codes that repeat with a period that no grouping has.
fn some_codes(count: usize) -> Vec<u8> {
    (0..count).map(|i| u8::try_from(i * 7 % 120).unwrap()).collect()
}

fn f32_values(numbers: impl Iterator<Item = f64>) -> Vec<u8> {
    f32_bytes(&numbers.map(|x| x as f32).collect::<Vec<_>>())
}

/// The 4-bit codes of bytes, the first in the low bits.
fn nibbles(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).collect()
}

/// What a producer writes, and the weight it stands for.
struct Convention {
    producer: &'static str,
    entries: Vec<Entry>,
    name: &'static str,
    shape: Vec<usize>,
    expected: Vec<u8>,
}

/// An 8-bit weight with scales under another name, and the scale of each element.
fn fp8(producer: &'static str, scales: Entry, scale_of: &dyn Fn(usize) -> f64) -> Convention {
    let codes = some_codes(ROWS * COLUMNS);
    let products = codes.iter().enumerate().map(|(i, &code)| value(&E4M3FN, code) * scale_of(i));
    let expected = f32_values(products);
    let weight = ("x.weight", "F8_E4M3", vec![ROWS, COLUMNS], codes);
    let (name, shape) = (weight.0, weight.2.clone());
    Convention { producer, entries: vec![weight, scales], name, shape, expected }
}

const ROWS: usize = 130;
const COLUMNS: usize = 200;

fn fp8_conventions() -> Vec<Convention> {
    let scale = |i: usize| 0.01 * (1.0 + i as f32);
    let scales = |n: usize| f32_bytes(&(0..n).map(scale).collect::<Vec<_>>());
    let tile = |i: usize| i / COLUMNS / 128 * 2 + i % COLUMNS / 128;
    let powers: Vec<u8> = (0..4).map(|i| 120 + i).collect();
    let first = |_| f64::from(scale(0));
    let by_tile = ("x.weight_scale_inv", "F32", vec![2, 2], scales(4));
    let by_power = ("x.scale", "F8_E8M0", vec![2, 2], powers.clone());
    let by_channel = ("x.weight_scale", "F32", vec![ROWS, 1], scales(ROWS));
    let by_tensor = ("x.weight_scale", "F32", vec![1], scales(1));
    let by_scalar = ("x.scale_weight", "F32", vec![], scales(1));
    let mut all = vec![
        fp8("DeepSeek-V3", by_tile, &|i| f64::from(scale(tile(i)))),
        fp8("DeepSeek-V4", by_power, &|i| value(&E8M0, powers[tile(i)])),
        fp8("compressed-tensors, channels", by_channel, &|i| f64::from(scale(i / COLUMNS))),
        fp8("ComfyUI", by_scalar, &first),
        fp8("compressed-tensors, one", by_tensor, &first),
    ];
    let activation = ("x.input_scale", "F32", vec![1], f32_bytes(&[7.0]));
    all.last_mut().unwrap().entries.push(activation);
    all
}

/// A 4-bit weight of 3 rows of 64, and the scale of each block.
fn fp4(
    producer: &'static str,
    weight: Entry,
    scales: Vec<Entry>,
    (name, block): (&'static str, usize),
    scale_of: &dyn Fn(usize) -> f64,
) -> Convention {
    let codes = nibbles(&weight.3).into_iter().enumerate();
    let expected = f32_values(codes.map(|(i, code)| value(&E2M1FN, code) * scale_of(i / block)));
    let entries = std::iter::once(weight).chain(scales).collect();
    Convention { producer, entries, name, shape: vec![3, 64], expected }
}

fn fp4_conventions() -> Vec<Convention> {
    let packed: Vec<u8> = (0..3 * 32).map(|i: u32| u8::try_from(i * 29 % 256).unwrap()).collect();
    let e4m3: Vec<u8> = (0..12).map(|i| 0x30 + i).collect();
    let e8m0: Vec<u8> = (0..6).map(|i| 118 + i).collect();
    let weight = |name, dtype| (name, dtype, vec![3, 32], packed.clone());
    let power = |i: usize| value(&E8M0, e8m0[i]);
    let fine = |i: usize| value(&E4M3FN, e4m3[i]);
    let blocks = ("x_blocks", "U8", vec![3, 2, 16], packed.clone());
    let scales = vec![("x_scales", "U8", vec![3, 2], e8m0.clone())];
    let powers = vec![("x.scale", "F8_E8M0", vec![3, 2], e8m0.clone())];
    let fine_scales = ("x.weight_scale", "F8_E4M3", vec![3, 4], e4m3.clone());
    let multiplier = ("x.weight_scale_2", "F32", vec![], f32_bytes(&[0.3]));
    // A power of two, so that the quotient is exact and the test needs no division of its own.
    let divisor = ("x.weight_global_scale", "F32", vec![1], f32_bytes(&[2048.0]));
    let (plain, packed) = (weight("x.weight", "U8"), weight("x.weight_packed", "U8"));
    vec![
        fp4("gpt-oss", blocks, scales, ("x", 32), &power),
        fp4("DeepSeek-V4 FP4", weight("x.weight", "I8"), powers, ("x.weight", 32), &power),
        fp4("ModelOpt", plain, vec![fine_scales.clone(), multiplier], ("x.weight", 16), &|i| {
            fine(i) * f64::from(0.3f32)
        }),
        fp4("compressed-tensors", packed, vec![fine_scales, divisor], ("x.weight", 16), &|i| {
            fine(i) / 2048.0
        }),
    ]
}

/// Every convention.
fn conventions() -> Vec<Convention> {
    fp8_conventions().into_iter().chain(fp4_conventions()).collect()
}

#[test]
fn weights_are_read_through_their_scales() {
    let dir = tempfile::tempdir().unwrap();
    for Convention { producer, entries, name, shape, expected } in conventions() {
        write(&dir.path().join("in.safetensors"), "", &entries);
        let arguments = ["in.safetensors", "--to", "f32", "--force", "-o", "out.safetensors"];
        convert(dir.path(), &arguments).ends(0);
        let model = Model::read(&dir.path().join("out.safetensors"));
        let (dtype, found, bytes) = model.tensor(name);
        assert_eq!((dtype.as_str(), found), ("F32", shape), "{producer}");
        assert!(bytes == expected, "{producer}");
        let kept: Vec<String> = model.names().into_iter().filter(|found| found != name).collect();
        let has_activation_scale = entries.iter().any(|entry| entry.0.ends_with("input_scale"));
        assert_eq!(kept.len(), usize::from(has_activation_scale), "{producer}: {kept:?}");
    }
}

#[test]
fn a_weight_that_is_kept_keeps_its_scales() {
    let dir = tempfile::tempdir().unwrap();
    for Convention { producer, mut entries, .. } in conventions() {
        entries.push(("norm", "F32", vec![2, 1], f32_bytes(&[1.0, 3.0])));
        write(&dir.path().join("in.safetensors"), "", &entries);
        let arguments = ["in.safetensors", "--to", "bf16", "--include", "norm", "--force"];
        convert(dir.path(), &[&arguments[..], &["-o", "out.safetensors"]].concat()).ends(0);
        let model = Model::read(&dir.path().join("out.safetensors"));
        for (name, dtype, shape, bytes) in &entries {
            let found = model.tensor(name);
            if *name == "norm" {
                assert_eq!(found.0, "BF16");
            } else {
                assert_eq!(
                    found,
                    ((*dtype).to_owned(), shape.clone(), bytes.clone()),
                    "{producer}"
                );
            }
        }
    }
}

#[test]
fn activation_scales_are_never_rounded() {
    let dir = tempfile::tempdir().unwrap();
    let entries = [
        ("x.weight", "F8_E4M3", vec![2, 2], vec![1, 2, 3, 4]),
        ("x.weight_scale", "F32", vec![1], f32_bytes(&[0.3])),
        ("x.input_scale", "F32", vec![1], f32_bytes(&[0.7])),
    ];
    write(&dir.path().join("in.safetensors"), "", &entries);
    convert(dir.path(), &["in.safetensors", "--to", "bf16", "-o", "out.safetensors"]).ends(0);
    let model = Model::read(&dir.path().join("out.safetensors"));
    assert_eq!(model.tensor("x.input_scale").2, f32_bytes(&[0.7]));
}

#[test]
fn codes_without_a_recognised_scale_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.safetensors");
    let weight = ("x.weight", "F8_E4M3", vec![130, 200], some_codes(26_000));
    for (what, entries) in [
        ("no scale", vec![weight.clone()]),
        (
            "a scale of another shape",
            vec![weight.clone(), ("x.weight_scale", "F32", vec![7, 3], f32_bytes(&[1.0; 21]))],
        ),
        (
            "a scale of an integer type",
            vec![weight.clone(), ("x.weight_scale_inv", "I32", vec![2, 2], vec![0; 16])],
        ),
        (
            "a scale of an unknown name",
            vec![weight.clone(), ("x.weight_factor", "F32", vec![2, 2], f32_bytes(&[1.0; 4]))],
        ),
    ] {
        write(&path, "", &entries);
        let refused =
            convert(dir.path(), &["in.safetensors", "--to", "f32", "-o", "out.safetensors"]);
        let refused = refused.ends(3).says("--allow-unscaled");
        assert!(refused.stderr.contains("tensor 'x.weight'"), "{what}: {}", refused.stderr);
        assert!(!dir.path().join("out.safetensors").exists());
    }
    write(&path, "", std::slice::from_ref(&weight));
    let arguments = ["in.safetensors", "--to", "f32", "--allow-unscaled", "-o", "out.safetensors"];
    convert(dir.path(), &arguments).ends(0);
    let plain = f32_values(some_codes(26_000).into_iter().map(|code| value(&E4M3FN, code)));
    assert!(Model::read(&dir.path().join("out.safetensors")).tensor("x.weight").2 == plain);
    // A file that says so itself is taken at its word.
    write(&path, "\"fpx.scale\":\"none\"", &[weight]);
    let arguments = ["in.safetensors", "--to", "f32", "--force", "-o", "out.safetensors"];
    convert(dir.path(), &arguments).ends(0);
}

/// Scales of one byte each.
fn byte_scales(name: &'static str, dtype: &'static str, shape: &[usize]) -> Entry {
    (name, dtype, shape.to_vec(), vec![56; shape.iter().product()])
}

/// MXFP4 weights with scales that are not theirs: what is wrong, metadata and tensors.
fn misfits_of_blocks() -> Vec<(&'static str, String, Vec<Entry>)> {
    let blocks = || ("x_blocks", "U8", vec![3, 2, 16], vec![0x21; 96]);
    let scales = |shape: &[usize]| byte_scales("x_scales", "U8", shape);
    let record = |shape: &str| {
        format!(r#""fpx.tensors":"{{\"x_blocks\":{{\"format\":\"mxfp4\",\"shape\":{shape}}}}}""#)
    };
    let floats = ("x_scales", "F32", vec![3, 2], f32_bytes(&[1.0; 6]));
    vec![
        ("none", String::new(), vec![blocks()]),
        ("too many", String::new(), vec![blocks(), scales(&[3, 3])]),
        ("flat ones", String::new(), vec![blocks(), scales(&[6])]),
        ("floats", String::new(), vec![blocks(), floats]),
        ("a row that is said to be longer", record("[3,65]"), vec![blocks(), scales(&[3, 2])]),
        ("another rank", record("[60]"), vec![blocks(), scales(&[3, 2])]),
    ]
}

/// The same in other conventions.
fn misfits() -> Vec<(&'static str, Vec<Entry>)> {
    let nibbles = |name| (name, "U8", vec![3, 32], vec![0x21; 96]);
    let fine = |shape: &[usize]| byte_scales("x.weight_scale", "F8_E4M3", shape);
    let power = |dtype, shape: &[usize]| byte_scales("x.weight_scale", dtype, shape);
    let second = |shape, numbers: &[f32]| ("x.weight_scale_2", "F32", shape, f32_bytes(numbers));
    let eight = || ("x.weight", "F8_E4M3", vec![3, 64], some_codes(192));
    let integers = ("x.weight", "I8", vec![3, 64], vec![5; 192]);
    let unknown = ("x.weight", "U8", vec![3, 33], vec![5; 99]);
    let (weight, packed) = (|| nibbles("x.weight"), nibbles("x.weight_packed"));
    vec![
        ("no second scale", vec![weight(), fine(&[3, 4])]),
        ("two of them", vec![weight(), fine(&[3, 4]), second(vec![2], &[1.0, 2.0])]),
        ("another shape", vec![weight(), fine(&[3, 5]), second(vec![], &[1.0])]),
        ("a NaN", vec![weight(), fine(&[3, 4]), second(vec![], &[f32::NAN])]),
        ("packed codes without a divisor", vec![packed, fine(&[3, 4])]),
        ("powers of another shape", vec![eight(), power("F8_E8M0", &[3, 7])]),
        ("bytes as powers", vec![eight(), power("U8", &[3, 2])]),
        ("integers under other powers", vec![integers, power("F8_E8M0", &[2, 2])]),
        ("codes of no known format", vec![unknown, power("F8_E8M0", &[3, 2])]),
        ("codes of four bits", vec![("x", "F4", vec![3, 64], vec![5; 96])]),
    ]
}

#[test]
fn codes_whose_scales_do_not_fit_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.safetensors");
    let others = misfits().into_iter().map(|(what, entries)| (what, String::new(), entries));
    for (what, metadata, entries) in misfits_of_blocks().into_iter().chain(others) {
        write(&path, &metadata, &entries);
        let arguments = ["in.safetensors", "--to", "f32", "-o", "out.safetensors"];
        let refused = convert(dir.path(), &arguments);
        assert_eq!(refused.code, 3, "{what}: {}", refused.stderr);
        assert!(refused.ends(3).stderr.contains("'x"), "{what}");
        assert!(!dir.path().join("out.safetensors").exists(), "{what}");
        let swept = assert_cmd::Command::new(env!("CARGO_BIN_EXE_fpx"))
            .args(["error-sweep", "in.safetensors", "--formats", "bf16"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert_eq!(swept.status.code(), Some(3), "{what}");
    }
    // 8-bit integers under scales of their own are no weights that fpx reads: they are copied.
    let integers = ("x.weight", "I8", vec![2, 2], vec![1, 2, 3, 4]);
    write(&path, "", &[integers, ("x.weight_scale", "F32", vec![2, 1], f32_bytes(&[0.5, 2.0]))]);
    convert(dir.path(), &["in.safetensors", "--to", "f32", "-o", "out.safetensors"]).ends(0);
    assert_eq!(Model::read(&dir.path().join("out.safetensors")).tensor("x.weight").0, "I8");
}

#[test]
fn a_plain_cast_says_that_it_has_no_scale() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.safetensors");
    let stranger = ("old", "F8_E5M2", vec![2, 2], vec![1, 2, 3, 4]);
    let weight = ("new", "F32", vec![2, 2], f32_bytes(&[1.0, 2.0, 3.0, 4.0]));
    write(&path, "\"format\":\"pt\"", std::slice::from_ref(&weight));
    let metadata = |arguments: &[&str]| {
        let all = ["in.safetensors", "--to", "e4m3fn", "--force", "-o", "out.safetensors"];
        convert(dir.path(), &[&all[..], arguments].concat()).ends(0);
        Model::read(&dir.path().join("out.safetensors")).metadata()
    };
    let said = metadata(&["--overflow", "saturate"]);
    for (key, value) in [
        ("format", "pt"),
        ("fpx.format", "e4m3fn"),
        ("fpx.scale", "none"),
        ("fpx.rounding", "rne"),
        ("fpx.overflow", "saturate"),
        ("fpx.version", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(said[key], value);
    }
    // Not so if other codes are copied of which nobody knows whether they have one.
    write(&path, "", &[weight, stranger]);
    assert_eq!(metadata(&["--include", "new"]).get("fpx.scale"), None);
    assert_eq!(metadata(&["--include", "new", "--simulate"]).get("fpx.scale"), None);
}

#[test]
fn elements_saturate_under_their_scale_and_zeros_have_scale_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.safetensors");
    // amax / 448 rounds down to a float32, so that amax / scale lies above 448.
    let scale_of = |largest: f32| (f64::from(largest) / 448.0) as f32;
    let is_above = |largest: &f32| f64::from(*largest) / f64::from(scale_of(*largest)) > 448.0;
    let largest = (1..100).map(|i| 1.0 + i as f32 / 100.0).find(is_above).unwrap();
    let scale = scale_of(largest);
    let entries = [
        ("w", "F32", vec![1, 4], f32_bytes(&[largest, -0.5, 0.0, f32::INFINITY])),
        ("z", "F32", vec![2, 2], f32_bytes(&[0.0, -0.0, 0.0, 0.0])),
        ("none", "F32", vec![0, 4], vec![]),
    ];
    write(&path, "", &entries);
    let arguments = ["in.safetensors", "--to", "e4m3fn/tensor/rup", "-o", "out.safetensors"];
    convert(dir.path(), &arguments).ends(0);
    let model = Model::read(&dir.path().join("out.safetensors"));
    let codes = model.tensor("w").2;
    assert_eq!((codes[0], codes[2], codes[3]), (0x7e, 0, 0x7f));
    assert_eq!(model.tensor("w_scale").2, f32_bytes(&[scale]));
    assert_eq!(model.tensor("z").2, [0, 0x80, 0, 0]);
    assert_eq!(model.tensor("z_scale").2, f32_bytes(&[1.0]));
    assert_eq!(model.tensor("none").1, [0, 4]);
    fs::remove_file(path).unwrap();
}
