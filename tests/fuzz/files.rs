//! Headers of tensor files.

use std::{
    fs,
    io::{BufRead as _, Read, Write as _},
    path::{Path, PathBuf},
};

use fpx::container::{
    Body, ContainerError, Feed, Hints, Source, Tensor, by_name,
    companion::{self, Scaled},
    elements, open,
};

use crate::{
    campaign::{Campaign, assert_is_a_line},
    mutate::Kind,
};

/// Bytes of a tensor that are read.
const READ: u64 = 1 << 20;
/// What a header of a few kilobytes may hold in memory.
const MAX_BYTES: usize = 4 << 20;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files");
    fs::read(folder.join(name)).unwrap()
}

/// A file of a kind that damaged inputs are written to.
struct Target {
    _folder: tempfile::TempDir,
    path: PathBuf,
    kind: &'static str,
}

impl Target {
    fn new(kind: &'static str) -> Self {
        // In memory where that is possible: each case is a file.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.into() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(parent).unwrap();
        let path = folder.path().join("damaged");
        Self { _folder: folder, path, kind }
    }

    /// Reads an input as far as it can be read; whether it is sound.
    fn read(&self, input: &[u8]) -> bool {
        fs::File::create(&self.path).unwrap().write_all(input).unwrap();
        match open(&self.path, by_name(self.kind), &Hints::default()) {
            Ok(source) => Self::check(source, input.len() as u64),
            Err(error) => refused(&error),
        }
    }

    fn check(source: Source, length: u64) -> bool {
        source.faults.iter().for_each(|fault| assert_is_a_line(fault));
        let source = match source.sound() {
            Ok(source) => source,
            Err(error) => return refused(&error),
        };
        for (index, tensor) in source.tensors.iter().enumerate() {
            assert!(elements(&tensor.shape).is_some(), "{tensor:?} has too many elements");
            let bytes = tensor.bytes.unwrap();
            if matches!(source.body, Body::File(_)) {
                let end = tensor.offset.checked_add(bytes);
                assert!(end.is_some_and(|end| end <= length), "{tensor:?} ends beyond {length}");
            }
            match source.feed(index) {
                Ok(Feed::At(..)) => {}
                Ok(Feed::Stream(stream)) => read_through(stream, bytes),
                Ok(Feed::Numbers(mut numbers)) => {
                    while numbers.next_row(&mut Vec::new()).unwrap() {}
                }
                Err(error) => drop(refused(&error)),
            }
        }
        let parts = [source];
        let all = &parts[0].tensors;
        let pairs = companion::pairs(&parts, all);
        companion::faults(&parts, all, &pairs).iter().flatten().for_each(|it| assert_is_a_line(it));
        for (tensor, scaled) in all.iter().zip(pairs) {
            if let Some(scaled) = scaled {
                Self::check_pair(all, tensor, &scaled);
            }
        }
        true
    }

    /// A weight and its scales have the bytes that are read of them.
    fn check_pair(all: &[Tensor], tensor: &Tensor, scaled: &Scaled) {
        let count = elements(&scaled.shape).expect("a number of elements");
        let bytes = scaled.span.bytes(&(0..count)).expect("a tensor ends on a byte");
        assert_eq!(Some(bytes.end - bytes.start), tensor.bytes, "{scaled:?}");
        assert_eq!(scaled.grouping.elements(), count, "{scaled:?}");
        let scales = scaled.scale_storage.bytes(scaled.grouping.scales());
        assert!(count == 0 || scales <= all[scaled.scale].bytes, "{scaled:?}");
    }
}

fn refused(error: &ContainerError) -> bool {
    assert_is_a_line(&error.to_string());
    false
}

/// Reads a tensor of an archive: as many bytes as its header says, or an error.
fn read_through(stream: impl Read, bytes: u64) {
    let mut limited = std::io::BufReader::new(stream.take(READ));
    let mut count = 0;
    loop {
        match limited.fill_buf() {
            Ok([]) => break assert_eq!(count, bytes.min(READ), "bytes of a member"),
            Ok(piece) => {
                let length = piece.len();
                count += length as u64;
                limited.consume(length);
            }
            Err(error) => break assert_is_a_line(&error.to_string()),
        }
    }
}

/// Runs a kind until its cases are through and a thousand of them were refused.
fn campaign(kind: &'static str, seeds: &[Vec<u8>], words: &[&str], header: usize) {
    let target = Target::new(kind);
    let campaign =
        Campaign { kind: Kind { seeds, words, header }, cases: 4000, max_bytes: MAX_BYTES };
    let (taken, refused) = campaign.run(|input| target.read(input));
    let all = std::env::var_os("FPX_FUZZ_CASE").is_none();
    assert!(!all || (refused >= 1000 && taken >= 10), "{kind}: {taken} taken, {refused} refused");
}

/// A safetensors file from the text of its header.
fn safetensors_file(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + data, 0x3f);
    file
}

#[test]
fn safetensors() {
    let seeds = [
        fixture("all.safetensors"),
        safetensors_file("{}", 0),
        safetensors_file(
            r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#,
            8,
        ),
        safetensors_file(
            r#"{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]},"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[2,5]}}"#,
            5,
        ),
        safetensors_file(
            r#"{"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"b":{"dtype":"C64","shape":[0,3],"data_offsets":[2,2]}}"#,
            2,
        ),
        safetensors_file(
            r#"{"__metadata__":{"fpx.format":"mxfp4,nvfp4","fpx.tensors":"{\"a_blocks\":{\"format\":\"mxfp4\",\"shape\":[2,33]}}"},"a_blocks":{"dtype":"U8","shape":[2,2,16],"data_offsets":[0,64]},"a_scales":{"dtype":"U8","shape":[2,2],"data_offsets":[64,68]},"b":{"dtype":"U8","shape":[2,16],"data_offsets":[68,100]},"b_scale":{"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[100,104]},"b_scale_2":{"dtype":"F32","shape":[],"data_offsets":[104,108]}}"#,
            108,
        ),
        safetensors_file(
            r#"{"a":{"dtype":"I8","shape":[2,33],"data_offsets":[0,66]},"a_scale":{"dtype":"F8_E8M0","shape":[2,2],"data_offsets":[66,70]},"b":{"dtype":"F8_E4M3","shape":[3,40],"data_offsets":[70,190]},"b_scale":{"dtype":"F32","shape":[3,1],"data_offsets":[190,202]}}"#,
            202,
        ),
        safetensors_file(&format!("{{\"a\":{}", "[".repeat(3000)), 0),
    ];
    let words = [
        "\"dtype\":",
        "\"shape\":",
        "\"data_offsets\":",
        "\"F32\"",
        "\"F8_E4M3\"",
        "\"F8_E8M0\"",
        "\"U8\"",
        "\"I64\"",
        "a_scale",
        "mxfp4/block:5",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "-1",
        "1e9",
        "0.5",
        "\"a\":",
        "\\u0000",
        "\\ud800",
        "__metadata__",
        "18446744073709551615",
        "é",
        "\u{1b}[2J",
        "\u{202e}",
    ];
    campaign("safetensors", &seeds, &words, 3000);
}

/// An `.npy` file from the text of its dictionary.
fn npy_file(version: u8, dictionary: &str, data: usize) -> Vec<u8> {
    let size = (dictionary.len() as u64).to_le_bytes();
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    file.extend(&size[..if version == 1 { 2 } else { 4 }]);
    file.extend(dictionary.as_bytes());
    file.resize(file.len() + data, 0x3f);
    file
}

const NPY_WORDS: [&str; 28] = [
    "'descr':",
    "'shape':",
    "'fortran_order':",
    "True",
    "False",
    "'<f4'",
    "'>f8'",
    "'|V2'",
    "'|O'",
    "'<U3'",
    "'<M8[ns]'",
    "'<f16'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    "\"",
    "L",
    "-1",
    "18446744073709551616",
    "9223372036854775808",
    "é",
    "\n",
    "\u{1b}[2J",
];

#[test]
fn npy() {
    let seeds = [
        fixture("c.npy"),
        fixture("fortran.npy"),
        fixture("big.npy"),
        fixture("scalar.npy"),
        fixture("v2.npy"),
        fixture("v3.npy"),
        fixture("void2.npy"),
        npy_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8),
        npy_file(2, "{'descr': '<U3', 'fortran_order': False, 'shape': (2L, 0), }", 0),
        npy_file(
            3,
            "{'descr': [('a', '<f4'), ('b', '<i8', (2,))], 'fortran_order': True, 'shape': (1,), }",
            20,
        ),
        npy_file(1, &format!("{{'descr': {}", "[(".repeat(3000)), 0),
    ];
    campaign("npy", &seeds, &NPY_WORDS, 200);
}

#[test]
fn npz() {
    let seeds = [
        fixture("stored.npz"),
        fixture("deflated.npz"),
        b"PK\x05\x06".repeat(12),
        b"PK\x05\x06P".to_vec(),
    ];
    let words = [
        "PK\u{1}\u{2}",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
        "PK\u{6}\u{6}",
        "PK\u{6}\u{7}",
        ".npy",
        "\u{1}\0\u{10}\0",
    ];
    campaign("npz", &seeds, &[&words[..], &NPY_WORDS].concat(), usize::MAX);
}

#[test]
fn gguf() {
    let whole = fixture("small.gguf");
    let mut deep = b"GGUF\x03\0\0\0".to_vec();
    deep.extend([0; 8]);
    deep.extend(1u64.to_le_bytes());
    deep.extend(b"\x01\0\0\0\0\0\0\0k\x09\0\0\0");
    deep.extend(b"\x09\0\0\0\xff\xff\xff\xff\xff\xff\xff\x0f".repeat(200));
    let seeds = [
        whole.clone(),
        whole[..whole.len() / 2].to_vec(),
        deep,
        b"GGUF\x03\0\0\0".repeat(4),
        fixture("blocks.gguf"),
    ];
    let words = [
        "general.alignment",
        "\u{4}\0\0\0",
        "\u{8}\0\0\0",
        "\u{9}\0\0\0",
        "\0\0\0\0\0\0\0\0",
        "\u{1}\0\0\0\0\0\0\0",
        "\u{11}\0\0\0\0\0\0\0general.alignment\u{4}\0\0\0\0\0\0\0",
        "weight",
        "GGUF",
        "\u{1b}[2J",
    ];
    campaign("gguf", &seeds, &words, 600);
}

#[test]
fn text_and_csv() {
    let seeds = [
        "1 2 3\n4 5 6\n",
        "1,2\r\n-0x1p3,nan\r\n",
        "# x\n\n1\n",
        "1e400\n2^-24\n1/3",
        "\u{feff}1\n",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec());
    let words =
        [",", " ", "\n", "\r\n", "#", "inf", "nan", "0x", "max", "\u{0}", "\u{1b}[2J", "é", "1e99"];
    campaign("text", &seeds, &words, usize::MAX);
    campaign("csv", &seeds, &words, usize::MAX);
}

/// Files of megabytes whose parsed form would be many times as large.
#[test]
fn bombs() {
    let entries = |entry: &str| {
        let text: Vec<String> =
            (0..2_000_000).map(|i| entry.replace('@', &i.to_string())).collect();
        safetensors_file(&format!("{{{}}}", text.join(",")), 0)
    };
    let zeros = "0,".repeat(4_000_000);
    let cases = [
        ("safetensors", entries("\"@\":{}")),
        (
            "safetensors",
            safetensors_file(
                &format!(r#"{{"a":{{"dtype":"F32","shape":[{zeros}0],"data_offsets":[0,0]}}}}"#),
                0,
            ),
        ),
        ("safetensors", safetensors_file(&format!(r#"{{"a":{{"x":[{zeros}0]}}}}"#), 0)),
        ("safetensors", safetensors_file(&format!(r#"{{"__metadata__":{{"x":[{zeros}0]}}}}"#), 0)),
        (
            "npy",
            npy_file(
                2,
                &format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({zeros})}}"),
                0,
            ),
        ),
        ("csv", zeros.into_bytes()),
    ];
    for (kind, file) in cases {
        let target = Target::new(kind);
        let (seeds, bytes) = ([file], 128 << 20);
        let kind = Kind { seeds: &seeds, words: &[""], header: 0 };
        let campaign = Campaign { kind, cases: 0, max_bytes: bytes };
        campaign.run(|input| target.read(input));
    }
}
