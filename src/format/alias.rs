//! Names and their aliases become formats; what is unknown gets a suggestion.

use super::{
    Format,
    catalogue::{CATALOGUE, Row},
    grammar, nearest,
};

/// A format by name, with a remark where the name is ambiguous.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The format.
    pub format: Format,
    /// What an ambiguous name was taken for, to be shown to people.
    pub note: Option<String>,
}

/// Why a name is not a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Nothing has this name.
    #[error("unknown format '{name}'{}", suggestion(suggestion_for.as_deref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, if one is near.
        suggestion_for: Option<String>,
    },
    /// The name has the shape of a grammar but says something impossible.
    #[error("format '{name}': {reason}")]
    Impossible {
        /// What was asked for.
        name: String,
        /// What would be accepted.
        reason: String,
    },
}

fn suggestion(name: Option<&str>) -> String {
    name.map_or_else(
        || ": 'fpx formats' lists them".to_owned(),
        |n| format!(", did you mean '{n}'?"),
    )
}

/// Names that people give to more than one format, the format they get, and what they are told.
const AMBIGUOUS: &[(&[&str], &str, &str)] = &[
    (
        &["e4m3", "f8e4m3", "fp8e4m3", "fe4m3"],
        "e4m3fn",
        "OCP's e4m3fn (largest 448, no infinities); the IEEE-like one is e4m3ieee",
    ),
    (
        &["fp8", "f8"],
        "e4m3fn",
        "OCP's e4m3fn; the other 8-bit ones are e5m2, e4m3fnuz, e5m2fnuz, e3m4",
    ),
    (&["fp6"], "e2m3fn", "OCP's e2m3fn; the one with more range is e3m2fn"),
    (&["bf8"], "e5m2", "OCP's e5m2; AMD's gfx94x means e5m2fnuz"),
];

/// Names that stand for a name of the grammar.
const SHORTHANDS: &[(&str, &str)] =
    &[("f8e4m3b15", "e4m3:bias=15:finite"), ("fp8e4b15", "e4m3:bias=15:finite")];

/// Prefixes of other ecosystems that say nothing about the format.
const PREFIXES: &[&str] =
    &["torch.", "numpy.", "np.", "jax.numpy.", "jnp.", "ml_dtypes.", "tl.", "tf.", "onnx."];

/// Reads the name of a format: canonical, an alias, or a name of the grammar.
///
/// Case, `_`, `-`, spaces and the prefixes of other libraries are ignored.
///
/// ```
/// use fpx::format::parse;
/// assert_eq!(parse("torch.bfloat16").unwrap().format.name(), "bf16");
/// assert_eq!(parse("e4m3:bias=11:fnuz").unwrap().format.name(), "e4m3b11fnuz");
/// assert_eq!(
///     parse("bf61").unwrap_err().to_string(),
///     "unknown format 'bf61', did you mean 'bf16'?"
/// );
/// ```
///
/// # Errors
///
/// [`FormatError`] if nothing has this name, or it describes an impossible format.
pub fn parse(name: &str) -> Result<Parsed, FormatError> {
    let folded = fold(name);
    if let Some((_, target, note)) =
        AMBIGUOUS.iter().find(|(aliases, ..)| aliases.contains(&&*folded))
    {
        let note = format!("'{name}' is read as {note}");
        return parse(target).map(|parsed| Parsed { note: Some(note), ..parsed });
    }
    if let Some(row) = by_name(&folded) {
        return Ok(Parsed { format: row.format.clone(), note: None });
    }
    let shorthand = SHORTHANDS.iter().find(|(alias, _)| *alias == folded);
    let built = grammar::parse(shorthand.map_or(folded.as_str(), |(_, target)| target))
        .or_else(|| suffixed_row(&folded));
    match built {
        Some(Ok(format)) => Ok(Parsed { format, note: None }),
        Some(Err(reason)) => Err(FormatError::Impossible { name: name.to_owned(), reason }),
        None => Err(FormatError::Unknown {
            name: name.to_owned(),
            suggestion_for: nearest_name(&folded).map(str::to_owned),
        }),
    }
}

/// A catalogue name with suffixes, such as `fp24:nosub`.
fn suffixed_row(folded: &str) -> Option<Result<Format, String>> {
    let (base, suffixes) = folded.split_once(':')?;
    let row = by_name(base)?;
    Some(match row.format.facts().layout {
        super::Layout::Hidden => grammar::with_suffixes(*row.format.facts(), Some(suffixes)),
        super::Layout::Explicit => Err("x87-80 takes no suffix".to_owned()),
    })
}

fn by_name(folded: &str) -> Option<&'static Row> {
    CATALOGUE.iter().find(|row| fold(row.format.name()) == folded || row.aliases.contains(&folded))
}

/// Lower-cases a name and drops separators and prefixes that carry no meaning. The bytes of a
/// numpy type string are spelled out, so that `<f2` is not safetensors' `F2`; the sign of a bias stays.
fn fold(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let bare = PREFIXES.iter().find_map(|prefix| lower.strip_prefix(prefix)).unwrap_or(&lower);
    if let Some(kind) = bare.strip_prefix(['<', '>', '=']) {
        return format!("{kind}byte");
    }
    let (base, suffixes) = bare.split_at(bare.find(':').unwrap_or(bare.len()));
    let base: String = base.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    base + suffixes
}

/// Returns the catalogue name nearest to an unknown one, if it is near.
fn nearest_name(folded: &str) -> Option<&'static str> {
    let names = CATALOGUE.iter().map(|row| (row.format.name(), row.format.name()));
    let aliases = CATALOGUE
        .iter()
        .flat_map(|row| row.aliases.iter().map(|alias| (*alias, row.format.name())));
    nearest(folded, names.chain(aliases))
}
