//! Every code of every format up to 16 bits.

use fpx::codec::{Flags, Projection, Rounding, Unpacked, decode, neighbor, project};
use fpx::format::Class;
use rayon::prelude::*;

use crate::oracle::{Oracle, Spec, ValueClass};
use crate::{MODES, format, specs, unpacked};

#[test]
fn every_code_decodes_to_the_value_of_its_document() {
    specs(16).par_iter().for_each(|spec| {
        let format = format(spec);
        for code in spec.codes() {
            let (x, value) = (decode(&format, code), spec.value(code));
            assert_eq!(x, unpacked(&value), "{format} {code:x}");
            let class = match format.class(code) {
                Class::Zero => ValueClass::Zero,
                Class::Subnormal => ValueClass::Subnormal,
                Class::Normal => ValueClass::Normal,
                Class::Infinity => ValueClass::Infinity,
                Class::QuietNan | Class::SignalingNan => ValueClass::Nan,
            };
            assert_eq!(class, spec.class(code), "{format} {code:x}");
        }
    });
}

#[test]
fn every_code_rounds_to_itself_in_every_mode() {
    let roundings: Vec<Rounding> =
        MODES.into_iter().map(Rounding::new).chain([Rounding::stochastic(7)]).collect();
    specs(16).par_iter().for_each(|spec| {
        let format = format(spec);
        for code in spec.codes() {
            let x = decode(&format, code);
            let is_nan = spec.class(code) == ValueClass::Nan;
            // The code of a −0 that the format does not have reads as the one zero.
            let code = if x == Unpacked::zero(false) { 0 } else { code };
            for rounding in &roundings {
                let projection =
                    Projection { rounding: *rounding, random: u32::MAX, ..Projection::default() };
                let got = project(&format, &projection, &x);
                if is_nan {
                    let quiet = decode(&format, got.code);
                    assert_eq!(format.class(got.code), Class::QuietNan, "{format} {code:x}");
                    assert_eq!(quiet.negative, x.negative, "{format} {code:x}");
                } else {
                    assert_eq!((got.code, got.flags), (code, Flags::NONE), "{format} {code:x}");
                }
            }
        }
    });
}

/// The codes in the order of their numbers, with one code for each number.
fn number_line(spec: &Spec) -> Vec<u128> {
    let sign = if spec.signed { 1 << (spec.width() - 1) } else { 0 };
    let is_number = |code: &u128| spec.class(*code) != ValueClass::Nan;
    let mut line: Vec<u128> = Vec::new();
    if spec.signed {
        line.extend((sign + 1..2 * sign).rev().filter(is_number));
    }
    line.extend((0..if spec.signed { sign } else { 1 << spec.width() }).filter(is_number));
    line
}

#[test]
fn neighbours_are_the_next_numbers_on_the_line() {
    specs(16).par_iter().for_each(|spec| {
        let (format, line) = (format(spec), number_line(spec));
        let oracle = Oracle::new(spec.clone());
        assert!(oracle.magnitudes().is_sorted_by(|a, b| a.cmp(b).is_lt()), "{format}: order");
        assert_eq!(format.largest_finite(), oracle.largest(), "{format}");
        for pair in line.windows(2) {
            assert_eq!(neighbor::next_up(&format, pair[0]), Some(pair[1]), "{format}");
            assert_eq!(neighbor::next_down(&format, pair[1]), Some(pair[0]), "{format}");
            assert_eq!(neighbor::distance(&format, pair[0], pair[1]), Some(1), "{format}");
        }
        let (least, most) = (line[0], line[line.len() - 1]);
        let whole = i128::try_from(line.len() - 1).unwrap();
        assert_eq!(neighbor::distance(&format, least, most), Some(whole), "{format}");
        assert_eq!(neighbor::next_up(&format, most), None, "{format}");
        assert_eq!(neighbor::next_down(&format, least), None, "{format}");
        for code in spec.codes().filter(|code| spec.class(*code) == ValueClass::Nan) {
            assert_eq!(neighbor::next_up(&format, code), None, "{format} {code:x}");
            assert_eq!(neighbor::distance(&format, code, 0), None, "{format} {code:x}");
        }
        if format.has_negative_zero() {
            let minus_zero = format.sign_mask();
            assert_eq!(neighbor::next_up(&format, minus_zero), neighbor::next_up(&format, 0));
            assert_eq!(neighbor::next_down(&format, minus_zero), neighbor::next_down(&format, 0));
        }
    });
}
