//! A Hugging Face folder: safetensors shards, the index that says which tensor is where, and side
//! files such as the configuration and the tokenizer.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{ContainerError, Hints, Source, by_name, json::Pairs, limits, open, quote};

/// The file that says how a model was made, and in which type its weights are.
pub const CONFIG: &str = "config.json";

/// The end of an index's name.
const INDEX_SUFFIX: &str = ".safetensors.index.json";
/// The weights of a folder with one file and no index.
const SINGLE: &str = "model.safetensors";
/// Keys of an index.
const WEIGHT_MAP: &str = "weight_map";
const METADATA: &str = "metadata";
const TOTAL_SIZE: &str = "total_size";

/// A folder of weights.
#[derive(Debug)]
pub struct Checkpoint {
    /// The folder.
    pub root: PathBuf,
    /// The index, unless there is a single file.
    pub index: Option<Index>,
    /// The shards that can be read, in the order of their names.
    pub shards: Vec<Source>,
    /// What keeps it from being whole.
    pub problems: Vec<ContainerError>,
    /// Every other file, by its path from the folder; hidden ones are left out.
    pub side_files: Vec<PathBuf>,
}

/// Which tensor is in which shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The name of the index file.
    pub name: String,
    /// What it says besides.
    metadata: Map<String, Value>,
    /// Shard by tensor.
    weight_map: BTreeMap<String, String>,
}

/// Whether a path is a folder with an index or with a single file of weights.
pub fn is_checkpoint(path: &Path) -> bool {
    path.join(SINGLE).is_file() || index_names(path).is_ok_and(|names| !names.is_empty())
}

fn index_names(root: &Path) -> Result<Vec<String>, ContainerError> {
    let fail = |error| ContainerError::io("read", root, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(INDEX_SUFFIX) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Opens a folder and checks index and shards against each other.
///
/// # Errors
///
/// [`ContainerError`] if something is missing, unreadable, or contradicts something else.
pub fn open_folder(root: &Path) -> Result<Checkpoint, ContainerError> {
    let mut checkpoint = read_folder(root)?.whole()?;
    checkpoint.shards =
        checkpoint.shards.into_iter().map(Source::sound).collect::<Result<Vec<_>, _>>()?;
    checkpoint.problems = checkpoint.check();
    let mut checkpoint = checkpoint.whole()?;
    let mut taken: HashSet<PathBuf> =
        checkpoint.shards.iter().filter_map(|s| s.path.file_name()).map(PathBuf::from).collect();
    taken.extend(checkpoint.index.iter().map(|index| PathBuf::from(&index.name)));
    walk(root, Path::new(""), &taken, &mut checkpoint.side_files)?;
    checkpoint.side_files.sort();
    Ok(checkpoint)
}

/// Opens as much of a folder as can be read, and says what is wrong with the rest; side files are
/// left alone.
///
/// # Errors
///
/// [`ContainerError`] if it has no weights, or its index cannot be read.
pub fn survey_folder(root: &Path) -> Result<Checkpoint, ContainerError> {
    let mut checkpoint = read_folder(root)?;
    let contradictions = checkpoint.check();
    checkpoint.problems.extend(contradictions);
    Ok(checkpoint)
}

/// Reads the index and the shards' headers.
fn read_folder(root: &Path) -> Result<Checkpoint, ContainerError> {
    let index = match index_names(root)?.as_slice() {
        [] => None,
        [name] => Some(Index::read(&root.join(name), name)?),
        several => {
            let what = format!("has several indexes ({}): name a file", several.join(", "));
            return Err(ContainerError::data(root, what));
        }
    };
    let names: Vec<String> = match &index {
        Some(index) => index.shards(),
        None if root.join(SINGLE).is_file() => vec![SINGLE.to_owned()],
        None => return Err(ContainerError::data(root, no_weights(root))),
    };
    let kind = by_name("safetensors");
    let (mut shards, mut problems) = (Vec::new(), Vec::new());
    for name in &names {
        match open(&root.join(name), kind, &Hints::default()) {
            Ok(shard) => shards.push(shard),
            Err(error) => problems.push(error),
        }
    }
    Ok(Checkpoint { root: root.to_owned(), index, shards, problems, side_files: Vec::new() })
}

/// Says why a folder is no checkpoint.
fn no_weights(root: &Path) -> String {
    let has_pickle = fs::read_dir(root).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            [".bin", ".pt", ".pth", ".bin.index.json"].iter().any(|end| name.ends_with(end))
        })
    });
    let pickle = if has_pickle {
        "; its weights are pickled Python objects, which can run code when read: save them as \
         safetensors first"
    } else {
        ""
    };
    format!("is a folder without {SINGLE} or *{INDEX_SUFFIX}{pickle}")
}

/// Collects the files of a folder by their paths from the root.
fn walk(
    root: &Path,
    below: &Path,
    taken: &HashSet<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<(), ContainerError> {
    let folder = root.join(below);
    let fail = |error| ContainerError::io("read", &folder, error);
    for entry in fs::read_dir(&folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = below.join(entry.file_name());
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if is_hidden || taken.contains(&path) {
            continue;
        }
        // Links to files, as in the hub's cache, are followed; links to folders may be circular.
        if entry.file_type().map_err(fail)?.is_dir() {
            walk(root, &path, taken, files)?;
        } else if root.join(&path).is_file() {
            files.push(path);
        } else {
            let what = "is neither a file nor a folder, and would be lost";
            return Err(ContainerError::data(&root.join(path), what));
        }
    }
    Ok(())
}

impl Checkpoint {
    /// Refuses what is not whole, with the first problem.
    fn whole(mut self) -> Result<Self, ContainerError> {
        if self.problems.is_empty() { Ok(self) } else { Err(self.problems.swap_remove(0)) }
    }

    /// Checks that the index and the shards list the same tensors.
    fn check(&self) -> Vec<ContainerError> {
        let tensors = self.shards.iter().map(|shard| shard.tensors.len() as u64).sum();
        if let Err(what) =
            limits::check("the number of tensors", tensors, limits::limit!(MAX_TENSORS))
        {
            return vec![ContainerError::data(&self.root, what)];
        }
        let Some(index) = &self.index else { return Vec::new() };
        let path = self.root.join(&index.name);
        let mut missing: BTreeMap<&str, &str> =
            index.weight_map.iter().map(|(tensor, shard)| (tensor.as_str(), &**shard)).collect();
        let mut problems = Vec::new();
        let mut opened = HashSet::new();
        for shard in &self.shards {
            let file = shard.path.file_name().unwrap_or_default().to_string_lossy();
            for tensor in &shard.tensors {
                let listed = missing.remove(tensor.name.as_str());
                if listed != Some(&*file) {
                    let (name, file) = (quote(&tensor.name), quote(&file));
                    let what = listed.map(quote).map_or_else(
                        || format!("tensor {name} of {file} is not in the index"),
                        |listed| {
                            format!(
                                "tensor {name} is in {file}, where the index has it in {listed}"
                            )
                        },
                    );
                    problems.push(ContainerError::data(&path, what));
                }
            }
            opened.insert(file);
        }
        // Of a shard that cannot be read, that alone is said.
        problems.extend(missing.into_iter().filter(|(_, shard)| opened.contains(*shard)).map(
            |(tensor, shard)| {
                let (tensor, shard) = (quote(tensor), quote(shard));
                let what = format!("tensor {tensor} is not in {shard}, where the index has it");
                ContainerError::data(&path, what)
            },
        ));
        problems
    }
}

impl Index {
    fn read(path: &Path, name: &str) -> Result<Self, ContainerError> {
        let data = |what: String| ContainerError::data(path, what);
        let text = read_text(path)?;
        let Pairs(entries): Pairs<Value> =
            serde_json::from_str(&text).map_err(|error| data(format!("is not JSON: {error}")))?;
        let mut index =
            Self { name: name.to_owned(), metadata: Map::new(), weight_map: BTreeMap::new() };
        for (key, value) in entries {
            match (key.as_str(), value) {
                (METADATA, Value::Object(metadata)) => index.metadata = metadata,
                (WEIGHT_MAP, _) => {}
                (other, _) => return Err(data(format!("unexpected key {}", quote(other)))),
            }
        }
        index.read_weight_map(&text).map_err(data)?;
        Ok(index)
    }

    /// Reads the map with its repeated keys: a tensor listed twice would be in two shards.
    fn read_weight_map(&mut self, text: &str) -> Result<(), String> {
        #[derive(serde::Deserialize)]
        struct Outer {
            weight_map: Pairs<String>,
        }
        let Outer { weight_map: Pairs(pairs) } = serde_json::from_str(text)
            .map_err(|error| format!("has no {WEIGHT_MAP} of tensors and files: {error}"))?;
        for (tensor, shard) in pairs {
            let is_plain = Path::new(&shard).file_name() == Some(shard.as_ref());
            if !is_plain || !shard.ends_with(".safetensors") {
                return Err(format!("{} is no name of a shard in this folder", quote(&shard)));
            }
            if self.weight_map.contains_key(&tensor) {
                return Err(format!("the tensor {} is listed twice", quote(&tensor)));
            }
            self.weight_map.insert(tensor, shard);
        }
        Ok(())
    }

    /// Returns the shards' names, sorted.
    fn shards(&self) -> Vec<String> {
        let mut shards: Vec<String> = self.weight_map.values().cloned().collect();
        shards.sort();
        shards.dedup();
        shards
    }

    /// Returns the text of the index of a converted folder: sorted, with the bytes of all tensors.
    pub fn text(&self, weight_map: &BTreeMap<String, String>, total_size: u64) -> String {
        let mut metadata = self.metadata.clone();
        metadata.insert(TOTAL_SIZE.to_owned(), total_size.into());
        let mut map = Map::new();
        map.insert(METADATA.to_owned(), metadata.into());
        let weights =
            weight_map.iter().map(|(tensor, shard)| (tensor.clone(), Value::from(shard.as_str())));
        map.insert(WEIGHT_MAP.to_owned(), Value::Object(weights.collect()));
        format!("{:#}\n", Value::Object(map))
    }
}

/// Reads a JSON file whole.
///
/// # Errors
///
/// [`ContainerError`] if it cannot be read, or is too long.
pub fn read_text(path: &Path) -> Result<String, ContainerError> {
    let fail = |error| ContainerError::io("read", path, error);
    let metadata = fs::metadata(path).map_err(fail)?;
    if !metadata.is_file() {
        return Err(ContainerError::data(path, "is no regular file"));
    }
    limits::check("its length", metadata.len(), limits::limit!(MAX_HEADER_BYTES))
        .map_err(|what| ContainerError::data(path, what))?;
    fs::read_to_string(path).map_err(fail)
}
