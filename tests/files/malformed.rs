//! Headers that break their specification: one line that says what is wrong, no panic, no memory.

use std::path::Path;

use fpx::container::{Hints, open};

use crate::util::{fixture, write_safetensors};

/// Returns the error of a file that must be refused.
fn refusal(path: &Path) -> String {
    let opened = open(path, None, &Hints::default()).and_then(fpx::container::Source::sound);
    let error = opened.expect_err("it is refused").to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

#[test]
fn safetensors_headers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let one = |fields: &str| format!("{{\"a\":{{{fields}}}}}");
    for (header, what) in [
        (String::new(), "the header is not JSON"),
        ("[]".to_owned(), "expected an object"),
        ("{\"a\":3}".to_owned(), "expected an object"),
        (one(""), "'a': dtype is not a string"),
        (one(r#""dtype":4,"shape":[],"data_offsets":[0,4]"#), "'a': dtype is not a string"),
        (one(r#""dtype":"F32","shape":3,"data_offsets":[0,4]"#), "'a': shape is not a list of sizes"),
        (one(r#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#), "'a': shape is not a list of sizes"),
        (one(r#""dtype":"F32","shape":[1.5],"data_offsets":[0,4]"#), "'a': shape is not a list of sizes"),
        (one(r#""dtype":"F32","shape":[1],"data_offsets":[0]"#), "data_offsets is not a list of two"),
        (one(r#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#), "data_offsets [4, 0] do not lie"),
        (one(r#""dtype":"F32","shape":[2],"data_offsets":[0,8]"#), "data_offsets [0, 8] do not lie in the 4"),
        (one(r#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#), "F32 [2] needs 8 bytes, data_offsets give 4"),
        (one(r#""dtype":"F4","shape":[3],"data_offsets":[0,4]"#), "3 elements of 4 bits do not fill whole bytes"),
        (one(r#""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]"#), "overflows"),
        (one(r#""dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]"#), "the key 'dtype' occurs twice"),
        (one(r#""dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1"#), "unknown key 'x'"),
        (
            r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#.to_owned(),
            "the name 'a' occurs twice",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#.to_owned(),
            "tensor 'b' overlaps",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#.to_owned(),
            "1 bytes before tensor 'b' are no tensor's",
        ),
        (one(r#""dtype":"U8","shape":[3],"data_offsets":[0,3]"#), "1 bytes follow the last tensor"),
        ("{}".to_owned(), "4 bytes follow the last tensor"),
        (
            format!(" {}", one(r#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#)),
            "the header does not begin with '{'",
        ),
        (
            r#"{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_owned(),
            "metadata: 'k' is no string",
        ),
        (
            r#"{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.to_owned(),
            "metadata: the key 'k' occurs twice",
        ),
    ] {
        write_safetensors(&path, &header, b"\0\0\x80\x3f");
        let error = refusal(&path);
        assert!(error.contains(what), "{header}\n  gives {error}\n  expected {what}");
    }
}

#[test]
fn every_fault_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let header = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"b":{"dtype":"U8"}}"#;
    write_safetensors(&path, header, b"1234");
    let source = open(&path, None, &Hints::default()).unwrap();
    assert_eq!(
        source.faults,
        [
            "tensor 'b': shape is not a list of sizes",
            "1 bytes before tensor 'a' are no tensor's",
            "2 bytes follow the last tensor",
        ]
    );
    assert!(refusal(&path).ends_with("(and 2 more: 'fpx inspect' lists them)"));
}

#[test]
fn lengths_beyond_the_limits_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let file = std::fs::File::create(&path).unwrap();
    // A sparse file with room for its header of 10 GB.
    file.set_len(10_000_000_100).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &10_000_000_000u64.to_le_bytes(), 0).unwrap();
    let error = refusal(&path);
    assert!(error.contains("10000000000") && error.contains("MAX_HEADER_BYTES"), "{error}");
    std::os::unix::fs::FileExt::write_all_at(&file, &99_999_999u64.to_le_bytes(), 0).unwrap();
    file.set_len(64).unwrap();
    let error = refusal(&path);
    assert!(error.contains("99999999") && error.contains("64"), "{error}");
    let name = "n".repeat(70_000);
    let header = format!(r#"{{"{name}":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}}"#);
    write_safetensors(&path, &header, b"1");
    assert!(refusal(&path).contains("MAX_NAME_BYTES"));
    let ones = vec!["1"; 65].join(",");
    let header = format!(r#"{{"a":{{"dtype":"U8","shape":[{ones}],"data_offsets":[0,1]}}}}"#);
    write_safetensors(&path, &header, b"1");
    assert!(refusal(&path).contains("MAX_DIMENSIONS"));
}

#[test]
fn more_tensors_and_longer_lines_than_the_limits_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.gguf");
    let mut header = b"GGUF".to_vec();
    header.extend(3u32.to_le_bytes());
    header.extend([1_000_001u64, 0].map(u64::to_le_bytes).concat());
    std::fs::write(&path, header).unwrap();
    assert!(refusal(&path).contains("1000001, above the limit MAX_TENSORS"));
    let path = dir.path().join("x.txt");
    std::fs::write(&path, "1 ".repeat(1 << 20)).unwrap();
    assert!(refusal(&path).contains("MAX_LINE_BYTES"));
    let path = dir.path().join("x.npy");
    let mut header = b"\x93NUMPY\x02\x00".to_vec();
    header.extend(200_000_000u32.to_le_bytes());
    std::fs::write(&path, header).unwrap();
    assert!(refusal(&path).contains("MAX_HEADER_BYTES"));
}

#[test]
fn shapes_that_overflow_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let half = 1u64 << 63;
    let header = format!(r#"{{"a":{{"dtype":"U8","shape":[{half},4],"data_offsets":[0,1]}}}}"#);
    write_safetensors(&path, &header, b"1");
    assert!(refusal(&path).contains("overflows"));
    let path = dir.path().join("x.npy");
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({half}, 4), }}");
    let mut array = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    array.extend(format!("{header:<117}\n").bytes());
    std::fs::write(&path, array).unwrap();
    assert!(refusal(&path).contains(&half.to_string()), "{}", refusal(&path));
}

#[test]
fn names_cannot_break_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    write_safetensors(&path, r#"{"a\n\u001b[2J":{"dtype":3}}"#, b"");
    let error = refusal(&path);
    assert!(error.contains(r"'a\n\u{1b}[2J'"), "{error}");
}

/// Cuts each kind's fixture at every byte: what is left is refused, whatever is missing.
#[test]
fn truncated_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["all.safetensors", "c.npy", "v2.npy", "stored.npz", "deflated.npz", "small.gguf"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let path = dir.path().join(name);
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            // The padding after the last tensor of a GGUF file is not needed.
            let padding = name == "small.gguf" && length >= whole.len() - 28;
            if !padding {
                refusal(&path);
            }
        }
    }
}

/// Changes each byte of each kind's header: nothing may panic.
#[test]
fn damaged_files_never_panic() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["all.safetensors", "c.npy", "stored.npz", "deflated.npz", "small.gguf"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let path = dir.path().join(name);
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                std::fs::write(&path, &damaged).unwrap();
                if let Ok(source) = open(&path, None, &Hints::default()) {
                    for index in 0..source.tensors.len() {
                        let _ = source.feed(index);
                    }
                }
            }
        }
    }
}

#[test]
fn pickled_and_foreign_arrays_are_refused_or_opaque() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let write = |dictionary: &str, data: &[u8]| {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend(u16::try_from(dictionary.len()).unwrap().to_le_bytes());
        file.extend(dictionary.as_bytes());
        file.extend(data);
        std::fs::write(&path, file).unwrap();
    };
    for (dictionary, what) in [
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
            "4 bytes follow the header, fewer than the 8",
        ),
        (
            "{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }",
            "4 bytes follow the header, more than the 2",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
            "overflows",
        ),
        ("{'descr': '<f4', 'shape': (1,), }", "the key 'fortran_order' is missing"),
    ] {
        write(dictionary, &[0; 4]);
        let error = refusal(&path);
        assert!(error.contains(what), "{error}");
    }
    write("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", &[0; 4]);
    let source = open(&path, None, &Hints::default()).unwrap();
    let element = &source.tensors[0].element;
    assert!(format!("{element:?}").contains("pickled"), "{element:?}");
}
