//! `fpx convert` on numbers, streams and test vectors.

use crate::util::{fpx, fpx_with};

#[test]
fn one_number_becomes_its_code() {
    fpx("convert 3.14159 --to bf16 --emit bits").prints("0x4049\n");
    fpx("convert 0.1 --to f16 --emit values").prints("0.0999755859375\n");
    fpx("convert 57344 --to e5m2 --emit values").prints("57344\n");
    fpx("convert --from f16 0x7bff --to f32 --emit values").prints("65504\n");
    fpx("convert 0.1 --to tf32 --emit bits").prints("0x1ee66\n");
    fpx("convert 0.1 --to tf32 --emit hex").prints("1ee66\n");
}

#[test]
fn a_decimal_is_rounded_once_from_its_exact_value() {
    // 1 + 2^-11 + 2^-40: the way through binary64 and binary32 gives 3c00.
    let above_the_tie = "1.00048828125090949470177292823791503906250";
    fpx(&format!("convert {above_the_tie} --to f16 --emit bits")).prints("0x3c01\n");
    // 700 digits: one unit in the last of them decides a tie.
    let tie = format!("1.00048828125{}", "0".repeat(688));
    fpx(&format!("convert {tie} --to f16 --emit bits")).prints("0x3c00\n");
    fpx(&format!("convert {tie}1 --to f16 --emit bits")).prints("0x3c01\n");
}

#[test]
fn the_screen_of_one_number() {
    fpx("convert 3.14159").prints(
        "\
3.14159   rounded once, to nearest, ties to even; overflow ieee

format  code    value     error      ulp     flags
f16     0x4248  3.140625  -0.000965  -0.494  inexact
bf16    0x4049  3.140625  -0.000965  -0.062  inexact
",
    );
}

#[test]
fn several_formats_are_answered_in_the_order_of_inputs_and_of_formats() {
    fpx("convert 1 2 --to e4m3fn,f16 -t bf16 --emit bits")
        .prints("0x38\n0x3c00\n0x3f80\n0x40\n0x4000\n0x4000\n");
}

#[test]
fn without_a_target_sixteen_bits_are_the_default_and_f32_from_sixteen_bits() {
    fpx("convert 1 --emit bits").prints("0x3c00\n0x3f80\n");
    fpx("convert 1 --from f64 --emit bits").prints("0x3c00\n0x3f80\n");
    fpx("convert 0x3c00 --from f16 --emit bits").prints("0x3f800000\n");
    fpx("convert 0x3f80 --from bf16 --emit bits").prints("0x3f800000\n");
}

#[test]
fn negative_numbers_stand_anywhere() {
    let answers = "0xbe00\n0xfc00\n0xb800\n0xb000\n";
    fpx("convert -1.5 -inf -.5 -0x1p-3 --to f16 --emit bits").prints(answers);
    fpx("convert --to f16 -1.5 --emit bits -inf -.5 -0x1p-3").prints(answers);
    fpx("convert --emit bits -1.5 -inf --to=f16 -- -.5 -0x1p-3").prints(answers);
    fpx("convert −1.5 -Infinity −.5 -1/8 -t f16 --emit=bits").prints(answers);
    fpx("-q convert -qt f16 -1.5 --emit bits").prints("0xbe00\n");
    fpx("convert --seed 7 -max -min_normal -eps -nan -2^-24 --to f16 --emit bits")
        .prints("0xfbff\n0x8400\n0x9400\n0xfe00\n0x8001\n");
}

#[test]
fn numbers_after_two_hyphens() {
    fpx("convert -- -inf -1e-5").prints(
        "\
rounded once, to nearest, ties to even; overflow ieee

input  format  code    value                     error     ulp     flags
-inf   f16     0xfc00  -inf                      exact
-inf   bf16    0xff80  -inf                      exact
-1e-5  f16     0x80a8  -0.000010013580322265625  -1.36e-8  -0.228  inexact underflow
-1e-5  bf16    0xb728  -0.000010013580322265625  -1.36e-8  -0.228  inexact
",
    );
}

#[test]
fn every_way_to_write_a_number() {
    for (text, code) in [
        ("1_000.5", "0x63d1"),
        ("0x1.8p-3", "0x3200"),
        ("0X1P3", "0x4800"),
        ("1/3", "0x3555"),
        ("2^-24", "0x0001"),
        ("+2", "0x4000"),
        (".5", "0x3800"),
        ("5.", "0x4500"),
        ("inf", "0x7c00"),
        ("nan", "0x7e00"),
        ("nan:0x12", "0x7e12"),
        ("max", "0x7bff"),
        ("min_normal", "0x0400"),
        ("min_subnormal", "0x0001"),
        ("eps", "0x1400"),
    ] {
        fpx(&format!("convert {text} --to f16 --emit bits")).prints(&format!("{code}\n"));
    }
}

#[test]
fn constants_are_those_of_each_target_or_of_the_source() {
    fpx("convert max --to f16,bf16,e4m3fn --emit bits").prints("0x7bff\n0x7f7f\n0x7e\n");
    fpx("convert max --from f16 --to bf16 --emit bits").prints("0x4780\n");
}

#[test]
fn every_way_to_write_a_pattern() {
    for text in [
        "0x3c00",
        "0X3C00",
        "0x0_3c00",
        "0x0000003c00",
        "0b0_01111_0000000000",
        "16'h3c00",
        "16h3c00",
        "16'b0011110000000000",
    ] {
        fpx(&format!("convert {text} --from f16 --emit values")).prints("1\n");
    }
    fpx("convert 0x3f800000 --to f16 --emit bits").prints("0x3c00\n");
    fpx("convert 0x3ff0000000000000 --to f16 --emit bits").prints("0x3c00\n");
}

#[test]
fn a_pattern_without_a_format_is_read_by_its_width_and_says_so() {
    fpx("convert 0x3f800000 --to f16").prints(
        "\
0x3f800000   a code of f32; rounded once, to nearest, ties to even; overflow ieee

format  code    value  error  ulp  flags
f16     0x3c00  1      exact
",
    );
}

#[test]
fn values_are_exact_up_to_17_digits_and_shortest_beyond() {
    for (text, format, value) in [
        ("0.1", "f32", "0.1"),
        ("0.1", "f64", "0.1"),
        ("0.1", "bf16", "0.10009765625"),
        ("0x7b", "e5m2", "57344"),
        ("-0", "f16", "-0"),
        ("1e-5", "f32", "0.00001"),
        ("9.9e-6", "f32", "9.9e-6"),
        ("1e16", "f64", "1e16"),
        ("9999999999999998", "f64", "9999999999999998"),
        ("max", "f32", "3.4028235e38"),
        ("-inf", "e5m2", "-inf"),
        ("snan", "f16", "nan"),
    ] {
        let from = if text.starts_with("0x") { format!("--from {format}") } else { String::new() };
        fpx(&format!("convert {text} {from} --to {format} --emit values"))
            .prints(&format!("{value}\n"));
    }
}

#[test]
fn huge_exponents_answer_at_once() {
    fpx("convert 1e999999999 -1e999999999 1e-999999999 0x1p99999999999 2^-1000 --to f16 --emit bits")
        .prints("0x7c00\n0xfc00\n0x0000\n0x7c00\n0x0000\n");
    fpx("convert 1e-999999999 --to f16 --rounding rup --emit bits").prints("0x0001\n");
    fpx("convert 1e999999999999999999999999999999 --to f64 --rounding rtz --emit bits")
        .prints("0x7fefffffffffffff\n");
}

#[test]
fn holding_the_input_in_a_format_first_is_said_where_it_matters() {
    let line = "convert 65519.999999 --from f32 --to f16";
    fpx(line).prints(
        "\
65519.999999   from f32; rounded once, to nearest, ties to even; overflow ieee

format  code    value  error  ulp  flags
f16     0x7c00  inf    inf    inf  inexact overflow
double rounding: 65519.999999 held in f32 first gives f16 0x7c00; rounded once it is 0x7bff
",
    );
    let note =
        "note: double rounding: 1 of 1 answers differ because the input is held in f32 first\n";
    fpx(&format!("{line} --emit bits")).run().is(0, "0x7c00\n", note);
    fpx(&format!("{line} --emit bits --quiet")).prints("0x7c00\n");
}

#[test]
fn lines_are_numbers_with_comments_and_blanks() {
    let lines = "# a comment\n\n  1  # one\r\n2.5\r\n0x1.8p1 // three\n";
    fpx("convert - --to f16 --emit bits").stdin(lines).prints("0x3c00\n0x4100\n0x4200\n");
    fpx("convert - --to f16 --emit bits").stdin("").prints("");
    fpx("convert 7 - 8 --to f16 --emit bits").stdin("1").prints("0x4700\n0x3c00\n0x4800\n");
}

#[test]
fn a_table_of_lines_has_fixed_columns() {
    fpx("convert - --to f16").stdin("1\n0.1\n").prints(
        "\
rounded once, to nearest, ties to even; overflow ieee

input                   format     code         value                   error       ulp      flags
1                       f16        0x3c00       1                       exact
0.1                     f16        0x2e66       0.0999755859375         -2.44e-5    -0.400   inexact
",
    );
}

#[test]
fn bare_codes_are_hex_digits_of_the_source() {
    fpx("convert 3c00 BE00 3_c_00 0x3c00 0b10 --codes --from f16 --emit values")
        .prints("1\n-1.5\n1\n1\n0.0002155303955078125\n");
    fpx("convert - --codes --from f16 --emit values")
        .stdin("3c00 // one\n// nothing\n\nbe_00\n")
        .prints("1\n-1.5\n");
}

#[test]
fn test_vectors_come_in_the_forms_of_testbenches() {
    fpx("convert exhaustive:e2m1fn --to e4m3fn --emit testfloat").prints(
        "0 00 00\n1 30 00\n2 38 00\n3 3C 00\n4 40 00\n5 44 00\n6 48 00\n7 4C 00\n\
         8 80 00\n9 B0 00\nA B8 00\nB BC 00\nC C0 00\nD C4 00\nE C8 00\nF CC 00\n",
    );
    fpx("convert 1 465 --from f32 --to e4m3fn --emit testfloat")
        .prints("3F800000 38 00\n43E88000 7F 05\n");
    fpx("convert 1 -2 --to f16 --emit readmemh")
        .prints("// f16 codes, 16 bits\n3c00 // 1\nc000 // -2\n");
    fpx("convert 1 -2 --to f16 --emit c").prints(
        "static const uint16_t fpx_f16[] = {\n    0x3c00, /* 1 */\n    0xc000, /* -2 */\n};\n",
    );
}

#[test]
fn edges_hold_every_value_and_midpoint_of_the_target_and_their_neighbours() {
    let ran = fpx("convert edges:f32 --to e2m1fn --nan-to zero --emit testfloat").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let inputs: Vec<u32> = ran
        .stdout
        .lines()
        .map(|line| u32::from_str_radix(&line[..8], 16).expect("an input code"))
        .collect();
    assert!(inputs.is_sorted_by(|a, b| a < b), "in order, without repetition");
    let values = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
    let midpoints = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, 7.0];
    for x in values.into_iter().chain(midpoints).flat_map(|x: f32| [x, -x]) {
        for neighbour in [x.next_down(), x, x.next_up()] {
            assert!(inputs.contains(&neighbour.to_bits()), "{neighbour:e} beside {x}");
        }
    }
}

#[test]
fn codes_of_test_vectors_and_bare_codes_may_look_like_anything() {
    fpx_with(&["convert", "-", "--codes", "--from", "e4m3fn", "--to", "f16", "--emit", "bits"])
        .stdin("1e\n2f\n")
        .prints("0x2f00\n0x3780\n");
}

#[test]
fn the_same_seed_gives_the_same_stochastic_answers_wherever_inputs_come_from() {
    let numbers = vec!["1.003"; 64].join(" ");
    let one = fpx(&format!("convert {numbers} --to bf16/sr --seed 5 --emit bits")).run();
    let two = fpx("convert - --to bf16 --rounding sr --seed 5 --emit bits --threads 1")
        .stdin(format!("# blank lines and comments are not counted\n\n{}", "1.003\n".repeat(64)))
        .run();
    assert_eq!(one.stdout, two.stdout);
    let up = one.stdout.lines().filter(|&code| code == "0x3f81").count();
    let down = one.stdout.lines().filter(|&code| code == "0x3f80").count();
    // The fraction is 0.384; 64 draws leave 5..=45 with a probability below 1e-6.
    assert!(up + down == 64 && (5..=45).contains(&up), "{up} of 64 up");
    let other = fpx(&format!("convert {numbers} --to bf16/sr --seed 6 --emit bits")).run();
    assert_ne!(one.stdout, other.stdout);
}

#[test]
fn an_error_too_small_for_binary64_is_not_shown_as_none() {
    fpx("convert 1e-400 --to f64").prints(
        "\
1e-400   rounded once, to nearest, ties to even; overflow ieee

format  code                value  error     ulp     flags
f64     0x0000000000000000  0      >-5e-324  -2e-77  inexact underflow
",
    );
}
