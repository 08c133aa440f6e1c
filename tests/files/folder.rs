//! Hugging Face folders: the index and the shards must agree.

use std::{fs, path::Path};

use fpx::{
    codec::decode,
    container::checkpoint::{is_checkpoint, open_folder},
    format::E4M3FN,
};

use crate::util::{Model, convert, f32_bytes, listing, write_safetensors};

pub(crate) const FIRST: &str = "model-00001-of-00002.safetensors";
pub(crate) const SECOND: &str = "model-00002-of-00002.safetensors";

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
        (format!(r#"{{"a": "{FIRST}", "c": "{SECOND}"}}"#), Some("is not in the index")),
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

/// A checkpoint of two shards: a bf16 weight in each, an FP8 weight whose scale is in the other shard.
pub(crate) fn checkpoint(dir: &Path) {
    fs::create_dir(dir).unwrap();
    let write = |name: &str, entries: &[(&str, &str, &str, usize)]| {
        let mut end = 0;
        let header: Vec<String> = entries
            .iter()
            .map(|(tensor, dtype, shape, bytes)| {
                end += bytes;
                let begin = end - bytes;
                format!(r#""{tensor}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
            })
            .collect();
        let data: Vec<u8> = (0..end).map(|i| u8::try_from(i % 60).unwrap()).collect();
        write_safetensors(&dir.join(name), &format!("{{{}}}", header.join(",")), &data);
    };
    write(FIRST, &[("a.weight", "BF16", "[4,8]", 64), ("q.weight", "F8_E4M3", "[2,4]", 8)]);
    write(
        SECOND,
        &[
            ("q.weight_scale", "F32", "[2,1]", 8),
            ("b.weight", "BF16", "[2,8]", 32),
            ("b.bias", "BF16", "[8]", 16),
        ],
    );
    let index = format!(
        r#"{{"metadata":{{"total_size":1,"total_parameters":56}},"weight_map":{{"a.weight":"{FIRST}","q.weight":"{FIRST}","q.weight_scale":"{SECOND}","b.weight":"{SECOND}","b.bias":"{SECOND}"}}}}"#
    );
    fs::write(dir.join("model.safetensors.index.json"), index).unwrap();
    let config = r#"{"architectures": ["X"], "torch_dtype": "bfloat16", "text_config": {"dtype": "bfloat16", "hidden": 8},
        "quantization_config": {"dtype": "stays"}, "vocab": 3.5}"#;
    fs::write(dir.join("config.json"), config).unwrap();
    fs::create_dir(dir.join("more")).unwrap();
    fs::write(dir.join("more/vocab.txt"), "one\n").unwrap();
    std::os::unix::fs::symlink("more/vocab.txt", dir.join("tokenizer.json")).unwrap();
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_folder_becomes_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(&dir.path().join("in"));
    convert(dir.path(), &["in", "--to", "f32", "-o", "out"])
        .ends(0)
        .says("quantization_config was removed");
    let out = dir.path().join("out");
    assert_eq!(
        listing(&out),
        ["config.json", FIRST, SECOND, "model.safetensors.index.json", "more", "tokenizer.json"]
    );
    assert_eq!(fs::read_to_string(out.join("tokenizer.json")).unwrap(), "one\n");
    assert!(!out.join("tokenizer.json").is_symlink() && out.join("more/vocab.txt").is_file());
    let (first, second) = (Model::read(&out.join(FIRST)), Model::read(&out.join(SECOND)));
    assert_eq!(first.names(), ["a.weight", "q.weight"]);
    assert_eq!(second.names(), ["b.bias", "b.weight"]);
    // The scale of q is in the other shard: the bytes 0, 1, 2, 3 and 4, 5, 6, 7 as float32.
    let scales =
        [u32::from_le_bytes([0, 1, 2, 3]), u32::from_le_bytes([4, 5, 6, 7])].map(f32::from_bits);
    let weights = (0..8u8).map(|i| {
        let code = (64 + i) % 60;
        let x = decode(&E4M3FN, code.into()).to_f64();
        (x * f64::from(scales[usize::from(i / 4)])) as f32
    });
    assert_eq!(first.tensor("q.weight").2, f32_bytes(&weights.collect::<Vec<_>>()));
    let index = json(&out.join("model.safetensors.index.json"));
    assert_eq!(index["metadata"]["total_size"], 4 * (32 + 8 + 16 + 8));
    assert_eq!(index["metadata"]["total_parameters"], 56);
    let map: Vec<(&String, &serde_json::Value)> =
        index["weight_map"].as_object().unwrap().iter().collect();
    let expected =
        [("a.weight", FIRST), ("b.bias", SECOND), ("b.weight", SECOND), ("q.weight", FIRST)];
    assert!(map.iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).eq(expected));
    let config = fs::read_to_string(out.join("config.json")).unwrap();
    let expected = "{\n  \"architectures\": [\n    \"X\"\n  ],\n  \"torch_dtype\": \"float32\",\n  \
        \"text_config\": {\n    \"dtype\": \"float32\",\n    \"hidden\": 8\n  },\n  \"vocab\": 3.5\n}\n";
    assert_eq!(config, expected);
}

#[test]
fn a_scaled_folder_lists_its_scales_and_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(&dir.path().join("in"));
    let to = ["in", "--to", "e4m3fn/channel", "--include", "*.weight", "-o", "out"];
    convert(dir.path(), &to).ends(0).says("quantization_config");
    let out = dir.path().join("out");
    let index = json(&out.join("model.safetensors.index.json"));
    let map = index["weight_map"].as_object().unwrap();
    assert_eq!(map["a.weight_scale"], FIRST);
    assert_eq!(map["q.weight_scale"], FIRST);
    assert_eq!(map["b.weight_scale"], SECOND);
    assert_eq!(index["metadata"]["total_size"], 32 + 8 + 16 + 4 * (4 + 2 + 2) + 16);
    assert_eq!(json(&out.join("config.json"))["torch_dtype"], "bfloat16");
    convert(dir.path(), &["out", "--to", "f32", "-o", "back"]).ends(0);
    let second = Model::read(&dir.path().join("back").join(SECOND));
    assert_eq!(second.tensor("b.weight").1, [2, 8]);
    assert_eq!(second.names(), ["b.bias", "b.weight"]);
}

#[test]
fn a_folder_of_blocks_lists_all_of_their_tensors() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(&dir.path().join("in"));
    let to = ["in", "--to", "nvfp4", "--include", "*.weight", "-o", "out"];
    convert(dir.path(), &to).ends(0).says("quantization_config");
    let index = json(&dir.path().join("out/model.safetensors.index.json"));
    let map = index["weight_map"].as_object().unwrap();
    let listed: Vec<(&str, &str)> =
        map.iter().map(|(name, shard)| (name.as_str(), shard.as_str().unwrap())).collect();
    let of = |name: &'static str, shard| {
        ["", "_scale", "_scale_2"].map(|end| (format!("{name}{end}"), shard))
    };
    let mut expected = vec![("b.bias".to_owned(), SECOND)];
    expected
        .extend([of("a.weight", FIRST), of("q.weight", FIRST), of("b.weight", SECOND)].concat());
    expected.sort();
    assert!(listed.iter().map(|(name, shard)| ((*name).to_owned(), *shard)).eq(expected));
    // Two codes a byte; a scale for each row, which is shorter than a block; three float32.
    assert_eq!(index["metadata"]["total_size"], (32 + 8 + 16) / 2 + (4 + 2 + 2) + 3 * 4 + 16);
    // A second copy whose scales are in the other shard reads the same.
    let (out, moved) = (dir.path().join("out"), dir.path().join("moved"));
    fs::create_dir(&moved).unwrap();
    let shards = [FIRST, SECOND].map(|shard| Model::read(&out.join(shard)));
    let mut weight_map = serde_json::Map::new();
    for (own, other, name) in [(0, 1, FIRST), (1, 0, SECOND)] {
        let mut data = Vec::new();
        let mut header = serde_json::Map::new();
        for shard in [own, other] {
            let is_here = |tensor: &String| tensor.contains("_scale") == (shard == other);
            for tensor in shards[shard].names().into_iter().filter(is_here) {
                let (dtype, shape, bytes) = shards[shard].tensor(&tensor);
                let offsets = [data.len(), data.len() + bytes.len()];
                data.extend(bytes);
                let entry =
                    serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
                header.insert(tensor.clone(), entry);
                weight_map.insert(tensor, name.into());
            }
        }
        let header = serde_json::Value::Object(header).to_string();
        write_safetensors(&moved.join(name), &header, &data);
    }
    let index = serde_json::json!({"metadata": {}, "weight_map": weight_map}).to_string();
    fs::write(moved.join("model.safetensors.index.json"), index).unwrap();
    for folder in ["out", "moved"] {
        convert(dir.path(), &[folder, "--to", "f32", "-o", &format!("{folder}-back")]).ends(0);
    }
    for shard in [FIRST, SECOND] {
        let [straight, moved] =
            ["out-back", "moved-back"].map(|back| Model::read(&dir.path().join(back).join(shard)));
        assert_eq!(straight.names(), moved.names());
        for name in straight.names() {
            assert_eq!(straight.tensor(&name), moved.tensor(&name), "{name}");
        }
    }
}

#[test]
fn a_folder_is_replaced_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(&dir.path().join("in"));
    checkpoint(&dir.path().join("other"));
    fs::create_dir(dir.path().join("documents")).unwrap();
    fs::write(dir.path().join("documents/thesis"), "x").unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let to = |output: &str, more: &[&str]| {
        convert(dir.path(), &[&["in", "--to", "f16", "-o", output], more].concat())
    };
    to("other", &[]).ends(2).says("add --force");
    to("documents", &["--force"]).ends(2).says("holds no checkpoint");
    to("in", &["--force"]).ends(2).says("overlaps the input");
    to("in/out", &[]).ends(2).says("overlaps the input");
    to(".", &["--force"]).ends(2).says("overlaps the input");
    to("-", &[]).ends(2).says("cannot be streamed");
    to("out", &["--output-kind", "raw"]).ends(2).says("does not go with a folder");
    let failed = to("out", &["--fail-on", "inexact,flushed"]).ends(1);
    assert!(failed.stderr.contains("nothing kept"), "{}", failed.stderr);
    assert_eq!(listing(dir.path()), ["documents", "empty", "in", "other"]);
    to("other", &["--force"]).ends(0);
    to("empty", &[]).ends(0);
    for output in ["other", "empty"] {
        assert_eq!(json(&dir.path().join(output).join("config.json"))["torch_dtype"], "float16");
    }
    assert_eq!(fs::read(dir.path().join("documents/thesis")).unwrap(), b"x");
    assert_eq!(listing(dir.path()), ["documents", "empty", "in", "other"]);
    let measured = convert(dir.path(), &["in", "--to", "e5m2"]).ends(0);
    assert!(measured.stderr.contains("nothing written (add -o)"));
}

#[test]
fn a_broken_shard_stops_everything() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(&dir.path().join("in"));
    let path = dir.path().join("in").join(SECOND);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    convert(dir.path(), &["in", "--to", "f32", "-o", "out"]).ends(3).says(SECOND);
    fs::remove_file(&path).unwrap();
    convert(dir.path(), &["in", "--to", "f32", "-o", "out"]).ends(4).says("no such file");
    assert_eq!(listing(dir.path()), ["in"]);
}
