//! Checks of the token. `TokenValidator::validate` decides, and the checks explain its decision.

use std::time::SystemTime;

use modeler_auth::{
    Access, AuthError, Permission, TokenValidator, issuer::IssuerSummary, keys::PublishedKey,
};

use super::{
    fixes,
    input::Input,
    report::{Report, State, shown},
    unverified::Unverified,
    words,
};

/// Checks of the token in their order, each with the stage to which it belongs. If a check fails, those
/// of earlier stages have passed, and those of the same and of later stages are unknown.
const STAGES: [(&str, u8); 10] = [
    ("token_parts", 1),
    ("token_header", 2),
    // The algorithm is compared with the header, with the settings and with the key.
    ("token_algorithm", 2),
    ("token_claims", 3),
    ("token_issuer", 4),
    ("token_type", 5),
    ("token_times", 5),
    ("token_audience", 6),
    ("token_key", 7),
    ("token_signature", 8),
];

/// What the decision needs, and what explains it.
pub(super) struct Decision<'d> {
    pub(super) validator: &'d TokenValidator,
    pub(super) summary: &'d IssuerSummary,
    /// Published keys.
    pub(super) keys: &'d [PublishedKey],
    /// Permissions that the token needs; empty for any one.
    pub(super) needed: &'d [Permission],
}

/// Checks the token, if there is one.
pub(super) async fn check(report: &mut Report, input: &Input, decision: &Decision<'_>) {
    let token = match input {
        Input::Token(token) => token,
        Input::None => {
            report.not_checked("token", "none on the standard input");
            return;
        }
        Input::NoToken(found) => {
            report.failed("token", found, fixes::NO_TOKEN);
            return;
        }
    };
    let outcome = decision.validator.validate(token).await;
    explain(
        report,
        &Unverified::read(token),
        decision,
        outcome.as_ref().err(),
    );
    match outcome {
        Ok(access) => accepted(report, &access, decision.needed),
        Err(error) => rejected(report, &error),
    }
}

fn explain(
    report: &mut Report,
    token: &Unverified,
    decision: &Decision<'_>,
    error: Option<&AuthError>,
) {
    let failed = error.map(|error| check_of(error.reason()));
    let stage_of = |id: &str| STAGES.iter().find(|(name, _)| *name == id);
    let failed_stage = failed.map(|id| stage_of(id).map_or(u8::MAX, |(_, stage)| *stage));
    for (id, stage) in STAGES {
        let found = value(id, token, decision);
        // A wrong audience is reported as verified if the signature is good.
        let is_verified = stage > 6 && error.is_some_and(AuthError::is_verified);
        let state = match failed_stage {
            _ if failed == Some(id) => State::Failed,
            Some(failed) if stage >= failed && !is_verified => State::NotChecked,
            _ => State::Ok,
        };
        match (state, error) {
            (State::Failed, Some(error)) => {
                let found = format!("{found}; {error}");
                report.failed(id, found, fixes::of_reason(error.reason()));
            }
            (State::Ok, _) => report.ok(id, found),
            _ => report.not_checked(id, found),
        }
    }
}

/// Returns the check that fails with this reason of a rejection.
fn check_of(reason: &str) -> &'static str {
    match reason {
        "malformed_token" | "token_too_long" => "token_parts",
        "malformed_header" | "unsupported_crit" => "token_header",
        "unsupported_algorithm" => "token_algorithm",
        "malformed_claim" | "malformed_claims" | "missing_claim" => "token_claims",
        "unknown_issuer" => "token_issuer",
        // The type in the header is read with the header.
        "header_typ" => "token_header",
        "not_access_token" | "payload_typ" | "sender_constrained" => "token_type",
        "expired" | "issued_in_future" | "not_yet_valid" | "too_old" => "token_times",
        "wrong_audience" => "token_audience",
        "ambiguous_key" | "keys_unavailable" | "too_many_waiting" | "unknown_key" => "token_key",
        "bad_signature" => "token_signature",
        // Those that come after the signature: `claims_refused`, `grant_refused`, `grant_unavailable`.
        _ => "permissions",
    }
}

/// Returns the values that a check compares.
fn value(id: &str, token: &Unverified, decision: &Decision<'_>) -> String {
    let summary = decision.summary;
    match id {
        "token_parts" => token.parts(),
        "token_header" => token.header(),
        "token_algorithm" => {
            let accepted = summary.algorithms.iter().map(|algorithm| algorithm.name());
            let accepted: Vec<_> = accepted.collect();
            format!("{}, accepted {}", token.algorithm(), accepted.join(", "))
        }
        "token_claims" => token.claims(),
        "token_issuer" => format!(
            "{}, configured \"{}\"",
            token.issuer(),
            shown(&summary.issuer)
        ),
        "token_type" => token.kind(),
        "token_times" => token.times(SystemTime::now()),
        "token_audience" => {
            let accepted = words::list(summary.audiences.iter().map(String::as_str));
            format!("{}, accepted {accepted}", token.audiences())
        }
        "token_key" => {
            let usable = decision.keys.iter().filter(|key| key.is_used);
            let usable = words::list(usable.filter_map(|key| key.id.as_deref()));
            format!("{}, usable keys {usable}", token.key_id())
        }
        _ => format!("by {}", token.algorithm()),
    }
}

fn accepted(report: &mut Report, access: &Access, needed: &[Permission]) {
    match access.organization() {
        Some(organization) => report.ok("organization", shown(organization.as_str())),
        None => report.not_checked("organization", "the token names none"),
    }
    let names = |wanted: &dyn Fn(Permission) -> bool| {
        let found = Permission::ALL.into_iter().filter(|one| wanted(*one));
        let found: Vec<_> = found.map(Permission::name).collect();
        if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        }
    };
    let granted = names(&|permission| access.allows(permission));
    let lacking = names(&|permission| !access.allows(permission));
    let found = format!("granted {granted}; not granted {lacking}");
    let has_needed = needed.iter().all(|needed| access.allows(*needed));
    let has_any = Permission::ALL.into_iter().any(|one| access.allows(one));
    if has_needed && (has_any || !needed.is_empty()) {
        report.ok("permissions", found);
    } else {
        let missing =
            names(&|one| !access.allows(one) && (needed.is_empty() || needed.contains(&one)));
        let found = format!("{found}; operations that need {missing} get 403");
        report.failed("permissions", found, fixes::NO_PERMISSION);
    }
    report.ok("decision", "the service accepts the token");
}

fn rejected(report: &mut Report, error: &AuthError) {
    let (reason, status) = (error.reason(), error.kind().status().as_u16());
    let detail = error.detail().map(|detail| format!("; {detail}"));
    let cause = format!("{error}{}", detail.unwrap_or_default());
    let fix = fixes::of_reason(reason);
    if check_of(reason) == "permissions" {
        report.failed("permissions", &cause, fix);
    } else {
        report.not_checked("permissions", "the token is rejected");
    }
    let found = format!("the service answers {status}, reason {reason}: {cause}");
    report.failed("decision", found, fix);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reasons of the checks that the validator makes, by the documentation of its order.
    #[test]
    fn each_reason_belongs_to_a_check_and_has_a_fix() {
        for (reason, check) in [
            ("token_too_long", "token_parts"),
            ("header_typ", "token_header"),
            ("unsupported_algorithm", "token_algorithm"),
            ("missing_claim", "token_claims"),
            ("unknown_issuer", "token_issuer"),
            ("sender_constrained", "token_type"),
            ("issued_in_future", "token_times"),
            ("wrong_audience", "token_audience"),
            ("keys_unavailable", "token_key"),
            ("bad_signature", "token_signature"),
            ("grant_unavailable", "permissions"),
        ] {
            assert_eq!(check_of(reason), check);
            let fix = fixes::of_reason(reason);
            assert_ne!(fix, fixes::of_reason("another"), "{reason}");
        }
    }
}
