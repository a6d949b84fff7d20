//! Version of tokens of Microsoft Entra.

use url::Url;

use crate::{error::claim::ClaimError, token::claims::Claims};

/// Hosts of Microsoft's issuers, in all clouds.
const HOSTS: [&str; 6] = [
    "login.microsoftonline.com",
    "login.microsoftonline.de",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "sts.chinacloudapi.cn",
    "sts.windows.net",
];

/// Rejects tokens of version 1: their audience has another form, and Camunda rejects them as well.
///
/// Only tokens of Microsoft's issuers are checked. Others use `ver` in their own way, e.g. AD FS has `1.0`
/// and Okta the number 1.
pub(super) fn check_version(claims: &Claims) -> Result<(), ClaimError> {
    let issuer = Url::parse(claims.issuer()).ok();
    let host = issuer.as_ref().and_then(Url::host_str);
    if !host.is_some_and(|host| HOSTS.contains(&host)) {
        return Ok(());
    }
    match claims.read("ver", |value| Ok(value.text()? == "2.0"))? {
        Some(true) => Ok(()),
        _ => Err(ClaimError::new(
            "ver",
            "is not `2.0`, so it is a version 1 token of Microsoft Entra: set `requestedAccessTokenVersion` \
             to 2 in the manifest of the API's app",
        )),
    }
}
