//! Allocation counts of token decisions, and memory use of the token cache. Counts are exact, so
//! they are asserted. This is the only test of its process.

#[path = "support/target.rs"]
mod target;

use std::{convert::Infallible, task::Poll};

use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use modeler_auth::{
    AuthLayer, AuthorizedOrganization, Claims, Issuer, Permissions, TokenValidator,
    TokenValidatorBuilder,
    access::{ClaimError, Grant},
    keys::StaticKeys,
    resource::ProtectedResource,
};
use modeler_auth_testkit::{
    heap::{ByThread, CountingAllocator, allocations, held},
    poll::{poll_once, ready},
    signer::{ISSUER, Key, jwks},
};
use target::Target;
use tower::{Layer as _, Service as _, service_fn};

#[global_allocator]
static ALLOCATOR: CountingAllocator<ByThread> = CountingAllocator::new();

fn validator(key: &Key, cache: u64) -> TokenValidator {
    builder(key, cache).build().unwrap()
}

fn builder(key: &Key, cache: u64) -> TokenValidatorBuilder {
    let organization = AuthorizedOrganization::nil();
    let issuer = Issuer::oidc(ISSUER)
        .audience("api")
        .keys(StaticKeys::from_jwks(jwks(&[&key.jwk])))
        .map_claims(move |_: &Claims| {
            Ok::<_, ClaimError>(Grant::new(organization.clone(), Permissions::ALL))
        });
    let builder = TokenValidator::builder().issuer(issuer);
    builder.token_cache_bytes(cache)
}

/// The outcome for `token`, and the number of allocations per decision after warm-up.
fn count(validator: &TokenValidator, token: &str) -> (usize, &'static str) {
    let decide = || match poll_once(validator.validate(token)) {
        Poll::Ready(Ok(_)) => "accepted",
        Poll::Ready(Err(error)) => error.reason(),
        Poll::Pending => "waits",
    };
    for _ in 0..100 {
        decide();
    }
    allocations(decide)
}

#[test]
fn deciding_asks_for_little_memory() {
    let key = Key::ed();
    let (cold, warm) = (validator(&key, 0), validator(&key, 1 << 20));
    let good = key.good();
    let broken = format!("{}AAAA", &good[..good.len() - 4]);
    for (what, validator, token, expected, most) in [
        ("a token that comes again", &warm, &good, "accepted", 0),
        // Three allocations: the token with its payload, the payload's index, and the access.
        ("a token that is checked", &cold, &good, "accepted", 3),
        ("junk", &warm, &"junk".to_owned(), "malformed_token", 0),
        ("a broken signature", &warm, &broken, "bad_signature", 0),
        (
            "an expired token",
            &warm,
            &key.with_claim("exp", 5),
            "expired",
            0,
        ),
        (
            "an unknown key",
            &warm,
            &key.with_header("kid", "x"),
            "unknown_key",
            0,
        ),
        (
            "an unknown issuer",
            &warm,
            &key.with_claim("iss", "x"),
            "unknown_issuer",
            0,
        ),
    ] {
        let (times, outcome) = count(validator, token);
        println!("{what}: {times}");
        assert_eq!(outcome, expected, "{what}");
        assert!(times <= most, "{what}: {times}");
    }
    presets(&key);
    println!("without a protected resource");
    the_layer(&warm, &good, 0);
    println!("with a protected resource");
    let resource = ProtectedResource::new("https://api.example.com/orders");
    let builder = builder(&key, 1 << 20).protected_resource(resource);
    let described = builder.build().unwrap();
    assert_eq!(count(&described, &good), (0, "accepted"));
    // The URL of the metadata makes the challenge longer.
    the_layer(&described, &good, 1);
    an_entry_takes_little_memory(&key);
    entries_keep_to_their_bytes(&key);
}

/// Checks that the presets read claims without extra allocations.
fn presets(key: &Key) {
    let keys = StaticKeys::from_jwks(jwks(&[&key.jwk]));
    let organization = "12345678-ABCD-DCBA-ABCD-123456789ABC";
    let saas = key.changed(|_, claims| {
        claims["iss"] = "https://weblogin.cloud.camunda.io/".into();
        claims["aud"] = "api.cloud.camunda.io".into();
        claims["https://camunda.com/orgId"] = organization.into();
        claims["permissions"] = vec!["create:*", "read:*"].into();
    });
    let realm = "https://keycloak.example/realms/a";
    let self_managed = key.changed(|_, claims| {
        claims["iss"] = realm.into();
        claims["aud"] = vec!["web-modeler-public-api", "account"].into();
        claims["permissions"]["web-modeler-public-api"] = vec!["create:*", "read:*"].into();
    });
    for (issuer, token) in [
        (Issuer::saas(organization), saas),
        (Issuer::self_managed(realm), self_managed),
    ] {
        let builder = TokenValidator::builder().issuer(issuer.keys(keys.clone()));
        let validator = builder.token_cache_bytes(0).build().unwrap();
        assert_eq!(count(&validator, &token), (3, "accepted"));
    }
}

/// A request that passes costs what its extensions take to hold the access: a map, its table, and
/// a box.
fn the_layer(validator: &TokenValidator, token: &str, more_of_a_rejection: usize) {
    let open = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let mut guarded = AuthLayer::new(validator.clone()).layer(open);
    let header = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let mut call = || {
        let request = Request::builder().header(AUTHORIZATION, &header);
        let request = request.body(()).unwrap();
        allocations(|| {
            let Ok(response) = ready(guarded.call(request));
            response.status()
        })
    };
    call();
    let (times, status) = call();
    println!("a call through the layer: {times}");
    assert_eq!(status, StatusCode::OK);
    assert!(times <= 3, "{times}");

    // A view of the path costs nothing until a request is rejected.
    let uri = format!("/api/v1/files/{}?x", "a".repeat(8000));
    let mut call = |authorization: &HeaderValue| {
        let request = Request::get(&uri).header(AUTHORIZATION, authorization);
        let request = request.body(()).unwrap();
        allocations(|| {
            let Ok(response) = ready(guarded.call(request));
            response.status()
        })
    };
    let junk = HeaderValue::from_static("Bearer junk");
    call(&header);
    call(&junk);
    let (times, status) = call(&header);
    println!("a call with a long path through the layer: {times}");
    assert_eq!(status, StatusCode::OK);
    assert!(times <= 3, "{times}");
    let (times, status) = call(&junk);
    println!("a rejection with a long path: {times}");
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    // Three for the error in the extensions, one for the label of the metric.
    let most = 13 + usize::from(cfg!(feature = "metrics")) + more_of_a_rejection;
    assert!(times <= most, "{times}");
}

fn an_entry_takes_little_memory(key: &Key) {
    let validator = validator(key, 64 << 20);
    let tokens: Vec<_> = (0..5000)
        .map(|number| key.with_claim("sub", number.to_string()))
        .collect();
    let before = held();
    for token in &tokens {
        count_once(&validator, token);
    }
    let bytes: usize = tokens.iter().map(String::len).sum();
    let beside = (held() - before).unsigned_abs().saturating_sub(bytes) / tokens.len();
    println!("an entry takes {beside} bytes beside its token");
    assert!(beside <= 700, "{beside}");
    drop(Target::of(validator));
    assert!(
        (held() - before).abs() < 64 << 10,
        "what is dropped is free"
    );
}

/// Checks that the token cache never holds more bytes than its capacity.
fn entries_keep_to_their_bytes(key: &Key) {
    let capacity = 1 << 20;
    let validator = validator(key, capacity);
    let padding = "x".repeat(2000);
    let before = held();
    let mut most = 0;
    for number in 0..5000 {
        let token = key.with_claim("x", format!("{number} {padding}"));
        // Three calls in a row, so that the cache of this thread stores some tokens.
        for _ in 0..3 {
            count_once(&validator, &token);
        }
        most = most.max(held() - before);
    }
    println!("{most} bytes are held at the most of {capacity}");
    assert!(most < 3 << 19, "{most}");
}

fn count_once(validator: &TokenValidator, token: &str) {
    assert!(poll_once(validator.validate(token)).is_ready());
}
