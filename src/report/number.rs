//! Numbers become short texts for people. What is not zero never becomes a zero.

/// Returns an integer with its thousands separated.
///
/// ```
/// assert_eq!(fpx::report::number::grouped(22_225), "22,225");
/// ```
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns an integer in at most three digits and a letter: exactly where possible, else cut after
/// three.
///
/// ```
/// use fpx::report::number::compact;
/// assert_eq!([compact(999), compact(1_000_000), compact(1_184_256)], ["999", "1M", "1.18M"]);
/// ```
pub fn compact(n: u64) -> String {
    let (unit, letter) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => (1_000, 'k'),
        1_000_000..1_000_000_000 => (1_000_000, 'M'),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, 'G'),
        _ => (1_000_000_000_000, 'T'),
    };
    let digits = 3_usize.saturating_sub((n / unit).to_string().len());
    let fraction = format!("{:03}", n % unit * 1_000 / unit);
    let text = format!("{}.{}", n / unit, &fraction[..digits]);
    format!("{}{letter}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Returns a number of bytes with a decimal unit and three digits.
///
/// ```
/// assert_eq!(fpx::report::number::bytes(4_737_024), "4.74 MB");
/// ```
pub fn bytes(n: u64) -> String {
    if n < 1_000 {
        return format!("{n} B");
    }
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut scaled = to_f64(n) / 1e3;
    let mut unit = 0;
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= 1e3;
        unit += 1;
    }
    format!("{} {}", significant(scaled, 3), units[unit])
}

/// Returns a count as a share of a total: per cent, or `6 in 1M` where that is too small.
///
/// Only a count of 0 gives `0`, and only one of everything `100 %`.
///
/// ```
/// use fpx::report::number::share;
/// assert_eq!(share(64, 1_000_000), "0.0064 %");
/// assert_eq!(share(6, 1_000_000), "6 in 1M");
/// assert_eq!(share(999_999, 1_000_000), ">99.9 %");
/// ```
pub fn share(count: u64, total: u64) -> String {
    if count == 0 {
        return "0".to_owned();
    }
    if count == total {
        return "100 %".to_owned();
    }
    let percent = 100.0 * to_f64(count) / to_f64(total);
    if percent < 0.001 {
        return format!("{} in {}", compact(count), compact(total));
    }
    if percent > 99.9 {
        return ">99.9 %".to_owned();
    }
    if percent >= 99.0 {
        return format!("{percent:.1} %");
    }
    format!("{} %", significant(percent, 2))
}

/// Returns the shortest text that reads back, `inf`, `-inf` or `nan`.
pub fn shortest(x: f64) -> String {
    if x.is_nan() {
        "nan".to_owned()
    } else if x != 0.0 && x.is_finite() && !(1e-5..1e16).contains(&x.abs()) {
        format!("{x:e}")
    } else {
        format!("{x}")
    }
}

/// Returns a number with so many significant digits, plain from 1e-4 to 1e6 and `d.de-5` elsewhere.
///
/// ```
/// use fpx::report::number::significant;
/// assert_eq!([significant(0.04812, 2), significant(1.333, 3), significant(2e-7, 2)], ["0.048", "1.33", "2e-7"]);
/// ```
pub fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return shortest(x + 0.0);
    }
    let scientific = format!("{x:.*e}", digits.max(1) - 1);
    let Some((_, Ok(exponent))) = scientific.split_once('e').map(|(m, e)| (m, e.parse::<i32>()))
    else {
        return scientific;
    };
    if !(-4..6).contains(&exponent) {
        return trim_scientific(&scientific);
    }
    let last = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
    // Through the rounded digits, so that nothing is rounded twice.
    let rounded: f64 = scientific.parse().unwrap_or(x);
    format!("{rounded:.*}", usize::try_from(last).unwrap_or(0))
}

/// Returns a number as `d.de-5` below 0.1 and from 1000 on, else as [`significant`] does; an exact
/// small integer as itself.
///
/// ```
/// use fpx::report::number::scientific;
/// assert_eq!([scientific(1.84e-4, 2), scientific(0.0243, 2), scientific(1.0, 2)], ["1.8e-4", "2.4e-2", "1"]);
/// ```
pub fn scientific(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() || (x.abs() < 1e3 && x.fract() == 0.0) {
        return shortest(x + 0.0);
    }
    if (0.1..1e3).contains(&x.abs()) {
        return significant(x, digits);
    }
    trim_scientific(&format!("{x:.*e}", digits.max(1) - 1))
}

/// Takes trailing zeros off the digits before an exponent.
fn trim_scientific(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text.to_owned(),
    }
}

/// Returns a number with so many decimals; one that would show as zero, as [`scientific`].
///
/// ```
/// use fpx::report::number::fixed;
/// assert_eq!([fixed(73.6543, 2), fixed(0.0004, 2), fixed(f64::INFINITY, 2)], ["73.65", "4e-4", "inf"]);
/// ```
pub fn fixed(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return shortest(x);
    }
    let text = format!("{x:.decimals$}");
    let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    if is_zero && x != 0.0 { scientific(x, 2) } else { text }
}

#[expect(clippy::cast_precision_loss, reason = "a text of three digits")]
fn to_f64(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_is_not_zero_never_shows_as_zero_or_as_everything() {
        for total in [1_u64, 7, 1_000, 1 << 32, u64::MAX] {
            for count in [1, 2, total / 3, total - 1] {
                if count > 0 && count < total {
                    let text = share(count, total);
                    assert!(text != "0" && !text.starts_with("100"), "{count} of {total}: {text}");
                    assert!(text.contains(|c: char| ('1'..='9').contains(&c)), "{text}");
                }
            }
        }
        assert_eq!((share(0, 5), share(5, 5)), ("0".to_owned(), "100 %".to_owned()));
    }

    #[test]
    fn shares_keep_two_digits() {
        let cases = [(1, 3, "33 %"), (112, 10_000, "1.1 %"), (995, 1_000, "99.5 %")];
        for (count, total, text) in cases {
            assert_eq!(share(count, total), text);
        }
        assert_eq!(share(11, 1_184_256), "11 in 1.18M");
    }

    #[test]
    fn digits_carry_into_the_exponent_once() {
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(999_999.9, 3), "1e6");
        assert_eq!(scientific(0.099_99, 2), "1e-1");
        assert_eq!(significant(123_456.0, 3), "123000");
        assert_eq!(bytes(999_950), "1.00 MB");
        assert_eq!(bytes(999), "999 B");
    }

    #[test]
    fn grouping_and_compact_forms() {
        assert_eq!([grouped(0), grouped(999), grouped(1_000)], ["0", "999", "1,000"]);
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(
            [compact(1 << 32), compact(10_000), compact(16_777_216)],
            ["4.29G", "10k", "16.7M"]
        );
    }

    #[test]
    fn extremes_have_texts() {
        assert_eq!(shortest(f64::MIN_POSITIVE), "2.2250738585072014e-308");
        assert_eq!([shortest(f64::NAN), significant(-0.0, 2)], ["nan", "0"]);
        assert_eq!([fixed(-0.001, 2), fixed(0.0, 2)], ["-1e-3", "0.00"]);
    }
}
