//! Names of issuers of Microsoft Entra, for hints in log lines
//! ([national clouds](https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud)).

use crate::{error::claim::ClaimError, token::claims::Claims};

/// Hosts in the issuers of version 1 tokens.
const VERSION_1_HOSTS: [&str; 2] = ["sts.chinacloudapi.cn", "sts.windows.net"];
/// Hosts in the issuers of version 2 tokens.
const VERSION_2_HOSTS: [&str; 5] = [
    "login.chinacloudapi.cn",
    "login.microsoftonline.com",
    "login.microsoftonline.de",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
];
/// End of the host in the issuers of external tenants.
const EXTERNAL_HOST: &str = ".ciamlogin.com";

/// Returns the tenant in the issuer `name` of version 1 tokens; `None` for any other name.
pub(crate) fn version_1_tenant(name: &str) -> Option<&str> {
    let (host, tenant) = host_and_tenant(name)?;
    VERSION_1_HOSTS.contains(&host).then_some(tenant)
}

/// Returns the host and the tenant in `name`, the issuer of version 2 tokens or another URL of its host;
/// `None` for any other name.
pub(crate) fn version_2_tenant(name: &str) -> Option<(&str, &str)> {
    let (host, tenant) = host_and_tenant(name)?;
    let is_entra = VERSION_2_HOSTS.contains(&host) || host.ends_with(EXTERNAL_HOST);
    is_entra.then_some((host, tenant))
}

/// Rejects version 1 tokens of Entra: their audience has another form, and Camunda rejects them as well.
///
/// Tokens of other issuers are not checked. They use `ver` in their own way: AD FS has `1.0`, and Okta the
/// number 1.
pub(crate) fn check_version(claims: &Claims) -> Result<(), ClaimError> {
    let issuer = claims.issuer();
    if version_1_tenant(issuer).is_none() && version_2_tenant(issuer).is_none() {
        return Ok(());
    }
    match claims.read("ver", |value| Ok(value.text()? == "2.0"))? {
        Some(true) => Ok(()),
        _ => Err(ClaimError::new(
            "ver",
            "is not `2.0`, so it is a version 1 token of Microsoft Entra: set \
             `requestedAccessTokenVersion` to 2 in the manifest of the API's app",
        )),
    }
}

fn host_and_tenant(name: &str) -> Option<(&str, &str)> {
    let (host, path) = name.strip_prefix("https://")?.split_once('/')?;
    let tenant = path.split('/').next()?;
    (!tenant.is_empty()).then_some((host, tenant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_go_by_their_hosts() {
        for name in [
            "https://sts.windows.net/t/",
            "https://sts.chinacloudapi.cn/t/",
        ] {
            assert_eq!(version_1_tenant(name), Some("t"), "{name}");
            assert_eq!(version_2_tenant(name), None, "{name}");
        }
        for (name, host) in [
            (
                "https://login.microsoftonline.com/t/v2.0",
                "login.microsoftonline.com",
            ),
            (
                "https://login.microsoftonline.us/t",
                "login.microsoftonline.us",
            ),
            (
                "https://login.partner.microsoftonline.cn/t/v2.0",
                "login.partner.microsoftonline.cn",
            ),
            ("https://a.ciamlogin.com/t/v2.0", "a.ciamlogin.com"),
        ] {
            assert_eq!(version_2_tenant(name), Some((host, "t")), "{name}");
            assert_eq!(version_1_tenant(name), None, "{name}");
        }
        for other in [
            "",
            "https://sts.windows.net",
            "https://sts.windows.net/",
            "http://sts.windows.net/t/",
            "https://sts.windows.net.example/t/",
            "https://login.microsoftonline.com.example/t/v2.0",
            "https://ciamlogin.com/t/v2.0",
            "https://a/t",
        ] {
            assert_eq!(version_1_tenant(other), None, "{other}");
            assert_eq!(version_2_tenant(other), None, "{other}");
        }
    }
}
