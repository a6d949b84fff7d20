//! Requests with malformed, repeated or misplaced tokens.

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, Uri},
};
use modeler_auth_testkit::signer::Key;

use crate::target::Target;

#[tokio::test]
async fn a60_two_authorization_headers() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = format!("Bearer {}", key.good());
    for pair in [
        [good.as_bytes(), b"Bearer junk"],
        [b"Bearer junk", good.as_bytes()],
        [good.as_bytes(), good.as_bytes()],
    ] {
        assert_eq!(target.status_of(&pair).await, 400);
    }
    assert_eq!(target.status_of(&[good.as_bytes(), b""]).await, 400);
}

#[tokio::test]
async fn a61_a_list_of_credentials() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    for value in [
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {good},{good}"),
        format!("Bearer {good} {good}"),
        format!("Bearer {good};x=y"),
        format!("Basic YTpi, Bearer {good}"),
    ] {
        let status = target.status_of(&[value.as_bytes()]).await.as_u16();
        let expected = if value.starts_with("Basic") { 401 } else { 400 };
        assert_eq!(status, expected, "{value}");
    }
}

#[tokio::test]
async fn a62_odd_spacing() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    for value in [
        format!("Bearer\t{good}"),
        format!("Bearer\u{a0}{good}"),
        format!("Bearer:{good}"),
        format!("Bearer{good}"),
        format!("Bearer={good}"),
        format!("\"Bearer {good}\""),
        format!("Bearer {good}\t"),
        good.clone(),
        "Bearer".to_owned(),
        String::new(),
    ] {
        let status = target.status_of(&[value.as_bytes()]).await;
        assert!(status.is_client_error(), "{value}");
    }
    for value in [format!("Bearer   {good}"), format!("bEARER {good}")] {
        assert_eq!(target.status_of(&[value.as_bytes()]).await, 200);
    }
}

#[tokio::test]
async fn a63_bytes_beyond_ascii() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    for byte in 0x80..=0xff_u8 {
        for value in [
            [b"Bearer ".as_slice(), good.as_bytes(), &[byte]].concat(),
            [b"Bearer ".as_slice(), &[byte], good.as_bytes()].concat(),
            [&[byte], b"Bearer ".as_slice(), good.as_bytes()].concat(),
        ] {
            assert!(target.status_of(&[&value]).await.is_client_error());
        }
    }
}

#[tokio::test]
async fn a98_a_cached_token_with_another_byte() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    // Often enough for each part of the cache.
    for _ in 0..5 {
        target.accepts(&good).await;
    }
    for byte in 0..=u8::MAX {
        for place in [0, 1, good.len() / 2, good.len() - 16, good.len()] {
            let mut token = good.clone().into_bytes();
            token.insert(place, byte);
            let value = [b"Bearer ", &*token].concat();
            // Spaces before a token are allowed.
            if HeaderValue::from_bytes(&value).is_err() || (byte, place) == (b' ', 0) {
                continue;
            }
            let status = target.status_of(&[&value]).await;
            assert!(status.is_client_error(), "{byte} at {place}: {status}");
        }
        target.accepts(&good).await;
    }
}

#[tokio::test]
async fn a64_tokens_in_other_places() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let good = key.good();
    let requests = [
        Request::get(format!("/?access_token={good}")),
        Request::get(format!("/?token={good}")),
        Request::get("/").header(
            "cookie",
            format!("access_token={good}; Authorization=Bearer {good}"),
        ),
        Request::get("/").header("x-forwarded-authorization", format!("Bearer {good}")),
        Request::get("/").header("proxy-authorization", format!("Bearer {good}")),
        Request::get("/").header("authorization", format!("Basic {good}")),
        Request::post("/").header("content-type", "application/x-www-form-urlencoded"),
    ];
    for request in requests {
        let request = request
            .body(Body::from(format!("access_token={good}")))
            .unwrap();
        let response = target.send(request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn a65_headers_that_claim_an_identity() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for name in [
        "x-auth-user",
        "x_auth_user",
        "x-forwarded-user",
        "remote-user",
        "x-forwarded-access-token",
    ] {
        let mut request = Request::new(Body::empty());
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static("root"));
        let response = target.send(request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{name}");
    }
}

#[tokio::test]
async fn a66_paths_and_methods_that_slip_through_elsewhere() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    for path in [
        "/",
        "//",
        "//x",
        "/%2f",
        "/./",
        "/../",
        "/x",
        "/?",
        "/;x",
        "/%00",
        "/index.html/..",
        "*",
    ] {
        for method in [
            Method::GET,
            Method::OPTIONS,
            Method::HEAD,
            Method::TRACE,
            Method::CONNECT,
            Method::from_bytes(b"get").unwrap(),
        ] {
            let Ok(uri) = path.parse::<Uri>() else {
                continue;
            };
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = uri;
            *request.method_mut() = method.clone();
            let response = target.send(request).await;
            assert_eq!(
                response.status(),
                StatusCode::UNAUTHORIZED,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a67_nothing_of_a_token_comes_back() {
    let key = Key::ed();
    let target = Target::new(&[&key]);
    let hostile = "evil\", scope=\"all\r\nX-Evil: 1";
    for token in [
        key.with_claim("iss", hostile),
        key.with_claim("aud", hostile),
        key.with_header("kid", hostile),
        key.with_header("alg", hostile),
        key.with_claim("sub", hostile),
    ] {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = target.send(request).await;
        if response.status() == StatusCode::OK {
            continue; // a subject may be any text
        }
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 4096).await.unwrap();
        let shown = format!("{:?} {:?}", parts.headers, body);
        assert!(
            !shown.contains("evil") && !shown.contains("X-Evil"),
            "{shown}"
        );
        let challenge = parts.headers["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge.matches('"').count() % 2, 0);
    }
}
