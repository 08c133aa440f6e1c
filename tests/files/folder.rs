//! Hugging Face folders: the index and the shards must agree.

use std::{fs, path::Path};

use fpx::container::checkpoint::{is_checkpoint, open_folder};

use crate::util::write_safetensors;

const FIRST: &str = "model-00001-of-00002.safetensors";
const SECOND: &str = "model-00002-of-00002.safetensors";

fn shard(path: &Path, names: &[&str]) {
    let entries: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let (begin, end) = (4 * i, 4 * i + 4);
            format!(r#""{name}":{{"dtype":"F32","shape":[1,1],"data_offsets":[{begin},{end}]}}"#)
        })
        .collect();
    write_safetensors(path, &format!("{{{}}}", entries.join(",")), &vec![0; 4 * names.len()]);
}

fn folder(weight_map: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    shard(&dir.path().join(FIRST), &["a", "b"]);
    shard(&dir.path().join(SECOND), &["c"]);
    let index = format!(r#"{{"metadata": {{"total_size": 12}}, "weight_map": {weight_map}}}"#);
    fs::write(dir.path().join("model.safetensors.index.json"), index).unwrap();
    fs::write(dir.path().join("config.json"), "{}").unwrap();
    fs::create_dir(dir.path().join("tokenizer")).unwrap();
    fs::write(dir.path().join("tokenizer/vocab.txt"), "x").unwrap();
    fs::write(dir.path().join(".hidden"), "x").unwrap();
    dir
}

#[test]
fn opens_shards_and_lists_side_files() {
    let dir = folder(&format!(r#"{{"c": "{SECOND}", "a": "{FIRST}", "b": "{FIRST}"}}"#));
    assert!(is_checkpoint(dir.path()));
    let checkpoint = open_folder(dir.path()).unwrap();
    let shards: Vec<_> = checkpoint.shards.iter().map(|shard| shard.tensors.len()).collect();
    assert_eq!(shards, [2, 1]);
    let side_files: Vec<_> =
        checkpoint.side_files.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(side_files, ["config.json", "tokenizer/vocab.txt"]);
    let index = checkpoint.index.unwrap();
    let text = index.text(&[("z".to_owned(), FIRST.to_owned())].into(), 7);
    let expected = format!(
        "{{\n  \"metadata\": {{\n    \"total_size\": 7\n  }},\n  \"weight_map\": {{\n    \"z\": \"{FIRST}\"\n  }}\n}}\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn index_and_shards_must_agree() {
    for (weight_map, what) in [
        (format!(r#"{{"a": "{FIRST}", "b": "{FIRST}"}}"#), None),
        (format!(r#"{{"a": "{FIRST}", "c": "{SECOND}"}}"#), Some("tensor 'b' is in")),
        (
            format!(r#"{{"a": "{FIRST}", "b": "{SECOND}", "c": "{SECOND}"}}"#),
            Some("where the index has it in 'model-00002-of-00002.safetensors'"),
        ),
        (
            format!(r#"{{"a": "{FIRST}", "b": "{FIRST}", "c": "{SECOND}", "d": "{SECOND}"}}"#),
            Some("tensor 'd' is not in"),
        ),
        (
            format!(r#"{{"a": "{FIRST}", "b": "{FIRST}", "c": "{SECOND}", "a": "{SECOND}"}}"#),
            Some("the tensor 'a' is listed twice"),
        ),
        (
            r#"{"a": "../x.safetensors"}"#.to_owned(),
            Some("'../x.safetensors' is no name of a shard"),
        ),
        (r#"{"a": "missing.safetensors"}"#.to_owned(), Some("cannot read")),
        ("3".to_owned(), Some("has no weight_map")),
    ] {
        let dir = folder(&weight_map);
        match (open_folder(dir.path()), what) {
            // A shard that the index does not name is a side file.
            (Ok(checkpoint), None) => assert!(checkpoint.side_files.contains(&SECOND.into())),
            (Ok(_), Some(what)) => panic!("{weight_map} is accepted: expected {what}"),
            (Err(error), what) => {
                let error = error.to_string();
                assert!(error.contains(what.unwrap_or("nothing")), "{weight_map}: {error}");
            }
        }
    }
}

#[test]
fn a_folder_of_pickles_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!is_checkpoint(dir.path()));
    fs::write(dir.path().join("pytorch_model.bin"), "x").unwrap();
    let error = open_folder(dir.path()).unwrap_err().to_string();
    assert!(error.contains("pickled"), "{error}");
}

#[test]
fn a_folder_with_one_file_needs_no_index() {
    let dir = tempfile::tempdir().unwrap();
    shard(&dir.path().join("model.safetensors"), &["a"]);
    let checkpoint = open_folder(dir.path()).unwrap();
    assert!(checkpoint.index.is_none() && checkpoint.shards.len() == 1);
}
