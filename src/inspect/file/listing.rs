//! The tensors of files: element types, shapes, bytes, scales, and what is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Census, Files, Place, file_name, held::format_of};
use crate::{
    container::{
        Body, Element, Order,
        companion::{self, Scaled},
        elements, show, show_shape,
        written::says_unscaled,
    },
    report::{Block, Cell, Column, Place as In, Report, Role, Row, Span, Table, escape, number},
};

/// Faults that a screen shows.
const FAULTS: usize = 20;

/// Characters of a metadata value that a screen shows.
const METADATA: usize = 72;

fn columns() -> Vec<Column> {
    vec![
        Column::new("tensor", "tensor").wraps(),
        Column::new("file", "file").place(In::Data),
        Column::new("dtype", "dtype"),
        Column::new("format", "format").place(In::Data),
        Column::new("shape", "shape"),
        Column::new("elements", "elements").place(In::Data).right(),
        Column::new("bytes", "bytes").right(),
        Column::new("offset", "offset").place(In::Data),
        Column::new("scales", "scales").place(In::Data),
        Column::new("tensor_scale", "tensor scale").place(In::Data),
        Column::new("convention", "convention").place(In::Data),
        Column::new("scale_of", "scale of").place(In::Data),
        Column::new("about", "").place(In::Screen).wraps(),
    ]
}

/// Returns the list of the tensors.
pub(super) fn report(census: &Census, faults: &[String]) -> Report {
    let files = census.files;
    let mut table = Table::new(columns());
    let weights = weights(census);
    let mut unscaled = 0u64;
    for (number, place) in census.places.iter().enumerate() {
        let row = Entry { census, number, place: *place, weight: weights[number] };
        unscaled += u64::from(row.is_unscaled());
        table.push(row.cells());
    }
    let mut report = Report::new("inspect", table).option("kind", files.kind);
    report = report.option("metadata", metadata(files)).option("faults", faults.to_vec());
    report.blocks = head(census);
    report.blocks.extend(tables(files, &report.rows));
    if unscaled > 0 {
        let weights = plural(unscaled, "weight");
        let what = format!(
            "{weights} of 8 bits or fewer without a scale that is recognised: convert needs \
             --allow-unscaled for that"
        );
        report.blocks.extend([Block::blank(), Block::Line(vec![Span::new(what, Role::Warning)])]);
    }
    report.blocks.extend(broken(faults));
    if let Some(place) = census.places.iter().find(|place| !place.tensor().name.is_empty()) {
        let name = &place.tensor().name;
        let hint =
            format!("elements: --tensor {name} · bits: --index I,J · a scale: --block-index K");
        report.blocks.extend([Block::hint(""), Block::hint(hint)]);
    }
    report
}

/// The weight that each tensor holds scales of.
fn weights(census: &Census) -> Vec<Option<usize>> {
    let mut weights = vec![None; census.places.len()];
    for (weight, scaled) in census.scaled.iter().enumerate() {
        let Some(scaled) = scaled else { continue };
        weights[scaled.scale] = Some(weight);
        if let Some((global, _)) = scaled.global {
            weights[global] = Some(weight);
        }
    }
    weights
}

/// One tensor of the list.
struct Entry<'a> {
    census: &'a Census<'a>,
    number: usize,
    place: Place<'a>,
    /// The weight it holds scales of.
    weight: Option<usize>,
}

impl Entry<'_> {
    fn scaled(&self) -> Option<&Scaled> {
        self.census.scaled[self.number].as_ref()
    }

    fn name_of(&self, number: usize) -> &str {
        &self.census.places[number].tensor().name
    }

    /// Whether it is a weight whose scale is missing.
    fn is_unscaled(&self) -> bool {
        let (source, tensor) = (self.place.source, self.place.tensor());
        let unfit = self.census.unfit[self.number].is_some();
        unfit
            || companion::needs_scale(&tensor.element)
                && self.scaled().is_none()
                && self.weight.is_none()
                && companion::is_described(source.kind)
                && !says_unscaled(source)
                && !companion::is_scale(tensor)
    }

    fn cells(&self) -> Vec<Cell> {
        let (files, source, tensor) = (self.census.files, self.place.source, self.place.tensor());
        let text = |x: Option<&str>| x.map_or_else(Cell::absent, Cell::text);
        let count = |n: Option<u64>| n.map_or_else(Cell::absent, Cell::count);
        let scaled = self.scaled();
        let is_sized = tensor.bytes.is_some();
        let shape = if is_sized {
            Cell::new(tensor.shape.clone(), show_shape(&tensor.shape))
        } else {
            Cell::absent()
        };
        let offset = matches!(source.body, Body::File(_)).then_some(tensor.offset);
        vec![
            Cell::new(tensor.name.as_str(), escape(&tensor.name)),
            if files.is_folder() { Cell::text(file_name(source)) } else { Cell::absent() },
            Cell::text(tensor.dtype.as_str()),
            text(format_of(tensor, scaled).as_deref()),
            shape,
            count(tensor.bytes.and(elements(scaled.map_or(&tensor.shape, |scaled| &scaled.shape)))),
            count(tensor.bytes),
            count(offset.filter(|_| is_sized)),
            text(scaled.map(|scaled| self.name_of(scaled.scale))),
            text(scaled.and_then(|s| s.global).map(|(global, _)| self.name_of(global))),
            text(scaled.map(|scaled| scaled.producer)),
            text(self.weight.map(|weight| self.name_of(weight))),
            self.about(),
        ]
    }

    /// What is to be said of the tensor, in a few words.
    fn about(&self) -> Cell {
        let tensor = self.place.tensor();
        let say = |text: String, role| Cell::new(Value::Null, text).role(role);
        if let Some(scaled) = self.scaled() {
            let scale = end(&tensor.name, self.name_of(scaled.scale));
            let global = scaled.global.map_or_else(String::new, |(global, _)| {
                format!(" and {}", end(&tensor.name, self.name_of(global)))
            });
            let producer = scaled.producer;
            let format = format_of(tensor, Some(scaled)).unwrap_or_default();
            return say(format!("{format} by {scale}{global} ({producer})"), Role::Plain);
        }
        if let Element::Blocks(_) = &tensor.element {
            let format = format_of(tensor, None).unwrap_or_default();
            return say(format!("{format}, scales among the elements"), Role::Plain);
        }
        if let Some(weight) = self.weight {
            let name = end(&tensor.name, self.name_of(weight));
            return say(format!("scales of {name}"), Role::Dim);
        }
        if let Some(what) = &self.census.unfit[self.number] {
            return say(what.clone(), Role::Warning);
        }
        if self.is_unscaled() {
            return say("no scale is recognised".to_owned(), Role::Warning);
        }
        if let Element::Unreadable(what) = &tensor.element {
            return say(what.clone(), Role::Warning);
        }
        let is_fortran = tensor.order == Order::Fortran;
        let order = if is_fortran { "the first index runs fastest" } else { "" };
        say(order.to_owned(), Role::Plain)
    }
}

/// The end of a name that begins as another does, or the whole name.
fn end(name: &str, other: &str) -> String {
    let is_same = |(a, b): &(char, char)| a == b;
    let common: usize =
        name.chars().zip(other.chars()).take_while(is_same).map(|(c, _)| c.len_utf8()).sum();
    match &other[..common] {
        "" => other.to_owned(),
        _ if common == other.len() => format!("..{}", other.rsplit('.').next().unwrap_or(other)),
        _ => format!("..{}", &other[common..]),
    }
}

/// A count and what is counted.
fn plural(count: u64, what: &str) -> String {
    format!("{} {what}{}", number::grouped(count), if count == 1 { "" } else { "s" })
}

/// The totals and the metadata.
fn head(census: &Census) -> Vec<Block> {
    let files = census.files;
    let tensors = census.places.iter().map(|place| place.tensor());
    let mut types: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut bytes = 0u64;
    for tensor in tensors.clone() {
        let own = tensor.bytes.unwrap_or_default();
        bytes = bytes.saturating_add(own);
        let entry = types.entry(&tensor.dtype).or_default();
        *entry = (entry.0 + 1, entry.1.saturating_add(own));
    }
    let tensors = plural(tensors.count() as u64, "tensor");
    let kind = if files.is_folder() {
        format!("folder of {}", plural(files.parts.len() as u64, "file"))
    } else {
        files.kind.to_owned()
    };
    let total = format!("   {kind}, {tensors}, {}", number::bytes(bytes));
    let mut blocks =
        vec![Block::Line(vec![Span::new(show(&files.path), Role::Heading), Span::plain(total)])];
    if types.len() > 1 {
        let share = |(dtype, (count, bytes)): (&&str, &(u64, u64))| {
            format!("{dtype} {} ({})", number::grouped(*count), number::bytes(*bytes))
        };
        let shares: Vec<String> = types.iter().map(share).collect();
        blocks.push(Block::line(format!("dtypes    {}", shares.join(" · "))));
    }
    let mut label = "metadata";
    for (key, value) in files.parts.iter().take(1).flat_map(|part| &part.metadata) {
        let cut = value.char_indices().nth(METADATA).map_or(value.len(), |(at, _)| at);
        let more = if cut < value.len() { "…" } else { "" };
        let line = format!("{label:<8}  {key} = {}{more}", &value[..cut]).replace('\n', "\\n");
        blocks.push(Block::line(line));
        label = "";
    }
    blocks.push(Block::blank());
    blocks
}

/// The metadata of a file, or of each file of a folder.
fn metadata(files: &Files) -> Value {
    let map = |pairs: &[(String, String)]| {
        let pairs = pairs.iter().map(|(key, value)| (key.clone(), json!(value)));
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    if !files.is_folder() {
        return files.parts.first().map_or_else(|| json!({}), |part| map(&part.metadata));
    }
    let parts = files.parts.iter().map(|part| (file_name(part), map(&part.metadata)));
    Value::Object(parts.collect())
}

/// The table, or one a file of a folder.
fn tables(files: &Files, rows: &Table) -> Vec<Block> {
    if files.parts.len() == 1 {
        return vec![Block::Rows];
    }
    let mut rest: &[Row] = &rows.rows;
    let mut blocks = Vec::new();
    for part in &files.parts {
        let (own, after) = rest.split_at(part.tensors.len());
        rest = after;
        if !blocks.is_empty() {
            blocks.push(Block::blank());
        }
        let bytes = part.tensors.iter().filter_map(|tensor| tensor.bytes);
        let bytes = bytes.fold(0u64, u64::saturating_add);
        let tensors = plural(own.len() as u64, "tensor");
        let line = format!("   {tensors}, {}", number::bytes(bytes));
        blocks
            .push(Block::Line(vec![Span::new(file_name(part), Role::Heading), Span::plain(line)]));
        let table = Table { columns: rows.columns.clone(), rows: own.to_vec() };
        blocks.push(Block::Table(table));
    }
    blocks
}

/// What breaks the specification.
fn broken(faults: &[String]) -> Vec<Block> {
    if faults.is_empty() {
        return Vec::new();
    }
    let line = |text: String, role| Block::Line(vec![Span::new(text, role)]);
    let mut blocks =
        vec![Block::blank(), line("breaks the specification".to_owned(), Role::Heading)];
    blocks.extend(faults.iter().take(FAULTS).map(|fault| line(format!("! {fault}"), Role::Bad)));
    if faults.len() > FAULTS {
        let more = faults.len() - FAULTS;
        blocks.push(Block::line(format!("and {more} more: --json lists them all")));
    }
    blocks
}
