//! The page, and its comparison with the cases.

use std::{cell::RefCell, collections::BTreeSet};

use modeler_auth::{Issuer, camunda::ClaimRules};

use super::{Case, cases};

const PAGE: &str = include_str!("../../../docs/providers.md");

/// The text of a section.
pub fn section(heading: &str) -> &'static str {
    let start = format!("\n## {heading}\n");
    let (_, section) = PAGE.split_once(&*start).unwrap_or_else(|| {
        panic!("the page has no section {heading:?}");
    });
    section.split("\n## ").next().unwrap()
}

/// The blocks of code in `language`.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let start = format!("```{language}\n");
    let blocks = text.split(&*start).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The Rust blocks of a section that are settings.
fn settings(text: &str) -> Vec<&str> {
    let mut blocks = blocks(text, "rust");
    blocks.retain(|block| block.starts_with("Issuer::"));
    blocks
}

/// The issuer that the block of variables for `case` configures.
pub fn issuer_from_variables(case: &Case) -> Issuer {
    let section = section(case.section);
    let settings = settings(section);
    let number = settings.iter().position(|block| is_of(block, case));
    let block = blocks(section, "sh")[number.unwrap()];
    let variables: Vec<_> = block
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .collect();
    let asked = RefCell::new(BTreeSet::from(["SSL_CERT_FILE".to_owned()]));
    let issuer = Issuer::from_vars(|wanted| {
        asked.borrow_mut().insert(wanted.to_owned());
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    });
    for (name, _) in &variables {
        assert!(asked.borrow().contains(*name), "{name} is never read");
    }
    issuer.unwrap().unwrap()
}

fn is_of(block: &str, case: &Case) -> bool {
    without_space(block) == without_space(case.code)
}

#[test]
fn each_setting_of_the_page_is_tried_and_no_other_is_shown() {
    let cases = cases();
    let tried: Vec<_> = cases.iter().map(|case| without_space(case.code)).collect();
    let shown: Vec<_> = settings(PAGE).into_iter().map(without_space).collect();
    assert_eq!(shown, tried);
    for case in &cases {
        let settings = settings(section(case.section));
        assert!(
            settings.iter().any(|block| is_of(block, case)),
            "{}",
            case.section
        );
    }
}

#[test]
fn variables_and_code_of_the_page_name_the_same_issuer_and_audience() {
    let with_variables: Vec<_> = cases()
        .into_iter()
        .filter(|case| case.has_variables)
        .collect();
    assert_eq!(blocks(PAGE, "sh").len(), with_variables.len());
    let ca = crate::tls::Authority::new().pem;
    for case in with_variables {
        let by_code = format!("{:?}", (case.issuer)(&ca));
        let by_variables = format!("{:?}", issuer_from_variables(&case));
        assert_eq!(by_variables, by_code);
    }
}

#[test]
fn each_mapping_of_the_page_is_tried() {
    let tried = without_space(include_str!("mappings.rs")).replace("pubfn", "fn");
    let shown = blocks(PAGE, "rust");
    let mappings: Vec<_> = shown
        .iter()
        .filter(|block| !block.starts_with("Issuer::"))
        .collect();
    assert_eq!(mappings.len(), 7);
    for mapping in mappings {
        let mapping = without_space(mapping);
        assert!(tried.contains(&mapping), "{mapping}");
    }
}

#[test]
fn the_rules_of_the_page_are_the_same_in_code_and_in_a_file() {
    let file = blocks(PAGE, "json");
    let file = file.iter().find(|block| block.contains("rules")).unwrap();
    let file: ClaimRules = serde_json::from_str(file).unwrap();
    let code = super::mappings::rules().unwrap();
    assert_eq!(format!("{file:?}"), format!("{code:?}"));
}

#[test]
fn each_section_names_the_reasons_of_its_rejections_and_its_sources() {
    for case in cases() {
        let text = section(case.section);
        for (reason, _) in &case.refused {
            let named = format!("`{reason}`");
            assert!(text.contains(&named), "{} {named}", case.section);
        }
        assert!(text.contains("Source"), "{}", case.section);
        let (keys, _) = case.documents.last().unwrap();
        let place = keys.trim_end_matches('/').rsplit('/').next().unwrap();
        assert!(text.contains(place), "{} {place}", case.section);
    }
    assert!(section("Dex").contains("`not_access_token`"));
}
