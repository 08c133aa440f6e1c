//! `fpx inspect` on numbers and codes.

use crate::util::fpx;

#[test]
fn a_number_in_five_formats() {
    fpx("inspect 0.1").prints(
        "\
0.1   no binary format holds it exactly; rounded once, to nearest, ties to even; overflow ieee

format  s exponent significand              code        exact value                    relative, ulp
f32     0 01111011 10011001100110011001101  0x3dcccccd  0.100000001490116119384765625  +1.5e-8 +0.20
f16     0 01011    1001100110               0x2e66      0.0999755859375                -2.4e-4 -0.40
bf16    0 01111011 1001101                  0x3dcd      0.10009765625                  +9.8e-4 +0.20
e4m3fn  0 0011     101                      0x1d        0.1015625                      +1.6e-2 +0.20
e5m2    0 01011    10                       0x2e        0.09375                        -6.2e-2 -0.40
",
    );
}

#[test]
fn a_pattern_in_every_common_format_of_its_width() {
    fpx("inspect 0x3dcd").prints(
        "\
0x3dcd   16 bits; read in every common 16-bit format (--format names one)

format  s exponent significand  code    exact value
f16     0 01111    0111001101   0x3dcd  1.4501953125
bf16    0 01111011 1001101      0x3dcd  0.10009765625
also    arm-alt-half, dlfloat16: --format all
",
    );
    for (pattern, formats) in [
        ("0x3", "e2m1fn"),
        ("0b001100", "e3m2fn,e2m3fn"),
        ("0x3c", "e4m3fn,e5m2,e4m3fnuz,e5m2fnuz,e8m0"),
        ("0x3dcccccd", "f32"),
        ("0x3fb999999999999a", "f64"),
        ("19'h1ee66", "tf32"),
    ] {
        let csv = fpx(&format!("inspect {pattern} --emit csv")).run().stdout;
        let found: Vec<_> = csv.lines().skip(1).filter_map(|row| row.split(',').nth(2)).collect();
        assert_eq!(found.join(","), formats, "{pattern}");
    }
}

#[test]
fn a_code_in_full() {
    fpx("inspect 0x3dcd --format bf16").prints(
        "\
0x3dcd as bf16   16 bits: 1 sign, 8 exponent, 7 significand (8 with the hidden bit), bias 127

  15 14     7 6     0
  0  01111011 1001101
  +  123-127  1.1001101b
     = -4     = 205/128

class         normal
value         0.10009765625                  = 205 x 2^-11
shortest      0.1                            the fewest digits that read back to 0x3dcd
hex float     0x1.9ap-4
ulp           0.00048828125                  2^-11
previous      0.099609375                    0x3dcc
next          0.1005859375                   0x3dce
rounds to it  (0.099853515625, 0.100341796875) ends excluded: the code is odd

the same value in  f32 0x3dcd0000 exact · f16 0x2e68 exact · e4m3fn 0x1d +1.5e-2 · e5m2 0x2e -6.3e-2
",
    );
}

#[test]
fn one_rounding_step_by_step() {
    let explained = |line: &str| {
        let ran = fpx(line).run();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
        let start = ran.stdout.find(" = 1.").or_else(|| ran.stdout.find(" = -1.")).expect("steps");
        let line_start = ran.stdout[..start].rfind('\n').map_or(0, |at| at + 1);
        ran.stdout[line_start..].to_owned()
    };
    assert_eq!(
        explained("inspect 0.1 --format bf16 --explain"),
        "\
0.1 = 1.1001 1001 1001 1001 1001 1001...b x 2^-4      the exponent -4 is in range: normal
      kept      1.1001100    7 bits after the point
      guard     1    half an ulp or more
      sticky    1    something below it: not a tie
      rne: above the half -> away from zero, 1 ulp is added
      result    0x3dcd = 0.10009765625    flags: inexact
check 0.099609375 < 0.1 < 0.10009765625    0.800 ulp and 0.200 ulp away
"
    );
    let subnormal = explained("inspect 0x1.8p-25 --format f16 --explain");
    assert!(subnormal.contains("the exponent -25 is below emin -14: 11 bits\n"), "{subnormal}");
    assert!(subnormal.contains("guard     1 "), "{subnormal}");
    assert!(subnormal.contains("0x0001"), "{subnormal}");
    let tie = explained("inspect 2049 --format f16 --explain");
    assert!(
        tie.contains("rne: a tie: exactly the half -> toward zero, the rest is dropped"),
        "{tie}"
    );
    let overflow = explained("inspect 70000 --format f16 --overflow saturate --explain");
    assert!(overflow.contains("the exponent 16 is above emax 15: overflow"), "{overflow}");
    assert!(overflow.contains("by overflow saturate: 0x7bff = 65504"), "{overflow}");
    let unsigned = explained("inspect -1.5 --format e8m0 --explain");
    assert!(unsigned.contains("negative, and the format has no sign"), "{unsigned}");
}

#[test]
fn several_formats_show_the_value_of_a_code_of_the_first() {
    fpx("inspect 0x3dcd --format bf16,f32,e4m3fn").prints(
        "\
0x3dcd   a code of bf16

format  s exponent significand              code        exact value    relative, ulp
bf16    0 01111011 1001101                  0x3dcd      0.10009765625  exact
f32     0 01111011 10011010000000000000000  0x3dcd0000  0.10009765625  exact
e4m3fn  0 0011     101                      0x1d        0.1015625      +1.5e-2 +0.19
",
    );
}

#[test]
fn several_numbers_have_a_row_each() {
    fpx("inspect 1 -2.5 --format e5m2").prints(
        "\
rounded once, to nearest, ties to even; overflow ieee

input  format  s exponent significand  code  exact value  relative, ulp
1      e5m2    0 01111    00           0x3c  1            exact
-2.5   e5m2    1 10000    01           0xc1  -2.5         exact
",
    );
    fpx("inspect 0x01 0x7e --format e4m3fn").prints(
        "\
codes, read as they are

input  format  s exponent significand  code  exact value
0x01   e4m3fn  0 0000     001          0x01  0.001953125
0x7e   e4m3fn  0 1111     110          0x7e  448
",
    );
}

#[test]
fn all_formats_of_the_catalogue() {
    let csv = fpx("inspect 0.1 --format all --emit csv").run().stdout;
    let rows = csv.lines().count() - 1;
    let formats = fpx("formats --emit csv").run().stdout.lines().count() - 1;
    assert_eq!(rows, formats);
    let title = fpx("inspect 0x3dcd --format all").run().stdout;
    assert!(title.starts_with("0x3dcd   16 bits; read in every 16-bit format\n"), "{title}");
}

#[test]
fn specials_say_what_they_are() {
    for (line, facts) in [
        (
            "inspect 0x7c01 --format f16",
            &["class         signalling NaN", "value         snan"][..],
        ),
        ("inspect nan:0x12 --format f32", &["class         quiet NaN", "0x7fc00012"]),
        ("inspect 0xfc --format e5m2", &["class         infinity", "value         -inf"]),
        (
            "inspect -0 --format f16",
            &["class         zero", "value         -0", "0x8001", "0x0001"],
        ),
        ("inspect min_subnormal --format e4m3fn", &["class         subnormal", "2^-9"]),
        ("inspect inf --format e4m3fn", &["error         not a number of ulps: nan"]),
        ("inspect 448 --format e4m3fn", &["[432, 464]", "ends included: the code is even"]),
        ("inspect 0x80 --format e4m3fnuz", &["class         quiet NaN"]),
        ("inspect 0x3fff0000000000000001 --format x87-80", &["the stored leading bit is missing"]),
        ("inspect 0x00 --format e8m0", &["2^-127", "shortest      6e-39", "(0, 8.8162...e-39)"]),
        ("inspect 0x00 --format e8m0 --overflow saturate", &["[-inf, 8.8162...e-39)"]),
        ("inspect nan:0x12 --format f16", &["payload 0x12"]),
        ("inspect nan:0x12 --format x87-80", &["payload 0x12"]),
        (
            "inspect 1.5 --format x87-80",
            &["  011111111111111   16383-16383 = 0\n  1100000", "1.5     ", "= 3 x 2^-1"],
        ),
        ("inspect 0x3c", &["2^-67"]),
        ("convert 1e-999999999 --to f16", &[">-5e-324  >-5e-324"]),
    ] {
        let text = fpx(line).run().stdout;
        for fact in facts {
            assert!(text.contains(fact), "{line}: no {fact:?} in\n{text}");
        }
    }
}

#[test]
fn ends_of_the_rounding_interval_follow_the_mode() {
    let interval = |mode: &str| {
        let text = fpx(&format!("inspect 1 --format f16 --rounding {mode}")).run().stdout;
        let line = text.lines().find(|line| line.starts_with("rounds to it")).expect("an interval");
        line["rounds to it  ".len()..]
            .split(']')
            .next()
            .map(|head| head.split(')').next().map(str::to_owned))
            .expect("a text")
            .expect("a text")
    };
    assert_eq!(interval("rne"), "[0.999755859375, 1.00048828125");
    assert_eq!(interval("rtz"), "[1, 1.0009765625");
    assert_eq!(interval("rup"), "(0.99951171875, 1");
    assert_eq!(interval("rdn"), "[1, 1.0009765625");
}
