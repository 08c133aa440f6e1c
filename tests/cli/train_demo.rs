//! `fpx train-demo`: what it prints, what it writes, and what it refuses.

use std::{fs, path::Path};

use serde_json::Value;

use crate::util::{Ran, fpx, fpx_with};

fn json(line: &str) -> Value {
    let ran = fpx(&format!("{line} --json")).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn shows(ran: &Ran, texts: &[&str]) {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for text in texts {
        assert!(ran.stdout.contains(text), "no '{text}' in\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
}

#[test]
fn the_table_says_what_was_trained_and_what_it_shows() {
    let ran = fpx("train-demo --epochs 1 --seeds 2").run();
    shows(
        &ran,
        &[
            "digits: 64-128-128-10 ReLU, 1437 train / 360 test; Adam 1e-3, batch 64, 1 epoch, 2 seeds",
            "every value is rounded where the policy says so; accuracy is emulated, speed is not",
            "f16-pure   NaN at step 1",
            "f16-pure: Adam's eps 1e-8 rounds to 0 in f16 (least subnormal 6e-8), so 0/0 at step 1",
            "What the numbers show",
        ],
    );
}

#[test]
fn rows_have_the_keys_of_the_contract_in_their_order() {
    let value = json("train-demo --policy f32,f16-amp,f16-pure --epochs 1 --seeds 2 --seed 7");
    assert_eq!(value["schema"], "fpx.train-demo/1");
    let keys = "policy task seeds test_accuracy test_accuracy_min test_accuracy_max test_loss \
        test_loss_min test_loss_max train_loss train_loss_min train_loss_max steps skipped_steps \
        final_loss_scale first_nan_step first_nan_op gradients_flushed gradients_saturated \
        updates_lost weight_bytes gradient_bytes optimizer_bytes seconds";
    let [float32, amp, pure] = &value["rows"].as_array().expect("rows")[..] else {
        panic!("three rows")
    };
    let found: Vec<&String> = float32.as_object().expect("an object").keys().collect();
    let found: Vec<&str> = found.iter().map(|key| key.as_str()).collect();
    assert_eq!(
        found[..keys.split_whitespace().count()].join(" "),
        keys.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    assert_eq!(float32["seeds"], serde_json::json!([7, 8]));
    assert_eq!(float32["steps"], 23);
    assert!(float32["final_loss_scale"].is_null() && float32["first_nan_step"].is_null());
    assert_eq!(
        (&float32["weight_bytes"], &float32["optimizer_bytes"]),
        (&104_488.into(), &208_976.into())
    );
    assert_eq!(
        (&amp["final_loss_scale"], &amp["weight_bytes"]),
        (&65536.0.into(), &156_732.into())
    );
    let accuracy = |key: &str| amp[key].as_f64().expect("a number");
    assert!(accuracy("test_accuracy_min") <= accuracy("test_accuracy"));
    assert!(accuracy("test_accuracy") <= accuracy("test_accuracy_max"));
    assert!(pure["test_accuracy"].is_null());
    assert_eq!((&pure["first_nan_step"], &pure["steps"]), (&1.into(), &1.into()));
    assert_eq!(pure["first_nan_op"], "layers.0.weight: adam m / (sqrt v + eps), 0/0");
}

/// A row without the time it took.
fn timeless(line: &str) -> Vec<Value> {
    let mut rows = json(line)["rows"].as_array().expect("rows").clone();
    for row in &mut rows {
        row.as_object_mut().expect("an object").remove("seconds");
    }
    rows
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let line = "train-demo --policy f32,bf16-pure-sr,fp8-delayed --epochs 1 --seeds 2";
    let one = timeless(&format!("{line} --threads 1"));
    assert_eq!(one, timeless(&format!("{line} --threads 3")));
    assert_ne!(one, timeless(&format!("{line} --seed 1")));
}

#[test]
fn a_policy_with_slots_set_is_the_policy_of_those_slots() {
    let strip = |line: &str| {
        let mut rows = timeless(line);
        for row in &mut rows {
            row["policy"] = Value::Null;
        }
        rows
    };
    assert_eq!(
        strip("train-demo --policy bf16-pure-sr --epochs 1 --seeds 1"),
        strip(
            "train-demo --policy f32 --set weights=bf16 --set activations=bf16 --set gradients=bf16 \
             --set master=none --set optimizer_state=bf16 --set update=sr --epochs 1 --seeds 1"
        )
    );
}

#[test]
fn half_with_adam_is_nan_at_step_1_and_the_reason_is_printed() {
    let line = "train-demo --policy f16-pure --optimizer adam --adam-eps 1e-8 --seeds 1";
    shows(&fpx(line).run(), &["NaN at step 1", "Adam's eps 1e-8 rounds to 0 in f16"]);
    let value = json("train-demo --policy f16-pure --adam-eps 1e-4 --seeds 1 --epochs 1");
    assert!(value["rows"][0]["first_nan_step"].is_null());
}

#[test]
fn the_op_table_has_autocasts_lists() {
    let ran = fpx("train-demo --policy f16-amp --set keep=last --explain").run();
    shows(
        &ran,
        &[
            "layers 1-2: x W + b",
            "layer 3: x W + b",
            "log-softmax, cross-entropy",
            "unscale, check for infinities",
        ],
    );
    let value = json("train-demo --policy bf16-pure --explain");
    let rows = value["rows"].as_array().expect("rows");
    let of = |op: &str| rows.iter().find(|row| row["op"] == op).expect(op);
    assert_eq!(of("layers 1-3: x W + b")["accumulator"], "f32");
    assert_eq!(of("layers 1-3: x W + b")["list"], "low precision");
    assert_eq!(of("relu")["format_out"], "bf16");
    assert_eq!(of("Adam state")["format_out"], "bf16");
}

#[test]
fn lists_name_everything() {
    shows(
        &fpx("train-demo --policy list").run(),
        &["nvfp4-full", "weights=bf16 activations=bf16 gradients=bf16", "loss_scale"],
    );
    shows(&fpx("train-demo --task list").run(), &["autoencoder", "char-lm", "mnist"]);
    shows(&fpx("train-demo --lesson list").run(), &["loss-scale", "accumulate", "overflow"]);
}

#[test]
fn charts_logs_and_models_are_written_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "train-demo --policy f32,bf16-pure --epochs 1 --seeds 1 --plot p.svg --log l.jsonl --save m.safetensors";
    let run = |line: &str| fpx(line).dir(folder.path()).run();
    assert_eq!(run(line).code, Some(0));
    let read = |name: &str| fs::read(folder.path().join(name)).expect(name);
    let svg = String::from_utf8(read("p.svg")).expect("UTF-8");
    assert!(svg.starts_with("<svg") && svg.contains("training loss"));
    let log = String::from_utf8(read("l.jsonl")).expect("UTF-8");
    assert_eq!(log.lines().count(), 2 * 23);
    let step: Value = serde_json::from_str(log.lines().nth(23).expect("a line")).expect("JSON");
    assert_eq!((&step["policy"], &step["step"]), (&"bf16-pure".into(), &1.into()));
    let bytes = read("m.safetensors");
    let model = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let weight = model.tensor("f32.layers.0.weight").expect("a tensor");
    assert_eq!((weight.shape(), weight.dtype()), (&[128, 64][..], safetensors::Dtype::F32));
    let bias = model.tensor("bf16-pure.layers.2.bias").expect("a tensor");
    assert_eq!((bias.shape(), bias.dtype()), (&[10][..], safetensors::Dtype::BF16));
    let again = run(line);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("'p.svg': exists: add --force"), "{}", again.stderr);
    assert_eq!(run(&format!("{line} --force")).code, Some(0));
}

#[test]
fn the_histogram_comes_with_each_roles_tensors_and_the_way_of_the_scale() {
    let line = "train-demo --policy f16-amp --set loss_scale=dynamic:2^30 --epochs 2 --seeds 1";
    shows(
        &fpx(&format!("{line} --histogram")).run(),
        &[
            "headroom,",
            "f16-amp: loss scale 2^30, 2^29 after step 1, 2^28 after step 2",
            "f16-amp: scaled gradients of activations",
            "normal in f16 (% of all)",
        ],
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let positive = "expected a positive finite number";
    fpx("train-demo --lr nan").fails(2, &format!("--lr nan: {positive}"));
    fpx("train-demo --lr -0.1").fails(2, &format!("--lr -0.1: {positive}"));
    fpx("train-demo --lr inf").fails(2, &format!("--lr inf: {positive}"));
    fpx("train-demo --clip-grad 0").fails(2, &format!("--clip-grad 0: {positive}"));
    fpx("train-demo --epochs 0").fails(2, "--epochs 0: expected 1 or more");
    fpx("train-demo --seeds 0").fails(2, "--seeds 0: expected 1 or more");
    fpx("train-demo --batch 2000")
        .fails(2, "--batch 2000: expected 1 to 1437, the examples there are");
    fpx("train-demo --batch 0").fails(2, "--batch 0: expected 1 to 1437, the examples there are");
    fpx("train-demo --adam-eps -1").fails(2, "--adam-eps -1: expected a finite number, 0 or more");
    fpx("train-demo --optimizer sgd --adam-eps 1").fails(2, "--adam-eps needs --optimizer adam");
    fpx("train-demo --optimizer adamw").fails(2, "unknown --optimizer 'adamw', expected sgd|adam");
}

#[test]
fn names_and_slots_that_do_not_exist_are_refused() {
    fpx("train-demo --policy f32,bf16-apm")
        .fails(2, "unknown policy 'bf16-apm', did you mean 'bf16-amp'? (--policy list shows all)");
    fpx("train-demo --policy nope").fails(2, "unknown policy 'nope' (--policy list shows all)");
    fpx("train-demo --policy f32,f16-amp,f32").fails(2, "--policy names 'f32' twice");
    fpx("train-demo --task mist")
        .fails(2, "unknown task 'mist', expected digits, autoencoder, char-lm, mnist or list");
    fpx("train-demo --set weights=e8m0").fails(
        2,
        "slot 'weights' cannot be 'e8m0': e8m0 has no negative numbers, which weights and gradients need",
    );
    fpx("train-demo --set scaling=block")
        .fails(2, "policy 'f32': scaling=block needs a block format such as nvfp4");
    fpx("train-demo --set weights=mxfp4")
        .fails(2, "policy 'f32': mxfp4 is scaled by blocks: add --set scaling=block");
    fpx("train-demo --policy mxfp4 --set master=none")
        .fails(2, "policy 'mxfp4': mxfp4 has no numbers to update: its master is kept");
    fpx("train-demo --set keep=9").fails(2, "policy 'f32': keep=9 in a model of 3 layers");
    fpx("train-demo --task mnist")
        .fails(2, "task 'mnist' needs --data FOLDER with IDX images and labels");
}

/// Writes an IDX file of unsigned bytes.
fn idx(path: &Path, dimensions: &[u32], elements: &[u8]) {
    let mut bytes = vec![0, 0, 8, u8::try_from(dimensions.len()).expect("few")];
    bytes.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes.extend(elements);
    fs::write(path, bytes).expect("a file");
}

/// Makes a folder with 40 images of two shapes, of which the label tells the shape.
fn images(folder: &Path) {
    let shade = |i: u32| if (i / 9 + i % 9).is_multiple_of(2) { 200 } else { 10 };
    let pixels: Vec<u8> = (0..40 * 9).map(shade).collect();
    let labels: Vec<u8> = (0..40).map(|i| i % 2).collect();
    idx(&folder.join("train-images-idx3-ubyte"), &[40, 3, 3], &pixels);
    idx(&folder.join("train-labels-idx1-ubyte"), &[40], &labels);
}

fn on_folder(folder: &Path, rest: &str) -> Ran {
    let mut arguments = vec!["train-demo", "--data", folder.to_str().expect("UTF-8")];
    arguments.extend(rest.split_whitespace());
    fpx_with(&arguments).run()
}

#[test]
fn the_users_own_images_are_learned() {
    let folder = tempfile::tempdir().expect("a folder");
    images(folder.path());
    let ran = on_folder(folder.path(), "--policy f32,f16-amp --epochs 20 --batch 8 --json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let value: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    for row in value["rows"].as_array().expect("rows") {
        assert_eq!((&row["task"], &row["test_accuracy"]), (&"mnist".into(), &1.0.into()));
    }
    // Test images that lie apart are used as such.
    idx(&folder.path().join("t10k-images-idx3-ubyte"), &[1, 3, 3], &[200; 9]);
    idx(&folder.path().join("t10k-labels-idx1-ubyte"), &[1], &[1]);
    let ran = on_folder(folder.path(), "--policy f32 --epochs 1 --batch 8");
    assert!(ran.stdout.contains("40 train / 1 test"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_text_is_learned_as_characters() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("play.txt");
    fs::write(&path, "to be or not to be, that is the question. ".repeat(40)).expect("a file");
    let ran = on_folder(&path, "--policy f32 --epochs 1 --batch 32 --seeds 1");
    assert!(ran.stdout.starts_with("char-lm: "), "{}{}", ran.stdout, ran.stderr);
    fs::write(&path, "short").expect("a file");
    let ran = on_folder(&path, "");
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr.ends_with("play.txt': 5 characters, expected at least 200\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn files_that_are_not_what_they_say_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let refuses = |code: i32, texts: &[&str]| {
        let ran = on_folder(folder.path(), "");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(texts.iter().all(|text| ran.stderr.contains(text)), "{}", ran.stderr);
    };
    refuses(3, &["expected one *idx3-ubyte and one *idx1-ubyte file"]);
    images(folder.path());
    let labels = folder.path().join("train-labels-idx1-ubyte");
    let pixels = folder.path().join("train-images-idx3-ubyte");
    idx(&labels, &[39], &[0; 39]);
    refuses(3, &["train-labels-idx1-ubyte", "39 labels", "has 40 images"]);
    idx(&labels, &[40], &[0; 30]);
    refuses(3, &["announces 40 elements, but 30 bytes follow"]);
    fs::write(&labels, [0x1f, 0x8b, 8, 0, 1, 2, 3]).expect("a file");
    refuses(3, &["train-labels-idx1-ubyte", "damaged gzip data"]);
    fs::copy(&pixels, &labels).expect("a copy");
    refuses(3, &["3 dimensions, expected labels of one"]);
    fs::write(&labels, b"label,0\n").expect("a file");
    refuses(3, &["begins with 6c 61 62 65, expected the IDX magic 00 00 08"]);
    fs::write(&labels, [0, 0, 0x0d, 1, 0, 0, 0, 0]).expect("a file");
    refuses(3, &["elements of IDX type 0x0d, expected bytes (0x08)"]);
    fs::write(&labels, [0, 0]).expect("a file");
    refuses(3, &["2 bytes, expected an IDX header"]);
    let ran = on_folder(&labels, "--task mnist");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let ran = on_folder(&folder.path().join("nowhere"), "");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("no such file"), "{}", ran.stderr);
}
