//! What to correct.

use modeler_auth::keys::KeyFetchErrorKind;

pub(super) const CLOCK: &str =
    "synchronize the clocks of this machine and of the issuer, e.g. with NTP";
pub(super) const CONFIGURATION: &str = "correct the setting that is named here; docs/self-managed.md lists the settings and where they \
     are read";
pub(super) const KEY: &str = "replace this key at the issuer by an RSA key of 2048 to 8192 bits, an EC key or an Ed25519 key, and \
     publish only its public members";
pub(super) const NO_CONFIGURATION: &str = "set SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI to the `iss` of the tokens, or run the \
     doctor in the folder of the service; the development issuer of the example web_modeler is \
     http://localhost:18080/auth/realms/camunda-platform";
pub(super) const NO_PERMISSION: &str = "assign the client permissions of this API in Management Identity, and with Keycloak the client \
     scope `camunda-identity`; then request a new token";
pub(super) const NO_TOKEN: &str =
    "correct the client id, the client secret or the other parameters of the request for the token";

/// Returns what to correct after a fetch of keys has failed. `setting` names the place of the URL.
pub(super) fn of_fetch(kind: KeyFetchErrorKind, setting: &str) -> String {
    match kind {
        KeyFetchErrorKind::Connect => format!(
            "start the issuer, or correct host and port in {setting}; in a container `localhost` is the \
             container itself"
        ),
        KeyFetchErrorKind::Dns => {
            format!("correct the host name in {setting}, or the DNS settings of this machine")
        }
        KeyFetchErrorKind::Empty => {
            "publish a usable key at the issuer: an RSA key of 2048 to 8192 bits, an EC key or an Ed25519 \
             key, for signatures"
                .to_owned()
        }
        KeyFetchErrorKind::IssuerMismatch => format!(
            "write the `issuer` of the discovery document into {setting}, byte for byte, or set \
             CAMUNDA_MODELER_SECURITY_JWT_ISSUER_BACKEND_URL to the URL that works from here"
        ),
        KeyFetchErrorKind::Timeout => {
            "open the way from this machine to the issuer: firewall, HTTPS_PROXY and NO_PROXY".to_owned()
        }
        KeyFetchErrorKind::Tls => format!(
            "set SSL_CERT_FILE to a PEM file with the CA of the issuer's certificate, or correct the URL \
             in {setting}"
        ),
        KeyFetchErrorKind::Url => {
            "correct `jwks_uri` at the issuer, or set \
             SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI"
                .to_owned()
        }
        _ => format!("correct the URL in {setting}, or what the issuer responds there"),
    }
}

/// Returns what to correct after a token was rejected for `reason`.
pub(super) fn of_reason(reason: &str) -> &'static str {
    match reason {
        "ambiguous_key" => "configure the issuer to write the key id (`kid`) into its tokens",
        "bad_signature" => {
            "send the token as the issuer sent it; if it is unchanged, it was signed by another issuer with \
             the same name"
        }
        "claims_refused" => {
            "configure the issuer to write the claims of permissions as Camunda's Management Identity does"
        }
        "expired" | "too_old" => "request a new token, or correct the clock of this machine",
        "grant_refused" | "grant_unavailable" => {
            "correct CAMUNDA_IDENTITY_BASE_URL, or Management Identity itself"
        }
        "header_typ" | "not_access_token" | "payload_typ" => {
            "send the access token, not the ID token or refresh token"
        }
        "issued_in_future" | "not_yet_valid" => {
            "synchronize the clocks of this machine and of the issuer"
        }
        "keys_unavailable" | "too_many_waiting" => {
            "correct what the checks of the issuer and its keys name"
        }
        "malformed_claim" | "malformed_claims" | "missing_claim" => {
            "configure the issuer, or the client's request, so that the token has the named claim in the \
             form of RFC 7519"
        }
        "malformed_header" | "malformed_token" | "token_too_long" => {
            "copy the whole token, of three parts with two dots; an opaque token is not supported, and 16 \
             KiB are the limit"
        }
        "sender_constrained" => {
            "configure the client at the issuer for tokens that are not bound to their sender"
        }
        "unknown_issuer" => {
            "request the token from the configured issuer, or set \
             SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI to the `iss` of the token, byte for byte"
        }
        "unknown_key" => {
            "request a new token; if its key is also missing, the token is from another installation with \
             the same name, or the URL of the key set is that of another realm"
        }
        "unsupported_algorithm" => {
            "configure the issuer to sign with an accepted algorithm, or correct \
             SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWS_ALGORITHMS"
        }
        "unsupported_crit" => {
            "configure the issuer to write no `crit` and no `b64` into the header"
        }
        "wrong_audience" => {
            "give the client permissions of this API in Management Identity, or set \
             CAMUNDA_MODELER_SECURITY_JWT_AUDIENCE_PUBLIC_API to an audience of the token"
        }
        _ => "correct what the decision names",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_a_failed_fetch_has_its_own_fix() {
        use KeyFetchErrorKind as Kind;
        let kinds = [
            Kind::Connect,
            Kind::Dns,
            Kind::Empty,
            Kind::IssuerMismatch,
            Kind::Timeout,
            Kind::Tls,
            Kind::Url,
            Kind::Status,
        ];
        let mut fixes = kinds.map(|kind| of_fetch(kind, "variable A"));
        assert!(fixes[1].contains("host name in variable A"));
        fixes.sort_unstable();
        assert!(fixes.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(of_fetch(Kind::Json, "A"), of_fetch(Kind::Status, "A"));
    }
}
