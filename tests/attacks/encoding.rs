//! Malformed tokens, and JSON that parsers may read in two ways.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth::{
    Claims, Issuer, Permission, Permissions, TokenValidator, access::MapClaims as _,
    camunda::SelfManagedClaims, keys::StaticKeys,
};
use modeler_auth_testkit::signer::{ISSUER, Key, claims, encode, jwks, now};
use serde_json::{Value, json};

use crate::target::Target;

#[tokio::test]
async fn a28_unknown_crit_is_refused() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    for names in [json!(["x"]), json!(["exp"]), json!(["b64", "x"])] {
        let token = key.changed(|header, _| {
            header["crit"] = names;
            header["x"] = json!(1);
        });
        target.refuses(&token).await;
    }
}

#[tokio::test]
async fn a29_an_unencoded_payload() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    target.refuses(&key.with_header("b64", false)).await;
    let critical = key.changed(|header, _| {
        header["b64"] = json!(false);
        header["crit"] = json!(["b64"]);
    });
    target.refuses(&critical).await;
    // The unencoded payload, as RFC 7797 signs it.
    let header =
        encode(json!({"alg": "ES256", "kid": key.id(), "b64": false, "crit": ["b64"]}).to_string());
    let message = format!("{header}.plain");
    let signature = encode(key.sign(message.as_bytes()));
    target.refuses(&format!("{message}.{signature}")).await;
}

#[tokio::test]
async fn a30_odd_crit() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    for crit in [
        json!([]),
        json!(["alg"]),
        json!(["x", "x"]),
        json!(["absent"]),
        json!("x"),
        json!(null),
        json!(5),
    ] {
        target.refuses(&key.with_header("crit", crit)).await;
    }
}

#[tokio::test]
async fn a31_json_serializations() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    let good = key.good();
    let parts: Vec<_> = good.split('.').collect();
    let flattened = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    let general = json!({"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]});
    for token in [flattened.to_string(), general.to_string()] {
        // This text is not valid in a header.
        assert_eq!(target.status(&token).await, 400);
        assert!(target.validator.validate(&token).await.is_err());
        target.refuses(&encode(&token)).await;
    }
}

#[tokio::test]
async fn a33_compressed_and_costly_encryption() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    for header in [
        json!({"alg": "PBES2-HS256+A128KW", "p2c": 2_147_483_647_u32, "p2s": "AA", "enc": "A128GCM"}),
        json!({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}),
    ] {
        let header = encode(header.to_string());
        for parts in [3, 5] {
            let token = [&header, "AA", "AA", "AA", "AA"][..parts].join(".");
            let started = Instant::now();
            target.refuses(&token).await;
            assert!(started.elapsed() < Duration::from_secs(1));
        }
    }
}

#[tokio::test]
async fn a34_megabytes_of_dots() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    for length in [3, 1000, 16_000, 1 << 20] {
        target.refuses(&".".repeat(length)).await;
    }
}

#[tokio::test]
async fn a35_too_few_and_too_many_parts() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    let good = key.good();
    let parts: Vec<_> = good.split('.').collect();
    for token in [
        parts[0].to_owned(),
        parts[..2].join("."),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{}", parts[2]),
        [good.as_str(), parts[0], parts[1]].join("."),
        [parts[0], "", parts[2]].join("."),
        ["", parts[1], parts[2]].join("."),
        [parts[0], parts[1], ""].join("."),
    ] {
        target.refuses(&token).await;
    }
}

#[tokio::test]
async fn a36_huge_tokens() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    let filled = |length: usize| key.with_claim("x", "y".repeat(length));
    let largest = filled(11_800);
    assert!(
        largest.len() > 16_000 && largest.len() <= 16 * 1024,
        "{}",
        largest.len()
    );
    target.accepts(&largest).await;
    target.refuses(&filled(12_200)).await;
    target.refuses(&"a".repeat(1 << 20)).await;
}

#[tokio::test]
async fn a37_base64_in_other_ways() {
    for key in [Key::rsa(), Key::ec()] {
        let target = Target::new(&[&key]);
        let good = key.good();
        let parts: Vec<_> = good.split('.').collect();
        for index in 0..3 {
            let with = |part: String| {
                let mut changed = parts.clone();
                changed[index] = &part;
                changed.join(".")
            };
            for (text, status) in [
                (format!("{}A", parts[index]), 401),
                (
                    format!("{}=", parts[index]),
                    if index == 2 { 401 } else { 400 },
                ),
                (
                    format!("{}==", parts[index]),
                    if index == 2 { 401 } else { 400 },
                ),
                (format!("{} ", parts[index]), 400),
                (
                    format!(" {}", parts[index]),
                    if index == 0 { 200 } else { 400 },
                ),
                (format!("+{}", parts[index]), 401),
                (format!("{}/", parts[index]), 401),
                (format!("{}~", parts[index]), 401),
                (format!("{}%3D", parts[index]), 400),
            ] {
                let found = target.status(&with(text.clone())).await;
                assert_eq!(found, status, "{index} {text}");
            }
        }
        // Unused bits after the last byte.
        let tail = parts[2].chars().last().unwrap();
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            if other != tail {
                let signature = &parts[2][..parts[2].len() - 1];
                target
                    .refuses(&format!("{}.{}.{signature}{other}", parts[0], parts[1]))
                    .await;
            }
        }
        let decoded = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let standard = base64::engine::general_purpose::STANDARD.encode(decoded);
        if standard != parts[1] {
            let message = format!("{}.{standard}", parts[0]);
            let signature = encode(key.sign(message.as_bytes()));
            let status = target.status(&format!("{message}.{signature}")).await;
            assert!(status == 400 || status == 401);
        }
    }
}

#[tokio::test]
async fn a38_deep_json() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let payload = |levels| {
        claims()
            .to_string()
            .replacen('{', &format!("{{\"x\":{},", deep(levels)), 1)
    };
    let header = |levels| {
        key.header()
            .to_string()
            .replacen('{', &format!("{{\"x\":{},", deep(levels)), 1)
    };
    target.accepts(&key.token(header(31), payload(31))).await;
    for levels in [32, 100, 128, 5000] {
        target.refuses(&key.token(header(levels), payload(1))).await;
        target.refuses(&key.token(header(1), payload(levels))).await;
    }
    // Deeper nesting does not fit into a token, but fits into a key set.
    let jwks = format!("{{\"keys\":[],\"x\":{}}}", deep(100_000));
    let issuer = modeler_auth::Issuer::oidc(modeler_auth_testkit::signer::ISSUER).audience("api");
    let issuer = issuer.keys(modeler_auth::keys::StaticKeys::from_jwks(jwks));
    assert!(
        modeler_auth::TokenValidator::builder()
            .issuer(issuer)
            .build()
            .is_err()
    );
}

#[tokio::test]
async fn a39_members_that_come_twice() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let twice = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
    let (header, payload) = (key.header().to_string(), claims().to_string());
    for member in [
        r#""alg":"none""#,
        r#""alg":"EdDSA""#,
        r#""kid":"x""#,
        r#""typ":"JWT""#,
        r#""\u0061lg":"none""#,
    ] {
        target
            .refuses(&key.token(twice(&header, member), &payload))
            .await;
    }
    for member in [
        r#""iss":"https://evil.example/""#,
        r#""aud":"other""#,
        r#""exp":1"#,
        r#""\u0065xp":1"#,
        r#""sub":"root""#,
        r#""x":1,"x":2"#,
        r#""permissions":{"a":1,"a":2}"#,
        r#""deep":[[{"a":1,"\u0061":2}]]"#,
    ] {
        target
            .refuses(&key.token(&header, twice(&payload, member)))
            .await;
    }
}

#[tokio::test]
async fn a41_a_payload_that_is_no_object() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let exp = now() + 300;
    for payload in [
        format!(
            "[{exp},null,\"someone\",\"{}\",\"api\"]",
            modeler_auth_testkit::signer::ISSUER
        ),
        format!("[{}]", claims()),
        json!(claims().to_string()).to_string(),
        "1".to_owned(),
        "null".to_owned(),
        "true".to_owned(),
        String::new(),
        " ".to_owned(),
        format!("{}{}", claims(), claims()),
        format!("{} x", claims()),
    ] {
        target
            .refuses(&key.token(key.header().to_string(), payload))
            .await;
    }
}

#[tokio::test]
async fn a42_text_that_is_no_utf_8() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let header = key.header().to_string();
    let payload = claims().to_string();
    let inside = |bytes: &[u8]| {
        let (start, end) = payload.split_once("someone").unwrap();
        [start.as_bytes(), bytes, end.as_bytes()].concat()
    };
    for bytes in [
        &b"\xff"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\\ud800",
        b"\\udc00\\ud800",
        b"\\u12",
        b"\n",
        b"\0",
    ] {
        target.refuses(&key.token(&header, inside(bytes))).await;
    }
    let bom = [b"\xef\xbb\xbf", payload.as_bytes()].concat();
    target.refuses(&key.token(&header, bom)).await;
    let utf16: Vec<u8> = payload.encode_utf16().flat_map(u16::to_le_bytes).collect();
    target.refuses(&key.token(&header, utf16)).await;
    target
        .accepts(&key.token(
            &header,
            inside("sömeone 🙂 \\ud83d\\ude42 \\u0000".as_bytes()),
        ))
        .await;
}

#[tokio::test]
async fn a43_number_bombs() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let payload = |number: &str| {
        claims()
            .to_string()
            .replacen('{', &format!("{{\"x\":{number},"), 1)
    };
    let token = |number: &str| key.token(key.header().to_string(), payload(number));
    for bad in [
        "1e400", "-1e400", "NaN", "Infinity", "01", "+1", "1.", ".5", "0x10", "1e",
    ] {
        target.refuses(&token(bad)).await;
    }
    for fine in ["-0", "1E+2", "1e-400", &"9".repeat(300), "0.1"] {
        target.accepts(&token(fine)).await;
    }
    let started = Instant::now();
    target.status(&token(&"1".repeat(10_000))).await;
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a44_many_audiences() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let many: Vec<_> = (0..1500).map(|number| format!("{number:x}")).collect();
    let token = key.with_claim("aud", many.clone());
    let started = Instant::now();
    target.refuses(&token).await;
    let with_ours = [many.as_slice(), &["api".to_owned()]].concat();
    target.accepts(&key.with_claim("aud", with_ours)).await;
    assert!(started.elapsed() < Duration::from_secs(1));
}

/// Escapes, space and order in a payload do not change its meaning, neither while claims are
/// mapped nor afterwards.
#[tokio::test]
async fn r14_claims_are_found_however_they_are_written() {
    let key = Key::ed();
    let during = Arc::new(Mutex::new(None));
    let mapping = {
        let during = Arc::clone(&during);
        move |claims: &Claims| {
            *during.lock().unwrap() = Some(read(claims));
            SelfManagedClaims::default().map(claims)
        }
    };
    let issuer = Issuer::oidc(ISSUER).audience("api");
    let keys = StaticKeys::from_jwks(jwks(&[&key.jwk]));
    let builder = TokenValidator::builder().issuer(issuer.keys(keys).map_claims(mapping));
    let validator = builder.build().unwrap();
    let claims = claims().to_string();
    let rest = claims.strip_prefix('{').unwrap();
    for mapped in [
        r#""a":{"b":[1,{"c":"d"}]},"permissions":{"api":["read:*"]},"#,
        r#" "\u0061" : { "b" : [ 1 , { "c" : "\u0064" } ] } , "p\u0065rmissions" : { "x" : {} , "\u0061pi" : [ "r\u0065ad:*" ] } , "#,
    ] {
        let token = key.token(key.header().to_string(), format!("{{{mapped}{rest}"));
        let access = validator.validate(&token).await.unwrap();
        assert_eq!(
            access.permissions(),
            Permissions::from_iter([Permission::Read])
        );
        let found = read(access.claims());
        assert_eq!(during.lock().unwrap().take().as_ref(), Some(&found));
        assert_eq!(
            found,
            [Some(json!([1, {"c": "d"}])), None, Some(json!("api"))]
        );
    }
}

fn read(claims: &Claims) -> [Option<Value>; 3] {
    [
        claims.get(&["a", "b"]).unwrap(),
        claims.get(&["a", "missing", "c"]).unwrap(),
        claims.get("aud").unwrap(),
    ]
}
