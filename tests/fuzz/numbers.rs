//! The number grammar, and the way back from codes to text.

use fpx::{
    codec::{Kind as Class, Projection, Unpacked, decode, project},
    format::{CATALOGUE, F32, Format, Layout, catalogue as c},
    text::{
        literal::{Literal, parse, parse_code, parse_number},
        render,
    },
};

use crate::{
    campaign::{Campaign, assert_is_a_line},
    mutate::{Dice, Kind},
};

const SEEDS: [&str; 46] = [
    "0",
    "-0",
    "3.14159",
    "-1e-40",
    ".5",
    "5.",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "+7",
    "\u{2212}2.5",
    "0x1.8p-3",
    "0X.8P+1",
    "0x1p",
    "0x",
    "0xp1",
    "0x1.8",
    "1/3",
    "1/0",
    "-7/-3",
    "2^-24",
    "0^0",
    "0^-1",
    "10^99999",
    "2^1048576",
    "inf",
    "-Infinity",
    "nan",
    "-sNaN",
    "nan:0x12",
    "nan:",
    "nan:0xffffffffffffffffffffffffffffffff",
    "max",
    "-min_normal",
    "min_subnormal",
    "eps",
    "0x3c00",
    "0b0_01111_0000000000",
    "16'h3c00",
    "16h3c00",
    "4'b10201",
    "129'h1",
    "1e999999999",
    "-1e-99999999999999999999",
    "1.00048828125090949470177292823791503906250",
];

const WORDS: [&str; 30] = [
    "0",
    "9",
    "1",
    "5",
    "00000000000000000000",
    "99999999999999999999",
    ".",
    "e",
    "E-",
    "e+",
    "p",
    "p-",
    "0x",
    "0b",
    "'h",
    "'b",
    "_",
    "/",
    "^",
    "-",
    "+",
    "\u{2212}",
    "nan:",
    "inf",
    "max",
    "e99999",
    "\u{0}",
    "\n",
    "\u{1b}[2J",
    "ü",
];

/// Formats with every combination of features, from 4 to 128 bits.
const TARGETS: [&Format; 9] =
    [&c::F16, &c::BF16, &F32, &c::F64, &c::E4M3FN, &c::E5M2, &c::E2M1FN, &c::E8M0, &c::BINARY128];

/// The text of an input; a byte that is no UTF-8 becomes the replacement character.
fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn same(a: &Unpacked, b: &Unpacked) -> bool {
    a == b || (a.kind == Class::Nan && b.kind == Class::Nan)
}

/// Writes a code in every way and reads it back.
fn round_trip(format: &Format, code: u128) {
    let x = decode(format, code);
    for written in [render::exact(&x), render::hex_float(&x)] {
        let read = parse_number(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert!(same(&read, &x), "{format} {code:#x} is written {written} and read as {read:?}");
    }
    for written in [render::value(format, code), render::shortest(format, code)] {
        let read = parse_number(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        let again = project(format, &Projection::default(), &read).code;
        let equal = again == code || (x.kind == Class::Nan && read.kind == Class::Nan);
        assert!(equal, "{format} {code:#x} is written {written} and read as {again:#x}");
    }
    let hex = render::hex(format, code);
    assert_eq!(parse_code(&hex).unwrap().code, code, "{format} {hex}");
}

fn read_and_write(text: &str) -> bool {
    let number = match parse(text) {
        Err(error) => {
            assert_is_a_line(&error.to_string());
            return false;
        }
        Ok(Literal::Number(x)) => x,
        Ok(Literal::Constant { constant, .. }) => constant.value(&F32),
        Ok(Literal::Code(pattern)) => decode(&F32, pattern.code & F32.code_mask()),
    };
    for format in TARGETS {
        round_trip(format, project(format, &Projection::default(), &number).code);
    }
    true
}

#[test]
fn numbers_read_and_write() {
    let seeds = SEEDS.map(|seed| seed.as_bytes().to_vec());
    let kind = Kind { seeds: &seeds, words: &WORDS, header: usize::MAX };
    let campaign = Campaign { kind, cases: 20_000, max_bytes: 8 << 20 };
    let (taken, refused) = campaign.run(|input| read_and_write(&text(input)));
    assert!(taken > 1000 && refused > 1000, "{taken} taken, {refused} refused");
}

#[test]
fn bare_codes() {
    let seeds =
        ["3c00", "0x3C00", "16'h3c00", "7b_ff", "xz", "", "0b10"].map(|s| s.as_bytes().to_vec());
    let kind = Kind {
        seeds: &seeds,
        words: &["f", "_", "0x", "'h", "ffffffffffffffff", "z", "é"],
        header: usize::MAX,
    };
    let campaign = Campaign { kind, cases: 50_000, max_bytes: 1 << 16 };
    let (taken, refused) = campaign.run(|input| match parse_code(&text(input)) {
        Err(error) => {
            assert_is_a_line(&error.to_string());
            false
        }
        Ok(_) => true,
    });
    assert!(taken > 1000 && refused > 1000, "{taken} taken, {refused} refused");
}

/// Texts of a megabyte, which no argument is but a line of a file may be.
#[test]
fn long_numbers_take_bounded_time_and_memory() {
    const LONG: usize = 1 << 20;
    let nines = "9".repeat(LONG);
    let texts = [
        nines.clone(),
        format!("0.{nines}"),
        format!("{nines}e-{LONG}"),
        format!("1{}1", "0".repeat(LONG)),
        format!("0.{}1", "0".repeat(LONG)),
        format!("0x{}p-{LONG}", "f".repeat(LONG)),
        format!("0x{}", "0".repeat(LONG)),
        format!("1e{nines}"),
        format!("{nines}/3"),
        format!("1/{nines}"),
        format!("2^{nines}"),
        format!("nan:0x{nines}"),
        format!("{nines}'h0"),
        "1_".repeat(LONG / 2),
        "-".repeat(LONG),
        "é".repeat(LONG / 2),
    ];
    let seeds: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    let kind = Kind { seeds: &seeds, words: &WORDS, header: usize::MAX };
    let campaign = Campaign { kind, cases: 0, max_bytes: 16 << 20 };
    let (taken, _) = campaign.run(|input| match parse(&text(input)) {
        Err(error) => {
            let message = error.to_string();
            assert_is_a_line(&message);
            assert!(message.len() < 500, "a message of {} bytes", message.len());
            false
        }
        Ok(_) => true,
    });
    assert!(taken >= 7, "{taken}");
}

/// Every format of the catalogue on codes at random.
#[test]
fn codes_write_and_read() {
    for row in CATALOGUE {
        let mut dice = Dice::new(1, u64::from(row.format.width()));
        let canonical = row.format.facts().layout == Layout::Hidden;
        for _ in 0..if canonical { 300 } else { 0 } {
            let code = u128::from(dice.roll()) << 64 | u128::from(dice.roll());
            round_trip(&row.format, code & row.format.code_mask());
        }
    }
}
