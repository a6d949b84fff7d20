//! Comparison of the development issuer and the validator with a recording of Camunda's Keycloak.
//! `tests/interop/run keycloak` makes a new recording (`RECORDED` names the folder). The keys that
//! signed the recording in the repository were discarded after the run.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use modeler_auth::{
    Issuer, Permission, Permissions, TokenValidator,
    keys::StaticKeys,
    test_util::{DevelopmentIssuer, TestClock},
};
use serde_json::Value;

fn recorded(name: &str) -> String {
    let default = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/keycloak/recorded"
    );
    let folder = env::var_os("RECORDED").map_or_else(|| PathBuf::from(default), PathBuf::from);
    fs::read_to_string(folder.join(name)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The path and the JSON type of every member.
fn shape(value: &Value) -> BTreeMap<String, &'static str> {
    fn add(path: &str, value: &Value, members: &mut BTreeMap<String, &'static str>) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        members.insert(path.to_owned(), kind);
        match value {
            Value::Array(elements) => {
                for element in elements {
                    add(&format!("{path}[]"), element, members);
                }
            }
            Value::Object(object) => {
                for (name, value) in object {
                    add(&format!("{path}/{name}"), value, members);
                }
            }
            _ => {}
        }
    }
    let mut members = BTreeMap::new();
    add("", value, &mut members);
    members
}

/// Members that only the first value has, or has with another type.
fn lacking(value: &Value, other: &Value) -> Vec<String> {
    let other = shape(other);
    let lacking = shape(value)
        .into_iter()
        .filter(|(path, kind)| other.get(path) != Some(kind));
    lacking
        .map(|(path, kind)| format!("{path}: {kind}"))
        .collect()
}

/// Prints the differences between `ours` and `real`, and asserts that only the known ones exist.
fn compare(what: &str, ours: &Value, real: &Value, known_to_lack: &[&str]) {
    let (lacks, adds) = (lacking(real, ours), lacking(ours, real));
    println!("{what}: the development issuer lacks {lacks:?}, adds {adds:?}");
    assert_eq!(lacks, known_to_lack, "{what}");
    assert_eq!(adds, [] as [&str; 0], "{what}");
}

struct Ours {
    issuer: DevelopmentIssuer,
    client: reqwest::Client,
}

impl Ours {
    async fn start() -> Self {
        Self {
            issuer: DevelopmentIssuer::start("127.0.0.1:0".parse().unwrap())
                .await
                .unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    async fn token_response(&self) -> Value {
        let form = "client_id=writer&client_secret=writer-secret&grant_type=client_credentials";
        let request = self
            .client
            .post(self.issuer.server().self_managed().token_url());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(form).send().await.unwrap();
        json(&response.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.issuer.server().self_managed().name());
        json(
            &self
                .client
                .get(url)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
        )
    }
}

fn part(token: &str, index: usize) -> String {
    let text = token.split('.').nth(index).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[tokio::test]
async fn the_token_response_is_that_of_keycloak() {
    let ours = Ours::start().await.token_response().await;
    let real = json(&recorded("token-response.json"));
    // The issuer omits `scope`, because Camunda's documentation shows the response without it.
    compare("token response", &ours, &real, &["/scope: string"]);
}

#[tokio::test]
async fn tokens_have_the_claims_and_the_header_of_keycloak() {
    let ours = Ours::start().await.token_response().await;
    let real = json(&recorded("token-response.json"));
    let token = |response: &Value| response["access_token"].as_str().unwrap().to_owned();
    let (ours, real) = (token(&ours), token(&real));
    compare(
        "claims",
        &json(&part(&ours, 1)),
        &json(&part(&real, 1)),
        &[],
    );
    // The headers must be identical except for the key id.
    let form = |token: &str| {
        let header = part(token, 0);
        let id = json(&header)["kid"].as_str().unwrap().to_owned();
        (header.replace(&id, ""), id.len())
    };
    assert_eq!(form(&ours), form(&real));
    let lengths = |token: &str| {
        let claims = json(&part(token, 1));
        ["sub", "jti"].map(|name| claims[name].as_str().unwrap().len())
    };
    assert_eq!(lengths(&ours), lengths(&real));
}

#[tokio::test]
async fn the_key_set_is_that_of_keycloak() {
    let ours = Ours::start()
        .await
        .get("/protocol/openid-connect/certs")
        .await;
    let real = json(&recorded("jwks.json"));
    // The issuer publishes no certificates, since no client may rely on them.
    let certificates = [
        "/keys[]/x5c: array",
        "/keys[]/x5c[]: string",
        "/keys[]/x5t: string",
        "/keys[]/x5t#S256: string",
    ];
    compare("key set", &ours, &real, &certificates);
    let uses = |set: &Value| {
        let keys = set["keys"].as_array().unwrap().iter();
        let mut uses: Vec<_> = keys
            .map(|key| (key["use"].clone(), key["alg"].clone()))
            .collect();
        uses.sort_by_key(|(purpose, _)| purpose.to_string());
        uses
    };
    assert_eq!(uses(&ours), uses(&real));
}

#[tokio::test]
async fn the_discovery_document_holds_nothing_that_keycloak_does_not() {
    let ours = Ours::start()
        .await
        .get("/.well-known/openid-configuration")
        .await;
    let real = json(&recorded("discovery.json"));
    let adds = lacking(&ours, &real);
    println!(
        "discovery: the development issuer plays {} of {} members",
        shape(&ours).len(),
        shape(&real).len()
    );
    assert_eq!(adds, [] as [&str; 0]);
    for name in ["issuer", "jwks_uri", "token_endpoint"] {
        let path = |document: &Value| {
            let url = document[name].as_str().unwrap();
            let (_, path) = url.split_once("/auth/").unwrap();
            path.to_owned()
        };
        assert_eq!(path(&ours), path(&real), "{name}");
    }
}

#[tokio::test]
async fn a_recorded_token_is_accepted_with_the_recorded_keys() {
    let response = json(&recorded("token-response.json"));
    let token = response["access_token"].as_str().unwrap();
    let claims = json(&part(token, 1));
    let issued_at = Duration::from_secs(claims["iat"].as_u64().unwrap());
    let clock = TestClock::new();
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    clock.step_back(since.saturating_sub(issued_at));
    let issuer = Issuer::self_managed(claims["iss"].as_str().unwrap())
        .keys(StaticKeys::from_jwks(recorded("jwks.json")));
    let validator = TokenValidator::builder()
        .issuer(issuer)
        .clock(clock.clone())
        .build();
    let validator = validator.unwrap();
    let access = validator.validate(token).await.unwrap();
    let writer = [Permission::Create, Permission::Read, Permission::Update];
    assert_eq!(access.permissions(), Permissions::from_iter(writer));
    assert_eq!(access.client_id(), Some("writer"));
    clock.advance(Duration::from_secs(300 + 60));
    let error = validator.validate(token).await.unwrap_err();
    assert_eq!(error.reason(), "expired");
}
