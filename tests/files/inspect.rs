//! `fpx inspect` on files: the list of tensors, their elements bit by bit, and whatever is wrong.

use std::{fs, path::Path};

use fpx::{
    codec::Projection,
    container::{Hints, open},
    inspect::{
        file::{self, Files, Focus},
        numbers::{Config, Formats},
    },
    report::{Emit, Screen},
};
use serde_json::Value;

use crate::util::{
    Model, Run, convert, f32_bytes, fixture, folder_with, ramp, run, write_safetensors,
};

/// Runs `fpx inspect` in a folder, on a screen of 100 columns.
fn inspect(dir: &Path, arguments: &[&str]) -> Run {
    run(assert_cmd::Command::new(env!("CARGO_BIN_EXE_fpx"))
        .arg("inspect")
        .args(arguments)
        .env_remove("COLUMNS")
        .current_dir(dir))
}

fn text(run: Run) -> String {
    String::from_utf8(run.stdout).unwrap()
}

/// The rows of the JSON of a run that succeeds.
fn rows(dir: &Path, arguments: &[&str]) -> Vec<Value> {
    let arguments = [arguments, &["--json"]].concat();
    let value: Value = serde_json::from_str(&text(inspect(dir, &arguments).ends(0))).unwrap();
    value["rows"].as_array().unwrap().clone()
}

/// Writes a safetensors file of tensors: name, element type, shape, bytes.
fn write(path: &Path, metadata: &str, tensors: &[(&str, &str, &str, Vec<u8>)]) {
    let mut data = Vec::new();
    let mut entries: Vec<String> =
        Some(metadata).filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect();
    for (name, dtype, shape, bytes) in tensors {
        let start = data.len();
        data.extend(bytes);
        let end = data.len();
        entries.push(format!(
            r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#
        ));
    }
    write_safetensors(path, &format!("{{{}}}", entries.join(",")), &data);
}

/// Weights in the layouts of several producers.
fn weights() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(
        &dir.path().join("x.safetensors"),
        r#""__metadata__":{"fpx.format":"e4m3fn/channel"}"#,
        &[
            ("up_blocks", "U8", "[2,1,16]", (0..32).map(|i| i * 7).collect()),
            ("up_scales", "U8", "[2,1]", vec![126, 130]),
            ("nv", "U8", "[1,16]", (0..16).map(|i| i | (15 - i) << 4).collect()),
            ("nv_scale", "F8_E4M3", "[1,2]", vec![0x38, 0x41]),
            ("nv_scale_2", "F32", "[]", f32_bytes(&[0.5])),
            ("mx", "F8_E5M2", "[1,64]", (0..64).collect()),
            ("mx_scale", "F8_E8M0", "[1,2]", vec![127, 0]),
            ("row", "F8_E4M3", "[2,3]", vec![0x38, 0xb8, 0x40, 0x01, 0x7e, 0x7f]),
            ("row_scale", "F32", "[2,1]", f32_bytes(&[3.0, 0.1])),
            ("tile.weight", "F8_E4M3", "[130,200]", vec![0x38; 26_000]),
            ("tile.weight_scale_inv", "F32", "[2,2]", f32_bytes(&[1.0, 2.0, 3.0, 4.0])),
            ("bias", "BF16", "[2]", vec![0xcd, 0x3d, 0, 0xc0]),
            ("ids", "I16", "[2]", vec![0xfe, 0xff, 5, 0]),
            ("lost", "F8_E4M3", "[1]", vec![0x38]),
        ],
    );
    dir
}

#[test]
fn tensors_are_listed_with_the_scales_that_belong_to_them() {
    let dir = weights();
    let listed = text(inspect(dir.path(), &["x.safetensors"]).ends(0));
    assert_eq!(
        listed,
        "\
'x.safetensors'   safetensors, 14 tensors, 26.2 kB
dtypes    BF16 1 (4 B) · F32 3 (28 B) · F8_E4M3 4 (26.0 kB) · F8_E5M2 1 (64 B) · F8_E8M0 1 (2 B) ·
          I16 1 (4 B) · U8 3 (50 B)
metadata  fpx.format = e4m3fn/channel

tensor                 dtype    shape        bytes
up_blocks              U8       [2, 1, 16]      32  mxfp4 by ..scales (gpt-oss)
up_scales              U8       [2, 1]           2  scales of ..blocks
nv                     U8       [1, 16]         16  nvfp4 by .._scale and .._scale_2 (ModelOpt
                                                    NVFP4)
nv_scale               F8_E4M3  [1, 2]           2  scales of ..nv
nv_scale_2             F32      []               4  scales of ..nv
mx                     F8_E5M2  [1, 64]         64  mxfp8_e5m2 by .._scale (compressed-tensors FP8,
                                                    MX)
mx_scale               F8_E8M0  [1, 2]           2  scales of ..mx
row                    F8_E4M3  [2, 3]           6  e4m3fn/channel by .._scale (compressed-tensors
                                                    FP8, MX)
row_scale              F32      [2, 1]           8  scales of ..row
tile.weight            F8_E4M3  [130, 200]  26,000  e4m3fn/tile:128x128 by .._scale_inv
                                                    (DeepSeek-V3)
tile.weight_scale_inv  F32      [2, 2]          16  scales of ..weight
bias                   BF16     [2]              4
ids                    I16      [2]              4
lost                   F8_E4M3  [1]              1  no scale is recognised

1 weight of 8 bits or fewer without a scale that is recognised: convert needs --allow-unscaled for
  that
"
    );
    let csv = text(inspect(dir.path(), &["x.safetensors", "--emit", "csv"]).ends(0));
    assert_eq!(csv.lines().count(), 15);
    let narrow = run(assert_cmd::Command::new(env!("CARGO_BIN_EXE_fpx"))
        .args(["inspect", "x.safetensors"])
        .env("COLUMNS", "60")
        .current_dir(dir.path()));
    assert!(text(narrow).lines().all(|line| line.chars().count() <= 60));
}

#[test]
fn the_json_of_a_list() {
    let dir = weights();
    let path = dir.path().join("y.safetensors");
    write(
        &path,
        r#""__metadata__":{"format":"pt"}"#,
        &[("a\\u001b[2J", "F32", "[2,1]", vec![0; 8])],
    );
    assert_eq!(
        text(inspect(dir.path(), &["y.safetensors", "--json"]).ends(0)),
        r#"{"schema":"fpx.inspect/1","command":"inspect","options":{"kind":"safetensors","metadata":{"format":"pt"},"faults":[],"input":"y.safetensors"},"rows":[
{"tensor":"a\u001b[2J","file":null,"dtype":"F32","format":"f32","shape":[2,1],"elements":2,"bytes":8,"offset":104,"scales":null,"tensor_scale":null,"convention":null,"scale_of":null}
]}
"#
    );
    let shown = text(inspect(dir.path(), &["y.safetensors"]).ends(0));
    assert!(shown.contains(r"a\u{1b}[2J") && !shown.contains('\x1b'), "{shown}");
    let rows = rows(dir.path(), &["x.safetensors"]);
    let keys = ["tensor", "format", "elements", "scales", "tensor_scale", "convention", "scale_of"];
    let row = |i: usize| keys.map(|key| rows[i][key].to_string()).join(" ");
    assert_eq!(row(0), r#""up_blocks" "mxfp4" 64 "up_scales" null "gpt-oss" null"#);
    assert_eq!(row(2), r#""nv" "nvfp4" 32 "nv_scale" "nv_scale_2" "ModelOpt NVFP4" null"#);
    assert_eq!(row(4), r#""nv_scale_2" "f32" 1 null null null "nv""#);
}

#[test]
fn an_element_in_full_with_what_it_is_under_its_scale() {
    let dir = weights();
    let shown = |arguments: &[&str]| {
        text(inspect(dir.path(), &[&["x.safetensors"], arguments].concat()).ends(0))
    };
    let of_file = shown(&["--tensor", "bias", "--index", "-2"]);
    let of_code = text(inspect(dir.path(), &["0x3dcd", "--format", "bf16"]));
    let title = "bias[0] as bf16: 0x3dcd   16 bits: 1 sign, 8 exponent, 7 significand (8 with the hidden bit),";
    assert!(of_file.starts_with(title), "{of_file}");
    let after = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(after(&of_file), after(&of_code));
    let scaled = shown(&["--tensor", "row", "--index", "1,1"]);
    let end = "
scale         0.1                            0x3dcccccd f32, row_scale[1,0]
dequantised   44.8                           = 448 x 0.1
";
    assert!(scaled.ends_with(end), "{scaled}");
    let nested = shown(&["--tensor", "nv", "--index", "0,31"]);
    let end = "
scale         2.25                           0x41 e4m3fn, nv_scale[0,1]
              1.125                          with the scale of the tensor
dequantised   0                              = 0 x 1.125
";
    assert!(nested.ends_with(end), "{nested}");
}

/// What a code and its scales stand for, computed here from tables.
#[test]
fn dequantised_values_are_products() {
    const FP4: [f64; 16] =
        [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];
    let dir = weights();
    let values = |tensor: &str, block: &str| -> Vec<f64> {
        rows(dir.path(), &["x.safetensors", "--tensor", tensor, "--block-index", block])
            .iter()
            .map(|row| row["value"].as_f64().unwrap())
            .collect()
    };
    let nibbles = |bytes: &[u8]| -> Vec<usize> {
        bytes.iter().flat_map(|byte| [byte & 15, byte >> 4].map(usize::from)).collect()
    };
    let up: Vec<u8> = (0..32).map(|i| i * 7).collect();
    // By the name of the file, and by that of the weight.
    let expected = |row: usize, scale: f64| -> Vec<f64> {
        nibbles(&up[16 * row..16 * row + 16]).into_iter().map(|code| FP4[code] * scale).collect()
    };
    assert_eq!(values("up_blocks", "0"), expected(0, 0.5));
    assert_eq!(values("up", "-1"), expected(1, 8.0));
    let nv: Vec<u8> = (0..16).map(|i| i | (15 - i) << 4).collect();
    let second: Vec<f64> =
        nibbles(&nv[8..]).into_iter().map(|code| FP4[code] * 2.25 * 0.5).collect();
    assert_eq!(values("nv", "1"), second);
    let mx = values("mx", "1");
    assert_eq!((mx.len(), mx[28]), (32, 2f64.powi(15 - 15) * 2f64.powi(-127)));
    assert_eq!(values("row", "0"), [3.0, -3.0, 6.0]);
    // A tile at the corner: 2 rows and 72 columns, of which the first 64 are shown.
    let corner =
        rows(dir.path(), &["x.safetensors", "--tensor", "tile.weight", "--block-index", "3"]);
    assert_eq!((corner.len(), &corner[0]["index"].to_string()[..]), (64, "[128,128]"));
    assert!(corner.iter().all(|row| row["value"] == 4.0 && row["scale_code"] == "0x40800000"));
}

#[test]
fn a_block_as_scale_and_elements() {
    let dir = weights();
    let shown = text(
        inspect(dir.path(), &["x.safetensors", "--tensor", "nv", "--block-index", "0"]).ends(0),
    );
    let expected = "\
nv   U8, nvfp4 (ModelOpt NVFP4) [1, 32]; 16 elements of block 0 of 2

block 0   scale 0x38 = 1; with the tensor's 0.5   e4m3fn, nv_scale[0,0]
index   s exponent significand  code  element  value
[0,0]   0 00       0            0x0   0        0
[0,1]   1 11       1            0xf   -6       -3
[0,2]   0 00       1            0x1   0.5      0.25
[0,3]   1 11       0            0xe   -4       -2
";
    assert!(shown.starts_with(expected), "{shown}");
    let json = rows(dir.path(), &["x.safetensors", "--tensor", "nv", "--block-index", "0"]);
    assert_eq!(
        json[1].to_string(),
        r#"{"input":"nv[0,1]","from":"e2m1fn","to":"nvfp4","code":"0xf","value":-3.0,"exact":"-3","hexfloat":"-0x1.8p+1","error":0.0,"error_ulp":0.0,"error_rel":0.0,"flags":[],"class":"normal","sign":1,"exponent":2,"biased_exponent":3,"significand":"1","shortest":"-3","ulp":"1","previous":null,"next":"0xe","interval_low":"-inf","interval_high":"-2.5","interval_low_closed":true,"interval_high_closed":false,"tensor":"nv","index":[0,1],"block":0,"tensor_scale":0.5,"scale_code":"0x38","scale":0.5,"element":-6.0}"#
    );
}

#[test]
fn integers_are_shown_as_integers_and_several_elements_as_a_table() {
    let dir = weights();
    let shown = text(inspect(dir.path(), &["x.safetensors", "--tensor", "ids"]).ends(0));
    assert_eq!(
        shown,
        "ids   I16 [2]\n\nindex  code    value\n[0]    0xfffe     -2\n[1]    0x0005      5\n"
    );
    let line = ["x.safetensors", "--tensor", "row", "--index", "0,-1", "--index", "1,0"];
    let shown = text(inspect(dir.path(), &line).ends(0));
    assert!(
        shown.ends_with(
            "\
index  s exponent significand  code  element      scale  value
[0,2]  0 1000     000          0x40  2            3      6
[1,0]  0 0000     001          0x01  0.001953125  0.1    0.0001953125
"
        ),
        "{shown}"
    );
    let others = rows(dir.path(), &[&line[..], &["--format", "f16,bf16"]].concat());
    let pairs: Vec<_> = others
        .iter()
        .map(|row| (row["to"].as_str().unwrap(), row["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        pairs[2..],
        [("f16", "0x4600"), ("bf16", "0x40c0"), ("f16", "0x0a66"), ("bf16", "0x394d")]
    );
}

/// Every element of every kind of file, by its index.
#[test]
fn elements_of_every_kind_and_order() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x.csv"), "0.5,-0.75\n1e-9,3\n").unwrap();
    // 6-bit codes without gaps: 1, 2, 3, 4, 5.
    fs::write(dir.path().join("x.raw"), [0x81, 0x30, 0x10, 0x05]).unwrap();
    let path = |name: &str| fixture(name).to_string_lossy().into_owned();
    let value = |arguments: &[&str]| rows(dir.path(), arguments)[0]["value"].as_f64().unwrap();
    let grid = ramp(12);
    for (row, column) in [(0, 0), (1, 2), (2, 3)] {
        let index = format!("--index={row},{column}");
        for name in ["c.npy", "fortran.npy", "big.npy", "v2.npy"] {
            if name != "v2.npy" {
                assert_eq!(value(&[&path(name), &index]), grid[row * 4 + column], "{name} {index}");
            }
        }
        for name in ["stored.npz", "deflated.npz"] {
            let found = value(&[&path(name), "--tensor", "weight", &index]);
            assert_eq!(found, grid[row * 4 + column], "{name} {index}");
        }
    }
    assert_eq!(value(&[&path("scalar.npy"), "--tensor", ""]), -0.75);
    assert_eq!(value(&[&path("void2.npy"), "--dtype", "bf16", "--index", "4"]), 0.25);
    assert_eq!(value(&[&path("small.gguf"), "--tensor", "weight", "--index", "2,31"]), 23.0);
    assert_eq!(value(&["x.csv", "--format", "f64", "--index", "0,1"]), -0.75);
    for (index, code) in ["0x01", "0x02", "0x03", "0x04", "0x05"].into_iter().enumerate() {
        let index = format!("--index={index}");
        let row = &rows(dir.path(), &["x.raw", "--from", "e2m3fn", &index])[0];
        assert_eq!(row["code"], code);
    }
    let several = ["--index=2,3", "--index=0,1", "--index=2,3"];
    let deflated = path("deflated.npz");
    let arguments = [&[&*deflated, "--tensor", "weight"], &several[..]].concat();
    let values: Vec<f64> =
        rows(dir.path(), &arguments).iter().map(|row| row["value"].as_f64().unwrap()).collect();
    assert_eq!(values, [grid[11], grid[1], grid[11]]);
}

#[test]
fn what_is_not_there_is_one_line() {
    let dir = weights();
    fs::write(dir.path().join("empty.safetensors"), "").unwrap();
    fs::write(dir.path().join("short.raw"), [0; 3]).unwrap();
    for (code, arguments, what) in [
        (2, "--tensor tile.wieght", "has no tensor 'tile.wieght', did you mean 'tile.weight'?"),
        (2, "--index 0", "holds 14 tensors: add --tensor NAME"),
        (2, "--tensor row --index 1", "--index 1 of 'row' [2, 3] has 1, expected 2 numbers"),
        (2, "--tensor row --index 2,0", "--index 2,0 is outside of 'row' [2, 3]"),
        (2, "--tensor row --index -3,0", "--index -3,0 is outside of 'row' [2, 3]"),
        (2, "--tensor row --index 1,x", "expected whole numbers separated by commas"),
        (2, "--tensor nv_scale_2 --index 0", "expected no number: it has one element"),
        (2, "--tensor row --block-index 2", "--block-index 2 is outside of the 2 blocks of 'row'"),
        (2, "--tensor bias --block-index 0", "'bias' has no scales that are recognised"),
        (2, "--tensor row --index 0,0 --block-index 0", "give one"),
        (2, "--tensor bias --format mxfp4", "has a scale of several numbers"),
        (2, "--tensor ids --format f16", "--format does not go with elements of type I16"),
        (2, "--format f16", "--format is for elements"),
        (2, "--explain", "--explain is for numbers"),
        (2, "--from f16", "--from does not go with safetensors"),
        (2, "1", "numbers and files do not mix"),
        (2, "empty.safetensors", "one file at a time"),
    ] {
        let arguments: Vec<&str> =
            std::iter::once("x.safetensors").chain(arguments.split(' ')).collect();
        inspect(dir.path(), &arguments).ends(code).says(what);
    }
    inspect(dir.path(), &["1", "--tensor", "x"]).ends(2).says("--tensor is for files");
    inspect(dir.path(), &["empty.safetensors"]).ends(3).says("0 bytes are too few");
    inspect(dir.path(), &["no.safetensors"]).ends(4).says("no such file");
    inspect(dir.path(), &["short.raw"]).ends(2).says("add --from FORMAT");
    inspect(dir.path(), &["short.raw", "--from", "f16"]).ends(3).says("not a whole number of f16");
    let q4 = fixture("small.gguf").to_string_lossy().into_owned();
    inspect(dir.path(), &[&q4, "--tensor", "quantized"]).ends(3).says("Q4_0 blocks");
}

#[test]
fn a_faulty_file_is_listed_as_far_as_it_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let header = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"b":{"dtype":"U8"}}"#;
    write_safetensors(&dir.path().join("x.safetensors"), header, b"1234");
    let run = inspect(dir.path(), &["x.safetensors"]).ends(3);
    let run =
        run.says("error: 'x.safetensors': tensor 'b': shape is not a list of sizes (and 2 more)");
    assert_eq!(
        text(run),
        "\
'x.safetensors'   safetensors, 1 tensor, 1 B

tensor  dtype  shape  bytes
a       U8     [1]        1

breaks the specification
! tensor 'b': shape is not a list of sizes
! 1 bytes before tensor 'a' are no tensor's
! 2 bytes follow the last tensor
"
    );
    let json = text(inspect(dir.path(), &["x.safetensors", "--json"]).ends(3));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["options"]["faults"].as_array().unwrap().len(), 3);
    // An array of the wrong length still has elements.
    let mut array = fs::read(fixture("c.npy")).unwrap();
    array.truncate(array.len() - 4);
    fs::write(dir.path().join("c.npy"), array).unwrap();
    inspect(dir.path(), &["c.npy"]).ends(3).says("44 bytes follow the header, fewer than the 48");
    inspect(dir.path(), &["c.npy", "--index", "2,2"]).ends(0);
    inspect(dir.path(), &["c.npy", "--index", "2,3"]).ends(3).says("ends before element 11");
}

#[test]
fn a_folder_says_what_its_index_and_its_shards_disagree_on() {
    let dir = tempfile::tempdir().unwrap();
    let one = |name: &'static str| [(name, "F32", "[1]", f32_bytes(&[1.0]))];
    let shard = |i: usize| format!("model-0000{i}-of-00003.safetensors");
    let [first, stray] = ["a", "stray"].map(one);
    write(&dir.path().join(shard(1)), "", &[first, stray].concat());
    write(&dir.path().join(shard(2)), "", &one("b"));
    let map = [("a", 1), ("gone", 1), ("b", 2), ("y", 3), ("z", 3)];
    let map: Vec<String> =
        map.iter().map(|(name, i)| format!("\"{name}\":\"{}\"", shard(*i))).collect();
    let index = format!("{{\"metadata\":{{}},\"weight_map\":{{{}}}}}", map.join(","));
    fs::write(dir.path().join("model.safetensors.index.json"), index).unwrap();
    let shown = text(inspect(dir.path(), &["."]).ends(3));
    for line in [
        "'.'   folder of 2 files, 3 tensors, 12 B",
        "model-00001-of-00003.safetensors   2 tensors, 8 B",
        "! cannot read './model-00003-of-00003.safetensors': no such file or directory",
        "tensor 'stray' of 'model-00001-of-00003.safetensors' is not in the index",
        "tensor 'gone' is not in 'model-00001-of-00003.safetensors'",
    ] {
        assert!(shown.replace("\n  ", " ").contains(line), "{line}\n{shown}");
    }
    assert!(!shown.contains("'z'"), "{shown}");
    let rows = rows(dir.path(), &[".", "--tensor", "b"]);
    assert_eq!((rows[0]["input"].as_str(), rows[0]["value"].as_f64()), (Some("b[0]"), Some(1.0)));
    fs::remove_file(dir.path().join("model.safetensors.index.json")).unwrap();
    inspect(dir.path(), &["."]).ends(3).says("without model.safetensors");
}

#[test]
fn a_pipe_is_listed_and_has_no_elements_to_pick() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let feed = || {
        let pipe = pipe.clone();
        std::thread::spawn(move || drop(fs::write(pipe, [0, 0x3c])))
    };
    for (arguments, code, what) in [
        (&["pipe", "--from", "f16"][..], 0, ""),
        (&["pipe", "--from", "f16", "--index", "0"], 2, "a stream's elements cannot be picked"),
        (&["pipe"], 2, "add --from FORMAT"),
        (&["pipe", "--input-kind", "safetensors"], 2, "safetensors needs a regular file"),
    ] {
        let writer = feed();
        inspect(dir.path(), arguments).ends(code).says(what);
        writer.join().unwrap();
    }
}

/// Changes each byte of each kind's file: the list and the first elements may fail, and never panic.
#[test]
fn damaged_files_are_survived() {
    let dir = weights();
    let config = Config {
        inputs: Vec::new(),
        formats: Formats::Usual,
        projection: Projection::default(),
        seed: 0,
        explain: false,
    };
    let kinds = ["all.safetensors", "c.npy", "stored.npz", "deflated.npz", "small.gguf"];
    let paths = kinds.map(fixture).into_iter().chain([dir.path().join("x.safetensors")]);
    for from in paths {
        let whole = fs::read(&from).unwrap();
        let path = dir.path().join("damaged").with_extension(from.extension().unwrap());
        for at in 0..whole.len().min(400) {
            for flip in [0x01, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                fs::write(&path, &damaged).unwrap();
                let Ok(source) = open(&path, None, &Hints::default()) else { continue };
                let names: Vec<String> = source.tensors.iter().map(|t| t.name.clone()).collect();
                let files = Files::file(source);
                let listed = file::run(&files, &Focus::default(), &config).unwrap();
                let shown = listed.report.render(Emit::Table, Screen::default());
                assert!(!shown.contains('\u{7}'), "{shown}");
                let Some(name) = names.get(at % names.len().max(1)) else { continue };
                for block in [None, Some(0)] {
                    let focus = Focus { tensor: Some(name.clone()), block, ..Focus::default() };
                    if let Ok(found) = file::run(&files, &focus, &config) {
                        found.report.render(Emit::Table, Screen::default());
                    }
                }
            }
        }
    }
}

/// Reads every element of a tensor by its index, each with its scale, as binary32.
fn elements(dir: &Path, file: &str, tensor: &str, shape: &[usize]) -> Vec<f32> {
    let mut indices = vec![String::from("--index=")];
    for length in shape {
        let longer = |index: &String| {
            let comma = if index.ends_with('=') { "" } else { "," };
            (0..*length).map(|at| format!("{index}{comma}{at}")).collect::<Vec<_>>()
        };
        indices = indices.iter().flat_map(longer).collect();
    }
    let arguments: Vec<&str> =
        [file, "--tensor", tensor].into_iter().chain(indices.iter().map(String::as_str)).collect();
    let number = |row: &Value| {
        let value = &row["value"];
        let number = value.as_f64().map(|x| x as f32);
        number.unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
    };
    rows(dir, &arguments).iter().map(number).collect()
}

#[track_caller]
fn assert_same(what: &str, found: &[f32], expected: &[u8]) {
    let expected: Vec<f32> =
        expected.chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let same = found == expected || (found.is_nan() && expected.is_nan());
        assert!(same, "{what}: element {i} is {found}, expected {expected}");
    }
}

/// One element at a time, from bytes, against the pipeline that reads whole tensors.
#[test]
fn elements_under_scales_are_what_convert_makes_of_them() {
    let dir = folder_with("blocks.safetensors");
    for target in [
        "mxfp8_e4m3",
        "mxfp8_e5m2/axis:0",
        "mxfp6_e3m2",
        "mxfp6_e2m3/block:5",
        "mxfp4",
        "mxfp4/block:7",
        "mxint8",
        "nvfp4",
        "e4m3fn/tensor",
        "e4m3fn/channel",
        "e4m3fn/tile:2x16",
    ] {
        let arguments = ["blocks.safetensors", "--to", target, "--force", "-o", "q.safetensors"];
        convert(dir.path(), &arguments).ends(0);
        let back = ["q.safetensors", "--to", "f32", "--force", "-o", "back.safetensors"];
        convert(dir.path(), &back).ends(0);
        let model = Model::read(&dir.path().join("back.safetensors"));
        for weight in ["odd", "cube", "short", "special"] {
            let (_, shape, bytes) = model.tensor(weight);
            let found = elements(dir.path(), "q.safetensors", weight, &shape);
            assert_same(&format!("{target} {weight}"), &found, &bytes);
        }
    }
}

#[test]
fn blocks_of_gguf_are_what_the_gguf_package_makes_of_them() {
    let expected = Model::read(&fixture("blocks_expected.safetensors"));
    let path = fixture("blocks.gguf").to_string_lossy().into_owned();
    let dir = tempfile::tempdir().unwrap();
    for name in ["mx.weight", "nv.weight", "scaled.weight"] {
        let (_, shape, bytes) = expected.tensor(&format!("gguf:{name}"));
        assert_same(name, &elements(dir.path(), &path, name, &shape), &bytes);
    }
    let shown = text(inspect(dir.path(), &[&path, "--tensor", "nv.weight", "--block-index", "1"]));
    let title = "nv.weight   NVFP4, nvfp4 (ggml) [2, 192]; 16 elements of block 1 of 24\n\nblock 1   scale ";
    assert!(shown.starts_with(title), "{shown}");
}
