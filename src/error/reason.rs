//! Reasons of rejections: codes and texts.

use std::{borrow::Cow, sync::Arc};

use crate::error::{authentication::NeededAuthentication, token_kind::TokenKind};

/// Reason of a rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    AmbiguousKey,
    BadSignature,
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only an extractor rejects so")
    )]
    ClaimsMismatch,
    ClaimsRefused,
    Expired,
    GrantRefused,
    GrantUnavailable,
    HeaderTyp(Option<TokenKind>),
    InsufficientAuthentication {
        needed: Arc<NeededAuthentication>,
        /// Scopes that the token lacks as well; empty if it lacks none.
        scope: Cow<'static, str>,
    },
    InsufficientScope(Cow<'static, str>),
    IssuedInFuture,
    KeysUnavailable,
    LayerMissing,
    MalformedAuthorization,
    MalformedClaim(&'static str),
    MalformedClaims,
    MalformedHeader,
    MalformedToken(Option<TokenKind>),
    MissingClaim(&'static str),
    MissingToken,
    NoOrganization,
    NotAccessToken(&'static str),
    NotYetValid,
    PayloadTyp(Option<TokenKind>),
    Revoked,
    SenderConstrained(Option<TokenKind>),
    SeveralAuthorizations,
    TokenTooLong,
    TooManyWaiting,
    TooOld,
    Unconfirmed,
    UnknownIssuer,
    UnknownKey,
    UnsupportedAlgorithm(AlgorithmMismatch),
    UnsupportedCrit,
    WrongAudience,
}

/// Party whose algorithms do not include that of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlgorithmMismatch {
    /// This crate.
    Crate,
    /// The configuration of the issuer.
    Issuer,
    /// The key that the token names.
    Key,
}

impl Reason {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::AmbiguousKey => "ambiguous_key",
            Self::BadSignature => "bad_signature",
            Self::ClaimsMismatch => "claims_mismatch",
            Self::ClaimsRefused => "claims_refused",
            Self::Expired => "expired",
            Self::GrantRefused => "grant_refused",
            Self::GrantUnavailable => "grant_unavailable",
            Self::HeaderTyp(_) => "header_typ",
            Self::InsufficientAuthentication { .. } => "insufficient_authentication",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::IssuedInFuture => "issued_in_future",
            Self::KeysUnavailable => "keys_unavailable",
            Self::LayerMissing => "layer_missing",
            Self::MalformedAuthorization => "malformed_authorization",
            Self::MalformedClaim(_) => "malformed_claim",
            Self::MalformedClaims => "malformed_claims",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedToken(_) => "malformed_token",
            Self::MissingClaim(_) => "missing_claim",
            Self::MissingToken => "missing_token",
            Self::NoOrganization => "no_organization",
            Self::NotAccessToken(_) => "not_access_token",
            Self::NotYetValid => "not_yet_valid",
            Self::PayloadTyp(_) => "payload_typ",
            Self::Revoked => "revoked",
            Self::SenderConstrained(_) => "sender_constrained",
            Self::SeveralAuthorizations => "several_authorizations",
            Self::TokenTooLong => "token_too_long",
            Self::TooManyWaiting => "too_many_waiting",
            Self::TooOld => "too_old",
            Self::Unconfirmed => "unconfirmed",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::UnsupportedAlgorithm(_) => "unsupported_algorithm",
            Self::UnsupportedCrit => "unsupported_crit",
            Self::WrongAudience => "wrong_audience",
        }
    }

    /// Codes of all reasons, in alphabetical order.
    pub(crate) const CODES: [&'static str; 36] = [
        "ambiguous_key",
        "bad_signature",
        "claims_mismatch",
        "claims_refused",
        "expired",
        "grant_refused",
        "grant_unavailable",
        "header_typ",
        "insufficient_authentication",
        "insufficient_scope",
        "issued_in_future",
        "keys_unavailable",
        "layer_missing",
        "malformed_authorization",
        "malformed_claim",
        "malformed_claims",
        "malformed_header",
        "malformed_token",
        "missing_claim",
        "missing_token",
        "no_organization",
        "not_access_token",
        "not_yet_valid",
        "payload_typ",
        "revoked",
        "sender_constrained",
        "several_authorizations",
        "token_too_long",
        "too_many_waiting",
        "too_old",
        "unconfirmed",
        "unknown_issuer",
        "unknown_key",
        "unsupported_algorithm",
        "unsupported_crit",
        "wrong_audience",
    ];

    pub(super) fn message(&self) -> &'static str {
        match self {
            Self::AmbiguousKey => {
                "the token has no key id (`kid`), and several keys of its issuer fit: configure the issuer to write `kid`"
            }
            Self::BadSignature => "the token's signature is not valid for the issuer's key",
            Self::ClaimsMismatch => {
                "the token is valid, but its claims do not fit the type that the handler needs: configure the issuer to write them, or change the type"
            }
            Self::ClaimsRefused => {
                "the token is genuine, but its claims do not fit the issuer's mapping"
            }
            Self::UnsupportedCrit => {
                "the token's header requires an unsupported extension (`crit` or `b64`)"
            }
            Self::Expired => "the token has expired",
            Self::GrantRefused => {
                "the token is valid here, but the source of its permissions does not accept it"
            }
            Self::GrantUnavailable => {
                "the permissions of the token cannot be fetched: see the log lines about grants"
            }
            Self::InsufficientAuthentication { .. } => {
                "the token does not show the authentication of the user that this operation needs"
            }
            Self::InsufficientScope(_) => {
                "the token lacks the permission that this operation needs"
            }
            Self::IssuedInFuture => {
                "the token was issued in the future (`iat`): compare the clocks of issuer and service, or raise the leeway"
            }
            Self::KeysUnavailable => {
                "no key of the token's issuer is available: see the log lines about its key set"
            }
            Self::LayerMissing => "no AuthLayer wraps this service; add one outside it",
            Self::MalformedAuthorization => {
                "the Authorization header is not `Bearer`, a space and one token"
            }
            Self::MalformedClaim(_) => "a claim of the token has the wrong JSON type or value",
            Self::MalformedClaims => {
                "the token's claims are not a valid JSON object without duplicate names"
            }
            Self::MalformedHeader => {
                "the token's header is not a valid JSON object without duplicate names"
            }
            Self::HeaderTyp(Some(kind))
            | Self::MalformedToken(Some(kind))
            | Self::PayloadTyp(Some(kind))
            | Self::SenderConstrained(Some(kind)) => kind.message(),
            Self::MalformedToken(None) => {
                "the token is not three base64url parts separated by dots"
            }
            Self::MissingClaim(name) => missing_claim(name),
            Self::MissingToken => "the request carries no Bearer token",
            Self::NoOrganization => {
                "the token is valid, but its issuer's mapping names no organization"
            }
            Self::NotYetValid => {
                "the token is not valid yet (`nbf`): compare the clocks of issuer and service, or raise the leeway"
            }
            Self::PayloadTyp(None) => {
                "the token is not an access token: its payload `typ` is not `Bearer`"
            }
            Self::Revoked => "the token is revoked",
            Self::SenderConstrained(None) => {
                "the token is bound to its sender (`cnf`), e.g. by a client certificate: configure the client at the issuer for unbound tokens, or set `Issuer::sender_constraint`"
            }
            Self::SeveralAuthorizations => "the request carries several Authorization headers",
            Self::NotAccessToken("at_hash" | "c_hash" | "nonce" | "s_hash") => {
                "the token has a claim of ID tokens, which are only for the client: send the access token, or configure the issuer to omit the claim from access tokens"
            }
            Self::NotAccessToken("events") => {
                "the token has the claim of logout and security event tokens: send an access token"
            }
            Self::NotAccessToken(_) => {
                "the token has no subject and a parameter of signed authorization responses: send the access token"
            }
            Self::TokenTooLong => "the token is longer than 16 KiB",
            Self::HeaderTyp(None) => {
                "the token's header `typ` is not that of an access token, `JWT` or `at+jwt`: send an access token for this service"
            }
            Self::TooManyWaiting => {
                "too many requests already wait for the issuer's keys, or for permissions"
            }
            Self::TooOld => {
                "the token was issued longer ago (`iat`) than `Issuer::token_max_age` allows: request a new token, or raise the maximum age"
            }
            Self::Unconfirmed => {
                "the request does not fulfil the token's sender constraint (`cnf`)"
            }
            Self::UnknownIssuer => "the token's issuer (`iss`) is not configured",
            Self::UnknownKey => "the issuer publishes no usable key for this token",
            Self::UnsupportedAlgorithm(mismatch) => mismatch.message(),
            Self::WrongAudience => {
                "none of the token's audiences (`aud`) is configured for its issuer"
            }
        }
    }
}

fn missing_claim(name: &str) -> &'static str {
    match name {
        "aud" => {
            "the token has no audience (`aud`): configure the issuer, or the client's request for tokens, so that the token names this service"
        }
        "iat" => {
            "the token has no time of issue (`iat`), which `Issuer::token_max_age` and `Issuer::rfc9068_only` require: configure the issuer to write it, or do not set them"
        }
        "client_id" | "jti" | "sub" => {
            "the token lacks a claim that `Issuer::rfc9068_only` requires: configure the issuer for access tokens of RFC 9068, or do not set it"
        }
        _ => "the token lacks a required claim",
    }
}

impl AlgorithmMismatch {
    const fn message(self) -> &'static str {
        match self {
            Self::Crate => {
                "the token's signature algorithm (`alg`) is not supported: configure the issuer to sign with RS256 to RS512, PS256 to PS512, ES256 to ES512 or EdDSA"
            }
            Self::Issuer => {
                "the token's signature algorithm (`alg`) is not one of `Issuer::algorithms` (jws-algorithms)"
            }
            Self::Key => {
                "the token's signature algorithm (`alg`) is not that of the key that it names (`kid`): an RSA key without `alg` is for RS256, or for the only RSA algorithm of `Issuer::algorithms` (jws-algorithms)"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_codes_is_sorted_and_complete() {
        let source = include_str!("reason.rs");
        let (_, source) = source.split_once("const fn code(").unwrap();
        let (source, _) = source.split_once("const CODES").unwrap();
        let mut codes: Vec<_> = source.split('"').skip(1).step_by(2).collect();
        codes.sort_unstable();
        assert_eq!(codes, Reason::CODES);
    }

    #[test]
    fn the_troubleshooting_page_has_a_row_for_each_code() {
        let page = include_str!("../../docs/troubleshooting.md");
        let (_, table) = page.split_once("## Reasons").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
        let codes: Vec<_> = rows
            .filter_map(|row| Some(row.split_once('`')?.0))
            .collect();
        assert_eq!(codes, Reason::CODES);
    }
}
