//! Names that come from files: they move no cursor and lead nowhere.

use std::fs;

use crate::util::{Scene, error_line, safetensors};

/// A name that would clear the screen, break the line and turn the direction of writing.
const EVIL: &str = "a\u{1b}[2J\nb\u{202e}c";

#[test]
fn names_of_tensors_are_escaped() {
    let scene = Scene::new();
    fs::write(scene.path("evil.safetensors"), safetensors(EVIL, 64)).unwrap();
    let cut = &safetensors(EVIL, 64)[..100];
    fs::write(scene.path("cut.safetensors"), cut).unwrap();
    for line in [
        "convert evil.safetensors --to e4m3fn",
        "convert evil.safetensors --to e2m1fn --fail-on inexact",
        "convert evil.safetensors --to e4m3fn --json",
        "convert evil.safetensors --to nvfp4 --exclude z",
        "convert cut.safetensors --to f16",
        "inspect evil.safetensors",
        "inspect evil.safetensors --emit csv",
        "inspect evil.safetensors --emit markdown",
        "error-sweep evil.safetensors --by tensor",
        "error-sweep evil.safetensors --by tensor --emit markdown",
    ] {
        let output = scene.fpx(line).output().unwrap();
        for text in [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()) {
            let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.chars().any(bad), "{line}: {text:?}");
        }
    }
}

#[test]
fn an_index_leads_nowhere_but_to_its_folder() {
    let scene = Scene::new();
    fs::create_dir(scene.path("model")).unwrap();
    fs::write(scene.path("out.safetensors"), "theirs").unwrap();
    for shard in [
        "../in.safetensors",
        "./../in.safetensors",
        "x/../../in.safetensors",
        "/etc/hosts.safetensors",
        "..",
        "",
        "a\u{0}b.safetensors",
    ] {
        let index = serde_json::json!({"metadata": {}, "weight_map": {"w": shard}});
        fs::write(scene.path("model/model.safetensors.index.json"), index.to_string()).unwrap();
        let output = scene.fpx("convert model --to bf16 -o out").output().unwrap();
        let error = error_line(&output);
        assert!(matches!(output.status.code(), Some(3 | 4)), "{shard:?}: {error}");
        assert_eq!(scene.names(), ["in.safetensors", "model", "out.safetensors"], "{error}");
    }
    scene.assert_input_is_intact();
}

/// Numbers on standard input: what is no number is repeated harmlessly, and other systems' line ends are read.
#[test]
fn lines_are_escaped_and_end_as_they_do_elsewhere() {
    let scene = Scene::new();
    let output = scene
        .shell(r#"printf '\033[2Jx\n' | "$FPX" convert - --to f16 --emit bits"#)
        .output()
        .unwrap();
    let error = error_line(&output);
    assert!(output.status.code() == Some(3) && error.contains(r"\u{1b}[2Jx"), "{error}");
    let script =
        r#"printf '# numbers\r\n1\r\n\r\n-2.5\r\n' | "$FPX" convert - --to f16 --emit bits"#;
    let output = scene.shell(script).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0x3c00\n0xc100\n");
    fs::write(scene.path("dos.csv"), "1,2\r\n3,4\r\n").unwrap();
    let output = scene.fpx("convert dos.csv --to f16 --output-kind raw -o -").output().unwrap();
    assert_eq!(output.stdout, [0x00, 0x3c, 0x00, 0x40, 0x00, 0x42, 0x00, 0x44], "{output:?}");
}
