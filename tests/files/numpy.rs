//! `.npy` and `.npz`, against files of NumPy.

use fpx::{
    container::{Element, Endian, Hints, Order, open},
    format::{self, Format, catalogue::E4M3FN},
};

use crate::util::{bytes, codes, fixture, names, ramp, sound, values};

fn read(name: &str, hint: Option<&Format>) -> (fpx::container::Tensor, Vec<f64>) {
    let hints = Hints { dtype: hint.cloned(), ..Hints::default() };
    let source = open(&fixture(name), None, &hints).unwrap().sound().unwrap();
    let tensor = source.tensors[0].clone();
    let storage = tensor.element.storage().expect("a float").clone();
    let mut bytes = bytes(&source, 0);
    if storage.endian == Endian::Big {
        bytes.chunks_exact_mut(storage.format.storage_bytes()).for_each(<[u8]>::reverse);
    }
    let codes = codes(&bytes, usize::try_from(storage.bits()).unwrap());
    (tensor, values(&storage.format, &codes))
}

#[test]
fn reads_what_numpy_writes() {
    let fortran: Vec<f64> = (0..12).map(|i| ramp(12)[i % 3 * 4 + i / 3]).collect();
    for (name, hint, shape, order, expected) in [
        ("c.npy", None, vec![3, 4], Order::C, ramp(12)),
        ("fortran.npy", None, vec![3, 4], Order::Fortran, fortran),
        ("big.npy", None, vec![3, 4], Order::C, ramp(12)),
        ("scalar.npy", None, vec![], Order::C, ramp(1)),
        ("v2.npy", None, vec![5], Order::C, ramp(5)),
        ("v3.npy", None, vec![5], Order::C, ramp(5)),
        ("void2.npy", Some(&format::BF16), vec![5], Order::C, ramp(5)),
        ("void1.npy", Some(&E4M3FN), vec![5], Order::C, ramp(5)),
    ] {
        let (tensor, values) = read(name, hint);
        assert_eq!((tensor.shape, tensor.order), (shape, order), "{name}");
        assert_eq!(values, expected, "{name}");
    }
}

#[test]
fn elements_without_a_name_need_one() {
    let source = sound("void2.npy");
    let Element::Unreadable(why) = &source.tensors[0].element else { panic!("{source:?}") };
    assert!(why.contains("--dtype"), "{why}");
    // A hint of another size does not fit, and an integer type stays one without a hint.
    let hints = Hints { dtype: Some(E4M3FN.clone()), ..Hints::default() };
    let source = open(&fixture("void2.npy"), None, &hints).unwrap();
    assert!(matches!(source.tensors[0].element, Element::Unreadable(_)));
    assert!(matches!(sound("int.npy").tensors[0].element, Element::Integer(_)));
}

#[test]
fn reads_archives_stored_and_deflated() {
    for name in ["stored.npz", "deflated.npz"] {
        let source = sound(name);
        assert_eq!(names(&source), ["weight", "bias", "step"]);
        let weight = values(&format::F32, &codes(&bytes(&source, 0), 32));
        let bias = values(&format::F16, &codes(&bytes(&source, 1), 16));
        assert_eq!((weight, bias), (ramp(12), ramp(4)), "{name}");
        assert_eq!(bytes(&source, 2), [0; 8]);
        // A second reading starts again.
        assert_eq!(bytes(&source, 1), bytes(&source, 1));
    }
}

#[test]
fn a_damaged_member_is_found_by_its_checksum() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    let mut file = std::fs::read(fixture("stored.npz")).unwrap();
    let source = sound("stored.npz");
    let weight = bytes(&source, 0);
    let at = file.windows(weight.len()).position(|window| window == weight).unwrap();
    file[at + 5] ^= 1;
    std::fs::write(&path, file).unwrap();
    let source = open(&path, None, &Hints::default()).unwrap();
    let fpx::container::Feed::Stream(mut stream) = source.feed(0).unwrap() else { panic!() };
    let error = std::io::copy(&mut stream, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.to_string(), "member 'weight' has a wrong checksum");
}
