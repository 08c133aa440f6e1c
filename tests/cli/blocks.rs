//! Numbers as one tensor under shared scales: `fpx convert` and `fpx inspect`.

use crate::util::fpx;

#[test]
fn numbers_become_one_tensor() {
    fpx("convert 1 2 3 0.3 -6 5.1 7 --to mxfp4").prints(
        "\
7 numbers as one tensor; rounded once, to nearest, ties to even; elements saturate

mxfp4: elements of e2m1fn under 1 scale of e8m0
scale     input  code  element  value  error   ulp     flags
0x7f = 1  1      0x2   1        1      exact
          2      0x4   2        2      exact
          3      0x5   3        3      exact
          0.3    0x1   0.5      0.5     0.200   0.400  inexact underflow
          -6     0xf   -6       -6     exact
          5.1    0x7   6        6       0.900   0.450  inexact
          7      0x7   6        6      -1.00   -0.500  inexact overflow
clipped to the largest element (/rceil chooses scales under which nothing is): 1
",
    );
}

#[test]
fn lines_become_one_tensor_too() {
    let lines = "1\n# a comment\n0.1\n\n-7\n";
    fpx("convert - --to mxfp8 --emit values").stdin(lines).prints("1\n0.1015625\n-7\n");
    fpx("convert 1 0.1 -7 --to mxfp8 --emit values").prints("1\n0.1015625\n-7\n");
}

#[test]
fn codes_stand_a_block_a_line_after_the_codes_of_their_scales() {
    fpx("convert 1 0.1 -7 --to mxfp4/block:2 --emit bits").prints("0x7d 0x6 0x1\n0x7f 0xf\n");
    fpx("convert 1 0.1 -7 --to mxint8 --emit hex").prints("81 10 02 90\n");
    // The scale of the tensor comes first: 7/(448·6).
    fpx("convert 1 0.1 -7 --to nvfp4 --emit bits").prints("0x3b2aaaab\n0x7e 0x2 0x0 0xf\n");
    fpx("convert 448 -1 --to e4m3fn/tensor --emit bits").prints("0x3f800000 0x7e 0xb8\n");
}

#[test]
fn rules_modes_and_held_inputs_are_heeded() {
    fpx("convert 7 1 --to mxfp4/floor,mxfp4/rceil --emit bits")
        .prints("0x7f 0x7 0x2\n0x80 0x6 0x1\n");
    fpx("convert 4 1.6 --to mxfp4/rup --emit bits").prints("0x7f 0x6 0x4\n");
    fpx("convert 4 1.6 --to mxfp4 --rounding rtz --emit bits").prints("0x7f 0x6 0x3\n");
    // 1.25 + 2^-30 is above the tie that f32 makes of it.
    fpx("convert 4 0x1.40000004p0 --to mxfp4 --emit bits").prints("0x7f 0x6 0x3\n");
    fpx("convert 4 0x1.40000004p0 --from f32 --to mxfp4 --emit bits").prints("0x7f 0x6 0x2\n");
    fpx("convert 0x4400 --from f16 --to mxfp4 --emit bits").prints("0x7f 0x6\n");
}

#[test]
fn rows_hold_the_scale_beside_the_answer() {
    let rows = fpx("convert 1 0.1 --to mxfp8,f16 --emit csv").run().stdout;
    assert_eq!(
        rows,
        "\
input,from,to,code,value,exact,hexfloat,error,error_ulp,error_rel,flags,block,tensor_scale,scale_code,scale,element
1,,mxfp8_e4m3,0x78,1,1,0x1p+0,0,0,0,,0,1,0x77,0.00390625,256
1,,f16,0x3c00,1,1,0x1p+0,0,0,0,,,,,,
0.1,,mxfp8_e4m3,0x5d,0.1015625,0.1015625,0x1.ap-4,0.0015625,0.2,0.015625,inexact,0,1,0x77,0.00390625,26
0.1,,f16,0x2e66,0.0999755859375,0.0999755859375,0x1.998p-4,-0.0000244140625,-0.4,-0.000244140625,inexact,,,,,
"
    );
}

#[test]
fn a_nan_spoils_its_block_and_is_told() {
    let screen = fpx("convert 1 nan --to mxfp4").run();
    assert_eq!(screen.code, Some(0));
    assert!(screen.stdout.contains("0xff = nan"), "{}", screen.stdout);
    assert!(screen.stdout.contains("NaN or an infinity"), "{}", screen.stdout);
    fpx("convert 1 nan --to fp4/tensor").fails(
        2,
        "'nan' is NaN, and e2m1fn has no NaN: --nan-to zero or --nan-to max chooses a substitute",
    );
    fpx("convert - --to fp4/tensor").stdin("1\nnan\n").fails(
        3,
        "line 2: 'nan' is NaN, and e2m1fn has no NaN: --nan-to zero or --nan-to max chooses a substitute",
    );
}

#[test]
fn what_has_no_place_for_scales_is_refused() {
    fpx("convert 1 --to mxfp4 --emit c")
        .fails(2, "--emit c has no place for the scales of 'mxfp4'");
    fpx("convert - --to mxfp4 --check")
        .stdin("1 2\n")
        .fails(2, "--check takes an unscaled format, found 'mxfp4'");
    fpx("convert 1 2 --to mxfp4/axis:1")
        .fails(2, "blocks along axis 1 of a tensor with 1 axes: expected -1 to 0");
    fpx("convert 1 --to binary128/tensor")
        .fails(2, "elements of 'binary128/tensor' have 128 bits: expected at most 64");
}

#[test]
fn a_block_is_shown_with_its_scales() {
    fpx("inspect --format nvfp4 0.1 0.2 -0.3 6").prints(
        "\
nvfp4   4 numbers: elements of e2m1fn under scales of e4m3fn; to nearest, ties to even

scale of the tensor   0x3b124925 = 0.002232143   an f32

block 0   scale 0x7e = 448; times the tensor's 1.000000
input  over scale  bits    code  element  value      relative  ulp
0.1    0.1000000   0 00 0  0x0   0        0          -1        -0.20
0.2    0.2000000   0 00 0  0x0   0        0          -1        -0.40
-0.3   -0.3000000  1 00 1  0x9   -0.5     -0.5       +0.67     -0.40
6      6.000000    0 11 1  0x7   6        6.0000005  +7.9e-8   +1.3e-7
",
    );
    fpx("inspect --format mxint8 1 0.3 -6").prints(
        "\
mxint8   3 numbers: 8-bit integers times 2^-6 under scales of e8m0; to nearest, ties to even

block 0   scale 0x81 = 4
input  over scale  bits      code  element   value   relative  ulp
1      0.25        00010000  0x10  0.25      1       exact
0.3    0.075       00000101  0x05  0.078125  0.3125  +4.2e-2   +0.20
-6     -1.5        10100000  0xa0  -1.5      -6      exact
",
    );
}

#[test]
fn rows_of_a_block_are_in_units_of_the_numbers() {
    let rows = fpx("inspect --format mxfp4 1 0.3 --json").run().stdout;
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
    let row = &rows["rows"][1];
    for (key, expected) in [
        ("code", "\"0x2\""),
        ("value", "0.25"),
        ("ulp", "\"0.125\""),
        ("interval_low", "\"0.1875\""),
        ("interval_high", "\"0.3125\""),
        ("scale_code", "\"0x7d\""),
        ("scale", "0.25"),
        ("element", "1.0"),
    ] {
        assert_eq!(row[key].to_string(), expected, "{key}");
    }
}

#[test]
fn patterns_and_plain_formats_do_not_go_with_scales() {
    fpx("inspect 0x3 --format mxfp4")
        .fails(2, "'0x3' is a bit pattern: 'mxfp4' takes numbers, from which the scale follows");
    fpx("inspect 1 --format mxfp4,f16").fails(2, "'f16' has no scale: show it by itself");
}
