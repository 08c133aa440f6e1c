//! Codes become the set of codes seen.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde_json::Value;

use super::StateError;

/// The widest format whose codes are recorded.
pub const MAX_WIDTH: u32 = 16;

/// A set of codes of at most [`MAX_WIDTH`] bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedCodes {
    words: Vec<u64>,
}

impl UsedCodes {
    /// Returns the empty set of codes of `width` bits, or `None` for a format that is too wide.
    pub fn new(width: u32) -> Option<Self> {
        (width <= MAX_WIDTH).then(|| Self { words: vec![0; (1 << width.saturating_sub(6)).max(1)] })
    }

    /// Adds every code whose mark is 1, and clears the marks.
    pub(super) fn take(&mut self, marks: &mut [u8]) {
        let (eights, _) = marks.as_chunks_mut::<8>();
        for (word, eights) in self.words.iter_mut().zip(eights.chunks_mut(8)) {
            for (i, marks) in eights.iter_mut().enumerate() {
                let eight = u64::from_le_bytes(*marks);
                if eight != 0 {
                    // The product's top byte gathers the last bits of all eight.
                    *word |= eight.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * i);
                    *marks = [0; 8];
                }
            }
        }
    }

    /// Adds the codes of another set of the same width.
    pub fn merge(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Returns how many codes are in the set.
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Returns the set as deflated bytes in hex.
    pub(super) fn state(&self) -> Value {
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        // Writing to memory does not fail.
        let hex = |bytes: Vec<u8>| {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>()
        };
        packed.map_or(Value::Null, |bytes| hex(bytes).into())
    }

    /// Reads what [`state`](Self::state) returned.
    pub(super) fn from_state(state: &Value) -> Result<Self, StateError> {
        let text = state.as_str().filter(|text| text.is_ascii()).ok_or(StateError)?;
        let byte = |pair: &[u8]| {
            let digits = std::str::from_utf8(pair).map_err(|_| StateError)?;
            u8::from_str_radix(digits, 16).map_err(|_| StateError)
        };
        let packed: Vec<u8> =
            text.as_bytes().chunks(2).map(byte).collect::<Result<_, StateError>>()?;
        let mut bytes = Vec::new();
        // One byte more than the largest set shows that there is too much.
        let limit = (1 << MAX_WIDTH) / 8 + 1;
        let mut decoder = ZlibDecoder::new(packed.as_slice()).take(limit);
        decoder.read_to_end(&mut bytes).map_err(|_| StateError)?;
        let (words, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || !words.len().is_power_of_two() {
            return Err(StateError);
        }
        Ok(Self { words: words.iter().map(|word| u64::from_le_bytes(*word)).collect() })
    }

    /// Whether both are sets of codes of the same width, up to 6 bits being one.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.words.len() == other.words.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_members_and_states_read_back() {
        for width in [4, 6, 8, 11, 16] {
            let mut marks = vec![0u8; 1 << width];
            let members = [0, 3, (1 << width) - 1];
            for code in members {
                marks[code] = 1;
            }
            let mut used = UsedCodes::new(width).unwrap();
            used.take(&mut marks);
            assert_eq!(used.count(), 3);
            assert!(marks.iter().all(|mark| *mark == 0));
            assert_eq!(UsedCodes::from_state(&used.state()), Ok(used.clone()));
            marks[3] = 1;
            marks[4] = 1;
            let mut other = UsedCodes::new(width).unwrap();
            other.take(&mut marks);
            used.merge(&other);
            assert_eq!(used.count(), 4);
        }
        assert_eq!(UsedCodes::new(17), None);
    }

    #[test]
    fn bad_states_are_refused() {
        for bad in ["", "1", "zz", "789c", "é"] {
            assert_eq!(UsedCodes::from_state(&Value::from(bad)), Err(StateError), "{bad}");
        }
    }
}
