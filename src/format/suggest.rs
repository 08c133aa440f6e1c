//! A name that nothing has becomes the known one that was meant.

/// A name at least so similar to an unknown one is suggested.
const NEAR: f64 = 0.8;

/// Longer than any name that is meant: comparing takes time quadratic in the length.
const LONGEST: usize = 256;

/// Returns what has the spelling nearest to an unknown name, the first of several, if one is near.
///
/// ```
/// use fpx::format::nearest;
/// let known = [("f16", 1), ("bf16", 2)];
/// assert_eq!(nearest("bf61", known), Some(2));
/// assert_eq!(nearest("double", known), None);
/// ```
pub fn nearest<'a, T>(name: &str, known: impl IntoIterator<Item = (&'a str, T)>) -> Option<T> {
    let is_short = |text: &str| text.len() <= LONGEST;
    known
        .into_iter()
        .filter(|(spelling, _)| is_short(name) && is_short(spelling))
        .filter(|(spelling, _)| strsim::jaro_winkler(name, spelling) >= NEAR)
        .min_by_key(|(spelling, _)| strsim::damerau_levenshtein(name, spelling))
        .map(|(_, meant)| meant)
}
