//! Raw elements, without any header.

use super::{
    Container, ContainerError, Element, Framing, Hints, Holds, Layout, Metadata, Order, Source,
    Storage, Tensor, Writing,
    source::{Body, Input, Opened},
};

/// Raw elements, which any file may be.
pub static ROW: Container = Container {
    name: "raw",
    extensions: &[],
    magic: |_| false,
    open,
    writing: Writing::Framed(Framing {
        holds: Holds::Elements,
        fortran: false,
        packing: None,
        dtype,
        layout,
        seal: None,
    }),
    source: "elements one after another, little-endian",
};

/// Any element that has bytes.
fn dtype(element: &Element) -> Option<String> {
    match element {
        Element::Float(storage) => Some(storage.format.name().to_owned()),
        Element::Integer(integer) => Some(format!("{}{}", integer.kind, 8 * integer.bytes)),
        Element::Opaque => Some(String::new()),
        Element::Blocks(_) | Element::Literal | Element::Unreadable(_) => None,
    }
}

fn open(opened: Opened, hints: &Hints) -> Result<Source, ContainerError> {
    let Some(from) = &hints.from else {
        let what = "raw elements do not say what they are: add --from FORMAT, or --input-kind if \
                    this is no raw file";
        return Err(ContainerError::usage(&opened.path, what));
    };
    let storage = Storage::new(from).with_packing(hints.packing);
    let mut tensor = Tensor {
        name: String::new(),
        dtype: from.name().to_owned(),
        element: Element::Float(storage.clone()),
        shape: Vec::new(),
        order: Order::C,
        offset: 0,
        bytes: None,
    };
    let body = match opened.input {
        Input::Stream(stream) => Body::Stream(Some(stream).into()),
        Input::File(file, bytes) => {
            tensor.shape = vec![
                count(&storage, bytes).map_err(|what| ContainerError::data(&opened.path, what))?,
            ];
            tensor.bytes = Some(bytes);
            Body::File(file)
        }
    };
    Ok(Source {
        path: opened.path,
        kind: &ROW,
        tensors: vec![tensor],
        metadata: Vec::new(),
        faults: Vec::new(),
        body,
    })
}

/// Returns how many elements `bytes` bytes hold. Bits that fill up the last byte of packed codes are
/// no element, unless there is room for one.
pub(crate) fn count(storage: &Storage, bytes: u64) -> Result<u64, String> {
    let bits = storage.bits();
    let total = bytes.checked_mul(8).ok_or_else(|| format!("{bytes} bytes are too many"))?;
    if bits >= 8 && total % bits != 0 {
        let size = bits / 8;
        return Err(format!(
            "{bytes} bytes are not a whole number of {} elements of {size} bytes",
            storage.format
        ));
    }
    Ok(total / bits)
}

/// One tensor after another.
pub(super) fn layout(tensors: &[Tensor], _metadata: &Metadata) -> Result<Layout, String> {
    let mut layout = Layout::default();
    for tensor in tensors {
        layout.offsets.push(layout.bytes);
        layout.bytes = tensor
            .bytes
            .and_then(|bytes| layout.bytes.checked_add(bytes))
            .ok_or("the file would exceed 2^64 bytes")?;
    }
    Ok(layout)
}
