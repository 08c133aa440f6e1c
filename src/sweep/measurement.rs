//! What a run measured, and how several runs add up.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::row::{Key, Row};
use crate::stats::StateError;

/// What a run measured: its options and its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    pub(super) options: Map<String, Value>,
    pub(super) rows: Vec<Row>,
}

/// Why runs do not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The text is not a report of this subcommand and version.
    #[error("expected a report with \"schema\": \"{SCHEMA}\", found {0}")]
    Schema(String),
    /// A row is not one that this version writes.
    #[error("row {0}: {1}")]
    Row(usize, StateError),
    /// Two runs were made with different options.
    #[error("runs with different options do not add up: {option} is {first} and {second}")]
    Options {
        /// The option.
        option: String,
        /// Its value in the first run.
        first: String,
        /// Its value in another.
        second: String,
    },
    /// A share of the input is in two runs.
    #[error("shard {0} is in two of the runs")]
    Twice(String),
    /// The runs do not have the same rows.
    #[error("the runs measured different things under the same options")]
    Rows,
    /// There is nothing to add.
    #[error("no run is given")]
    Nothing,
}

/// The schema of the JSON that is read back.
const SCHEMA: &str = "fpx.error-sweep/1";

/// The option that tells which shares of the input a run covers.
const SHARD: &str = "shard";

impl Measurement {
    /// Reads the JSON that a run printed.
    ///
    /// # Errors
    ///
    /// [`MergeError`] if this version of fpx does not write such JSON.
    pub fn from_json(text: &str) -> Result<Self, MergeError> {
        let schema = |found: &str| MergeError::Schema(found.to_owned());
        let value: Value = serde_json::from_str(text).map_err(|_| schema("no JSON"))?;
        if value["schema"] != SCHEMA {
            let found = &value["schema"];
            return Err(schema(&if found.is_null() {
                "none".to_owned()
            } else {
                found.to_string()
            }));
        }
        let options = value["options"].as_object().ok_or_else(|| schema("no options"))?.clone();
        let rows = value["rows"].as_array().ok_or_else(|| schema("no rows"))?;
        let rows = rows
            .iter()
            .enumerate()
            .map(|(i, row)| Row::from_json(row).map_err(|error| MergeError::Row(i + 1, error)));
        Ok(Self { options, rows: rows.collect::<Result<_, _>>()? })
    }

    /// Adds up runs over shares of one input, exactly and in any order.
    ///
    /// # Errors
    ///
    /// [`MergeError`], if their options differ in more than the share.
    pub fn merge(runs: Vec<Self>) -> Result<Self, MergeError> {
        let mut runs = runs.into_iter();
        let mut all = runs.next().ok_or(MergeError::Nothing)?;
        for run in runs {
            all.add(run)?;
        }
        all.close();
        Ok(all)
    }

    fn add(&mut self, other: Self) -> Result<(), MergeError> {
        let shards = self.shards().chain(other.shards()).collect::<Vec<_>>();
        for (i, shard) in shards.iter().enumerate() {
            if shards[..i].contains(shard) {
                return Err(MergeError::Twice(shard.clone()));
            }
        }
        for (option, first) in &self.options {
            let second = other.options.get(option).unwrap_or(&Value::Null);
            if option != SHARD && first != second {
                let (first, second) = (first.to_string(), second.to_string());
                return Err(MergeError::Options { option: option.clone(), first, second });
            }
        }
        let mut rows: BTreeMap<Key, Row> =
            other.rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        for row in &mut self.rows {
            let other = rows.remove(&row.key).ok_or(MergeError::Rows)?;
            if !row.statistics.is_like(&other.statistics) || row.elements != other.elements {
                return Err(MergeError::Rows);
            }
            row.statistics.merge(&other.statistics);
        }
        if !rows.is_empty() {
            return Err(MergeError::Rows);
        }
        self.options.insert(SHARD.to_owned(), shards.into());
        Ok(())
    }

    /// The shares that a run covers; a run without one is the whole.
    fn shards(&self) -> impl Iterator<Item = String> {
        let shards = self.options.get(SHARD).and_then(Value::as_array).cloned();
        let shards = shards.unwrap_or_else(|| vec!["1/1".into()]);
        shards.into_iter().filter_map(|shard| shard.as_str().map(str::to_owned))
    }

    /// Sorts the shares that are there; all of them are the whole.
    fn close(&mut self) {
        let number = |shard: &String| {
            let (index, count) = shard.split_once('/')?;
            Some((index.parse::<u64>().ok()?, count.parse::<u64>().ok()?))
        };
        let mut shards: Vec<String> = self.shards().collect();
        shards.sort_by_key(number);
        let count = shards.first().and_then(number).map_or(0, |(_, count)| count);
        let is_whole = shards.len() as u64 == count;
        let value = if is_whole { Value::Null } else { shards.into() };
        self.options.insert(SHARD.to_owned(), value);
    }
}
