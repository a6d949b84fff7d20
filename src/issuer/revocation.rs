//! Revocation of tokens before they expire.

use std::{
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock},
    time::SystemTime,
};

use crate::token::claims::Claims;

/// Source of revoked tokens; see [`Issuer::revocation`](crate::Issuer::revocation).
///
/// The validator calls it at least once for every request with a valid token, so it must not block.
/// Keep a local snapshot, and a task that refreshes the snapshot.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use modeler_auth::{Issuer, issuer::RevocationList};
///
/// # async fn denied() -> Vec<(String, String)> { Vec::new() }
/// # async fn example() -> Result<(), modeler_auth::ConfigError> {
/// let list = Arc::new(RevocationList::default());
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("modeler")
///     .revocation(Arc::clone(&list));
/// tokio::spawn(async move {
///     loop {
///         // e.g. `SMEMBERS denied` of Redis: pairs of issuer and `jti`
///         for (issuer, token_id) in denied().await {
///             list.revoke_token(&issuer, &token_id);
///         }
///         tokio::time::sleep(Duration::from_secs(5)).await;
///     }
/// });
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell which tokens are revoked",
    note = "implement `Revocation` for the type"
)]
pub trait Revocation: Send + Sync + 'static {
    /// Returns whether the token is revoked.
    fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool;
}

impl<F> Revocation for F
where
    F: Fn(&TokenIdentity<'_>) -> bool + Send + Sync + 'static,
{
    fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        self(token)
    }
}

impl<R: Revocation + ?Sized> Revocation for std::sync::Arc<R> {
    fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        (**self).is_revoked(token)
    }
}

/// Identity of a token for a revocation check.
///
/// It never includes the token's text: one token can have several texts, since a signature can be
/// encoded in more than one way.
///
/// ```
/// use modeler_auth::{Issuer, issuer::TokenIdentity};
///
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("orders")
///     .revocation(|token: &TokenIdentity<'_>| token.client_id() == Some("retired"));
/// ```
#[derive(Clone, Copy)]
pub struct TokenIdentity<'c> {
    claims: &'c Claims,
}

impl<'c> TokenIdentity<'c> {
    pub(crate) fn of(claims: &'c Claims) -> Self {
        Self { claims }
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &'c str {
        self.claims.issuer()
    }

    /// Returns the `jti` claim.
    #[must_use]
    pub fn token_id(&self) -> Option<&'c str> {
        self.claims.token_id()
    }

    /// Returns the `sub` claim.
    #[must_use]
    pub fn subject(&self) -> Option<&'c str> {
        self.claims.subject()
    }

    /// Returns the client that the token was issued to.
    #[must_use]
    pub fn client_id(&self) -> Option<&'c str> {
        self.claims.client_id()
    }

    /// Returns the time at which the token was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.claims.issued_at()
    }

    /// Returns whether the token may have been issued before `moment`.
    ///
    /// The issuer's clock may be ahead. The token is therefore certain to be newer only if `iat` is
    /// at least the validator's [`leeway`](crate::TokenValidatorBuilder::leeway) after `moment`. A
    /// token without `iat` may have been issued at any time.
    #[must_use]
    pub fn may_predate(&self, moment: SystemTime) -> bool {
        let issued_at = self.issued_at();
        issued_at.is_none_or(|issued_at| {
            let latest = moment.checked_add(self.claims.leeway());
            latest.is_none_or(|latest| issued_at < latest)
        })
    }
}

impl fmt::Debug for TokenIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIdentity").finish_non_exhaustive()
    }
}

/// [`Revocation`] in memory: single tokens, and all tokens of a subject or client issued before a
/// moment.
///
/// Entries stay until [`clear`](RevocationList::clear). The issuer's clock may be ahead, so a
/// moment revokes all tokens whose `iat` is less than
/// [`leeway`](crate::TokenValidatorBuilder::leeway) after it. For that long, new tokens of the
/// subject or client are rejected, too. A token without `iat` counts as issued before any moment.
///
/// ```
/// use std::{sync::Arc, time::SystemTime};
/// use modeler_auth::{Issuer, issuer::RevocationList};
///
/// let list = Arc::new(RevocationList::default());
/// let issuer = Issuer::oidc("https://login.example.com/")
///     .audience("orders")
///     .revocation(Arc::clone(&list));
/// list.revoke_subject("https://login.example.com/", "ada", SystemTime::now());
/// ```
#[derive(Default)]
pub struct RevocationList {
    entries: RwLock<HashMap<Entry, SystemTime>>,
}

/// Scope of an entry, its issuer, and the `jti`, subject or client.
type Entry = (Scope, String, String);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Scope {
    Client,
    Subject,
    Token,
}

impl RevocationList {
    /// Revokes the token of `issuer` whose `jti` is `token_id`.
    pub fn revoke_token(&self, issuer: &str, token_id: &str) {
        self.insert(Scope::Token, issuer, token_id, SystemTime::UNIX_EPOCH);
    }

    /// Revokes the tokens of `issuer` for `subject` that were issued before `moment`.
    pub fn revoke_subject(&self, issuer: &str, subject: &str, moment: SystemTime) {
        self.insert(Scope::Subject, issuer, subject, moment);
    }

    /// Revokes the tokens of `issuer` for the client `client_id` that were issued before `moment`.
    pub fn revoke_client(&self, issuer: &str, client_id: &str, moment: SystemTime) {
        self.insert(Scope::Client, issuer, client_id, moment);
    }

    /// Removes every entry.
    pub fn clear(&self) {
        self.entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Adds an entry. Of two moments the later counts, so a revoked token stays revoked.
    fn insert(&self, scope: Scope, issuer: &str, name: &str, moment: SystemTime) {
        let entry = (scope, issuer.to_owned(), name.to_owned());
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let known = entries.entry(entry).or_insert(moment);
        *known = moment.max(*known);
    }
}

impl Revocation for RevocationList {
    fn is_revoked(&self, token: &TokenIdentity<'_>) -> bool {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            return false;
        }
        let moment_of = |scope, name: Option<&str>| {
            let entry = (scope, token.issuer().to_owned(), name?.to_owned());
            entries.get(&entry).copied()
        };
        let is_older = |moment| token.may_predate(moment);
        moment_of(Scope::Token, token.token_id()).is_some()
            || moment_of(Scope::Subject, token.subject()).is_some_and(is_older)
            || moment_of(Scope::Client, token.client_id()).is_some_and(is_older)
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList").finish_non_exhaustive()
    }
}
