//! The members `use` and `key_ops`, and members that say more about a key.

use serde_json::{Value, json};

use crate::form::{ACCEPTED, EMPTY, Form, Keys, changed};

pub fn forms(keys: &Keys) -> Vec<Form> {
    let key = &keys.rsa;
    let other_n: &Value = &keys.other_rsa.jwk["n"];
    [
        ("`use` is `sig`", json!({"use": "sig"}), ACCEPTED),
        ("`use` is null", json!({"use": null}), ACCEPTED),
        ("`use` is `enc`", json!({"use": "enc"}), EMPTY),
        ("`use` is empty", json!({"use": ""}), EMPTY),
        ("`use` in upper case", json!({"use": "SIG"}), EMPTY),
        ("`use` is unknown", json!({"use": "x"}), EMPTY),
        ("`use` is an array", json!({"use": ["sig"]}), EMPTY),
        ("`key_ops` is null", json!({"key_ops": null}), ACCEPTED),
        ("`key_ops` is empty", json!({"key_ops": []}), ACCEPTED),
        (
            "`key_ops` is `verify`",
            json!({"key_ops": ["verify"]}),
            ACCEPTED,
        ),
        (
            "`key_ops` is `verify`, twice",
            json!({"key_ops": ["verify", "verify"]}),
            ACCEPTED,
        ),
        ("`key_ops` is `sign`", json!({"key_ops": ["sign"]}), EMPTY),
        (
            "`key_ops` is `sign` and `verify`",
            json!({"key_ops": ["sign", "verify"]}),
            ACCEPTED,
        ),
        (
            "`key_ops` is `encrypt`",
            json!({"key_ops": ["encrypt"]}),
            EMPTY,
        ),
        (
            "`key_ops` is `encrypt` and `verify`",
            json!({"key_ops": ["encrypt", "verify"]}),
            ACCEPTED,
        ),
        (
            "`key_ops` is `verify` and an unknown one",
            json!({"key_ops": ["verify", "x"]}),
            ACCEPTED,
        ),
        (
            "`key_ops` is the string `verify`",
            json!({"key_ops": "verify"}),
            EMPTY,
        ),
        (
            "`key_ops` contains null",
            json!({"key_ops": ["verify", null]}),
            EMPTY,
        ),
        (
            "`use` is `sig`, `key_ops` is `verify`",
            json!({"use": "sig", "key_ops": ["verify"]}),
            ACCEPTED,
        ),
        (
            "`use` is `sig`, `key_ops` is `encrypt`",
            json!({"use": "sig", "key_ops": ["encrypt"]}),
            EMPTY,
        ),
        (
            "`use` is `enc`, `key_ops` is `verify`",
            json!({"use": "enc", "key_ops": ["verify"]}),
            EMPTY,
        ),
        (
            "`x5c` is no certificate",
            json!({"x5c": ["garbage"]}),
            ACCEPTED,
        ),
        ("`x5c` is empty", json!({"x5c": []}), ACCEPTED),
        ("`x5c` is null", json!({"x5c": null}), ACCEPTED),
        (
            "`x5t` and `x5t#S256` of no certificate",
            json!({"x5t": "AAAA", "x5t#S256": "AAAA"}),
            ACCEPTED,
        ),
        ("`x5u` is no URL", json!({"x5u": "not a URL"}), ACCEPTED),
        ("a private exponent `d`", json!({"d": other_n}), ACCEPTED),
        ("`exp` is past", json!({"exp": 1}), ACCEPTED),
        (
            "`nbf` is in the future",
            json!({"nbf": 4_102_444_800_u64}),
            ACCEPTED,
        ),
        ("`exp` is a string", json!({"exp": "never"}), ACCEPTED),
        (
            "`ext` and an unknown member",
            json!({"ext": true, "x-group": {"a": [1, null]}}),
            ACCEPTED,
        ),
        (
            "coordinates in an RSA key",
            json!({"crv": "P-256", "x": "AQ", "y": "AQ"}),
            ACCEPTED,
        ),
    ]
    .into_iter()
    .map(|(name, changes, expected)| Form::of_one(name, &changed(&key.jwk, changes), key, expected))
    .collect()
}
