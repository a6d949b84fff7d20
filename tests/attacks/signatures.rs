//! Tokens with invalid signatures, or with signatures of other data.

use modeler_auth_testkit::signer::{Key, claims, encode};

use crate::target::Target;

/// `token` with another signature.
fn signed(token: &str, signature: impl AsRef<[u8]>) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    format!("{message}.{}", encode(signature))
}

fn signature(token: &str) -> Vec<u8> {
    let (message, _) = token.rsplit_once('.').unwrap();
    let text = token[message.len() + 1..].to_owned();
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap()
}

#[tokio::test]
async fn a22_psychic_signatures() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    let good = key.good();
    target.accepts(&good).await;
    // The order of P-256.
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (zero, one) = ([0; 32], [[0; 31].as_slice(), &[1]].concat());
    for r in [&zero[..], &order, &one] {
        for s in [&zero[..], &order, &one] {
            target.refuses(&signed(&good, [r, s].concat())).await;
        }
    }
}

#[tokio::test]
async fn a23_ec_signatures_in_other_forms() {
    let key = Key::ec();
    let target = Target::new(&[&key]);
    let good = key.good();
    let fixed = signature(&good);
    let (r, s) = fixed.split_at(32);
    let integer = |number: &[u8]| {
        let padded = if number[0] & 0x80 == 0 {
            number.to_vec()
        } else {
            [&[0], number].concat()
        };
        [&[2, u8::try_from(padded.len()).unwrap()], padded.as_slice()].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let der = [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat();
    for other in [
        der,
        fixed[..63].to_vec(),
        [fixed.as_slice(), &[0]].concat(),
        [&[0], fixed.as_slice()].concat(),
        [&[0], r, &[0], s].concat(),
        r.to_vec(),
        [s, r].concat(),
    ] {
        target.refuses(&signed(&good, other)).await;
    }
}

#[tokio::test]
async fn a24_rsa_signatures_with_other_padding() {
    let key = Key::rsa();
    let target = Target::new(&[&key]);
    let good = key.good();
    let genuine = signature(&good);
    for other in [
        vec![0; 256],
        vec![0xff; 256],
        [&[0; 255][..], &[1]].concat(),
        [&[0], genuine.as_slice()].concat(),
        genuine[1..].to_vec(),
        [genuine.as_slice(), &[0]].concat(),
    ] {
        target.refuses(&signed(&good, other)).await;
    }
    for bit in [0, 1, 100, 1000, 2047] {
        let mut broken = genuine.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        target.refuses(&signed(&good, broken)).await;
    }
}

#[tokio::test]
async fn a26_no_signature() {
    for key in [Key::rsa(), Key::ec(), Key::ed()] {
        let target = Target::new(&[&key]);
        let good = key.good();
        let (message, _) = good.rsplit_once('.').unwrap();
        target.refuses(message).await;
        target.refuses(&format!("{message}.")).await;
        target.refuses(&signed(&good, [0])).await;
        target.refuses(&signed(&good, [0; 64])).await;
    }
}

#[tokio::test]
async fn a27_parts_of_two_tokens() {
    let (rsa, ec) = (Key::rsa(), Key::ec());
    let target = Target::new(&[&rsa, &ec]);
    let one = rsa.good();
    let two = ec.with_claim("sub", "somebody else");
    let parts = [one.split('.').collect::<Vec<_>>(), two.split('.').collect()];
    for mix in 0..8_usize {
        let token: Vec<_> = (0..3).map(|index| parts[mix >> index & 1][index]).collect();
        let token = token.join(".");
        if token == one || token == two {
            target.accepts(&token).await;
        } else {
            target.refuses(&token).await;
        }
    }
}

#[tokio::test]
async fn a76_the_same_message_with_another_signature() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    let bad = signed(&good, [7; 64]);
    for _ in 0..3 {
        target.refuses(&bad).await;
        target.accepts(&good).await;
        target.refuses(&bad).await;
    }
}

#[tokio::test]
async fn a79_every_bit_of_a_token_counts() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    for position in 0..good.len() {
        for bit in [1, 4, 32] {
            let mut bytes = good.clone().into_bytes();
            bytes[position] ^= bit;
            let value = [b"Bearer ".as_slice(), &bytes].concat();
            if axum::http::HeaderValue::from_bytes(&value).is_err() {
                continue;
            }
            let status = target.status_of(&[&value]).await;
            assert!(status.is_client_error(), "{position} {bit}");
        }
    }
    let (header, payload) = (key.header().to_string(), claims().to_string());
    target.accepts(&key.token(&header, &payload)).await;
    // The signature covers white space in the JSON.
    target
        .accepts(&key.token(format!(" {header}\n"), format!("{payload} ")))
        .await;
}
