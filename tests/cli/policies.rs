//! Rounding modes, policies and presets as options.

use crate::util::fpx;

/// Asserts the code of one conversion.
#[track_caller]
fn code(line: &str, expected: &str) {
    let ran = fpx(&format!("convert {line} --emit bits")).run();
    ran.is(0, &format!("{expected}\n"), "");
}

/// Asserts the flags of one conversion.
#[track_caller]
fn flags(line: &str, expected: &str) {
    let csv = fpx(&format!("convert {line} --emit csv")).run().stdout;
    let found = csv.lines().nth(1).and_then(|row| row.rsplit(',').next()).expect("a row");
    assert_eq!(found, expected, "{line}");
}

#[test]
fn every_mode_on_both_sides_of_zero_and_on_ties() {
    // In e5m2 between 1 (3c) and 1.25 (3d): a quarter, the tie, three quarters; above: odd 3d to 3e.
    let inputs = "1.0625 1.125 1.1875 1.375 -1.0625 -1.125 -1.1875 -1.375";
    for (mode, codes) in [
        ("rne", "3c 3c 3d 3e bc bc bd be"),
        ("rna", "3c 3d 3d 3e bc bd bd be"),
        ("rtz", "3c 3c 3c 3d bc bc bc bd"),
        ("rup", "3d 3d 3d 3e bc bc bc bd"),
        ("rdn", "3c 3c 3c 3d bd bd bd be"),
        ("rto", "3d 3d 3d 3d bd bd bd bd"),
    ] {
        let ran = fpx(&format!("convert {inputs} --to e5m2 --rounding {mode} --emit hex")).run();
        assert_eq!(ran.stdout.split_whitespace().collect::<Vec<_>>().join(" "), codes, "{mode}");
    }
}

#[test]
fn modes_have_the_names_of_the_standards() {
    for (name, expected) in [
        ("roundTiesToEven", "0x3c"),
        ("NearestTiesToAway", "0x3d"),
        ("TowardZero", "0x3c"),
        ("roundTowardPositive", "0x3d"),
        ("min", "0x3c"),
        ("ToOdd", "0x3d"),
    ] {
        code(&format!("1.125 --to e5m2 --rounding {name}"), expected);
    }
}

#[test]
fn a_rounding_attached_to_a_format_wins() {
    fpx("convert 1.1 --to e5m2/rup,e5m2/rtz,e5m2 --rounding rup --emit bits")
        .prints("0x3d\n0x3c\n0x3d\n");
}

#[test]
fn overflow_goes_where_the_policy_says() {
    code("465 --to e4m3fn", "0x7f");
    code("465 --to e4m3fn --overflow saturate", "0x7e");
    code("464 --to e4m3fn", "0x7e");
    code("inf --to e4m3fn --overflow saturate", "0x7e");
    code("inf --to e4m3fn --overflow saturate-finite", "0x7f");
    code("inf --to e5m2 --overflow saturate", "0x7b");
    code("inf --to e5m2 --overflow saturate-finite", "0x7c");
    code("61440 --to e5m2 --overflow saturate-finite", "0x7b");
    code("1e9 --to e2m1fn", "0x7");
    code("1e9 --to f16 --rounding rtz", "0x7bff");
    code("-1e9 --to f16 --rounding rup", "0xfbff");
    code("1e9 --to f16 --rounding rup", "0x7c00");
    flags("1e9 --to f16 --overflow saturate", "inexact overflow");
}

#[test]
fn nans_subnormals_and_tininess() {
    code("0xffa55555 --from f32 --to f16", "0xff2a");
    code("0xffa55555 --from f32 --to f16 --nan canonical", "0x7e00");
    code("-0 --to e4m3fnuz", "0x00");
    code("-1e-9 --to e4m3fnuz", "0x00");
    code("0x1p-24 --to f16 --subnormals flush", "0x0000");
    code("-0x1p-24 --to f16 --subnormals flush", "0x8000");
    flags("0x1p-24 --to f16", "");
    flags("0x1p-24 --to f16 --subnormals flush", "inexact underflow");
    // 2^-14 less a quarter of a quantum rounds to the least normal: tiny before rounding only.
    flags("0x1.ffep-15 --to f16", "inexact");
    flags("0x1.ffep-15 --to f16 --tininess before", "inexact underflow");
    flags("0x7f800001 --from f32 --to f16", "invalid");
}

#[test]
fn an_explicit_option_beats_a_preset_in_any_order() {
    code("465 --to e4m3fn --like ocp-sat", "0x7e");
    code("465 --to e4m3fn --like ocp-sat --overflow ieee", "0x7f");
    code("465 --to e4m3fn --overflow ieee --like ocp-sat", "0x7f");
    code("1.125 --to e5m2 --like cuda --rounding rup", "0x3d");
    code("0x7fa00001 --from f32 --to f16 --like riscv", "0x7e00");
    code("0x7fa00001 --from f32 --to f16 --like riscv --nan keep", "0x7f00");
    flags("0x1.ffep-15 --to f16 --like arm", "inexact underflow");
    flags("0x1.ffep-15 --to f16 --like x86", "inexact");
    flags("0x1.ffep-15 --to f16 --like arm --tininess after", "inexact");
}

#[test]
fn the_policies_are_always_printed() {
    for (options, modes) in [
        ("", "to nearest, ties to even; overflow ieee"),
        ("--like cuda", "to nearest, ties to even; overflow saturate; nan canonical; nan-to max"),
        ("--rounding sr:8", "stochastic with 8 random bits; overflow ieee"),
        (
            "--subnormals flush --tininess before",
            "to nearest, ties to even; overflow ieee; subnormals flush; tininess before",
        ),
    ] {
        for line in [
            format!("convert 1 {options}"),
            format!("inspect 1 {options}"),
            format!("convert exhaustive:e2m1fn {options}"),
        ] {
            let text = fpx(&line).run().stdout;
            let first = text.lines().next().expect("a title");
            assert!(first.ends_with(&format!("rounded once, {modes}")), "{line}: {first}");
        }
    }
}
