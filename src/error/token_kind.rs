//! Kinds of tokens that are not access tokens.

/// Kind of a token that was sent in place of a signed access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    DpopBound,
    DpopProof,
    Encrypted,
    Id,
    Logout,
    /// Access token of another form than that of RFC 9068, where only that form is accepted.
    NotRfc9068,
    Opaque,
    Refresh,
    SecurityEvent,
}

impl TokenKind {
    /// Returns the kind that `typ` in a header or payload names; `None` if it is unknown.
    ///
    /// Sources: Keycloak's `TokenUtil` for payloads; RFC 9449 §4.2, RFC 8417 §2.3 and OpenID Connect
    /// Back-Channel Logout §2.4 for headers.
    pub(crate) fn from_typ(typ: &str) -> Option<Self> {
        let typ = typ.to_ascii_lowercase();
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "dpop" => Some(Self::DpopBound),
            "dpop+jwt" => Some(Self::DpopProof),
            "id" => Some(Self::Id),
            "logout" | "logout+jwt" => Some(Self::Logout),
            "offline" | "refresh" => Some(Self::Refresh),
            "secevent+jwt" => Some(Self::SecurityEvent),
            _ => None,
        }
    }

    /// Returns the kind of `token`, which is not three base64url parts; `None` if it is unknown.
    pub(crate) fn of_malformed(token: &str) -> Option<Self> {
        match token.bytes().filter(|&byte| byte == b'.').count() {
            0 => Some(Self::Opaque),
            4 => Some(Self::Encrypted),
            _ => None,
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::DpopBound => {
                "the token is bound to its sender by DPoP, and only bearer tokens are accepted here: configure the client at the issuer for tokens without DPoP"
            }
            Self::DpopProof => {
                "the token is a DPoP proof and not an access token; DPoP is not supported, so configure the client at the issuer for tokens without it"
            }
            Self::Encrypted => {
                "the token is encrypted, which is not supported: configure the issuer to sign access tokens, but not to encrypt them"
            }
            Self::Id => {
                "the token is an ID token, which is only for the client: send the access token"
            }
            Self::Logout => {
                "the token is a logout token, which ends a session: send an access token"
            }
            Self::NotRfc9068 => {
                "the token's header `typ` is not `at+jwt`, which `Issuer::rfc9068_only` requires: configure the issuer for access tokens of RFC 9068, or do not set it"
            }
            Self::Opaque => {
                "the token is no JWT, since it has no dots: if it is an opaque access token, configure the issuer for JWT access tokens, or request the audience of this service"
            }
            Self::Refresh => {
                "the token is a refresh token, which is only for the issuer: send the access token"
            }
            Self::SecurityEvent => "the token is a security event token: send an access token",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_the_names_that_issuers_use() {
        for (typ, kind) in [
            ("ID", Some(TokenKind::Id)),
            ("Refresh", Some(TokenKind::Refresh)),
            ("Offline", Some(TokenKind::Refresh)),
            ("Logout", Some(TokenKind::Logout)),
            ("logout+jwt", Some(TokenKind::Logout)),
            ("application/LOGOUT+jwt", Some(TokenKind::Logout)),
            ("DPoP", Some(TokenKind::DpopBound)),
            ("dpop+jwt", Some(TokenKind::DpopProof)),
            ("secevent+jwt", Some(TokenKind::SecurityEvent)),
            ("at+jwt", None),
            ("", None),
        ] {
            assert_eq!(TokenKind::from_typ(typ), kind, "{typ}");
        }
    }
}
