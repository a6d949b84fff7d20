//! Keys: a JWK ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4)), parsed once and
//! bound to one algorithm.

use std::borrow::Cow;

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, EllipticCurveKeyParameters, OctetKeyPairParameters,
    RSAKeyParameters,
};

use crate::{
    json::{Malformed, Member, Reader, read_object},
    keys::{
        algorithm::{Algorithm, AllowedAlgorithms},
        rejected_jwk::{JwkRejection, RejectedJwk},
    },
};

/// Public key that verifies signatures of exactly one algorithm.
pub(crate) struct VerifyingKey {
    id: Option<Box<str>>,
    algorithm: Algorithm,
    key: ParsedPublicKey,
    has_private_members: bool,
}

impl VerifyingKey {
    /// Reads the JWK `json`. Ignores `x5c` and `x5u`, which must never be a source of keys.
    pub(crate) fn from_jwk(json: &str, allowed: AllowedAlgorithms) -> Result<Self, RejectedJwk> {
        let mut members = JwkMembers::default();
        let read = read_object(json.as_bytes(), |member, value| {
            members.read(&member, value)
        });
        let key = match read {
            Ok(()) => Self::from_members(&members, allowed),
            Err(Malformed) => Err(JwkRejection::Malformed),
        };
        key.map_err(|reason| {
            let (id, algorithm) = (members.id.as_deref(), members.algorithm.as_deref());
            RejectedJwk::new(id, algorithm, reason)
        })
    }

    fn from_members(
        members: &JwkMembers<'_>,
        allowed: AllowedAlgorithms,
    ) -> Result<Self, JwkRejection> {
        // First, so that a key for another purpose never counts as a bad signing key.
        if !members.is_for_signatures() {
            return Err(JwkRejection::NotForSignatures);
        }
        let parameters = members.parameters()?;
        let algorithm = bind(&parameters, members.algorithm.as_deref(), allowed)?;
        if !allowed.contains(algorithm) {
            return Err(JwkRejection::NotAllowed);
        }
        Ok(Self {
            id: members.id.as_deref().map(Box::from),
            algorithm,
            key: parse(&parameters, algorithm)?,
            has_private_members: members.has_private_members,
        })
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns whether the JWK has private members. They are not read.
    pub(crate) fn has_private_members(&self) -> bool {
        self.has_private_members
    }

    /// Returns whether `other` is the same key with the same id.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
            && self.algorithm == other.algorithm
            && self.key.as_ref() == other.key.as_ref()
    }

    /// Returns whether `signature` over `message` is valid.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

/// Returns the algorithm of a key: its own `alg`, else that of its type. The token never chooses it
/// ([RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)).
fn bind(
    parameters: &AlgorithmParameters,
    declared: Option<&str>,
    allowed: AllowedAlgorithms,
) -> Result<Algorithm, JwkRejection> {
    let declared = declared
        .map(|name| Algorithm::from_name(name).ok_or(JwkRejection::Unsupported))
        .transpose()?;
    let by_type = match parameters {
        AlgorithmParameters::RSA(_) => match declared {
            Some(algorithm) if algorithm.is_rsa() => algorithm,
            Some(_) => return Err(JwkRejection::Unsupported),
            None => allowed.for_unlabelled_rsa_key(),
        },
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Algorithm::Es256,
            EllipticCurve::P384 => Algorithm::Es384,
            EllipticCurve::P521 => Algorithm::Es512,
            _ => return Err(JwkRejection::Unsupported),
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDsa
        }
        _ => return Err(JwkRejection::Unsupported),
    };
    if declared.is_some_and(|declared| declared != by_type) {
        return Err(JwkRejection::Unsupported);
    }
    Ok(by_type)
}

fn parse(
    parameters: &AlgorithmParameters,
    algorithm: Algorithm,
) -> Result<ParsedPublicKey, JwkRejection> {
    match parameters {
        AlgorithmParameters::RSA(key) => {
            let (n, e) = (number(&key.n)?, number(&key.e)?);
            check_rsa(&n, &e)?;
            RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(rsa_parameters(algorithm).ok_or(JwkRejection::Unsupported)?)
                .map_err(|_| JwkRejection::Malformed)
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let (scheme, length) = ecdsa_scheme(algorithm).ok_or(JwkRejection::Unsupported)?;
            let (x, y) = (number(&key.x)?, number(&key.y)?);
            // An uncompressed point (SEC 1 §2.3.3). Parsing checks that it is on the curve.
            let mut point = vec![0x04];
            for coordinate in [x, y] {
                let zeros = length.checked_sub(coordinate.len());
                let zeros = zeros.ok_or(JwkRejection::Malformed)?;
                point.resize(point.len().saturating_add(zeros), 0);
                point.extend(coordinate);
            }
            ParsedPublicKey::new(scheme, point).map_err(|_| JwkRejection::Malformed)
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            ParsedPublicKey::new(&signature::ED25519, decode(&key.x)?)
                .map_err(|_| JwkRejection::Malformed)
        }
        _ => Err(JwkRejection::Unsupported),
    }
}

/// Decodes base64, as issuers write it: in both alphabets, with white space, with or without `=` at the
/// end, and with any bits after the last octet. None of this changes the octets.
fn decode(text: &str) -> Result<Vec<u8>, JwkRejection> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let url_safe = |byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    };
    let bytes = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let text: Vec<u8> = bytes.map(url_safe).collect();
    LENIENT.decode(text).map_err(|_| JwkRejection::Malformed)
}

/// Decodes a number to its shortest form. RFC 7518 §2 and §6.2.1.2 prescribe the number of octets, but
/// some issuers write leading zeros, a sign octet, or too few octets. The value is the same.
fn number(text: &str) -> Result<Vec<u8>, JwkRejection> {
    let mut octets = decode(text)?;
    let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
    octets.drain(..zeros);
    Ok(octets)
}

/// Checks the size of an RSA key, since aws-lc-rs checks it only when it verifies a signature.
fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), JwkRejection> {
    let bits = |number: &[u8]| match number {
        [] | [0, ..] => Err(JwkRejection::Malformed),
        [first, ..] => {
            let zeros = first.leading_zeros() as usize;
            Ok(number.len().saturating_mul(8).saturating_sub(zeros))
        }
    };
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    // aws-lc accepts exponents of at most 33 bits.
    let strong = (2048..=8192).contains(&bits(n)?) && (2..=33).contains(&bits(e)?);
    if strong && is_odd(n) && is_odd(e) {
        Ok(())
    } else {
        Err(JwkRejection::Weak)
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// Returns the scheme (signatures of fixed length, RFC 7518 §3.4) and the length of a coordinate in
/// bytes.
fn ecdsa_scheme(algorithm: Algorithm) -> Option<(&'static EcdsaVerificationAlgorithm, usize)> {
    Some(match algorithm {
        Algorithm::Es256 => (&signature::ECDSA_P256_SHA256_FIXED, 32),
        Algorithm::Es384 => (&signature::ECDSA_P384_SHA384_FIXED, 48),
        Algorithm::Es512 => (&signature::ECDSA_P521_SHA512_FIXED, 66),
        _ => return None,
    })
}

/// Members of a JWK that this crate uses
/// ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4),
/// [RFC 7518 §6](https://www.rfc-editor.org/rfc/rfc7518#section-6)).
#[derive(Default)]
struct JwkMembers<'j> {
    algorithm: Option<Cow<'j, str>>,
    /// Whether `key_ops` contains `verify`; `None` if it is absent, `null` or empty.
    can_verify: Option<bool>,
    curve: Option<Cow<'j, str>>,
    e: Option<Cow<'j, str>>,
    has_private_members: bool,
    id: Option<Cow<'j, str>>,
    key_type: Option<Cow<'j, str>>,
    n: Option<Cow<'j, str>>,
    usage: Option<Cow<'j, str>>,
    x: Option<Cow<'j, str>>,
    y: Option<Cow<'j, str>>,
}

impl<'j> JwkMembers<'j> {
    fn read(&mut self, member: &Member<'_>, value: &mut Reader<'j>) -> Result<(), Malformed> {
        let text = match member.name {
            "alg" => &mut self.algorithm,
            "crv" => &mut self.curve,
            "e" => &mut self.e,
            "kid" => &mut self.id,
            "kty" => &mut self.key_type,
            "n" => &mut self.n,
            "use" => &mut self.usage,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "key_ops" => {
                if !value.is_at_array() {
                    return match value.text_or_null()? {
                        Some(_) => Err(Malformed),
                        None => Ok(()),
                    };
                }
                return value.array(|operation| {
                    let verifies = operation.text()? == "verify";
                    self.can_verify = Some(self.can_verify.unwrap_or(false) | verifies);
                    Ok(())
                });
            }
            name => {
                // Private members of EC and RSA keys (RFC 7518 §6.2.2, §6.3.2).
                self.has_private_members |=
                    matches!(name, "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth");
                return value.skip();
            }
        };
        *text = value.text_or_null()?;
        Ok(())
    }

    /// Returns whether `use` and `key_ops` permit to verify signatures.
    fn is_for_signatures(&self) -> bool {
        self.usage.as_deref().is_none_or(|usage| usage == "sig") && self.can_verify.unwrap_or(true)
    }

    /// Returns the public key. An unsupported type or curve is not an error of the issuer.
    fn parameters(&self) -> Result<AlgorithmParameters, JwkRejection> {
        let required = |text: &Option<Cow<'_, str>>| match text {
            Some(text) => Ok(text.clone().into_owned()),
            None => Err(JwkRejection::Malformed),
        };
        let curve = || match self.curve.as_deref() {
            Some("P-256") => Ok(EllipticCurve::P256),
            Some("P-384") => Ok(EllipticCurve::P384),
            Some("P-521") => Ok(EllipticCurve::P521),
            Some("Ed25519") => Ok(EllipticCurve::Ed25519),
            Some(_) => Err(JwkRejection::Unsupported),
            None => Err(JwkRejection::Malformed),
        };
        Ok(
            match self.key_type.as_deref().ok_or(JwkRejection::Malformed)? {
                "RSA" => AlgorithmParameters::RSA(RSAKeyParameters {
                    n: required(&self.n)?,
                    e: required(&self.e)?,
                    ..RSAKeyParameters::default()
                }),
                "EC" => AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    curve: curve()?,
                    x: required(&self.x)?,
                    y: required(&self.y)?,
                    ..EllipticCurveKeyParameters::default()
                }),
                "OKP" => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                    curve: curve()?,
                    x: required(&self.x)?,
                    ..OctetKeyPairParameters::default()
                }),
                "oct" => return Err(JwkRejection::Symmetric),
                _ => return Err(JwkRejection::Unsupported),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    /// An odd modulus; no test here verifies with it.
    fn modulus(bytes: usize) -> String {
        URL_SAFE_NO_PAD.encode([&vec![0xc1; bytes - 1], &[0x01][..]].concat())
    }

    fn rsa(extra: Value) -> Value {
        let mut key = json!({"kty": "RSA", "kid": "k", "n": modulus(256), "e": "AQAB"});
        key.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        key
    }

    /// The public key of RFC 7515, appendix A.3.
    fn p256(extra: Value) -> Value {
        let mut key = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        key.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        key
    }

    /// The public key of RFC 8037, appendix A.2.
    fn ed25519(extra: Value) -> Value {
        let mut key = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        key.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        key
    }

    fn bound(jwk: &Value) -> Result<Algorithm, JwkRejection> {
        bound_among(jwk, AllowedAlgorithms::ALL)
    }

    fn bound_among(jwk: &Value, allowed: AllowedAlgorithms) -> Result<Algorithm, JwkRejection> {
        let key = VerifyingKey::from_jwk(&jwk.to_string(), allowed);
        key.map(|key| key.algorithm()).map_err(|bad| bad.reason)
    }

    #[test]
    fn r20_a_key_is_bound_to_its_own_algorithm() {
        assert_eq!(bound(&rsa(json!({}))), Ok(Algorithm::Rs256));
        assert_eq!(bound(&rsa(json!({"alg": "PS384"}))), Ok(Algorithm::Ps384));
        assert_eq!(bound(&p256(json!({}))), Ok(Algorithm::Es256));
        assert_eq!(bound(&p256(json!({"alg": "ES256"}))), Ok(Algorithm::Es256));
        for other in ["ES384", "RS256", "EdDSA", "HS256", "ES256K", "none", ""] {
            let outcome = bound(&p256(json!({"alg": other})));
            assert_eq!(outcome, Err(JwkRejection::Unsupported), "{other}");
        }
        let only_es = AllowedAlgorithms::from_iter([Algorithm::Es384]);
        assert_eq!(
            bound_among(&p256(json!({})), only_es),
            Err(JwkRejection::NotAllowed)
        );
    }

    #[test]
    fn r21_use_and_key_ops_must_allow_verifying() {
        for good in [
            json!({"use": "sig"}),
            json!({"key_ops": ["verify"]}),
            json!({"use": "sig", "key_ops": ["sign", "verify"]}),
            // As Nimbus does: they say nothing.
            json!({"key_ops": []}),
            json!({"key_ops": null, "use": null}),
        ] {
            assert!(bound(&rsa(good)).is_ok());
        }
        for bad in [
            json!({"use": "enc"}),
            json!({"use": "enc", "n": null}),
            json!({"use": "SIG"}),
            json!({"use": ""}),
            json!({"key_ops": ["sign"]}),
            json!({"use": "sig", "key_ops": ["encrypt"]}),
        ] {
            assert_eq!(bound(&rsa(bad)), Err(JwkRejection::NotForSignatures));
        }
    }

    #[test]
    fn r22_foreign_keys_are_unsupported_and_broken_ones_malformed() {
        for foreign in [
            rsa(json!({"alg": "RSA-OAEP"})),
            json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
        ] {
            assert_eq!(bound(&foreign), Err(JwkRejection::Unsupported), "{foreign}");
        }
        for broken in [
            json!({}),
            json!({"kty": 5}),
            json!({"n": modulus(256), "e": "AQAB"}),
            json!({"kty": "RSA", "n": modulus(256)}),
            rsa(json!({"kid": 5})),
            rsa(json!({"n": "=="})),
            rsa(json!({"key_ops": "verify"})),
            rsa(json!({"alg": 256})),
        ] {
            assert!(bound(&broken).is_err(), "{broken}");
        }
        let twice = rsa(json!({}))
            .to_string()
            .replacen('{', "{\"kid\":\"l\",", 1);
        for (broken, id) in [(twice.as_str(), Some("k")), ("[]", None)] {
            let rejected = RejectedJwk {
                id: id.map(Box::from),
                algorithm: None,
                reason: JwkRejection::Malformed,
            };
            let outcome = VerifyingKey::from_jwk(broken, AllowedAlgorithms::ALL);
            assert_eq!(outcome.err(), Some(rejected));
        }
    }

    #[test]
    fn r23_rsa_keys_have_2048_to_8192_bits_and_an_odd_exponent() {
        for bytes in [256, 384, 512, 1024] {
            assert!(bound(&rsa(json!({"n": modulus(bytes)}))).is_ok());
        }
        let just_short = URL_SAFE_NO_PAD.encode([&[0x7f][..], &[0xff; 255]].concat());
        let even = URL_SAFE_NO_PAD.encode([0xc0; 256]);
        for weak in [modulus(128), modulus(1025), just_short, even] {
            assert_eq!(bound(&rsa(json!({"n": weak}))), Err(JwkRejection::Weak));
        }
        for exponent in [&[1][..], &[2], &[4], &[1, 0, 0], &[4, 0, 0, 0, 1]] {
            let weak = rsa(json!({"e": URL_SAFE_NO_PAD.encode(exponent)}));
            assert_eq!(bound(&weak), Err(JwkRejection::Weak), "{exponent:?}");
        }
        let three = rsa(json!({"e": URL_SAFE_NO_PAD.encode([3])}));
        assert!(bound(&three).is_ok());
        for zero in [&[][..], &[0], &[0, 0]] {
            let zero = rsa(json!({"e": URL_SAFE_NO_PAD.encode(zero)}));
            assert_eq!(bound(&zero), Err(JwkRejection::Malformed));
        }
    }

    #[test]
    fn r23_ec_points_are_on_their_curve() {
        for bad in [
            json!({"y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5b0"}),
            json!({"y": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}),
            json!({"x": "AA"}),
            json!({"x": ""}),
            json!({"crv": "P-384"}),
            json!({"crv": "P-521"}),
        ] {
            assert_eq!(bound(&p256(bad)), Err(JwkRejection::Malformed));
        }
    }

    #[test]
    fn r23_ed25519_goes_by_either_name() {
        for names in [
            json!({}),
            json!({"alg": "EdDSA"}),
            json!({"alg": "Ed25519"}),
        ] {
            assert_eq!(bound(&ed25519(names)), Ok(Algorithm::EdDsa));
        }
        assert_eq!(
            bound(&ed25519(json!({"x": "AAAA"}))),
            Err(JwkRejection::Malformed)
        );
    }

    #[test]
    fn r24_symmetric_keys_are_not_used_and_private_members_not_read() {
        let symmetric = json!({"kty": "oct", "k": "AAAA", "alg": "HS256"});
        assert_eq!(bound(&symmetric), Err(JwkRejection::Symmetric));
        assert_eq!(bound(&p256(json!({"d": "AAAA"}))), Ok(Algorithm::Es256));
    }

    fn parsed(jwk: &Value) -> Result<VerifyingKey, RejectedJwk> {
        VerifyingKey::from_jwk(&jwk.to_string(), AllowedAlgorithms::ALL)
    }

    proptest::proptest! {
        /// Leading zeros, `=` at the end, white space and the alphabet make no difference.
        #[test]
        fn r57_any_encoding_of_the_same_number_gives_the_same_key(
            zeros in proptest::collection::vec(0_usize..4, 2),
            paddings in proptest::collection::vec(proptest::bool::ANY, 2),
            is_standard in proptest::bool::ANY,
            space_at in 0_usize..4,
            kind in 0..2,
        ) {
            let (plain, names) = match kind {
                0 => (rsa(json!({})), ["n", "e"]),
                _ => (p256(json!({})), ["x", "y"]),
            };
            let mut written = plain.clone();
            for ((name, zeros), is_padded) in names.into_iter().zip(zeros).zip(paddings) {
                let number = URL_SAFE_NO_PAD.decode(plain[name].as_str().unwrap()).unwrap();
                let octets = [vec![0; zeros], number].concat();
                let mut text = URL_SAFE_NO_PAD.encode(octets);
                while is_padded && text.len() % 4 != 0 {
                    text.push('=');
                }
                if is_standard {
                    text = text.replace('-', "+").replace('_', "/");
                }
                text.insert_str(space_at, " \r\n\t");
                written[name] = json!(text);
            }
            let [plain, written] = [plain, written].map(|jwk| parsed(&jwk).ok().unwrap());
            assert!(plain.is_same(&written));
        }
    }

    #[test]
    fn r57_a_coordinate_may_lack_leading_zeros_and_be_no_longer_than_the_field() {
        let key = aws_lc_rs::signature::EcdsaKeyPair::generate(
            &aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        );
        let key = key.unwrap();
        let point = aws_lc_rs::signature::KeyPair::public_key(&key).as_ref()[1..].to_vec();
        let (x, y) = point.split_at(66);
        let short = |number: &[u8]| {
            let zeros = number.iter().take_while(|&&octet| octet == 0).count();
            URL_SAFE_NO_PAD.encode(&number[zeros..])
        };
        let jwk = |x: String, y: String| json!({"kty": "EC", "crv": "P-521", "x": x, "y": y});
        let full = parsed(&jwk(URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)));
        let cut = parsed(&jwk(short(x), short(y)));
        assert!(full.ok().unwrap().is_same(&cut.ok().unwrap()));
        let beyond = URL_SAFE_NO_PAD.encode([&[1][..], x].concat());
        let beyond = jwk(beyond, URL_SAFE_NO_PAD.encode(y));
        assert_eq!(bound(&beyond), Err(JwkRejection::Malformed));
    }

    #[test]
    fn r57_size_exponent_and_curve_are_judged_by_value() {
        let padded = |octets: &[u8]| URL_SAFE_NO_PAD.encode([&[0; 200], octets].concat());
        let weak = URL_SAFE_NO_PAD.decode(modulus(128)).unwrap();
        assert_eq!(
            bound(&rsa(json!({"n": padded(&weak)}))),
            Err(JwkRejection::Weak)
        );
        for exponent in [&[1][..], &[2], &[4]] {
            let jwk = rsa(json!({"e": padded(exponent)}));
            assert_eq!(bound(&jwk), Err(JwkRejection::Weak), "{exponent:?}");
        }
        assert!(bound(&rsa(json!({"e": padded(&[3])}))).is_ok());
    }

    /// `null` says as little as an absent member, as Nimbus reads it.
    #[test]
    fn r57_null_is_absent() {
        assert_eq!(bound(&rsa(json!({"alg": null}))), Ok(Algorithm::Rs256));
        let key = parsed(&rsa(json!({"kid": null, "use": null, "alg": null})));
        assert_eq!(key.ok().unwrap().id(), None);
        assert_eq!(
            bound(&rsa(json!({"n": null}))),
            Err(JwkRejection::Malformed)
        );
        assert_eq!(
            bound(&rsa(json!({"kty": null}))),
            Err(JwkRejection::Malformed)
        );
    }
}
