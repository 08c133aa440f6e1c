//! `i/n`: which part of a job is done by one of several runs, on one machine or on many.

/// One of several equal shares of a job whose units are numbered.
///
/// Unit `k`, counted from 0, belongs to share `k mod n + 1`: which, follows from its number alone.
///
/// ```
/// use fpx::container::Shard;
/// let shard: Shard = "2/3".parse().unwrap();
/// let units: Vec<u64> = (0..8).filter(|&unit| shard.contains(unit)).collect();
/// assert_eq!(units, [1, 4, 7]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which share, from 1.
    pub index: u64,
    /// How many shares there are.
    pub count: u64,
}

/// A text is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("shard '{0}': expected i/n with 1 <= i <= n, such as 1/8")]
pub struct ShardError(String);

impl Shard {
    /// All units.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Whether a unit belongs to this share.
    pub const fn contains(self, unit: u64) -> bool {
        unit % self.count == self.index - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl std::str::FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |text: &str| text.parse::<u64>().ok();
        let shard = text.split_once('/').and_then(|(i, n)| Some((number(i)?, number(n)?)));
        match shard {
            Some((index, count)) if 1 <= index && index <= count => Ok(Self { index, count }),
            _ => Err(ShardError(text.to_owned())),
        }
    }
}
