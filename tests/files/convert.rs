//! Conversions, against what other implementations convert the same files to.

use std::{fs, path::Path};

use fpx::{
    codec::{Projection, SR, Unpacked, project},
    container::Hints,
    format::{E4M3FN, parse},
    random::Stream,
};

use crate::util::{Model, codes, convert, f32_bytes, fixture, folder_with, listing, ramp, values};

const MODEL: &str = "model.safetensors";
const WEIGHTS: [&str; 3] = ["anything", "layer.weight", "layer.bias"];

fn expected(key: &str) -> Vec<u8> {
    Model::read(&fixture("expected.safetensors")).tensor(key).2
}

/// The raw bytes of the model's tensor.
fn source(name: &str) -> Vec<u8> {
    Model::read(&fixture(MODEL)).tensor(name).2
}

#[test]
fn safetensors_types_get_the_codes_of_ml_dtypes() {
    let dir = folder_with(MODEL);
    for (format, dtype) in [
        ("bf16", "BF16"),
        ("f16", "F16"),
        ("e4m3fn", "F8_E4M3"),
        ("e5m2", "F8_E5M2"),
        ("e4m3fnuz", "F8_E4M3FNUZ"),
        ("e5m2fnuz", "F8_E5M2FNUZ"),
    ] {
        let output = format!("{format}.safetensors");
        convert(dir.path(), &[MODEL, "--to", format, "--include", "*", "-o", &output]).ends(0);
        let model = Model::read(&dir.path().join(&output));
        for name in WEIGHTS {
            let (found, shape, bytes) = model.tensor(name);
            assert_eq!(
                (found.as_str(), shape),
                (dtype, Model::read(&fixture(MODEL)).tensor(name).1)
            );
            assert!(bytes == expected(&format!("cast/{format}/{name}")), "{format} {name}");
        }
        assert_eq!(model.tensor("ids").2, source("ids"), "integers are copied");
    }
}

#[test]
fn raw_elements_get_the_codes_of_ml_dtypes() {
    let dir = tempfile::tempdir().unwrap();
    for name in WEIGHTS {
        fs::write(dir.path().join(name), source(name)).unwrap();
    }
    for format in [
        "f16", "bf16", "e4m3fn", "e5m2", "e4m3fnuz", "e4m3ieee", "e3m4", "e2m1fn", "e2m3fn",
        "e3m2fn",
    ] {
        for name in WEIGHTS {
            let narrow = ["e2m1fn", "e2m3fn", "e3m2fn"].contains(&format);
            if narrow && name == "anything" {
                continue;
            }
            let key = format!("cast/{format}/{name}");
            let arguments = [name, "--from", "f32", "--to", format, "--packing", "byte", "-o", "-"];
            let run = convert(dir.path(), &arguments).ends(0);
            assert!(run.stdout == expected(&key), "{key}");
            if narrow {
                // Densely packed, the codes are the same.
                let arguments = [name, "--from", "f32", "--to", format, "-o", "-"];
                let dense = convert(dir.path(), &arguments).ends(0).stdout;
                let bits = usize::try_from(parse(format).unwrap().format.width()).unwrap();
                let found: Vec<u8> = codes(&dense, bits)
                    .into_iter()
                    .map(|code| u8::try_from(code).unwrap())
                    .collect();
                assert_eq!(dense.len(), (expected(&key).len() * bits).div_ceil(8));
                assert!(found == expected(&key), "{key} packed");
            }
        }
    }
    assert_eq!(listing(dir.path()).len(), WEIGHTS.len());
}

#[test]
fn scaled_weights_get_the_codes_of_exact_fractions() {
    let dir = folder_with(MODEL);
    for (kind, target, suffix, shape) in [
        ("tensor", "e4m3fn/tensor", "_scale", vec![1]),
        ("channel", "e4m3fn/channel", "_scale", vec![10, 1]),
        ("tile", "e4m3fn/tile:4x16", "_scale_inv", vec![3, 3]),
    ] {
        let output = format!("{kind}.safetensors");
        let arguments = [MODEL, "--to", target, "--include", "layer.*", "-o", &output];
        convert(dir.path(), &arguments).ends(0);
        let model = Model::read(&dir.path().join(&output));
        let (dtype, _, bytes) = model.tensor("layer.weight");
        assert_eq!(dtype, "F8_E4M3");
        assert!(bytes == expected(&format!("scaled/{kind}/layer.weight")), "{kind}");
        let (dtype, found, scales) = model.tensor(&format!("layer.weight{suffix}"));
        assert_eq!((dtype.as_str(), found), ("F32", shape));
        assert!(scales == expected(&format!("scaled/{kind}/layer.weight_scale")), "{kind} scales");
        assert_eq!(model.tensor("anything").2, source("anything"), "what is left out is copied");
        assert_eq!(model.metadata()["fpx.format"], target);
        // Back again: code times scale, rounded once to float32.
        let back = format!("{kind}-back.safetensors");
        convert(dir.path(), &[&output, "--to", "f32", "-o", &back]).ends(0);
        let back = Model::read(&dir.path().join(&back));
        assert_eq!(back.names(), ["anything", "ids", "layer.bias", "layer.weight"]);
        let numbers = values(&E4M3FN, &codes(&bytes, 8));
        let scales: Vec<f32> =
            scales.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
        let scale_of = |i: usize| match kind {
            "tensor" => scales[0],
            "channel" => scales[i / 40],
            _ => scales[i / 40 / 4 * 3 + i % 40 / 16],
        };
        let products: Vec<f32> =
            numbers.iter().enumerate().map(|(i, &x)| (x * f64::from(scale_of(i))) as f32).collect();
        assert!(back.tensor("layer.weight").2 == f32_bytes(&products), "{kind} back");
    }
}

#[test]
fn back_to_wider_formats_is_exact() {
    let dir = folder_with(MODEL);
    for narrow in ["bf16", "f16", "e4m3fn", "e5m2fnuz"] {
        let output = format!("{narrow}.safetensors");
        let arguments = [MODEL, "--to", narrow, "--include", "layer.*", "-o", &output];
        convert(dir.path(), &arguments).ends(0);
        for wide in ["f32", "f64"] {
            let back = format!("{narrow}-{wide}.safetensors");
            convert(dir.path(), &[&output, "--to", wide, "--fail-on", "inexact", "-o", &back])
                .ends(0);
            let bytes = Model::read(&dir.path().join(&back)).tensor("layer.weight").2;
            let (format, wide) = (parse(narrow).unwrap().format, parse(wide).unwrap().format);
            let narrow = Model::read(&dir.path().join(&output)).tensor("layer.weight").2;
            let narrow = values(&format, &codes(&narrow, 8 * format.storage_bytes()));
            assert_eq!(values(&wide, &codes(&bytes, 8 * wide.storage_bytes())), narrow);
        }
    }
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    // Several chunks for each of 16 threads, and a last one that is not whole.
    let numbers: Vec<f32> = (0..700_001u32)
        .map(|i| f32::from_bits(i.wrapping_mul(2_654_435_761) % 0x7f80_0000))
        .collect();
    fs::write(dir.path().join("x"), f32_bytes(&numbers)).unwrap();
    for target in ["bf16/sr", "e4m3fn/rtz", "e2m3fn", "e11m9/sr:5"] {
        let bytes = |threads: &str| {
            let arguments = ["x", "--from", "f32", "--to", target, "--threads", threads, "-o", "-"];
            convert(dir.path(), &arguments).ends(0).stdout
        };
        let one = bytes("1");
        for threads in ["2", "7", "16", "40"] {
            assert!(bytes(threads) == one, "{target} with {threads} threads");
        }
    }
}

#[test]
fn stochastic_bits_are_those_of_seed_tensor_and_element() {
    let dir = folder_with(MODEL);
    let arguments = [MODEL, "--to", "bf16/sr", "--seed", "9", "-o", "out.safetensors"];
    convert(dir.path(), &arguments).ends(0);
    let model = Model::read(&dir.path().join("out.safetensors"));
    let header = fs::read(fixture(MODEL)).unwrap();
    let order = String::from_utf8_lossy(&header).into_owned();
    let mut by_place: Vec<&str> = ["anything", "layer.weight", "layer.bias", "ids"].to_vec();
    by_place.sort_by_key(|name| order.find(&format!("\"{name}\"")));
    for name in WEIGHTS {
        let tensor = by_place.iter().position(|known| *known == name).unwrap();
        let stream = Stream::new(9, tensor as u64);
        let bf16 = parse("bf16").unwrap().format;
        let projection = Projection::with_mode(&SR);
        let bytes = source(name);
        let rounded = bytes.chunks(4).enumerate().flat_map(|(i, bytes)| {
            let x = Unpacked::from_f32(f32::from_le_bytes(bytes.try_into().unwrap()));
            let projection = projection.with_random(stream.bits(i as u64));
            let code = u16::try_from(project(&bf16, &projection, &x).code).unwrap();
            code.to_le_bytes()
        });
        assert!(model.tensor(name).2 == rounded.collect::<Vec<u8>>(), "{name}");
    }
    assert_eq!(model.metadata()["fpx.seed"], "9");
}

#[test]
fn globs_and_dimensions_decide_what_changes() {
    let dir = folder_with(MODEL);
    let types = |arguments: &[&str]| {
        let mut all = vec![MODEL, "--to", "e4m3fn", "--force", "-o", "out.safetensors"];
        all.extend(arguments);
        let run = convert(dir.path(), &all).ends(0);
        let model = Model::read(&dir.path().join("out.safetensors"));
        let types = WEIGHTS.map(|name| model.tensor(name).0 == "F8_E4M3");
        for (name, changed) in WEIGHTS.iter().zip(types) {
            assert!(changed || model.tensor(name).2 == source(name), "{name} is copied");
        }
        (types, run.stderr)
    };
    let (by_default, stderr) = types(&[]);
    assert_eq!(by_default, [true, true, false]);
    assert!(stderr.contains("2 converted, 2 copied (1: with fewer than 2 dimensions"), "{stderr}");
    for (arguments, expected) in [
        (vec!["--include", "*"], [true, true, true]),
        (vec!["--include", "layer.*"], [false, true, true]),
        (vec!["--include", "layer.*", "--exclude", "*.bias"], [false, true, false]),
        (vec!["--exclude", "any*"], [false, true, false]),
        (vec!["--include", "any*", "--include", "layer.bias"], [true, false, true]),
    ] {
        assert_eq!(types(&arguments).0, expected, "{arguments:?}");
    }
    let run = convert(dir.path(), &[MODEL, "--to", "f16", "-o", "wide.safetensors"]).ends(0);
    assert!(run.stderr.contains("3 converted, 1 copied"), "at 16 bits biases are converted");
    // What is copied into another kind of file keeps its type there.
    convert(dir.path(), &[MODEL, "--to", "e4m3fn", "-o", "out.npz"]).ends(0).says("2 copied");
    let path = dir.path().join("out.npz");
    let npz = fpx::container::open(&path, None, &Hints::default()).unwrap().sound().unwrap();
    let bias = npz.tensors.iter().position(|tensor| tensor.name == "layer.bias").unwrap();
    assert_eq!(crate::util::bytes(&npz, bias), source("layer.bias"));
    let error = convert(dir.path(), &[MODEL, "--to", "f16", "--include", "[a"]).ends(2);
    assert!(error.stderr.contains("--include '[a'"), "{}", error.stderr);
}

#[test]
fn without_output_the_work_is_only_reported() {
    let dir = folder_with(MODEL);
    let run = convert(dir.path(), &[MODEL, "--to", "e5m2"]).ends(0);
    assert!(run.stdout.is_empty());
    assert_eq!(listing(dir.path()), [MODEL]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines.contains(&"nothing written (add -o)"), "{}", run.stderr);
    // The greatest finite float32 becomes infinite: the last line says so, and where.
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("warning: ") && last.contains("tensor 'anything' element ["),
        "{last}"
    );
    let quiet =
        convert(dir.path(), &[MODEL, "--to", "f16", "--include", "layer.*", "--quiet"]).ends(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn json_has_every_count() {
    let dir = folder_with(MODEL);
    let run =
        convert(dir.path(), &[MODEL, "--to", "e4m3fn", "--include", "anything", "--json"]).ends(0);
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["schema"], "fpx.convert/1");
    assert_eq!(report["options"]["rounding"], "rne");
    let row = &report["rows"][0];
    let numbers: Vec<f32> = source("anything")
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let results = values(&E4M3FN, &codes(&expected("cast/e4m3fn/anything"), 8));
    let count = |test: &dyn Fn(f32, f64) -> bool| {
        numbers.iter().zip(&results).filter(|(x, y)| test(**x, **y)).count() as u64
    };
    assert_eq!(row["elements"], numbers.len());
    assert_eq!(row["nan"], count(&|x, _| x.is_nan()));
    assert_eq!(row["inf"], count(&|x, _| x.is_infinite()));
    assert_eq!(row["flushed"], count(&|x, y| x != 0.0 && y == 0.0));
    assert_eq!(row["lost"], count(&|x, y| x.is_finite() && !y.is_finite()));
    assert_eq!(row["overflow"], row["lost"]);
    assert_eq!(row["inexact"], count(&|x, y| x.is_finite() && f64::from(x) != y));
    let first = numbers.iter().zip(&results).position(|(x, y)| x.is_finite() && !y.is_finite());
    let first = first.unwrap();
    assert_eq!(row["first_lost"]["index"], serde_json::json!([first / 40, first % 40]));
    assert_eq!(
        (&row["tensors"], &row["converted"], &row["copied"]),
        (&4.into(), &1.into(), &3.into())
    );
    assert_eq!(row["written"], false);
    convert(dir.path(), &[MODEL, "--to", "bf16", "--json", "-o", "-", "--output-kind", "raw"])
        .ends(2);
}

#[test]
fn simulation_keeps_the_element_type() {
    let dir = folder_with(MODEL);
    for target in ["e4m3fn", "e3m4", "e7m4", "tf32", "e4m3fn/channel"] {
        let arguments = [MODEL, "--to", target, "--simulate", "--include", "layer.weight"];
        let arguments = [&arguments[..], &["--force", "-o", "out.safetensors"]].concat();
        convert(dir.path(), &arguments).ends(0);
        let model = Model::read(&dir.path().join("out.safetensors"));
        let (dtype, _, bytes) = model.tensor("layer.weight");
        assert_eq!((dtype.as_str(), model.names().len()), ("F32", 4));
        assert_eq!(model.metadata()["fpx.simulated"], target);
        if target.ends_with("channel") {
            let arguments = [MODEL, "--to", target, "--include", "layer.weight", "--force"];
            convert(dir.path(), &[&arguments[..], &["-o", "coded.safetensors"]].concat()).ends(0);
            convert(
                dir.path(),
                &["coded.safetensors", "--to", "f32", "--force", "-o", "back.safetensors"],
            )
            .ends(0);
            let back = Model::read(&dir.path().join("back.safetensors"));
            assert!(
                back.tensor("layer.weight").2 == bytes,
                "simulating is converting there and back"
            );
            continue;
        }
        let format = parse(target).unwrap().format;
        let rounded: Vec<f64> = source("layer.weight")
            .chunks(4)
            .map(|bytes| {
                let x = Unpacked::from_f32(f32::from_le_bytes(bytes.try_into().unwrap()));
                let code = project(&format, &Projection::default(), &x).code;
                fpx::codec::decode(&format, code).to_f64()
            })
            .collect();
        assert_eq!(values(&fpx::format::F32, &codes(&bytes, 32)), rounded, "{target}");
    }
    let error = convert(dir.path(), &[MODEL, "--to", "e3m4", "-o", "x.safetensors"]).ends(2);
    assert!(
        error.stderr.contains("--simulate") && error.stderr.contains("raw"),
        "{}",
        error.stderr
    );
}

#[test]
fn kinds_become_each_other() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["c.npy", "fortran.npy", "big.npy", "deflated.npz", "small.gguf", "void1.npy"] {
        fs::copy(fixture(name), dir.path().join(name)).unwrap();
    }
    let bf16 = |numbers: &[f64]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|&x| half::bf16::from_f32(x as f32).to_bits().to_le_bytes())
            .collect()
    };
    let at = |name: &str| dir.path().join(name);
    convert(dir.path(), &["big.npy", "--to", "bf16", "-o", "big.safetensors"]).ends(0);
    assert_eq!(Model::read(&at("big.safetensors")).tensor("big").2, bf16(&ramp(12)));
    convert(dir.path(), &["deflated.npz", "--to", "bf16", "-o", "npz.safetensors"]).ends(0);
    let model = Model::read(&at("npz.safetensors"));
    assert_eq!(model.tensor("weight"), ("BF16".to_owned(), vec![3, 4], bf16(&ramp(12))));
    assert_eq!(model.tensor("step").0, "I64");
    let npz = convert(dir.path(), &["deflated.npz", "--to", "bf16", "-o", "out.npz"]).ends(0);
    assert!(npz.stderr.contains("x.view(ml_dtypes.bfloat16)"), "{}", npz.stderr);
    let source =
        fpx::container::open(&at("out.npz"), None, &Hints::default()).unwrap().sound().unwrap();
    assert_eq!(crate::util::bytes(&source, 0), bf16(&ramp(12)));
    convert(dir.path(), &["void1.npy", "--dtype", "e4m3fn", "--to", "f32", "-o", "void.npy"])
        .ends(0);
    let source = fpx::container::open(&at("void.npy"), None, &Hints::default()).unwrap();
    assert_eq!(values(&fpx::format::F32, &codes(&crate::util::bytes(&source, 0), 32)), ramp(5));
    // Fortran order is kept where the kind can say so, and refused where it cannot.
    convert(dir.path(), &["fortran.npy", "--to", "f16", "-o", "f.npy"]).ends(0);
    let text = String::from_utf8_lossy(&fs::read(at("f.npy")).unwrap()).into_owned();
    assert!(text.contains("'descr': '<f2', 'fortran_order': True, 'shape': (3, 4)"), "{text}");
    convert(dir.path(), &["fortran.npy", "--to", "f16", "-o", "f.safetensors"])
        .ends(2)
        .says("Fortran");
    convert(dir.path(), &["small.gguf", "--to", "f16", "-o", "g.safetensors"]).ends(3).says("Q4_0");
    convert(dir.path(), &["c.npy", "--to", "f16", "-o", "g.gguf"]).ends(2).says("GGUF");
}

#[test]
fn text_is_rounded_once_from_the_exact_decimal() {
    let dir = tempfile::tempdir().unwrap();
    // Just above a tie of f16: through binary64 it would be one.
    let text = "1.00048828125000000000000000000001,1\n-0.1,1e-9\n";
    fs::write(dir.path().join("x.csv"), text).unwrap();
    convert(dir.path(), &["x.csv", "--to", "f16", "-o", "x.npy"]).ends(0);
    let bytes = fs::read(dir.path().join("x.npy")).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("'shape': (2, 2)"));
    assert_eq!(codes(&bytes[bytes.len() - 8..], 16), [0x3c01, 0x3c00, 0xae66, 0]);
    convert(dir.path(), &["x.csv", "--from", "f64", "--to", "f16", "-o", "y"]).ends(0);
    assert_eq!(codes(&fs::read(dir.path().join("y")).unwrap(), 16)[0], 0x3c00);
    convert(dir.path(), &["x.npy", "--to", "f32", "-o", "y.csv"]).ends(0);
    let written = fs::read_to_string(dir.path().join("y.csv")).unwrap();
    assert_eq!(written, "1.0009765625,1\n-0.0999755859375,0\n");
    fs::write(dir.path().join("bad.txt"), "1\ntwo\n").unwrap();
    convert(dir.path(), &["bad.txt", "--to", "f16", "-o", "z"]).ends(3).says("line 2");
    assert!(!dir.path().join("z").exists());
}

#[test]
fn wide_formats_go_through_the_codec() {
    let dir = tempfile::tempdir().unwrap();
    let numbers: Vec<u8> = [0.1f64, -1e300, 5e-324].iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(dir.path().join("x"), numbers).unwrap();
    convert(dir.path(), &["x", "--from", "f64", "--to", "binary128", "-o", "wide"]).ends(0);
    let wide = fs::read(dir.path().join("wide")).unwrap();
    assert_eq!(codes(&wide, 128)[0], 0x3ffb_9999_9999_9999_a000_0000_0000_0000);
    convert(dir.path(), &["wide", "--from", "binary128", "--to", "f64", "-o", "back"]).ends(0);
    assert_eq!(fs::read(dir.path().join("back")).unwrap(), fs::read(dir.path().join("x")).unwrap());
    convert(dir.path(), &["x", "--from", "f64", "--to", "x87-80", "-o", "x87"]).ends(0);
    assert_eq!(
        codes(&fs::read(dir.path().join("x87")).unwrap(), 128)[0],
        0x3ffb_cccc_cccc_cccc_d000
    );
}

#[test]
fn streams_need_no_length() {
    let dir = tempfile::tempdir().unwrap();
    let numbers: Vec<f32> = (0..300_000u32).map(|i| i as f32).collect();
    let bytes = f32_bytes(&numbers);
    let stream = |arguments: &[&str], input: &[u8]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_fpx"));
        command.arg("convert").arg("-").args(arguments).current_dir(dir.path());
        crate::util::run(command.write_stdin(input))
    };
    let raw = ["--input-kind", "raw", "--from", "f32", "--to", "f32"];
    let run = stream(&[&raw[..], &["-o", "-"]].concat(), &bytes).ends(0);
    assert!(run.stdout == bytes);
    stream(&[&raw[..], &["-o", "x.bin"]].concat(), &bytes).ends(0);
    assert!(fs::read(dir.path().join("x.bin")).unwrap() == bytes);
    stream(&[&raw[..], &["-o", "x.npy"]].concat(), &bytes).ends(2).says("length");
    let cut = stream(&[&raw[..], &["-o", "y.bin"]].concat(), &bytes[..bytes.len() - 1]).ends(3);
    assert!(cut.stderr.contains("middle of an element"), "{}", cut.stderr);
    let text = stream(&["--to", "f16", "-o", "-"], b"0.1\n# half\n0.5\n").ends(0);
    assert_eq!(text.stdout, [0x66, 0x2e, 0x00, 0x38]);
    assert_eq!(listing(dir.path()), ["x.bin"]);
}

#[test]
fn nan_is_refused_where_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let numbers = [1.0, f32::NAN, 2.0, f32::NAN];
    fs::write(dir.path().join("x"), f32_bytes(&numbers)).unwrap();
    let to = |more: &[&str]| {
        let arguments = ["x", "--from", "f32", "--to", "e2m1fn", "--packing", "byte", "-o", "-"];
        convert(dir.path(), &[&arguments[..], more].concat())
    };
    to(&[]).ends(3).says("element [1] is NaN");
    assert_eq!(to(&["--nan-to", "zero"]).ends(0).stdout, [2, 0, 4, 0]);
    assert_eq!(to(&["--nan-to", "max"]).ends(0).stdout, [2, 7, 4, 7]);
}

/// A path that is neither a number nor an option.
#[test]
fn options_that_say_nothing_are_refused() {
    let dir = folder_with(MODEL);
    fs::copy(fixture("c.npy"), dir.path().join("c.npy")).unwrap();
    for (arguments, what) in [
        (vec![MODEL], "--to FORMAT"),
        (vec![MODEL, "--to", "bf16,f16"], "one --to"),
        (vec![MODEL, "--to", "bf16", "--from", "f32"], "--from does not go with safetensors"),
        (vec![MODEL, "--to", "bf16", "--dtype", "f32"], "--dtype does not go with safetensors"),
        (vec![MODEL, "c.npy", "--to", "bf16", "-o", "x"], "one INPUT for one -o"),
        (vec![MODEL, "1.5", "--to", "bf16"], "do not mix"),
        (vec!["1.5", "--to", "bf16", "--simulate"], "--simulate is for files"),
        (vec![MODEL, "--to", "bf16", "--emit", "csv"], "the input is a file"),
        (vec![MODEL, "--to", "bf16", "--fail-on", "fire"], "unknown --fail-on 'fire'"),
        (vec![MODEL, "--to", "bf16", "--input-kind", "zip"], "unknown --input-kind 'zip'"),
        (vec![MODEL, "--to", "bf16", "--packing", "odd"], "unknown --packing 'odd'"),
        (vec![MODEL, "--to", "bf16", "-o", "x.npy"], "npy holds one tensor, the input has 4"),
        (
            vec!["c.npy", "--to", "e4m3fn/tensor", "-o", "x.npy"],
            "e4m3fn/tensor has scales, which safetensors and folders hold and npy does not",
        ),
        (vec!["c.npy", "--to", "mxfp4", "-o", "x.npy"], "mxfp4 has scales"),
        (vec!["c.npy", "--to", "mxfp4", "-o", "x.npz"], "or add --simulate"),
        (vec!["c.npy", "--to", "nvfp4", "-o", "x.bin"], "nvfp4 has scales"),
        (vec!["c.npy", "--to", "nvfp4", "-o", "x.csv"], "nvfp4 has scales"),
        (vec!["c.npy", "--to", "mxfp4/axis:7", "-o", "x.safetensors"], "axis 7"),
    ] {
        convert(dir.path(), &arguments).ends(2).says(what);
    }
    assert_eq!(listing(dir.path()), ["c.npy", MODEL]);
    assert!(Path::new(&dir.path().join(MODEL)).exists());
}
