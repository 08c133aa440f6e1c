//! IDX files, raw and gzipped.

use std::{io::Write as _, path::Path};

use fpx::train::data::idx::{parse, unpacked};

use crate::{
    campaign::{Campaign, assert_is_a_line},
    meter::measure,
    mutate::Kind,
};

/// The bytes of an IDX file of these dimensions.
fn idx(kind: u8, dimensions: &[u32], elements: usize) -> Vec<u8> {
    let mut file = vec![0, 0, kind, u8::try_from(dimensions.len()).unwrap()];
    file.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    file.extend((0..elements).map(|i| u8::try_from(i % 251).unwrap()));
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn read(bytes: &[u8]) -> bool {
    let path = Path::new("x-idx3-ubyte");
    let result = unpacked(bytes.to_vec(), path).and_then(|bytes| parse(&bytes, path));
    match result {
        Ok(idx) => {
            assert_eq!(idx.dimensions.iter().product::<usize>(), idx.elements.len());
            true
        }
        Err(error) => {
            assert_is_a_line(&error.to_string());
            false
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let images = idx(8, &[3, 4, 5], 60);
    vec![
        gzip(&images),
        images,
        idx(8, &[7], 7),
        idx(8, &[], 1),
        idx(8, &[0, u32::MAX, u32::MAX, u32::MAX], 0),
        idx(8, &[u32::MAX; 3], 9),
        idx(8, &[1; 255], 1),
        idx(13, &[2], 8),
    ]
}

#[test]
fn headers() {
    let seeds = seeds();
    let kind = Kind { seeds: &seeds, words: &["\0", "\u{8}", "\0\0\u{8}\u{3}"], header: 64 };
    let campaign = Campaign { kind, cases: 20_000, max_bytes: 1 << 20 };
    let (taken, refused) = campaign.run(read);
    assert!(taken > 100 && refused > 1000, "{taken} taken, {refused} refused");
}

/// Sixteen megabytes of zeros in sixteen kilobytes, which say that they are more or fewer.
#[test]
fn gzip_bombs_are_refused() {
    let mut bomb = gzip(&vec![0; 16 << 20]);
    let end = bomb.len() - 4;
    let mut refusal = |length: u32| {
        bomb[end..].copy_from_slice(&length.to_le_bytes());
        let (error, spent) = measure(|| unpacked(bomb.clone(), Path::new("bomb.gz")).unwrap_err());
        assert!(spent.bytes < 1 << 20, "{} bytes", spent.bytes);
        error.to_string()
    };
    assert!(refusal(u32::MAX).contains("MAX_DATA_BYTES"));
    assert!(refusal(60).contains("not the 60 bytes it says"));
}
