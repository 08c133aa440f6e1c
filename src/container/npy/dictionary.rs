//! The Python literal in an `.npy` header: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.

use crate::container::limits::MAX_DIMENSIONS;

/// What the dictionary says.
#[derive(Debug, PartialEq)]
pub(super) struct Dictionary {
    /// The type string without quotes, or the literal of a structure's fields.
    pub(super) descr: String,
    pub(super) fortran: bool,
    pub(super) shape: Vec<u64>,
}

/// The text not yet read.
struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
}

/// Writes the literal.
pub(super) fn write(descr: &str, fortran: bool, shape: &[u64]) -> String {
    let descr =
        if descr.starts_with(['[', '{', '(']) { descr.to_owned() } else { format!("'{descr}'") };
    let fortran = if fortran { "True" } else { "False" };
    let dimensions: Vec<String> = shape.iter().map(u64::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = dimensions.join(", ");
    format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': ({shape}{comma}), }}")
}

impl Dictionary {
    /// Reads the literal; every key must be there once, and no other.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { whole: text, rest: text };
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        reader.expect("{")?;
        while !reader.skip("}") {
            let key = reader.string()?;
            reader.expect(":")?;
            let repeated = match key {
                "descr" => descr.replace(reader.descr()?).is_some(),
                "fortran_order" => fortran.replace(reader.truth()?).is_some(),
                "shape" => shape.replace(reader.shape()?).is_some(),
                other => return Err(format!("unknown key {}", super::super::quote(other))),
            };
            if repeated {
                return Err(format!("the key '{key}' occurs twice"));
            }
            if !reader.skip(",") {
                reader.expect("}")?;
                break;
            }
        }
        if !reader.rest.trim().is_empty() {
            return Err(reader.unexpected("the end"));
        }
        let missing = |key: &str| format!("the key '{key}' is missing");
        Ok(Self {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

impl<'a> Reader<'a> {
    fn unexpected(&self, expected: &str) -> String {
        let at = self.whole.len() - self.rest.trim_start().len();
        format!("expected {expected} at byte {at} of the dictionary")
    }

    /// Skips spaces and a token, if it is next.
    fn skip(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.skip(token) { Ok(()) } else { Err(self.unexpected(&format!("'{token}'"))) }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        for quote in ['\'', '"'] {
            let text = self.rest.trim_start().strip_prefix(quote);
            if let Some((string, rest)) = text.and_then(|text| text.split_once(quote)) {
                self.rest = rest;
                return Ok(string);
            }
        }
        Err(self.unexpected("a string"))
    }

    /// A type string, or the bracketed literal of a structure as it stands.
    fn descr(&mut self) -> Result<String, String> {
        let text = self.rest.trim_start();
        if !text.starts_with(['[', '(', '{']) {
            return self.string().map(str::to_owned);
        }
        let mut depth = 0i32;
        for (at, c) in text.char_indices() {
            depth += i32::from(matches!(c, '[' | '(' | '{'));
            depth -= i32::from(matches!(c, ']' | ')' | '}'));
            if depth == 0 {
                let (literal, rest) = text.split_at(at + 1);
                self.rest = rest;
                return Ok(literal.to_owned());
            }
        }
        Err(self.unexpected("a closing bracket"))
    }

    fn truth(&mut self) -> Result<bool, String> {
        match (self.skip("True"), self.skip("False")) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(self.unexpected("True or False")),
        }
    }

    /// A tuple of sizes; NumPy of Python 2 wrote `3L`.
    fn shape(&mut self) -> Result<Vec<u64>, String> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while !self.skip(")") {
            let text = self.rest.trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            if shape.len() as u64 > MAX_DIMENSIONS {
                return Err(format!("more dimensions than MAX_DIMENSIONS = {MAX_DIMENSIONS}"));
            }
            let size = text[..end].parse().map_err(|_| self.unexpected("a size below 2^64"))?;
            shape.push(size);
            self.rest = &text[end..];
            self.skip("L");
            if !self.skip(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_numpy_writes() {
        for (text, descr, fortran, shape) in [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n",
                "<f4",
                false,
                vec![3, 4],
            ),
            ("{'descr': '|b1', 'fortran_order': True, 'shape': (3,), }", "|b1", true, vec![3]),
            ("{\"shape\": (), \"descr\": \"<V2\", \"fortran_order\": False}", "<V2", false, vec![]),
            ("{'descr': '<i8','fortran_order':False,'shape':(2L,7L)}", "<i8", false, vec![2, 7]),
            (
                "{'descr': [('a', '<f4'), ('b', '<i8', (2,))], 'fortran_order': False, 'shape': (1,), }",
                "[('a', '<f4'), ('b', '<i8', (2,))]",
                false,
                vec![1],
            ),
        ] {
            let descr = descr.to_owned();
            let read = Dictionary::parse(text).unwrap();
            assert_eq!(read, Dictionary { descr, fortran, shape }, "{text}");
            let written = write(&read.descr, read.fortran, &read.shape);
            assert_eq!(Dictionary::parse(&written), Ok(read), "{written}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, what) in [
            ("", "expected '{' at byte 0 of the dictionary"),
            ("{'descr': 4}", "expected a string at byte 10 of the dictionary"),
            ("{'descr': '<f4'", "expected '}' at byte 15 of the dictionary"),
            ("{'descr': '<f4', 'descr': '<f4'}", "the key 'descr' occurs twice"),
            ("{'descr': '<f4', 'shape': (1,)}", "the key 'fortran_order' is missing"),
            ("{'dexcr': '<f4'}", "unknown key 'dexcr'"),
            ("{'shape': (-1,)}", "expected a size below 2^64 at byte 11 of the dictionary"),
            (
                "{'shape': (18446744073709551616,)}",
                "expected a size below 2^64 at byte 11 of the dictionary",
            ),
            ("{'descr': [('a', '<f4')", "expected a closing bracket at byte 10 of the dictionary"),
            ("{'fortran_order': 1}", "expected True or False at byte 18 of the dictionary"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
                "expected the end at byte 56 of the dictionary",
            ),
        ] {
            assert_eq!(Dictionary::parse(text).unwrap_err(), what, "{text}");
        }
    }
}
