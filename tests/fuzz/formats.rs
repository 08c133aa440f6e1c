//! The format grammar and its words.

use fpx::{
    block::spec::Spec,
    codec::{Projection, Unpacked, decode, project},
    format::{CATALOGUE, Format, parse},
    text::render,
};

use crate::{
    campaign::{Campaign, assert_is_a_line},
    mutate::Kind,
};

const SEEDS: [&str; 43] = [
    "e3m0:ieee",
    "e1m2:inf",
    "e4m3:bias=-2147483648",
    "e4m3:bias=11:fnuz",
    "e5m10:fn",
    "e3m3:finite",
    "e4m3:unsigned",
    "e5m2:nosub",
    "5+11",
    "0+0",
    "e0m0",
    "e1m0",
    "e15m112",
    "e15m112:bias=65536",
    "e1m0:unsigned",
    "e8m0:bias=-65536",
    "e4m3:nan=zero:inf",
    "e4m3:noinf:nan=none:nonegzero",
    "fp24:nosub",
    "binary8p3se",
    "binary16p16uf",
    "binary3p1sf",
    "e4m3",
    "fp8",
    "F8_E4M3",
    "torch.float8_e4m3fn",
    "numpy.float32",
    "tl.fp8e4b15",
    "x87-80:fn",
    "mxfp4",
    "mxfp8_e5m2/even",
    "nvfp4/scale:0.25",
    "nvfp4/scale:0x1p-3",
    "e4m3fn/tensor",
    "e4m3fn/tile:128x128",
    "e4m3fn/channel/rtz",
    "bf16/sr:8",
    "mxint8/block:64/axis:-2/rceil",
    "f16/sr:0",
    "e4m3fn/tile:0x0",
    "mxfp4/block:0",
    "e2m1fn/block:32",
    "e5m2:fn:ieee:inf",
];

const WORDS: [&str; 44] = [
    "e",
    "m",
    ":",
    "/",
    "bias=",
    "-",
    "+",
    "_",
    "fn",
    "fnuz",
    "ieee",
    "finite",
    "unsigned",
    "nosub",
    "inf",
    "noinf",
    "nan=ones",
    "nan=zero",
    "nan=none",
    "nonegzero",
    "binary",
    "p",
    "s",
    "u",
    "0",
    "1",
    "16",
    "4294967296",
    "-2147483648",
    "2147483647",
    "tensor",
    "tile:",
    "x",
    "block:",
    "axis:",
    "scale:",
    "sr",
    "rtz",
    "floor",
    "1e-50",
    " ",
    "é",
    "float",
    "\n",
];

/// Asks everything of a format that a report asks.
fn use_it(format: &Format) {
    let name = format.to_string();
    let again = parse(&name).unwrap_or_else(|error| panic!("{name} is not read back: {error}"));
    assert_eq!(again.format, *format, "{name} is read back as another format");
    let codes = [0, 1, format.largest_finite(), format.least_positive(), format.code_mask()];
    for code in codes {
        let x = decode(format, code & format.code_mask());
        assert!(!render::hex_float(&x).is_empty());
    }
    let one = project(format, &Projection::default(), &Unpacked::scaled(false, 1, 0));
    assert!(one.code <= format.code_mask());
    let shortest = render::value(format, one.code);
    assert!(!shortest.is_empty());
}

fn read(text: &str) -> bool {
    let as_line = |message: String| {
        // A name comes from the command line: its own control characters are escaped where it is printed.
        if !text.chars().any(char::is_control) {
            assert_is_a_line(&message);
        }
    };
    match parse(text) {
        Ok(parsed) => use_it(&parsed.format),
        Err(error) => as_line(error.to_string()),
    }
    match text.parse::<Spec>() {
        Ok(spec) => {
            let name = spec.to_string();
            let again: Spec =
                name.parse().unwrap_or_else(|error| panic!("{name} is not read back: {error}"));
            assert_eq!(Spec { note: None, ..again }, Spec { note: None, ..spec }, "{name}");
            true
        }
        Err(error) => {
            as_line(error.to_string());
            false
        }
    }
}

#[test]
fn names_and_words() {
    let seeds: Vec<Vec<u8>> = CATALOGUE
        .iter()
        .map(|row| row.format.name())
        .chain(SEEDS)
        .map(|seed| seed.as_bytes().to_vec())
        .collect();
    let kind = Kind { seeds: &seeds, words: &WORDS, header: usize::MAX };
    let campaign = Campaign { kind, cases: 20_000, max_bytes: 8 << 20 };
    let (taken, refused) = campaign.run(|input| read(&String::from_utf8_lossy(input)));
    assert!(taken > 500 && refused > 1000, "{taken} taken, {refused} refused");
}

#[test]
fn long_names_take_bounded_time_and_memory() {
    const LONG: usize = 1 << 17;
    let seeds: Vec<Vec<u8>> = ["e", "e4m3", ":fn", "/sr", "9", "binary", "mxfp4/", "-"]
        .map(|word| format!("e4m3{}", word.repeat(LONG / word.len())).into_bytes())
        .to_vec();
    let kind = Kind { seeds: &seeds, words: &WORDS, header: usize::MAX };
    let campaign = Campaign { kind, cases: 0, max_bytes: 16 << 20 };
    campaign.run(|input| {
        let text = std::str::from_utf8(input).unwrap();
        parse(text).is_ok() || text.parse::<Spec>().is_ok()
    });
}
