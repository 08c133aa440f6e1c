//! What the tests of faults share: a folder with an input, the command, and what it left.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// Elements of the input: long enough to be interrupted, short enough to be converted often.
const ELEMENTS: usize = 4 << 20;

/// A safetensors file of one tensor.
pub(crate) fn safetensors(name: &str, elements: usize) -> Vec<u8> {
    let bytes = 4 * elements;
    let name = serde_json::Value::from(name);
    let shape = format!("[{},4]", elements / 4);
    let header =
        format!(r#"{{{name}:{{"dtype":"F32","shape":{shape},"data_offsets":[0,{bytes}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    // Ordinary numbers whose patterns run through all the low bits.
    let first = 1f32.to_bits();
    file.extend((0..u32::try_from(elements).unwrap()).flat_map(|i| (first + i).to_le_bytes()));
    file
}

/// A folder with an input, which no fault may change.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    input: Vec<u8>,
}

impl Scene {
    /// Returns a folder with `in.safetensors`.
    pub(crate) fn new() -> Self {
        let scene =
            Self { folder: tempfile::tempdir().unwrap(), input: safetensors("w", ELEMENTS) };
        fs::write(scene.path("in.safetensors"), &scene.input).unwrap();
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns `fpx` in the folder, its arguments separated by blanks.
    pub(crate) fn fpx(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fpx"));
        command.args(line.split_whitespace());
        self.prepare(command)
    }

    /// Returns a shell's command in the folder, in which `fpx` is `"$FPX"`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script]).env("FPX", env!("CARGO_BIN_EXE_fpx"));
        self.prepare(command)
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path()).env_remove("FPX_THREADS").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Checks that the input is what it was.
    pub(crate) fn assert_input_is_intact(&self) {
        assert!(
            fs::read(self.path("in.safetensors")).unwrap() == self.input,
            "the input has changed"
        );
    }

    /// Checks that a command failed in this way and left nothing but these names.
    pub(crate) fn assert_fails(&self, mut command: Command, code: i32, what: &str, left: &[&str]) {
        let output = command.output().unwrap();
        let error = error_line(&output);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(what), "{error}");
        assert_eq!(self.names(), left, "after {error}");
    }
}

/// Returns standard error, which is one line without control characters.
pub(crate) fn error_line(output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<&str> = error.lines().filter(|line| line.starts_with("error: ")).collect();
    let [line] = lines[..] else { panic!("not one error line: {error:?}") };
    assert!(error.ends_with(&format!("{line}\n")), "the error is not the last line: {error:?}");
    assert!(!line.chars().any(char::is_control), "a control character in {line:?}");
    line.to_owned()
}
