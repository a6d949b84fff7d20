//! JSON text of key sets.

use modeler_auth_testkit::signer::jwks;

use crate::form::{ACCEPTED, EMPTY, Form, JSON, Keys};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let key = &keys.rsa;
    let good = jwks(&[&key.jwk]);
    // The same set with a member at the start of the set, or of the key.
    let in_set = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    let in_key = |member: &str| good.replacen("[{", &format!("[{{{member},"), 1);
    let deep = |depth: usize| format!("\"a\":{}{}", "[".repeat(depth), "]".repeat(depth));
    let utf16: Vec<u8> = format!("\u{feff}{good}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let not_utf8 = {
        let text = in_set("\"a\":\"?\"");
        let mut bytes = text.into_bytes();
        let position = bytes.iter().position(|&byte| byte == b'?').unwrap();
        bytes[position] = 0xfc;
        bytes
    };
    [
        (
            "a byte order mark",
            format!("\u{feff}{good}").into_bytes(),
            ACCEPTED,
        ),
        (
            "white space around",
            format!(" \r\n\t{good}\n\n").into_bytes(),
            ACCEPTED,
        ),
        (
            "line breaks between all members",
            good.replace(',', ",\r\n  ").into_bytes(),
            ACCEPTED,
        ),
        (
            "escapes in `kid`",
            good.replace("\"rsa\"", "\"\\u0072s\\u0061\"").into_bytes(),
            ACCEPTED,
        ),
        (
            "escapes in names",
            good.replace("\"kid\"", "\"\\u006bid\"")
                .replace("\"keys\"", "\"k\\u0065ys\"")
                .into_bytes(),
            ACCEPTED,
        ),
        (
            "a member of a key twice, with one value",
            in_key("\"kid\":\"rsa\"").into_bytes(),
            EMPTY,
        ),
        (
            "a member of a key twice, with two values",
            in_key("\"kid\":\"x\"").into_bytes(),
            EMPTY,
        ),
        (
            "an ignored member of a key twice",
            in_key("\"a\":1,\"a\":1").into_bytes(),
            EMPTY,
        ),
        ("`keys` twice", in_set("\"keys\":[]").into_bytes(), JSON),
        (
            "an ignored member of the set twice",
            in_set("\"a\":1,\"a\":1").into_bytes(),
            JSON,
        ),
        (
            "a comma after the last key",
            good.replace("}]", "},]").into_bytes(),
            JSON,
        ),
        (
            "a comma after the last member of the set",
            good.replace("]}", "],}").into_bytes(),
            JSON,
        ),
        (
            "a comma after the last member of a key",
            good.replace("}]", ",}]").into_bytes(),
            JSON,
        ),
        ("text after the set", format!("{good}x").into_bytes(), JSON),
        (
            "a second set after the set",
            format!("{good}{good}").into_bytes(),
            JSON,
        ),
        ("NUL after the set", format!("{good}\0").into_bytes(), JSON),
        (
            "text before the set",
            format!(")]}}',\n{good}").into_bytes(),
            JSON,
        ),
        (
            "a block comment",
            format!("/* keys */{good}").into_bytes(),
            JSON,
        ),
        (
            "a line comment",
            format!("// keys\n{good}").into_bytes(),
            JSON,
        ),
        ("single quotes", good.replace('"', "'").into_bytes(), JSON),
        (
            "names without quotes",
            good.replace("\"keys\"", "keys").into_bytes(),
            JSON,
        ),
        (
            "a line break in a string",
            in_key("\"a\":\"\n\"").into_bytes(),
            JSON,
        ),
        (
            "a number with a leading zero",
            in_key("\"a\":01").into_bytes(),
            JSON,
        ),
        ("NaN", in_key("\"a\":NaN").into_bytes(), JSON),
        ("the number 1e400", in_key("\"a\":1e400").into_bytes(), JSON),
        (
            "half a surrogate pair",
            in_key("\"a\":\"\\ud800\"").into_bytes(),
            JSON,
        ),
        (
            "30 levels in a key",
            in_key(&deep(30)).into_bytes(),
            ACCEPTED,
        ),
        ("40 levels in a key", in_key(&deep(40)).into_bytes(), EMPTY),
        ("40 levels in the set", in_set(&deep(40)).into_bytes(), JSON),
        ("not UTF-8", not_utf8, JSON),
        ("UTF-16", utf16, JSON),
        ("no text", Vec::new(), JSON),
        ("HTML", b"<!DOCTYPE html><html></html>".to_vec(), JSON),
    ]
    .into_iter()
    .map(|(name, jwks, expected)| Form::new(name, jwks, key.good(), expected))
    .collect()
}
