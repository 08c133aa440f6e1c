//! The JSON schemas: keys, types and order. Scripts depend on them.

use serde_json::Value;

use crate::util::fpx;

/// Runs a command line and returns the text and its JSON.
fn json(line: &str) -> (String, Value) {
    let ran = fpx(line).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
    let value = serde_json::from_str(&ran.stdout).expect("JSON");
    (ran.stdout, value)
}

/// Returns the keys of an object in order.
fn keys(value: &Value) -> String {
    value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ")
}

const OPTIONS: &str = "rounding overflow nan nan_to subnormals tininess seed";
const ANSWER: &str = "input from to code value exact hexfloat error error_ulp error_rel flags";

#[test]
fn convert() {
    let (text, value) = json("convert 0.1 --from f32 --to f16 --json");
    assert_eq!(keys(&value), "schema command options rows");
    assert_eq!(keys(&value["options"]), format!("from to {OPTIONS}"));
    assert_eq!(keys(&value["rows"][0]), ANSWER);
    assert_eq!(
        text,
        r#"{"schema":"fpx.convert/1","command":"convert","options":{"from":"f32","to":["f16"],"rounding":"rne","overflow":"ieee","nan":"keep","nan_to":"error","subnormals":"keep","tininess":"after","seed":0},"rows":[
{"input":"0.1","from":"f32","to":"f16","code":"0x2e66","value":0.0999755859375,"exact":"0.0999755859375","hexfloat":"0x1.998p-4","error":-0.000024415552616119385,"error_ulp":-0.4000244140625,"error_rel":-0.00024415552252299305,"flags":["inexact"]}
]}
"#
    );
    let (_, streamed) = json("convert exhaustive:e2m1fn --to f16 --json");
    assert_eq!(streamed["rows"].as_array().map(Vec::len), Some(16));
    assert_eq!(keys(&streamed["rows"][15]), ANSWER);
}

#[test]
fn values_are_numbers_where_binary64_holds_them_and_strings_elsewhere() {
    let row = |line: &str| json(line).1["rows"][0].clone();
    let max = row("convert max --to f64 --json");
    assert_eq!(max["value"].as_f64(), Some(f64::MAX));
    for (line, value) in [
        ("convert 0.1 --to binary128 --json", "0.1"),
        ("convert inf --to f16 --json", "inf"),
        ("convert -inf --to f16 --json", "-inf"),
        ("convert nan --to f16 --json", "nan"),
    ] {
        assert_eq!(row(line)["value"], value, "{line}");
    }
    let lost = row("convert 1e9 --to f16 --json");
    assert_eq!((&lost["error"], &lost["error_ulp"]), (&"inf".into(), &"inf".into()));
    assert_eq!(lost["flags"].to_string(), r#"["inexact","overflow"]"#);
    let zero = row("convert -0 --to f16 --json");
    assert_eq!(zero["value"].to_string(), "-0.0");
    assert_eq!(zero["from"], Value::Null);
}

#[test]
fn a_pattern_read_by_its_width_says_from_what() {
    let (_, value) = json("convert 0x3f800000 --to f16 --json");
    assert_eq!(
        (&value["options"]["from"], &value["rows"][0]["from"]),
        (&Value::Null, &"f32".into())
    );
}

#[test]
fn jsonl_is_the_rows_alone() {
    for line in ["convert 1 2", "inspect 0.1", "formats"] {
        let rows = json(&format!("{line} --json")).1["rows"].clone();
        let text = fpx(&format!("{line} --emit jsonl")).run().stdout;
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(rows, Value::Array(lines), "{line}");
    }
}

#[test]
fn inspect() {
    let (text, value) = json("inspect 0.1 --format bf16 --json");
    assert_eq!(keys(&value), "schema command options rows");
    assert_eq!(keys(&value["options"]), format!("format {OPTIONS}"));
    assert_eq!(
        text,
        r#"{"schema":"fpx.inspect/1","command":"inspect","options":{"format":["bf16"],"rounding":"rne","overflow":"ieee","nan":"keep","nan_to":"error","subnormals":"keep","tininess":"after","seed":0},"rows":[
{"input":"0.1","from":null,"to":"bf16","code":"0x3dcd","value":0.10009765625,"exact":"0.10009765625","hexfloat":"0x1.9ap-4","error":0.00009765625,"error_ulp":0.2,"error_rel":0.0009765625,"flags":["inexact"],"class":"normal","sign":0,"exponent":-4,"biased_exponent":123,"significand":"1001101","shortest":"0.1","ulp":"0.00048828125","previous":"0x3dcc","next":"0x3dce","interval_low":"0.099853515625","interval_high":"0.100341796875","interval_low_closed":false,"interval_high_closed":false}
]}
"#
    );
    let (_, code) = json("inspect 0xff --format e4m3fn --json");
    assert_eq!(
        code["rows"][0].to_string(),
        r#"{"input":"0xff","from":"e4m3fn","to":"e4m3fn","code":"0xff","value":"-nan","exact":"-nan","hexfloat":"-nan","error":0.0,"error_ulp":0.0,"error_rel":0.0,"flags":[],"class":"quiet NaN","sign":1,"exponent":null,"biased_exponent":15,"significand":"111","shortest":"-nan","ulp":null,"previous":null,"next":null,"interval_low":null,"interval_high":null,"interval_low_closed":null,"interval_high_closed":null}"#
    );
}

#[test]
fn inspect_names_the_formats_it_chose() {
    let formats = |line: &str| json(line).1["options"]["format"].to_string();
    assert_eq!(formats("inspect 0.1 --json"), r#"["f32","f16","bf16","e4m3fn","e5m2"]"#);
    assert_eq!(formats("inspect 0x3dcd 0x3c00 --json"), r#"["f16","bf16"]"#);
}

#[test]
fn formats() {
    let (text, value) = json("formats e2m1fn e8m0 --json");
    assert_eq!(value["schema"], "fpx.formats/1");
    let start = concat!(
        r#"{"name":"e2m1fn","width":4,"signed":true,"exponent_width":2,"trailing_width":1,"precision":2,"#,
        r#""bias":1,"emin":0,"emax":2,"largest_finite":6.0,"least_normal":1.0,"least_subnormal":0.5,"epsilon":0.5,"#,
        r#""decimal_digits":0,"finite_values":15,"infinities":0,"nan_codes":[],"zeros":2,"subnormals":true,"aliases":["#
    );
    assert!(text.lines().nth(1).is_some_and(|row| row.starts_with(start)), "{text}");
    let fp4 = &value["rows"][0];
    assert_eq!(
        keys(fp4).split(' ').skip(18).collect::<Vec<_>>().join(" "),
        "subnormals aliases good_for weak_at source values"
    );
    let values = fp4["values"].as_array().expect("values");
    assert_eq!(values.len(), 16);
    assert_eq!(values[1].to_string(), r#"{"code":"0x1","class":"subnormal","value":0.5}"#);
    let e8m0 = &value["rows"][1];
    assert_eq!(e8m0["least_subnormal"], Value::Null);
    assert_eq!(e8m0["nan_codes"].to_string(), r#"["0xff"]"#);
    assert_eq!(
        e8m0["values"][255].to_string(),
        r#"{"code":"0xff","class":"quiet NaN","value":"nan"}"#
    );
}

#[test]
fn csv_has_the_columns_of_json_and_plain_numbers() {
    fpx("convert 1 1e9 --to f16 --emit csv").prints(
        "input,from,to,code,value,exact,hexfloat,error,error_ulp,error_rel,flags\n\
         1,,f16,0x3c00,1,1,0x1p+0,0,0,0,\n\
         1e9,,f16,0x7c00,inf,inf,inf,inf,inf,inf,inexact overflow\n",
    );
    fpx("convert 0.1 --to f16 --emit markdown").prints(
        "| input | format | code | value | error | ulp | flags |\n\
         | --- | --- | --- | --- | --: | --: | --- |\n\
         | 0.1 | f16 | 0x2e66 | 0.0999755859375 | -2.44e-5 | -0.400 | inexact |\n",
    );
}
