//! `fpx formats`: the catalogue.

use crate::util::fpx;

#[test]
fn the_catalogue_lists_every_canonical_name_and_block_format() {
    let text = fpx("formats").run().stdout;
    for name in "f64 f32 tf32 f16 bf16 e5m2 e4m3fn e4m3ieee e3m4 e5m2fnuz e4m3fnuz e4m3b11fnuz e3m2fn e2m3fn e2m1fn e8m0 \
                 ue4m3 ue5m3 e3m0 e1m2 arm-alt-half dlfloat16 fp24 pxr24 binary128 x87-80 mxfp8_e4m3 mxfp8_e5m2 mxfp6_e3m2 \
                 mxfp6_e2m3 mxfp4 mxint8 nvfp4"
        .split_whitespace()
    {
        let lines = text.lines().filter(|line| line.split_whitespace().next() == Some(name));
        assert_eq!(lines.count(), 1, "{name}");
    }
}

#[test]
fn a_format_asked_for_says_what_it_is_good_for() {
    fpx("formats bf16").prints(
        "\
name  bits  s/e/m  bias    largest   least      least  epsilon  specials
                            finite  normal  subnormal
bf16    16  1/8/7   127  3.3895e38  2^-126     2^-133     2^-7  inf NaN

bf16
  good for  training without loss scaling: the range of f32
  weak at   precision: 2 to 3 digits, so small weight updates are lost
  source    Google TPU bfloat16 (2018); in no version of IEEE 754
",
    );
}

#[test]
fn an_ambiguous_name_is_settled_with_a_note() {
    let note = "note: 'e4m3' is read as OCP's e4m3fn (largest 448, no infinities); the IEEE-like one is e4m3ieee\n";
    let ran = fpx("formats e4m3 --emit csv").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), note));
    assert!(ran.stdout.lines().nth(1).is_some_and(|row| row.starts_with("e4m3fn,8,")));
    for (name, code) in [
        ("e4m3", "0x7e"),
        ("F8_E4M3", "0x7e"),
        ("fp8", "0x7e"),
        ("float8_e4m3", "0x78"),
        ("e4m3ieee", "0x78"),
    ] {
        let ran = fpx(&format!("convert 448 --to {name} --emit bits -q")).run();
        ran.is(0, &format!("{code}\n"), "");
    }
}

#[test]
fn custom_formats_are_formats() {
    for (name, canonical) in [
        ("e5m10", "f16"),
        ("5+11", "f16"),
        ("e4m3:bias=11:fnuz", "e4m3b11fnuz"),
        ("e5m10:finite", "arm-alt-half"),
        ("e3m3:finite", "e3m3:finite"),
        ("binary8p4se", "binary8p4se"),
        ("torch.float8_e5m2", "e5m2"),
    ] {
        let csv = fpx(&format!("formats {name} --emit csv")).run().stdout;
        assert_eq!(
            csv.lines().nth(1).and_then(|row| row.split(',').next()),
            Some(canonical),
            "{name}"
        );
    }
}
