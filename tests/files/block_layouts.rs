//! Block formats of every kind, size and axis through files, against the same in memory.

use std::{fmt::Write, fs, path::Path};

use fpx::{
    block::{Quantizer, Spec},
    codec::Projection,
    kernel::Dither,
    random::Stream,
};

use crate::util::{Model, convert, f32_bytes, write_safetensors};

/// A tensor: its name and shape; the numbers follow from its place.
type Shape = (&'static str, Vec<u64>);

/// Numbers over many binades, with zeros among them.
fn numbers(seed: u64, count: u64) -> Vec<f32> {
    let stream = Stream::new(seed, 99);
    let number = |i: u64| {
        let bits = stream.bits(i);
        let exponent = (bits >> 8 & 15).cast_signed() - 8;
        let magnitude = f64::from(bits >> 12) / f64::from(1 << 20) * f64::from(exponent).exp2();
        let x = if bits.is_multiple_of(32) { 0.0 } else { magnitude as f32 };
        if bits & 64 == 0 { x } else { -x }
    };
    (0..count).map(number).collect()
}

/// Writes float32 tensors; returns their numbers.
fn write(path: &Path, shapes: &[Shape]) -> Vec<Vec<f32>> {
    let (mut data, mut header, mut all) = (Vec::new(), "{".to_owned(), Vec::new());
    for (i, (name, shape)) in shapes.iter().enumerate() {
        let numbers = numbers(i as u64, shape.iter().product());
        let begin = data.len();
        data.extend(f32_bytes(&numbers));
        let comma = if i == 0 { "" } else { "," };
        let end = data.len();
        write!(
            header,
            "{comma}\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{begin},{end}]}}"
        )
        .unwrap();
        all.push(numbers);
    }
    write_safetensors(path, &(header + "}"), &data);
    all
}

/// What a target makes of a tensor in memory: the one of this number in its file.
fn rounded(target: &str, shape: &[u64], source: &[f32], number: usize) -> Vec<f32> {
    let spec: Spec = target.parse().unwrap();
    let quantizer = Quantizer::new(&spec, &Projection::default()).unwrap();
    let dither = Dither { stream: Stream::new(0, number as u64), first: 0 };
    quantizer.dequantize(&quantizer.quantize(shape, source, dither).unwrap())
}

fn check(dir: &Path, target: &str, shapes: &[Shape], sources: &[Vec<f32>]) {
    let all = ["in.safetensors", "--include", "*", "--to", target, "--force"];
    convert(dir, &[&all[..], &["-o", "q.safetensors"]].concat()).ends(0);
    convert(dir, &[&all[..], &["--simulate", "-o", "simulated.safetensors"]].concat()).ends(0);
    convert(dir, &["q.safetensors", "--to", "f32", "--force", "-o", "back.safetensors"]).ends(0);
    let back = Model::read(&dir.join("back.safetensors"));
    let simulated = Model::read(&dir.join("simulated.safetensors"));
    assert_eq!(back.names().len(), shapes.len(), "{target}: {:?}", back.names());
    for (number, ((name, shape), source)) in shapes.iter().zip(sources).enumerate() {
        let expected = f32_bytes(&rounded(target, shape, source, number));
        let (dtype, found, bytes) = back.tensor(name);
        let found: Vec<u64> = found.into_iter().map(|n| n as u64).collect();
        assert_eq!((dtype.as_str(), &found), ("F32", shape), "{target} {name}");
        assert!(bytes == expected, "{target} {name}");
        assert!(simulated.tensor(name).2 == expected, "{target} {name} simulated");
    }
}

const BLOCKS: [&str; 7] =
    ["mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e3m2", "mxfp6_e2m3", "mxfp4", "mxint8", "nvfp4"];

fn shapes() -> Vec<Shape> {
    vec![
        ("row", vec![70]),
        ("one", vec![1]),
        ("even", vec![4, 64]),
        ("odd", vec![5, 33]),
        ("column", vec![7, 1]),
        ("cube", vec![3, 5, 10]),
        ("none", vec![0, 32]),
    ]
}

#[test]
fn every_format_and_rule_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let shapes = shapes();
    let sources = write(&dir.path().join("in.safetensors"), &shapes);
    for name in BLOCKS {
        for rule in ["", "/rceil", "/ceil", "/even"] {
            if name != "nvfp4" || rule.is_empty() {
                check(dir.path(), &format!("{name}{rule}"), &shapes, &sources);
            }
        }
    }
    for target in [
        "e4m3fn/block:16",
        "e5m2fnuz/block:7",
        "bf16/block:32",
        "f16/block:5/ceil",
        "f32/block:4",
        "e2m1fn/block:8",
        "e3m2fn/block:10",
        "nvfp4/scale:0.01",
        "mxfp4/sr",
        "nvfp4/sr",
        "mxfp6/rtz",
        "e4m3fn/tensor",
        "e4m3fn/channel",
        "e5m2/tile:3x4",
        "bf16/tensor",
    ] {
        check(dir.path(), target, &shapes, &sources);
    }
}

#[test]
fn every_block_size_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let shapes = [("w", vec![3, 67]), ("v", vec![2, 64])];
    let sources = write(&dir.path().join("in.safetensors"), &shapes);
    for size in 1..=64 {
        for name in ["mxfp4", "nvfp4", "mxfp6"] {
            check(dir.path(), &format!("{name}/block:{size}"), &shapes, &sources);
        }
    }
}

#[test]
fn every_axis_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let shapes = [("w", vec![3, 40, 5]), ("v", vec![2, 3, 64])];
    let sources = write(&dir.path().join("in.safetensors"), &shapes);
    for name in BLOCKS {
        for axis in -3..3 {
            check(dir.path(), &format!("{name}/axis:{axis}"), &shapes, &sources);
        }
    }
}

#[test]
fn tensors_of_many_chunks_and_stretches_come_back() {
    let dir = tempfile::tempdir().unwrap();
    // More scales than are held at a time: along rows, down columns, and between columns of a row.
    let shapes = [("long", vec![3, 300_001]), ("flat", vec![1_200_003, 1])];
    let sources = write(&dir.path().join("in.safetensors"), &shapes);
    for target in
        ["mxfp4/block:2", "nvfp4", "nvfp4/block:3", "mxfp8/axis:0", "mxfp4/axis:0", "mxfp6/block:1"]
    {
        check(dir.path(), target, &shapes, &sources);
    }
}

#[test]
fn any_number_of_threads_writes_the_same_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let shapes = [("w", vec![301, 1003]), ("v", vec![2, 600_001])];
    write(&dir.path().join("in.safetensors"), &shapes);
    for target in
        ["mxfp4/sr", "mxfp4/block:5", "nvfp4/sr", "mxfp6/axis:0", "mxint8", "e4m3fn/channel"]
    {
        let run = |threads: &str| {
            let output = format!("{threads}.safetensors");
            let arguments =
                ["in.safetensors", "--to", target, "--threads", threads, "--force", "-o", &output];
            let shown = convert(dir.path(), &arguments).ends(0);
            let lines: Vec<String> =
                shown.stderr.lines().filter(|l| !l.contains("GB/s")).map(str::to_owned).collect();
            (fs::read(dir.path().join(output)).unwrap(), lines)
        };
        let one = run("1");
        for threads in ["2", "4", "16"] {
            assert!(run(threads) == one, "{target} with {threads} threads");
        }
    }
}

#[test]
fn every_kind_that_holds_the_type_is_simulated() {
    let dir = tempfile::tempdir().unwrap();
    let shape = vec![6, 35];
    let source = write(&dir.path().join("in.safetensors"), &[("w", shape.clone())]).remove(0);
    let run = |arguments: &[&str]| convert(dir.path(), arguments).ends(0);
    for output in ["in.npy", "in.npz", "in.csv"] {
        run(&["in.safetensors", "--to", "f32", "-o", output]);
    }
    fs::write(dir.path().join("in.bin"), f32_bytes(&source)).unwrap();
    let read = |path: &str| {
        let from = if path.ends_with("bin") || path.ends_with("csv") { Some("f32") } else { None };
        let from = from.map_or(vec![], |from| vec!["--from", from]);
        let arguments = [&[path, "--to", "f32", "--force", "-o", "out.bin"][..], &from].concat();
        run(&arguments);
        fs::read(dir.path().join("out.bin")).unwrap()
    };
    for target in ["mxfp4", "nvfp4", "mxint8/rceil", "mxfp6", "e4m3fn/block:4", "e4m3fn/channel"] {
        let whole = f32_bytes(&rounded(target, &shape, &source, 0));
        let flat = f32_bytes(&rounded(target, &[210], &source, 0));
        for (input, output, from) in [
            ("in.npy", "q.npy", None),
            ("in.npz", "q.npz", None),
            ("in.npy", "q.csv", None),
            ("in.csv", "q.csv", Some("f32")),
            ("in.bin", "q.bin", Some("f32")),
            ("in.safetensors", "q.safetensors", None),
        ] {
            let from = from.map_or(vec![], |from| vec!["--from", from]);
            let arguments = [input, "--to", target, "--simulate", "--force", "-o", output];
            run(&[&arguments[..], &from].concat());
            let expected = if input == "in.bin" { &flat } else { &whole };
            assert!(read(output) == *expected, "{target} from {input} to {output}");
        }
        for (input, output) in [("in.npy", "x.npy"), ("in.npz", "x.npz"), ("in.npy", "x.csv")] {
            convert(dir.path(), &[input, "--to", target, "-o", output]).ends(2).says("--simulate");
        }
    }
    // In Fortran order the elements lie as those of the transposed matrix do.
    let at = |i: usize| source[i % 6 * 35 + i / 6];
    let turned: Vec<f32> = (0..source.len()).map(at).collect();
    let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (6, 35), }";
    let mut array = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    array.extend(format!("{header:<117}\n").bytes());
    array.extend(f32_bytes(&turned));
    fs::write(dir.path().join("turned.npy"), array).unwrap();
    for target in ["mxfp4", "nvfp4/axis:0", "e4m3fn/channel", "e4m3fn/tensor"] {
        run(&["turned.npy", "--to", target, "--simulate", "--force", "-o", "q.npy"]);
        let whole = rounded(target, &shape, &source, 0);
        let expected: Vec<f32> = (0..whole.len()).map(|i| whole[i % 6 * 35 + i / 6]).collect();
        let written = fs::read(dir.path().join("q.npy")).unwrap();
        assert!(written.ends_with(&f32_bytes(&expected)), "{target}");
    }
    let tiles = ["turned.npy", "--to", "e4m3fn/tile:2x2", "--simulate", "-o", "x.npy"];
    convert(dir.path(), &tiles).ends(2).says("Fortran order");
    // Through half precision: rounded to it once more.
    run(&["in.npy", "--to", "bf16", "-o", "half.safetensors"]);
    let half: Vec<f32> = source.iter().map(|x| half::bf16::from_f32(*x).to_f32()).collect();
    run(&["half.safetensors", "--to", "nvfp4", "--simulate", "-o", "q-half.safetensors"]);
    let expected: Vec<u8> = rounded("nvfp4", &shape, &half, 0)
        .into_iter()
        .flat_map(|x| half::bf16::from_f32(x).to_le_bytes())
        .collect();
    let (dtype, _, bytes) = Model::read(&dir.path().join("q-half.safetensors")).tensor("in");
    assert!(dtype == "BF16" && bytes == expected);
}
