//! Published test vectors: C2SP Wycheproof and the JOSE cookbook (RFC 7520, RFC 7797). Their payloads
//! are not JSON, so the tests end with the signature and read no claims.
//!
//! The files are not part of this repository. The tests read the folder in the variable `VECTORS`, or
//! `../shared/vectors`. They are ignored if the folder was absent when they were built.

use std::{env, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    keys::{algorithm::AllowedAlgorithms, key_set::KeySet},
    token::jws::{CompactJws, ParsedJws},
};

/// Cases of Wycheproof whose result differs here, with the reason.
const REVIEWED: &[(&str, u64, &str)] = &[
    // A key whose `alg` is PS256 is bound to it; these tokens are of PS384.
    ("signature", 346, "PS384 token, PS256 key"),
    ("signature", 350, "PS384 token, PS256 key"),
    // There is no algorithm ES521; ES512 is the name for P-521.
    ("signature", 347, "key with `alg` ES521"),
    ("signature", 351, "key with `alg` ES521"),
    // A key that a weak generator made looks like any other without a list of fingerprints.
    ("key", 7, "ROCA key"),
    ("crypto", 46, "ROCA key"),
];

fn vectors(name: &str) -> Value {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors");
    let folder = env::var_os("VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = folder.join(name);
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Returns whether `jws` is signed by a key of `jwks`, one key or a set.
fn holds(jws: &str, jwks: &Value) -> bool {
    let set = if jwks.get("keys").is_some() {
        jwks.clone()
    } else {
        json!({ "keys": [jwks] })
    };
    let Ok(set) = KeySet::parse(set.to_string().as_bytes(), AllowedAlgorithms::ALL) else {
        return false;
    };
    let mut scratch = Vec::new();
    let signed =
        CompactJws::split(jws).and_then(|compact| ParsedJws::read(compact, &mut scratch, &[]));
    let Ok(signed) = signed else {
        return false;
    };
    let header = &signed.header;
    let candidates = set.candidates(header.key_id.as_deref(), header.algorithm);
    candidates.is_ok_and(|mut keys| keys.any(|key| signed.verify(key)))
}

fn is_symmetric(group: &Value) -> bool {
    let private = &group["private"];
    let mut keys = private["keys"]
        .as_array()
        .map_or(std::slice::from_ref(private), Vec::as_slice)
        .iter();
    keys.any(|key| key["kty"] == "oct")
}

/// Checks every case of a file and returns their number. Cases with asymmetric keys have the result
/// that the file states. Those with symmetric keys, and all encrypted ones, are rejected.
fn wycheproof(name: &str) -> usize {
    let file = vectors(&format!("testvectors_v1.json_web_{name}_test.json"));
    let mut cases = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let keys = group.get("public").unwrap_or(&group["private"]);
        for case in group["tests"].as_array().unwrap() {
            let id = case["tcId"].as_u64().unwrap();
            // Some are JSON serializations, as objects.
            let (encrypted, token) = match case.get("jws") {
                Some(jws) => (false, jws),
                None => (true, &case["jwe"]),
            };
            let token = token
                .as_str()
                .map_or_else(|| token.to_string(), str::to_owned);
            let is_valid = case["result"] == "valid" && !encrypted && !is_symmetric(group);
            let reviewed = REVIEWED
                .iter()
                .any(|(file, case, _)| *file == name && *case == id);
            let expected = is_valid != reviewed;
            assert_eq!(holds(&token, keys), expected, "{name} {id}: {case}");
            cases += 1;
        }
    }
    cases
}

#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn m2_wycheproof_signatures() {
    assert_eq!(wycheproof("signature"), 401);
}

#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn m2_wycheproof_keys() {
    assert_eq!(wycheproof("key"), 26);
}

#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn m2_wycheproof_both() {
    assert_eq!(wycheproof("crypto"), 83);
}

#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn a32_wycheproof_encryption_is_refused_unread() {
    assert_eq!(wycheproof("encryption"), 139);
}

/// The group about base64 has symmetric keys only. This test signs its texts with asymmetric keys and
/// keeps the invalid characters of each.
#[cfg(feature = "test-util")]
#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn a37_wycheproof_base64_signed_by_asymmetric_keys() {
    use crate::{keys::algorithm::Algorithm, test_util::signing_key::SigningKey};

    // Valid for the file, but with a character outside base64url.
    const VALID_WITH_JUNK: [u64; 2] = [372, 373];
    // The same text as the valid case 357.
    const AS_VALID: [u64; 2] = [367, 370];
    let is_base64 = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    // Copies the characters of `odd` outside base64url into `good`, at the same distance from the
    // nearer end.
    let with_oddities = |odd: &str, mut good: String, replaces: bool| {
        let oddities = odd.char_indices().filter(|(_, char)| !is_base64(*char));
        for (at, char) in oddities.collect::<Vec<_>>() {
            let at = if at < odd.len() / 2 {
                at
            } else {
                (good.len() + 1 + at).saturating_sub(odd.len())
            };
            good.replace_range(
                at..at + usize::from(replaces),
                char.encode_utf8(&mut [0; 4]),
            );
        }
        good
    };
    let file = vectors("testvectors_v1.json_web_signature_test.json");
    let mut groups = file["testGroups"].as_array().unwrap().iter();
    let group = groups.find(|group| group["comment"] == "base64").unwrap();
    let cases = group["tests"].as_array().unwrap();
    assert_eq!(cases.len(), 21);
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let key = SigningKey::generate(algorithm);
        let jwk = json!({"keys": [key.jwk()]});
        for case in cases {
            let id = case["tcId"].as_u64().unwrap();
            let odd: Vec<_> = case["jws"].as_str().unwrap().split('.').collect();
            let header: String = odd[0].chars().filter(|char| is_base64(*char)).collect();
            let header = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
            let header = header
                .replace("HS256", algorithm.name())
                .replace("hs256-key", &key.id);
            let header = with_oddities(odd[0], URL_SAFE_NO_PAD.encode(header), false);
            let message = format!("{header}.{}", odd[1]);
            let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
            let is_replaced = matches!(id, 363 | 364);
            let signature = with_oddities(odd[2], signature, is_replaced);
            let is_valid = case["result"] == "valid" && !VALID_WITH_JUNK.contains(&id);
            let expected = is_valid || AS_VALID.contains(&id);
            let token = format!("{message}.{signature}");
            assert_eq!(holds(&token, &jwk), expected, "{algorithm} {id}: {token}");
        }
    }
}

fn cookbook(name: &str) -> Value {
    vectors(&format!("rfc7520.{name}.json"))
}

#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn the_cookbooks_signatures_hold() {
    for (name, holds_here) in [
        ("jws_4_1.rsa_v15_signature", true),
        ("jws_4_2.rsa-pss_signature", true),
        ("jws_4_3.ecdsa_signature", true),
        ("curve25519_jws", true),
        ("jws_4_4.hmac-sha2_integrity_protection", false),
        ("jws_4_5.signature_with_detached_content", false),
    ] {
        let file = cookbook(name);
        let token = file["output"]["compact"].as_str().unwrap();
        let mut key = file["input"]["key"].clone();
        // The cookbook's keys have private members, and some an `alg` that is not theirs.
        if let Some(members) = key.as_object_mut() {
            members.remove("alg");
        }
        let header: Value = {
            let header = token.split('.').next().unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
        };
        if holds_here {
            key["alg"] = header["alg"].clone();
        }
        assert_eq!(holds(token, &key), holds_here, "{name}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{message}.{other}{}", &signature[1..]);
        assert!(!holds(&forged, &key), "{name}");
    }
}

#[test]
#[cfg_attr(not(has_vectors), ignore = "needs ../shared/vectors or VECTORS=folder")]
fn a31_the_cookbooks_other_serializations_are_refused() {
    for name in [
        "jws_4_6.protecting_specific_header_fields",
        "jws_4_7.protecting_content_only",
        "jws_4_8.multiple_signatures",
        "rfc7797_4.2.hmac-sha2_b64_false",
        "rfc7797_hmac-sha2_b64_false",
        "6.nesting_signatures_and_encryption",
        "jwe_5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2",
        "jwe_5_9.compressed_content",
        "curve25519_ecdh-es",
    ] {
        let file = cookbook(name);
        // The nested one has been signed, then encrypted.
        let file = file.get("encrypt").unwrap_or(&file);
        let output = file["output"].as_object().unwrap();
        assert!(!output.is_empty(), "{name}");
        for (form, token) in output {
            let token = token
                .as_str()
                .map_or_else(|| token.to_string(), str::to_owned);
            let mut scratch = Vec::new();
            let signed = CompactJws::split(&token)
                .and_then(|compact| ParsedJws::read(compact, &mut scratch, &[]));
            assert!(signed.is_err(), "{name} {form}");
        }
    }
}
