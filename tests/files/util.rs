//! What the tests of files share.

use std::{
    fs,
    io::Read,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use fpx::{
    codec::decode,
    container::{Feed, Hints, Source, Tensor, open},
    format::Format,
};

/// Returns the path of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files").join(name)
}

/// Opens a fixture that has no faults.
pub(crate) fn sound(name: &str) -> Source {
    open(&fixture(name), None, &Hints::default()).unwrap().sound().unwrap()
}

/// Reads the bytes of a tensor.
pub(crate) fn bytes(source: &Source, index: usize) -> Vec<u8> {
    let length = usize::try_from(source.tensors[index].bytes.unwrap()).unwrap();
    let mut bytes = vec![0; length];
    match source.feed(index).unwrap() {
        Feed::At(file, offset) => file.read_exact_at(&mut bytes, offset).unwrap(),
        Feed::Stream(mut stream) => stream.read_exact(&mut bytes).unwrap(),
        Feed::Numbers(_) => panic!("text has no bytes"),
    }
    bytes
}

/// Returns the codes in little-endian bytes, or packed densely in less than a byte each.
pub(crate) fn codes(bytes: &[u8], bits: usize) -> Vec<u128> {
    (0..bytes.len() * 8 / bits)
        .map(|i| {
            (0..bits).fold(0, |code, bit| {
                let at = i * bits + bit;
                code | u128::from(bytes[at / 8] >> (at % 8) & 1) << bit
            })
        })
        .collect()
}

/// Returns the values of codes.
pub(crate) fn values(format: &Format, codes: &[u128]) -> Vec<f64> {
    codes.iter().map(|&code| decode(format, code).to_f64()).collect()
}

/// The content of the fixtures: (i − 3) / 4.
pub(crate) fn ramp(elements: usize) -> Vec<f64> {
    (0..elements).map(|i| (i as f64 - 3.0) / 4.0).collect()
}

/// Writes a safetensors file from the text of its header.
pub(crate) fn write_safetensors(path: &Path, header: &str, data: &[u8]) {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    fs::write(path, file).unwrap();
}

/// Returns the names of a source's tensors.
pub(crate) fn names(source: &Source) -> Vec<&str> {
    source.tensors.iter().map(|tensor: &Tensor| tensor.name.as_str()).collect()
}
