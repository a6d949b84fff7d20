//! Configuration by the variables and files of Camunda's Web Modeler, so that a service can replace
//! it in an unchanged environment.

mod files;
mod locations;
mod placeholders;
mod profiles;
mod properties;
mod setting;
mod sources;
#[cfg(all(test, feature = "yaml"))]
mod tests;
mod unread;
#[cfg(feature = "yaml")]
mod yaml;

use std::{collections::HashMap, env, ffi::OsStr, path::Path};

use crate::{
    camunda::{
        config::{
            properties::{Origin, Properties, Property, Value},
            setting::{Form, NameKind, Setting, UNUSED, WEB_APP, variable_names},
            sources::Sources,
        },
        identity::ManagementIdentity,
    },
    error::config::ConfigError,
    issuer::Issuer,
    keys::algorithm::Algorithm,
    telemetry,
    token::claims::ClaimRequirements,
    url::shown,
};

/// Most entries of a list, if variables are looked up one by one: one more than a validator accepts,
/// so that no entry is passed over.
const MAX_ENTRIES: usize = ClaimRequirements::MAX_AUDIENCES + 1;
/// Most warnings about names. Others are only counted.
const MAX_WARNINGS: usize = 16;

impl Issuer {
    /// Returns a Self-Managed issuer from the configuration of Camunda's Web Modeler, in variables
    /// that `variable` looks up; `None` if there is no variable of such a configuration.
    ///
    /// | setting | keys; the first that is set counts |
    /// |---|---|
    /// | issuer | `spring.security.oauth2.resourceserver.jwt.issuer-uri`, `restapi.oauth2.token.issuer`, `camunda.identity.issuer`, `camunda.identity.issuer-url` |
    /// | [`jwks_url`](Issuer::jwks_url) | `spring.security.oauth2.resourceserver.jwt.jwk-set-uri` |
    /// | [`backend_url`](Issuer::backend_url), if there is no `jwks_url` | `camunda.modeler.security.jwt.issuer.backend-url`, `camunda.hub.security.jwt.issuer.backend-url`, `restapi.oauth2.token.issuer-backend-url`, `camunda.identity.issuer-backend-url` |
    /// | [`audience`](Issuer::audience) | `camunda.modeler.security.jwt.audience.public-api`, `camunda.hub.security.jwt.audience.public-api`, `spring.security.oauth2.resourceserver.jwt.audiences` (a list); default `web-modeler-public-api` |
    /// | [`algorithms`](Issuer::algorithms) | `spring.security.oauth2.resourceserver.jwt.jws-algorithms` (a list); default all |
    /// | type of issuer | `camunda.identity.type`: `KEYCLOAK`, the default, or `GENERIC` or `MICROSOFT` |
    /// | [`ManagementIdentity`], for the types `GENERIC` and `MICROSOFT` | `camunda.identity.base-url`, `restapi.identity.base-url` |
    ///
    /// 1. The variable of a key is written in capital letters. Underscores stand for dots and
    ///    dashes, or for dots alone: `…_JWT_ISSUER_URI` and `…_JWT_ISSUERURI`. Small letters and the
    ///    key itself are read as well.
    /// 2. A list is separated by commas, or each entry has a variable: `…_AUDIENCES_0` or
    ///    `…_AUDIENCES[0]`, numbered from 0 without a gap. Both ways at once are an error.
    /// 3. Placeholders `${NAME}` and `${NAME:default}` stand for other variables.
    /// 4. Two keys of a setting with different values are an error.
    /// 5. A configuration without an issuer is an error. So are variables of the web app of Web
    ///    Modeler up to 8.8 alone, such as `OAUTH2_TOKEN_ISSUER`.
    ///
    /// The log warns about a backend URL that has no effect, because the `jwks_url` is not below it.
    ///
    /// Inside a cluster Camunda's files use plain http. It is allowed here because the operator has
    /// written it, with one warning in the log.
    ///
    /// # Errors
    /// [`ConfigError::ConflictingValues`], [`ConfigError::EmptyVariable`],
    /// [`ConfigError::InvalidSetting`] or [`ConfigError::MissingIssuer`], which name the variable.
    pub fn from_vars(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let mut keys: Vec<String> = UNUSED.map(str::to_owned).to_vec();
        keys.extend(WEB_APP.map(|(name, _)| name.to_owned()));
        for setting in Setting::ALL {
            for key in setting.keys() {
                keys.push((*key).to_owned());
                if setting.is_list() {
                    keys.extend((0..MAX_ENTRIES).map(|index| format!("{key}.{index}")));
                    keys.extend((0..MAX_ENTRIES).map(|index| format!("{key}[{index}]")));
                }
            }
        }
        let names = keys.iter().flat_map(|key| variable_names(key));
        let found = names.filter_map(|name| variable(&name).map(|value| (name, value)));
        let variables = properties_of(found);
        read(
            &Properties {
                sources: vec![&variables],
                variable: &variable,
            },
            &Sources::default(),
        )
    }

    /// Returns a Self-Managed issuer from the configuration of Camunda's Web Modeler: the variables
    /// of the process, as [`from_vars`](Issuer::from_vars) reads them, and `application.yaml`. `None`
    /// if there is no such configuration.
    ///
    /// Files are read as Spring Boot reads them. This needs the feature `yaml`; without it, a file or
    /// a variable that names one is an error.
    ///
    /// 1. `SPRING_CONFIG_LOCATION` names files, and folders with a slash at the end, separated by
    ///    commas. Default: the folders `./`, `./config/` and `./config/*/`, in which `*` stands for
    ///    the subfolders in the order of their names.
    ///    `SPRING_CONFIG_ADDITIONAL_LOCATION` and `SPRING_CONFIG_IMPORT` name more, and so does the
    ///    key `spring.config.import` of a file. A location may begin with `optional:` and `file:`, and
    ///    end with `[.yaml]` if the name of the file has no extension. A file is read once. In a
    ///    folder the files are `application.yaml` and `application.yml`, of which the latter wins;
    ///    `SPRING_CONFIG_NAME` names others.
    /// 2. Variables win over files, later files over earlier ones, and later documents of a file
    ///    over earlier ones. The first key of a setting also wins over the other keys of the setting
    ///    in such files and documents. Otherwise two keys with different values are an error.
    /// 3. A document with `spring.config.activate.on-profile` counts if the profile is active, and so
    ///    does a file `application-<profile>.yaml`, or one beside an imported file. These keys name
    ///    profiles: `spring.profiles.active`, `include` (of all files), `group.<profile>` and, if
    ///    there is none, `default`, whose default is `default`.
    /// 4. Keys are read in kebab case, camel case and snake case.
    /// 5. An empty text and `null` mean that a key is not set, and so does a text that is empty after
    ///    its placeholders are replaced.
    /// 6. Placeholders stand for variables and for other keys.
    /// 7. A file has at most 1 MiB, 64 levels and 10,000 nodes, where each use of an alias counts. There
    ///    are at most 64 files and 32 profiles. More are an error.
    ///
    /// Not supported, and an error if used: files that are not YAML, locations that are not files
    /// (with `optional:` a warning), profile expressions with `&` and `|`, and
    /// `spring.config.activate.on-cloud-platform`.
    ///
    /// The log has one warning for each variable and key that has no effect although it resembles one
    /// of this configuration: unknown names, those of the Orchestration Cluster and of the web app, a
    /// key at a wrong level, and options of Java (`JAVA_TOOL_OPTIONS=-Dspring...`). Without an issuer
    /// they are an error, and so is an issuer in a document or file for a profile that is not active.
    ///
    /// # Errors
    /// As [`from_vars`](Issuer::from_vars), and [`ConfigError::InvalidFile`]. They name the file, the
    /// line and the key.
    pub fn from_env() -> Result<Option<Self>, ConfigError> {
        let variables = env::vars_os().map(|(name, value)| (text_of(&name), text_of(&value)));
        from_variables_and_files(variables.collect(), Path::new(""))
    }
}

/// Returns the issuer that `variables` and files configure. Relative paths begin in `folder`.
fn from_variables_and_files(
    variables: Vec<(String, String)>,
    folder: &Path,
) -> Result<Option<Issuer>, ConfigError> {
    let values: HashMap<_, _> = variables.iter().cloned().collect();
    let variables = properties_of(variables);
    let variable = |name: &str| values.get(name).cloned();
    let found = sources::read(&variables, &variable, folder)?;
    let documents = found.active.iter().map(Vec::as_slice);
    let properties = Properties {
        sources: documents.chain([variables.as_slice()]).collect(),
        variable: &variable,
    };
    read(&properties, &found)
}

/// Converts a text that may not be Unicode. Replacement characters make a value invalid as a URL or
/// algorithm, and useless as an audience.
fn text_of(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}

fn properties_of(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Property> {
    let property = |(name, text)| Property {
        origin: Origin::Variable(name),
        text: Some(text),
    };
    variables.into_iter().map(property).collect()
}

/// Returns the issuer that `properties` configure; `None` if neither they nor documents for inactive
/// profiles configure anything.
fn read(properties: &Properties<'_>, found: &Sources) -> Result<Option<Issuer>, ConfigError> {
    properties.check_forms()?;
    warn_of_names(properties);
    let Some(evidence) = evidence(properties) else {
        let inactive = found.inactive();
        let mut inactive = inactive.iter().flatten();
        return match inactive.find(|property| is_evidence(property)) {
            Some(property) => Err(inactive_profile(property)),
            None => Ok(None),
        };
    };
    let jwks_url = properties.value(Setting::JwksUrl)?;
    let backend_url = properties.value(Setting::BackendUrl)?;
    for url in [&jwks_url, &backend_url].into_iter().flatten() {
        url.url()?;
    }
    let Some(issuer) = properties.value(Setting::Issuer)? else {
        let inactive = found.inactive();
        let is_issuer = |property: &&Property| {
            let mut keys = Setting::Issuer.keys().iter();
            keys.any(|key| property.is_of(key)) && property.text.is_some()
        };
        if let Some(property) = inactive.iter().flatten().find(is_issuer) {
            return Err(inactive_profile(property));
        }
        let keys = jwks_url.or(backend_url);
        return Err(ConfigError::MissingIssuer {
            found: keys.map_or(evidence, |keys| keys.origin().to_string()),
        });
    };
    issuer.url()?;
    let identity = management_identity(properties)?;

    let mut configured = Issuer::self_managed(issuer.text());
    configured
        .fetched_url()
        .map_err(|error| issuer.refused(&error))?;
    let mut origins = vec![("issuer", issuer.origin().to_string())];
    if let (Some(jwks_url), Some(backend_url)) = (&jwks_url, &backend_url)
        && !is_below(jwks_url, backend_url)?
    {
        let (backend_url, jwks_url) = (backend_url.origin(), jwks_url.origin());
        telemetry::unused_backend_url(&backend_url.to_string(), &jwks_url.to_string());
    }
    if let Some(found) = jwks_url {
        configured = configured.jwks_url(found.text());
        origins.push(("keys", found.origin().to_string()));
    } else if let Some(found) = backend_url {
        configured = configured.backend_url(found.text());
        origins.push(("keys", found.origin().to_string()));
    }
    let (audiences, origin) = audiences(properties)?;
    for audience in &audiences {
        configured = configured.audience(audience);
    }
    origins.extend(origin.map(|origin| ("audiences", origin)));
    if let Some(base_url) = identity {
        let audience = audiences
            .first()
            .map_or(Issuer::SELF_MANAGED_AUDIENCE, |first| first);
        let mut source = ManagementIdentity::new(base_url.text(), audience);
        let url = base_url.url()?;
        if !url.is_https() && !url.is_loopback() {
            telemetry::insecure_identity(configured.as_str(), &shown(url.as_str()));
            source = source.allow_http();
        }
        configured = configured.grants_from(source);
        origins.push(("permissions", base_url.origin().to_string()));
    }
    if let Some(found) = properties.value(Setting::Algorithms)? {
        let algorithms = found.list()?.into_iter().map(|name| {
            name.parse::<Algorithm>()
                .map_err(|error| found.refused(&error))
        });
        let algorithms: Vec<_> = algorithms.collect::<Result<_, _>>()?;
        configured = configured.algorithms(algorithms);
        origins.push(("algorithms", found.origin().to_string()));
    }
    if let Some((_, url)) = configured.insecure_url()? {
        telemetry::insecure_by_configuration(configured.as_str(), &shown(url.as_str()));
        configured = configured.allow_http();
    }
    Ok(Some(configured.with_origins(origins)))
}

/// Returns whether the key set belongs to the backend URL, so that nothing is lost if only the URL of
/// the key set is used. A key set elsewhere on the same host does, too, unless the backend URL is from
/// a source that wins, e.g. a variable.
fn is_below(jwks_url: &Value, backend_url: &Value) -> Result<bool, ConfigError> {
    let (keys, backend) = (jwks_url.url()?, backend_url.url()?);
    let is_same_host = keys.url().origin() == backend.url().origin();
    let is_in_path = keys.url().path().starts_with(backend.url().path());
    Ok(is_same_host && (is_in_path || !backend_url.outranks(jwks_url)))
}

/// Returns the keys and texts of each document, for fuzzing.
#[cfg(all(any(test, fuzzing), feature = "yaml"))]
pub(crate) fn keys_and_texts(text: &str) -> Result<Vec<crate::fuzzing::ReadDocument>, ConfigError> {
    let documents = yaml::documents("file", text)?.into_iter();
    let properties = |document: Vec<Property>| {
        let properties = document.into_iter();
        properties.map(|property| (property.origin.name().to_owned(), property.text))
    };
    Ok(documents
        .map(|document| properties(document).collect())
        .collect())
}

/// Replaces the placeholders of `text`, which all stand for `value`, for fuzzing.
#[cfg(all(any(test, fuzzing), feature = "yaml"))]
pub(crate) fn replaced(text: &str, value: &str) -> Result<String, String> {
    placeholders::replace(text, &|_| Some(value.to_owned()))
}

/// Returns the audiences, and where they are written. The audience of the public API must be one of
/// those that the service accepts, and is then the only one.
fn audiences(properties: &Properties<'_>) -> Result<(Vec<String>, Option<String>), ConfigError> {
    let public = properties.value(Setting::Audience)?;
    let accepted = properties.value(Setting::Audiences)?;
    let names = accepted.as_ref().map(Value::list).transpose()?;
    let names = names.unwrap_or_default();
    match (public, accepted) {
        (Some(public), Some(accepted)) if !names.iter().any(|name| name == public.text()) => {
            Err(public.invalid(format!(
                "it is not one of the audiences `{}` of {}: add it there, or correct one of them",
                accepted.shown(),
                accepted.origin()
            )))
        }
        (Some(public), _) => Ok((
            vec![public.text().to_owned()],
            Some(public.origin().to_string()),
        )),
        (None, Some(accepted)) => Ok((names, Some(accepted.origin().to_string()))),
        (None, None) => Ok((Vec::new(), None)),
    }
}

/// Returns the URL of Management Identity if the issuer's tokens contain no permissions.
fn management_identity(properties: &Properties<'_>) -> Result<Option<Value>, ConfigError> {
    const KINDS: [&str; 2] = ["GENERIC", "MICROSOFT"];
    let Some(kind) = properties.value(Setting::IdentityType)? else {
        return Ok(None);
    };
    if kind.text().eq_ignore_ascii_case("KEYCLOAK") {
        return Ok(None);
    }
    if !KINDS
        .iter()
        .any(|known| kind.text().eq_ignore_ascii_case(known))
    {
        return Err(kind.invalid("the known types are KEYCLOAK, GENERIC and MICROSOFT"));
    }
    let base_url = properties.value(Setting::IdentityUrl)?;
    if base_url.is_none() {
        let needed = kind.origin().form().write(Setting::IdentityUrl.key());
        return Err(kind.invalid(format!(
            "Management Identity has the permissions for tokens of this type: set {needed} to its \
             URL as well"
        )));
    }
    Ok(base_url)
}

/// Returns the origin of a property that exists only where an issuer is to be configured.
fn evidence(properties: &Properties<'_>) -> Option<String> {
    let mut properties = properties.all().filter(|property| is_evidence(property));
    let property = properties.next()?;
    let unread = unread::unread(property).into_iter().next();
    Some(unread.unwrap_or_else(|| property.origin.to_string()))
}

fn is_evidence(property: &Property) -> bool {
    let origin = &property.origin;
    origin.form().classify(origin.name()) != NameKind::Foreign
        || locations::is_location(origin)
        || !unread::unread(property).is_empty()
}

/// Returns the error of a property that would configure an issuer if its profile were active. It does
/// not show the value.
fn inactive_profile(property: &Property) -> ConfigError {
    let issuer = Form::Variable.write(Setting::Issuer.key());
    let reason = format!(
        "`{}` is in a document or file for a profile that is not active: name the profile in \
         SPRING_PROFILES_ACTIVE, or set variable {issuer}",
        shown(property.origin.name())
    );
    match &property.origin {
        Origin::File { file, line, .. } => ConfigError::InvalidFile {
            file: file.to_string(),
            line: Some(*line),
            reason,
        },
        Origin::Variable(_) => property.invalid(reason),
    }
}

/// Logs the names that look like settings and are none.
fn warn_of_names(properties: &Properties<'_>) {
    let mut suppressed = 0_usize;
    let mut warnings = 0_usize;
    for property in properties.all().filter(|property| property.text.is_some()) {
        let (form, name) = (property.origin.form(), property.origin.name());
        let kind = form.classify(name);
        for unread in unread::unread(property) {
            telemetry::unread_configuration(&unread);
        }
        if matches!(kind, NameKind::Known | NameKind::Foreign) {
            continue;
        }
        if warnings == MAX_WARNINGS {
            suppressed = suppressed.saturating_add(1);
            continue;
        }
        warnings = warnings.saturating_add(1);
        let origin = property.origin.to_string();
        match kind {
            NameKind::Unknown => telemetry::unknown_setting(&origin, &form.nearest(name)),
            NameKind::WebApp(setting) => {
                telemetry::web_app_setting(&origin, &form.write(setting.key()));
            }
            _ => telemetry::orchestration_cluster_setting(&origin, &form.counterpart(name)),
        }
    }
    if suppressed > 0 {
        telemetry::more_unknown_settings(suppressed);
    }
}
