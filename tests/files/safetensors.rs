//! Safetensors, against files of the Python package and the crate.

use std::collections::HashMap;

use fpx::container::{CONTAINERS, Element, Hints, Tensor, Writing, by_name, open};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::util::{bytes, codes, names, ramp, sound, values, write_safetensors};

/// Every element type of the crate.
const DTYPES: [Dtype; 22] = [
    Dtype::BOOL,
    Dtype::F4,
    Dtype::F6_E2M3,
    Dtype::F6_E3M2,
    Dtype::U8,
    Dtype::I8,
    Dtype::F8_E5M2,
    Dtype::F8_E4M3,
    Dtype::F8_E8M0,
    Dtype::F8_E4M3FNUZ,
    Dtype::F8_E5M2FNUZ,
    Dtype::I16,
    Dtype::U16,
    Dtype::F16,
    Dtype::BF16,
    Dtype::I32,
    Dtype::U32,
    Dtype::F32,
    Dtype::C64,
    Dtype::F64,
    Dtype::I64,
    Dtype::U64,
];

#[test]
fn reads_what_the_python_package_writes() {
    let source = sound("all.safetensors");
    assert_eq!(source.metadata, [("format".to_owned(), "pt".to_owned())]);
    assert_eq!(source.tensors.len(), 20);
    for (i, tensor) in source.tensors.iter().enumerate() {
        let bytes = bytes(&source, i);
        assert_eq!(tensor.dtype, tensor.name);
        match &tensor.element {
            Element::Float(storage) if tensor.name == "F8_E8M0" => {
                let expected: Vec<f64> = (0..8).map(|i| f64::from(i - 4).exp2()).collect();
                assert_eq!(values(&storage.format, &codes(&bytes, 8)), expected);
            }
            Element::Float(storage) => {
                let bits = usize::try_from(storage.bits()).unwrap();
                // The ramp, but for F4, where ml_dtypes rounds quarters to even.
                let rounded = vec![-1.0, -0.5, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0];
                let expected = if tensor.name == "F4" { rounded } else { ramp(8) };
                assert_eq!(tensor.shape, [2, 4], "{}", tensor.name);
                assert_eq!(
                    values(&storage.format, &codes(&bytes, bits)),
                    expected,
                    "{}",
                    tensor.name
                );
            }
            Element::Integer(integer) => {
                let found = codes(&bytes, usize::try_from(8 * integer.bytes).unwrap());
                let truth = integer.kind == 'b';
                assert_eq!(found, if truth { [0, 1, 1] } else { [0, 1, 2] }, "{}", tensor.name);
            }
            Element::Opaque => assert_eq!((tensor.name.as_str(), bytes.len()), ("C64", 16)),
            Element::Blocks(_) | Element::Literal | Element::Unreadable(_) => {
                panic!("{}", tensor.name)
            }
        }
    }
}

#[test]
fn reads_every_element_type_of_the_crate() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.safetensors");
    let data: Vec<u8> = (0..96).collect();
    let views: Vec<(String, TensorView)> = DTYPES
        .iter()
        .map(|dtype| {
            let length = 8 * dtype.bitsize() / 8;
            let view = TensorView::new(*dtype, vec![2, 4], &data[..length]).unwrap();
            (format!("{dtype}"), view)
        })
        .collect();
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    let source = open(&path, None, &Hints::default()).unwrap().sound().unwrap();
    assert_eq!(source.tensors.len(), DTYPES.len());
    for (i, tensor) in source.tensors.iter().enumerate() {
        assert_eq!(tensor.dtype, tensor.name);
        let known = tensor.element != Element::Opaque || tensor.dtype == "C64";
        assert!(known, "{} is not known", tensor.dtype);
        let found = bytes(&source, i);
        assert_eq!(found, data[..found.len()]);
    }
}

#[test]
fn the_crate_reads_what_is_laid_out_here() {
    let dir = tempfile::tempdir().unwrap();
    let kind = by_name("safetensors").unwrap();
    let Writing::Framed(framing) = &kind.writing else { panic!("not written") };
    let source = sound("all.safetensors");
    let metadata = vec![("b".to_owned(), "2\n\"".to_owned()), ("a".to_owned(), "é".to_owned())];
    // Narrow tensors first, so that the order of the data has to differ from that of the header.
    let tensors: Vec<Tensor> = source.tensors.iter().rev().cloned().collect();
    let layout = (framing.layout)(&tensors, &metadata).unwrap();
    let mut file = vec![0; usize::try_from(layout.bytes).unwrap()];
    for (offset, header) in &layout.headers {
        file[usize::try_from(*offset).unwrap()..][..header.len()].copy_from_slice(header);
    }
    for (i, offset) in layout.offsets.iter().enumerate() {
        let data = bytes(&source, source.tensors.len() - 1 - i);
        file[usize::try_from(*offset).unwrap()..][..data.len()].copy_from_slice(&data);
    }
    let (_, header) = SafeTensors::read_metadata(&file).unwrap();
    let expected: HashMap<String, String> = metadata.into_iter().collect();
    assert_eq!(header.metadata(), &Some(expected));
    let read = SafeTensors::deserialize(&file).unwrap();
    for (i, tensor) in source.tensors.iter().enumerate() {
        let view = read.tensor(&tensor.name).unwrap();
        let shape: Vec<u64> = view.shape().iter().map(|&n| n as u64).collect();
        assert_eq!(
            (format!("{}", view.dtype()), shape),
            (tensor.dtype.clone(), tensor.shape.clone())
        );
        assert_eq!(view.data(), bytes(&source, i), "{}", tensor.name);
        let bits = view.dtype().bitsize();
        let start = view.data().as_ptr() as usize - file.as_ptr() as usize;
        assert_eq!(start % bits.div_ceil(8), 0, "{} is not aligned", tensor.name);
    }
    let path = dir.path().join("out.safetensors");
    std::fs::write(&path, &file).unwrap();
    let again = open(&path, None, &Hints::default()).unwrap().sound().unwrap();
    let reversed: Vec<&str> = names(&source).into_iter().rev().collect();
    assert_eq!(names(&again), reversed, "the header keeps the order of the tensors");
}

#[test]
fn unknown_element_types_are_opaque() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let header = r#"{"a":{"dtype":"Q3","shape":[5],"data_offsets":[0,2]}}"#;
    write_safetensors(&path, header, b"xy");
    let source = open(&path, None, &Hints::default()).unwrap().sound().unwrap();
    assert_eq!(
        (source.tensors[0].dtype.as_str(), &source.tensors[0].element),
        ("Q3", &Element::Opaque)
    );
    assert_eq!(bytes(&source, 0), b"xy");
}

#[test]
fn files_are_recognised_by_their_first_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for (fixture, kind) in [
        ("all.safetensors", "safetensors"),
        ("c.npy", "npy"),
        ("stored.npz", "npz"),
        ("small.gguf", "gguf"),
    ] {
        let path = dir.path().join(kind);
        std::fs::copy(crate::util::fixture(fixture), &path).unwrap();
        assert_eq!(open(&path, None, &Hints::default()).unwrap().kind.name, kind);
    }
    assert_eq!(CONTAINERS.len(), 7);
}
