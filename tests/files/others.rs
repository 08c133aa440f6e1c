//! GGUF, raw elements and text.

use std::io::Cursor;

use fpx::{
    codec::Unpacked,
    container::{Element, Feed, Hints, Packing, by_name, open, open_stream},
    format::{self, BF16, F16, F32, F64, catalogue as c},
};

use crate::util::{bytes, codes, convert, names, ramp, sound, values};

#[test]
fn reads_what_the_gguf_package_writes() {
    let source = sound("small.gguf");
    assert_eq!(names(&source), ["weight", "half", "brain", "double", "ids", "quantized"]);
    for (i, format, shape) in
        [(0, &F32, &[3, 32][..]), (1, &F16, &[2, 4]), (2, &BF16, &[2, 4]), (3, &F64, &[4])]
    {
        let tensor = &source.tensors[i];
        assert_eq!(
            (tensor.dtype.to_lowercase(), &tensor.shape[..]),
            (format.name().to_owned(), shape)
        );
        let bytes = bytes(&source, i);
        let found = values(format, &codes(&bytes, 8 * format.storage_bytes()));
        assert_eq!(found, ramp(found.len()), "{}", tensor.name);
    }
    assert_eq!(codes(&bytes(&source, 4), 32), [0, 1, 2, 3, 4]);
    let quantized = &source.tensors[5];
    let Element::Unreadable(why) = &quantized.element else { panic!("{quantized:?}") };
    assert_eq!((quantized.bytes, why.contains("Q4_0")), (Some(2 * 18), true));
}

/// The types of ggml that fpx does not convert: number, name, elements and bytes of a block.
const QUANTIZED: [(u32, &str, u64, usize); 25] = [
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (9, "Q8_1", 32, 40),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (29, "IQ1_M", 256, 56),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (41, "Q1_0", 128, 18),
    (5, "unknown ggml type 5", 32, 24),
];

/// Writes a GGUF file with a tensor `t` of one block.
fn write_gguf(path: &std::path::Path, (kind, _, elements, bytes): (u32, &str, u64, usize)) {
    let mut file = b"GGUF".to_vec();
    file.extend(3u32.to_le_bytes());
    file.extend([1u64, 0, 1].map(u64::to_le_bytes).concat());
    file.extend(b"t");
    file.extend(1u32.to_le_bytes());
    file.extend(elements.to_le_bytes());
    file.extend(kind.to_le_bytes());
    file.extend(0u64.to_le_bytes());
    file.resize(file.len().next_multiple_of(32) + bytes, 0);
    std::fs::write(path, file).unwrap();
}

#[test]
fn quantized_types_of_gguf_are_named_and_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.gguf");
    for row in QUANTIZED {
        write_gguf(&path, row);
        let refused = convert(dir.path(), &["x.gguf", "--to", "f16", "-o", "y.safetensors"]);
        refused.ends(3).says(row.1);
    }
    for row in [(39, "MXFP4", 32, 17), (40, "NVFP4", 64, 36), (28, "F64", 1, 8)] {
        write_gguf(&path, row);
        let to = ["x.gguf", "--to", "f16", "--include", "*", "--force", "-o", "y.safetensors"];
        convert(dir.path(), &to).ends(0);
        let mut short = std::fs::read(&path).unwrap();
        short.pop();
        std::fs::write(&path, short).unwrap();
        convert(dir.path(), &to).ends(3).says("beyond the end");
    }
}

#[test]
fn raw_elements_are_counted_by_their_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.bin");
    std::fs::write(&path, [0; 12]).unwrap();
    let count = |format: &format::Format, packing| {
        let hints = Hints { from: Some(format.clone()), packing, ..Hints::default() };
        open(&path, None, &hints).map(|source| source.tensors[0].shape[0])
    };
    for (format, packing, elements) in [
        (&F64, Packing::Dense, None),
        (&F32, Packing::Dense, Some(3)),
        (&c::TF32, Packing::Dense, Some(3)),
        (&c::FP24, Packing::Dense, Some(3)),
        (&F16, Packing::Dense, Some(6)),
        (&c::E4M3FN, Packing::Byte, Some(12)),
        (&c::UE4M3, Packing::Dense, Some(12)),
        (&c::E2M3FN, Packing::Dense, Some(16)),
        (&c::E2M3FN, Packing::Byte, Some(12)),
        (&c::E2M1FN, Packing::Dense, Some(24)),
        (&c::E2M1FN, Packing::Byte, Some(12)),
        (&c::X87_80, Packing::Dense, None),
    ] {
        assert_eq!(count(format, packing).ok(), elements, "{format}");
    }
    let error = open(&path, None, &Hints::default()).unwrap_err().to_string();
    assert!(error.contains("--from"), "{error}");
    let error = count(&F64, Packing::Dense).unwrap_err().to_string();
    assert!(
        error.ends_with("12 bytes are not a whole number of f64 elements of 8 bytes"),
        "{error}"
    );
}

fn rows(kind: &str, text: &'static str) -> Result<Vec<Unpacked>, String> {
    let kind = by_name(kind).unwrap();
    let stream = Box::new(Cursor::new(text));
    let source = open_stream("-".as_ref(), stream, kind, &Hints::default()).unwrap();
    let Feed::Numbers(mut numbers) = source.feed(0).unwrap() else { panic!("no numbers") };
    let mut row = Vec::new();
    while numbers.next_row(&mut row).map_err(|error| error.to_string())? {}
    assert!(source.feed(0).is_err(), "a stream is read once");
    Ok(row)
}

#[test]
fn text_is_rows_of_numbers() {
    let expected: Vec<Unpacked> = [0.5, -2.0, 0.25, 4.0].map(Unpacked::from_f64).to_vec();
    for (kind, text) in [
        ("text", "0.5\n-2\n\n# a comment\n1/4\n0x1p2"),
        ("text", "0.5 -2 # half\r\n  1/4\t4.0\r\n"),
        ("csv", "0.5,-2\n 1/4 , 4e0\n"),
    ] {
        assert_eq!(rows(kind, text).as_ref(), Ok(&expected), "{text}");
    }
    for (text, what) in [
        ("1\n2\nx\n", "'-': line 3: "),
        ("1,2\n3\n", "'-': line 2: 1 numbers, where the first row has 2"),
        ("1,,2\n", "'-': line 1: "),
        ("0x3c00\n", "'-': line 1: "),
    ] {
        let error = rows("csv", text).unwrap_err();
        assert!(error.starts_with(what), "{text}: {error}");
    }
}

#[test]
fn a_text_file_has_a_shape() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, shape) in [
        ("a.txt", "1\n2\n3", vec![3]),
        ("b.csv", "1,2\n3,4\n5,6\n", vec![3, 2]),
        ("c.txt", "", vec![0]),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let source = open(&path, None, &Hints::default()).unwrap();
        assert_eq!(source.tensors[0].shape, shape, "{name}");
    }
}
