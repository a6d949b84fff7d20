//! Forms of key sets, each with a token: what the crate accepts and what it rejects.
//!
//! `DUMP` names a file for the forms and the outcomes, which `tests/interop/key_sets` compares with
//! those of other libraries.

mod algorithms;
mod ec;
mod form;
mod ids;
mod okp;
mod purpose;
mod rsa;
mod sets;
mod text;

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    io::{BufWriter, Write as _},
};

use form::{Form, Keys, NO_KEYS};
use modeler_auth::{ConfigError, Issuer, TokenValidator, keys::StaticKeys};
use modeler_auth_testkit::{
    poll::ready,
    signer::{ISSUER, encode},
};
use serde_json::{Value, json};

fn all_forms() -> Vec<Form> {
    let keys = Keys::generate();
    [
        algorithms::forms(&keys),
        rsa::forms(&keys),
        ec::forms(&keys),
        okp::forms(&keys),
        purpose::forms(&keys),
        ids::forms(&keys),
        sets::forms(&keys),
        text::forms(&keys),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn outcome(form: &Form) -> String {
    let keys = StaticKeys::from_jwks(form.jwks.clone());
    let issuer = Issuer::oidc(ISSUER).audience("api").keys(keys);
    let validator = match TokenValidator::builder().issuer(issuer).build() {
        Ok(validator) => validator,
        Err(ConfigError::InvalidKeys { source, .. }) => {
            return format!("{NO_KEYS}{}", source.kind().name());
        }
        Err(other) => panic!("{}: {other}", form.name),
    };
    match ready(validator.validate(&form.token)) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.reason().to_owned(),
    }
}

#[test]
fn m10_every_form_of_a_key_set_has_the_expected_outcome() {
    let forms = all_forms();
    let names: BTreeSet<_> = forms.iter().map(|form| &form.name).collect();
    assert_eq!(names.len(), forms.len(), "a name occurs twice");

    let mut dump = env::var_os("DUMP").map(|path| BufWriter::new(File::create(path).unwrap()));
    let mut wrong = Vec::new();
    for form in &forms {
        let outcome = outcome(form);
        if outcome != form.expected {
            wrong.push(format!(
                "{}: {outcome}, expected {}",
                form.name, form.expected
            ));
        }
        if let Some(dump) = &mut dump {
            // The text is base64url, since not every form is UTF-8.
            let line = json!({
                "name": form.name, "jwks": encode(&form.jwks), "token": form.token, "outcome": outcome,
            });
            writeln!(dump, "{line}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// SECURITY.md shows the differences that `tests/interop/key_sets` expects.
#[test]
fn m10_every_difference_is_a_row_of_the_documentation() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let read = |path: &str| fs::read_to_string(format!("{root}{path}")).unwrap();
    let differences = read("tests/interop/key_sets/differences.json");
    let differences: Vec<Value> = serde_json::from_str(&differences).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value, separator: &str| {
        let values: Vec<_> = value.as_array().unwrap().iter().map(text).collect();
        values.join(separator)
    };
    let rows_of = |kind: &str| {
        let of_kind = differences.iter().filter(|entry| entry.get(kind).is_some());
        let row = |entry: &Value| {
            let forms = list(&entry["forms"], "; ");
            let libraries = list(&entry[kind], ", ");
            format!("| {forms} | {libraries} | {} |\n", text(&entry["reason"]))
        };
        of_kind.map(row).collect::<String>()
    };
    let (accepted, rejected) = (rows_of("accepted_by"), rows_of("rejected_by"));
    let expected = [
        format!("{} forms", all_forms().len()),
        format!("| rejected here | accepted by | reason |\n|---|---|---|\n{accepted}\n"),
        format!("| accepted here | rejected by | reason |\n|---|---|---|\n{rejected}\n"),
    ];
    let security = read("SECURITY.md");
    for text in expected {
        assert!(
            security.contains(&text),
            "SECURITY.md must contain:\n{text}"
        );
    }
}
