//! The directory of a zip archive, with the 64-bit sizes that NumPy always writes.
//!
//! Only what `.npz` needs: members stored or deflated, no encryption, no archive in several parts.
//! Source: PKWARE APPNOTE 6.3.10, §4.3 and §4.5.3.

use std::{fs::File, io, os::unix::fs::FileExt};

use super::limits;

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) crc: u32,
    /// Bytes in the archive.
    pub(super) compressed: u64,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// Where its local header begins.
    pub(super) offset: u64,
}

/// How a member is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;

/// Bytes of the fixed parts of the records.
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const END64_BYTES: u64 = 56;
const LOCATOR64_BYTES: u64 = 20;

/// The header id of the 64-bit extra field.
const EXTRA64: u16 = 1;
/// A 32-bit field that stands for one in the extra field.
const IN_EXTRA: u32 = u32::MAX;
/// The version that reads 64-bit archives.
const VERSION: u16 = 45;
/// 1 January 1980, so that the same arrays give the same bytes.
const DATE: u16 = 0x0021;

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// The fields of a record, read from first to last.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(bytes)
            .ok_or_else(|| invalid("the zip directory ends in the middle of a record"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// Reads an unsigned integer of `bytes` bytes.
    fn integer(&mut self, bytes: usize) -> io::Result<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "two bytes are read")]
    fn u16(&mut self) -> io::Result<u16> {
        Ok(self.integer(2)? as u16)
    }

    #[expect(clippy::cast_possible_truncation, reason = "four bytes are read")]
    fn u32(&mut self) -> io::Result<u32> {
        Ok(self.integer(4)? as u32)
    }
}

fn read_at(file: &File, offset: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(bytes).map_err(|_| invalid("a zip record is too long"))?;
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}

/// Reads the directory of an archive of `length` bytes.
pub(super) fn read(file: &File, length: u64) -> io::Result<Vec<Entry>> {
    let (count, size, offset) = find_directory(file, length)?;
    limits::check("the zip directory's size", size, limits::limit!(MAX_HEADER_BYTES))
        .map_err(invalid)?;
    limits::check("the number of members", count, limits::limit!(MAX_TENSORS)).map_err(invalid)?;
    if offset.checked_add(size).is_none_or(|end| end > length) {
        return Err(invalid("the zip directory lies beyond the end of the file"));
    }
    let directory = read_at(file, offset, size)?;
    let mut fields = Fields(&directory);
    (0..count).map(|_| entry(&mut fields, length)).collect()
}

/// Finds the directory by the record at the end: its entries, bytes and first byte.
fn find_directory(file: &File, length: u64) -> io::Result<(u64, u64, u64)> {
    // The end record is followed by a comment of at most 65,535 bytes.
    let tail_bytes = length.min(END_BYTES as u64 + u64::from(u16::MAX));
    let tail_start = length - tail_bytes;
    let tail = read_at(file, tail_start, tail_bytes)?;
    let at = tail
        .windows(END_BYTES)
        .rposition(|record| record.starts_with(&END.to_le_bytes()))
        .ok_or_else(|| invalid("not a zip archive, or its end is missing"))?;
    let mut fields = Fields(&tail[at + 10..]);
    let (count, size, offset) = (fields.u16()?, fields.u32()?, fields.u32()?);
    let end = tail_start + at as u64;
    let Some(locator) = end.checked_sub(LOCATOR64_BYTES) else {
        return Ok((count.into(), size.into(), offset.into()));
    };
    let locator = read_at(file, locator, LOCATOR64_BYTES)?;
    if !locator.starts_with(&LOCATOR64.to_le_bytes()) {
        return Ok((count.into(), size.into(), offset.into()));
    }
    let end64 = Fields(&locator[8..]).integer(8)?;
    if end64.checked_add(END64_BYTES).is_none_or(|after| after > length) {
        return Err(invalid("the 64-bit end record lies beyond the end of the file"));
    }
    let record = read_at(file, end64, END64_BYTES)?;
    if !record.starts_with(&END64.to_le_bytes()) {
        return Err(invalid("the 64-bit end record is not where the locator says"));
    }
    let mut fields = Fields(&record[32..]);
    Ok((fields.integer(8)?, fields.integer(8)?, fields.integer(8)?))
}

fn entry(fields: &mut Fields, length: u64) -> io::Result<Entry> {
    let mut record = Fields(fields.take(CENTRAL_BYTES)?);
    if record.u32()? != CENTRAL {
        return Err(invalid("the zip directory's entries are not where it says"));
    }
    record.take(4)?;
    let (flags, method) = (record.u16()?, record.u16()?);
    record.take(4)?;
    let crc = record.u32()?;
    let (compressed, bytes) = (record.u32()?, record.u32()?);
    let (name, extra, comment) = (record.u16()?, record.u16()?, record.u16()?);
    record.take(8)?;
    let offset = record.u32()?;
    let name = String::from_utf8_lossy(fields.take(name.into())?).into_owned();
    let mut extra = Fields(fields.take(extra.into())?);
    fields.take(comment.into())?;
    let mut wide = extra64(&mut extra)?;
    // The 64-bit fields are there only for those that do not fit, in this order.
    let mut widen = |field: u32| if field == IN_EXTRA { wide.integer(8) } else { Ok(field.into()) };
    let (bytes, compressed, offset) = (widen(bytes)?, widen(compressed)?, widen(offset)?);
    if flags & 1 != 0 {
        return Err(invalid(format!("member {} is encrypted", super::quote(&name))));
    }
    let method = match method {
        0 => Method::Stored,
        8 => Method::Deflated,
        other => {
            let name = super::quote(&name);
            return Err(invalid(format!("member {name}: zip method {other}, expected 0 or 8")));
        }
    };
    if offset.checked_add(compressed).is_none_or(|end| end > length) {
        return Err(invalid(format!("member {} lies beyond the end", super::quote(&name))));
    }
    Ok(Entry { name, method, crc, compressed, bytes, offset })
}

/// Returns the 64-bit extra field, empty if there is none.
fn extra64<'a>(extra: &mut Fields<'a>) -> io::Result<Fields<'a>> {
    while extra.0.len() >= 4 {
        let (id, size) = (extra.u16()?, extra.u16()?);
        let field = extra.take(size.into())?;
        if id == EXTRA64 {
            return Ok(Fields(field));
        }
    }
    Ok(Fields(&[]))
}

/// Returns where a member's data begins: the local header may pad its name differently.
pub(super) fn data_offset(file: &File, entry: &Entry) -> io::Result<u64> {
    let header = read_at(file, entry.offset, LOCAL_BYTES)?;
    let mut fields = Fields(&header);
    if fields.u32()? != LOCAL {
        let name = super::quote(&entry.name);
        return Err(invalid(format!("member {name} is not where the directory says")));
    }
    fields.take(22)?;
    let (name, extra) = (fields.u16()?, fields.u16()?);
    Ok(entry.offset + LOCAL_BYTES + u64::from(name) + u64::from(extra))
}

/// Appends integers of the given sizes, least significant byte first.
fn put(record: &mut Vec<u8>, fields: &[(u64, usize)]) {
    for (value, bytes) in fields {
        record.extend(&value.to_le_bytes()[..*bytes]);
    }
}

/// Returns the local header of a stored member.
pub(super) fn local_header(entry: &Entry) -> Vec<u8> {
    let mut record = Vec::new();
    put(&mut record, &[(LOCAL.into(), 4), (VERSION.into(), 2)]);
    put_common(&mut record, entry, 20);
    record.extend(entry.name.as_bytes());
    put(&mut record, &[(EXTRA64.into(), 2), (16, 2), (entry.bytes, 8), (entry.compressed, 8)]);
    record
}

/// Flags, method, time, checksum, sizes and the lengths of name and extra field.
fn put_common(record: &mut Vec<u8>, entry: &Entry, extra: u64) {
    /// The name is UTF-8 (§4.4.4, bit 11).
    const UTF8: u64 = 1 << 11;
    let name = entry.name.len() as u64;
    put(record, &[(UTF8, 2), (0, 2), (0, 2), (DATE.into(), 2), (entry.crc.into(), 4)]);
    put(record, &[(IN_EXTRA.into(), 4), (IN_EXTRA.into(), 4), (name, 2), (extra, 2)]);
}

/// Returns the directory and the end of an archive whose directory begins at `offset`.
pub(super) fn directory(entries: &[Entry], offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        put(&mut out, &[(CENTRAL.into(), 4), (VERSION.into(), 2), (VERSION.into(), 2)]);
        put_common(&mut out, entry, 28);
        put(&mut out, &[(0, 2), (0, 2), (0, 2), (0, 4), (IN_EXTRA.into(), 4)]);
        out.extend(entry.name.as_bytes());
        put(&mut out, &[(EXTRA64.into(), 2), (24, 2), (entry.bytes, 8)]);
        put(&mut out, &[(entry.compressed, 8), (entry.offset, 8)]);
    }
    let (count, size) = (entries.len() as u64, out.len() as u64);
    put(&mut out, &[(END64.into(), 4), (END64_BYTES - 12, 8), (VERSION.into(), 2)]);
    put(&mut out, &[(VERSION.into(), 2), (0, 4), (0, 4), (count, 8), (count, 8), (size, 8)]);
    put(&mut out, &[(offset, 8), (LOCATOR64.into(), 4), (0, 4), (offset + size, 8), (1, 4)]);
    let short = count.min(u64::from(u16::MAX));
    put(&mut out, &[(END.into(), 4), (0, 2), (0, 2), (short, 2), (short, 2)]);
    put(&mut out, &[(size.min(IN_EXTRA.into()), 4), (IN_EXTRA.into(), 4), (0, 2)]);
    out
}
