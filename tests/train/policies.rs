//! Policies are rows of slots, and slots read what they write.

use fpx::train::{
    lesson::LESSONS,
    policy::{self, find},
    slots::Slots,
};

#[test]
fn a_policy_equals_its_written_out_slots() {
    for policy in policy::all() {
        let mut slots = Slots::default();
        for assignment in policy.slots.to_string().split_whitespace() {
            slots.assign(assignment).unwrap();
        }
        assert_eq!(slots, policy.slots, "{}", policy.name);
    }
}

#[test]
fn every_slot_reads_its_default_back() {
    let defaults = Slots::default();
    for slot in defaults.written() {
        let mut slots = Slots::default();
        slots.set(slot.name, &slot.value).unwrap();
        assert_eq!(slots, defaults, "{}", slot.name);
    }
}

#[test]
fn values_are_written_as_they_are_read() {
    let cases = [
        ("weights", "bf16/sr"),
        ("gradients", "mxfp4/rceil"),
        ("master", "none"),
        ("master", "bf16"),
        ("accumulate", "f16:128"),
        ("accumulate", "e4m3:bias=11:fnuz"),
        ("loss_scale", "static:0.5"),
        ("loss_scale", "dynamic:1024,50"),
        ("scaling", "delayed:7"),
        ("keep", "first,2,last"),
        ("momentum", "0.9"),
    ];
    for (slot, value) in cases {
        let mut slots = Slots::default();
        slots.set(slot, value).unwrap();
        let written = slots.written().into_iter().find(|written| written.name == slot).unwrap();
        let expected = if value == "e4m3:bias=11:fnuz" { "e4m3b11fnuz" } else { value };
        assert_eq!(written.value, expected);
    }
}

#[test]
fn what_a_slot_cannot_hold_is_refused_with_the_reason() {
    let cases = [
        ("weights", "e8m0", "e8m0 has no negative numbers, which weights and gradients need"),
        ("weights", "f64", "training computes in float32: expected at most 32 bits"),
        ("weights", "e4m3fn/tensor", "scales of formats are the slot scaling=current|delayed"),
        ("weights", "bf61", "unknown format 'bf61', did you mean 'bf16'?"),
        ("update", "up", "expected nearest|sr|kahan"),
        ("accumulate", "f16:0", "a chunk has at least one term"),
        ("loss_scale", "static:-1", "expected a positive finite number"),
        ("loss_scale", "static:1e400", "expected a positive finite number"),
        ("loss_scale", "dynamic:8,0", "expected none|static:K|dynamic[:INIT[,INTERVAL]]"),
        ("scaling", "delayed:0", "expected 1 to 65536 steps of history"),
        ("keep", "0", "expected none|first|last|LAYER[,..] (from 1)"),
        ("momentum", "nan", "expected a finite number, 0 or more"),
        ("prescale", "-1", "expected a finite number, 0 or more"),
    ];
    for (slot, value, reason) in cases {
        let error = Slots::default().set(slot, value).unwrap_err().to_string();
        assert_eq!(error, format!("slot '{slot}' cannot be '{value}': {reason}"));
    }
    let error = Slots::default().assign("weigths=f16").unwrap_err().to_string();
    assert!(error.starts_with("unknown slot 'weigths' (did you mean 'weights'?)"), "{error}");
    let error = Slots::default().assign("weights").unwrap_err().to_string();
    assert_eq!(error, "'weights': expected SLOT=VALUE, such as update=sr");
}

#[test]
fn names_of_policies_are_found_or_suggested() {
    assert_eq!(find("f16-static:1024").unwrap().slots.loss_scale, {
        fpx::train::values::LossScale::Static(1024.0)
    });
    assert_eq!(
        find("bf16amp").unwrap_err().to_string(),
        "unknown policy 'bf16amp', did you mean 'bf16-amp'? (--policy list shows all)"
    );
    assert_eq!(find("f32:8").unwrap_err().to_string(), "policy 'f32:8': takes no number");
    assert!(find("f16-static:0").is_err());
}

#[test]
fn every_lesson_has_rows_and_a_float32_one_for_each_group() {
    for lesson in LESSONS {
        let entries = lesson.entries().unwrap();
        assert!(entries.len() > 3, "{}", lesson.name);
        for group in entries.chunk_by(|a, b| a.group == b.group) {
            let first = &group[0];
            assert_eq!(first.slots, first.slots.in_float32(), "{}", lesson.name);
        }
    }
}
