//! NumPy's `.npz`: a zip archive with one `.npy` a member.
//!
//! Members are read from first to last, deflated or not, and their checksums verified; they are
//! written without compression.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
};

use flate2::{Crc, read::DeflateDecoder};

use super::{
    Container, ContainerError, Framing, Hints, Holds, Layout, Metadata, Packing, Source, Tensor,
    Writing, npy, quote,
    source::{Body, Opened, Sequential},
    zip::{self, Entry, Method},
};

pub(super) static ROW: Container = Container {
    name: "npz",
    extensions: &["npz"],
    magic: |start| start.starts_with(b"PK\x03\x04"),
    open,
    writing: Writing::Framed(Framing {
        holds: Holds::Named,
        fortran: true,
        packing: Some(Packing::Byte),
        dtype: npy::dtype,
        layout,
        seal: Some(seal),
    }),
    source: "numpy.savez; PKWARE APPNOTE 6.3.10",
};

/// The extension of a member, which is no part of the array's name.
const EXTENSION: &str = ".npy";

/// One array of an archive.
#[derive(Clone, Debug)]
pub struct Member {
    entry: Entry,
    /// Where its data begins.
    offset: u64,
}

impl Member {
    /// Reads the uncompressed member from its first byte on.
    fn whole<'a>(&self, file: &'a File) -> Box<dyn Read + Send + 'a> {
        let data = Sequential { file, offset: self.offset }.take(self.entry.compressed);
        match self.entry.method {
            Method::Stored => Box::new(data),
            Method::Deflated => Box::new(DeflateDecoder::new(data)),
        }
    }

    /// Reads the elements of the member's array, verifying the checksum after the last.
    pub(super) fn reader<'a>(
        &self,
        file: &'a File,
        tensor: &Tensor,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let mut reader = Checked {
            inner: self.whole(file),
            crc: Crc::new(),
            expected: self.entry.crc,
            left: self.entry.bytes,
            name: tensor.name.clone(),
        };
        let skipped = io::copy(&mut reader.by_ref().take(tensor.offset), &mut io::sink())?;
        debug_assert_eq!(skipped, tensor.offset, "the header was read before");
        Ok(Box::new(reader))
    }
}

/// A member's bytes, whose checksum must be right when all are read.
struct Checked<R> {
    inner: R,
    crc: Crc,
    expected: u32,
    left: u64,
    name: String,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        self.crc.update(&buffer[..read]);
        self.left -= read as u64;
        let ended_early = read == 0 && most > 0;
        if ended_early || (self.left == 0 && self.crc.sum() != self.expected) {
            let what = if ended_early { "ends early" } else { "has a wrong checksum" };
            let what = format!("member {} {what}", quote(&self.name));
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(read)
    }
}

fn open(opened: Opened, hints: &Hints) -> Result<Source, ContainerError> {
    let (path, file, length) = opened.file("npz")?;
    let data = |error: io::Error| ContainerError::data(&path, error.to_string());
    let entries = zip::read(&file, length).map_err(data)?;
    let mut tensors: Vec<Tensor> = Vec::with_capacity(entries.len());
    let mut members = Vec::with_capacity(entries.len());
    let mut faults = Vec::new();
    for entry in entries {
        let member = Member { offset: zip::data_offset(&file, &entry).map_err(data)?, entry };
        let name = quote(&member.entry.name);
        match array(&file, &member, hints) {
            Ok((tensor, fault)) => {
                faults.extend(fault.map(|what| format!("member {name}: {what}")));
                tensors.push(tensor);
                members.push(member);
            }
            Err(error) => faults.push(format!("member {name}: {error}")),
        }
    }
    faults.extend(repeated_names(&tensors));
    let body = Body::Members(file, members);
    Ok(Source { path, kind: &ROW, tensors, metadata: Vec::new(), faults, body })
}

/// Reads the header of a member.
fn array(file: &File, member: &Member, hints: &Hints) -> io::Result<(Tensor, Option<String>)> {
    let fail = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let name = member.entry.name.strip_suffix(EXTENSION);
    let name = name.ok_or_else(|| fail(format!("only {EXTENSION} arrays are read")))?;
    let header = npy::read_header(&mut member.whole(file), hints.dtype.as_ref())?;
    let after = member.entry.bytes.checked_sub(header.length);
    let after = after.ok_or_else(|| fail("shorter than its header says".to_owned()))?;
    Ok(header.tensor(name.to_owned(), after))
}

/// Returns a fault for each name that occurs more than once.
fn repeated_names(tensors: &[Tensor]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    tensors
        .iter()
        .filter(|tensor| !seen.insert(&tensor.name))
        .map(|tensor| format!("the name {} occurs twice", quote(&tensor.name)))
        .collect()
}

/// The directory entry of a tensor whose local header begins at `offset`.
fn entry(tensor: &Tensor, header: usize, offset: u64, crc: u32) -> Entry {
    let bytes = header as u64 + tensor.bytes.unwrap_or_default();
    let name = format!("{}{EXTENSION}", tensor.name);
    Entry { name, method: Method::Stored, crc, compressed: bytes, bytes, offset }
}

fn layout(tensors: &[Tensor], _metadata: &Metadata) -> Result<Layout, String> {
    let mut layout = Layout::default();
    let mut entries = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let array = npy::write_header(tensor);
        let entry = entry(tensor, array.len(), layout.bytes, 0);
        let mut header = zip::local_header(&entry);
        header.extend(array);
        let offset = layout.bytes + header.len() as u64;
        layout.headers.push((layout.bytes, header));
        layout.offsets.push(offset);
        let bytes = tensor.bytes.and_then(|bytes| offset.checked_add(bytes));
        layout.bytes = bytes.ok_or("the file would exceed 2^64 bytes")?;
        entries.push(entry);
    }
    let directory = zip::directory(&entries, layout.bytes);
    layout.bytes += directory.len() as u64;
    Ok(layout)
}

/// Writes the checksums and the directory, which need the tensors' bytes.
fn seal(file: &File, tensors: &[Tensor], layout: &Layout) -> io::Result<()> {
    let mut entries = Vec::with_capacity(tensors.len());
    for (tensor, (offset, header)) in tensors.iter().zip(&layout.headers) {
        let array = npy::write_header(tensor);
        let mut entry = entry(tensor, array.len(), *offset, 0);
        let start = offset + (header.len() - array.len()) as u64;
        entry.crc = checksum(Sequential { file, offset: start }.take(entry.bytes))?;
        let mut header = zip::local_header(&entry);
        header.extend(array);
        file.write_all_at(&header, *offset)?;
        entries.push(entry);
    }
    let end = layout
        .offsets
        .last()
        .zip(tensors.last())
        .map_or(0, |(offset, tensor)| offset + tensor.bytes.unwrap_or_default());
    file.write_all_at(&zip::directory(&entries, end), end)
}

fn checksum(mut data: impl Read) -> io::Result<u32> {
    let mut crc = Crc::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match data.read(&mut buffer)? {
            0 => return Ok(crc.sum()),
            read => crc.update(&buffer[..read]),
        }
    }
}
