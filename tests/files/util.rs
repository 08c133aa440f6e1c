//! What the tests of files share.

use std::{
    fs,
    io::Read,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use fpx::{
    codec::decode,
    container::{Feed, Hints, Source, Tensor, open},
    format::Format,
};

/// Returns the path of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files").join(name)
}

/// Opens a fixture that has no faults.
pub(crate) fn sound(name: &str) -> Source {
    open(&fixture(name), None, &Hints::default()).unwrap().sound().unwrap()
}

/// Reads the bytes of a tensor.
pub(crate) fn bytes(source: &Source, index: usize) -> Vec<u8> {
    let length = usize::try_from(source.tensors[index].bytes.unwrap()).unwrap();
    let mut bytes = vec![0; length];
    match source.feed(index).unwrap() {
        Feed::At(file, offset) => file.read_exact_at(&mut bytes, offset).unwrap(),
        Feed::Stream(mut stream) => stream.read_exact(&mut bytes).unwrap(),
        Feed::Numbers(_) => panic!("text has no bytes"),
    }
    bytes
}

/// Returns the codes in little-endian bytes, or packed densely in less than a byte each.
pub(crate) fn codes(bytes: &[u8], bits: usize) -> Vec<u128> {
    (0..bytes.len() * 8 / bits)
        .map(|i| {
            (0..bits).fold(0, |code, bit| {
                let at = i * bits + bit;
                code | u128::from(bytes[at / 8] >> (at % 8) & 1) << bit
            })
        })
        .collect()
}

/// Returns the values of codes.
pub(crate) fn values(format: &Format, codes: &[u128]) -> Vec<f64> {
    codes.iter().map(|&code| decode(format, code).to_f64()).collect()
}

/// The content of the fixtures: (i − 3) / 4.
pub(crate) fn ramp(elements: usize) -> Vec<f64> {
    (0..elements).map(|i| (i as f64 - 3.0) / 4.0).collect()
}

/// Writes a safetensors file from the text of its header.
pub(crate) fn write_safetensors(path: &Path, header: &str, data: &[u8]) {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    fs::write(path, file).unwrap();
}

/// Returns the names of a source's tensors.
pub(crate) fn names(source: &Source) -> Vec<&str> {
    source.tensors.iter().map(|tensor: &Tensor| tensor.name.as_str()).collect()
}

/// A run of the command that is over.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs `fpx convert` in a folder.
pub(crate) fn convert(dir: &Path, arguments: &[&str]) -> Run {
    run(assert_cmd::Command::new(env!("CARGO_BIN_EXE_fpx"))
        .arg("convert")
        .args(arguments)
        .current_dir(dir))
}

/// Runs a command.
pub(crate) fn run(command: &mut assert_cmd::Command) -> Run {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Run { code: output.status.code().unwrap_or(-1), stdout: output.stdout, stderr }
}

impl Run {
    /// Checks the exit code, and that it says one line if it is not 0 or 1.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        if code > 1 {
            let errors = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
            let lines = self.stderr.lines().filter(|line| !line.starts_with("note: ")).count();
            assert_eq!((errors, lines), (1, 1), "{}", self.stderr);
        }
        self
    }

    /// Checks what is said on standard error.
    #[track_caller]
    pub(crate) fn says(self, what: &str) -> Self {
        assert!(self.stderr.contains(what), "{}", self.stderr);
        self
    }
}

/// A safetensors file as the crate reads it.
pub(crate) struct Model(Vec<u8>);

impl Model {
    pub(crate) fn read(path: &Path) -> Self {
        Self(fs::read(path).unwrap())
    }

    /// Returns an element type, a shape and bytes.
    #[track_caller]
    pub(crate) fn tensor(&self, name: &str) -> (String, Vec<usize>, Vec<u8>) {
        let file = safetensors::SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        (view.dtype().to_string(), view.shape().to_vec(), view.data().to_vec())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let file = safetensors::SafeTensors::deserialize(&self.0).unwrap();
        let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
        names.sort();
        names
    }

    pub(crate) fn metadata(&self) -> std::collections::HashMap<String, String> {
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&self.0).unwrap();
        metadata.metadata().clone().unwrap_or_default()
    }
}

/// Returns the names of the files in a folder.
pub(crate) fn listing(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Makes a folder with a copy of a fixture.
pub(crate) fn folder_with(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(fixture(name), dir.path().join(name)).unwrap();
    dir
}

/// Returns float32 numbers as bytes.
pub(crate) fn f32_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}
