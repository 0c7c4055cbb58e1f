//! The settings of an installation: which cloud. All have the public cloud's values.

use std::sync::Arc;

use chatport_sdk::{
    prelude::*,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};

/// The settings of an installation. The defaults are those of the public cloud:
/// <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Who issues the tokens that Teams' calls carry.
    pub(crate) issuer: String,
    /// Where the issuer's OpenID metadata is.
    pub(crate) openid_metadata_url: Url,
    /// Where access tokens are asked for.
    pub(crate) login_url: Url,
    /// What access tokens are asked for.
    pub(crate) scope: String,
    /// The tenant that access tokens are asked from, where it isn't the one that the app is used
    /// in: `botframework.com` for a bot that was registered for several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_tenant: Option<String>,
    /// The servers that the bot's access token may be sent to: scheme, host and port; `*.` in
    /// front of a host stands for any names before it.
    pub(crate) service_urls: Vec<Url>,
}

impl Default for Settings {
    fn default() -> Self {
        let url = |text: &str| Url::parse(text).expect("a constant address");
        Self {
            issuer: "https://api.botframework.com".into(),
            openid_metadata_url: url("https://login.botframework.com/v1/.well-known/openidconfiguration"),
            login_url: url("https://login.microsoftonline.com"),
            scope: "https://api.botframework.com/.default".into(),
            token_tenant: None,
            service_urls: vec![url("https://smba.trafficmanager.net"), url("https://*.teams.microsoft.com")],
        }
    }
}

impl Settings {
    /// The settings of a site.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub(crate) fn of(site: &Site) -> Result<Arc<Self>, SetupError> {
        site.read_once(|site| {
            let settings = site.settings::<Option<Self>>();
            let settings =
                settings.map_err(|error| SetupError::field("settings", format!("can't be read: {error}")))?;
            settings.unwrap_or_default().checked()
        })
    }

    /// The settings while the installation is in use. Settings that can't be read need a person.
    pub(crate) fn in_use(site: &Site) -> Result<Arc<Self>, Failure> {
        Self::of(site).map_err(|error| Failure::new(Cause::InstallationRevoked, format!("the settings: {error}")))
    }

    fn checked(self) -> Result<Self, SetupError> {
        let refuse = |name, detail| Err(SetupError::field(name, detail));
        let addresses = [("openid_metadata_url", &self.openid_metadata_url), ("login_url", &self.login_url)];
        let servers = self.service_urls.iter().map(|url| ("service_urls", url));
        for (name, url) in addresses.into_iter().chain(servers) {
            if !is_plain(url) {
                return refuse(name, "must be an http or https address without a user, a query or a fragment");
            }
        }
        if self.service_urls.is_empty() {
            return refuse("service_urls", "must name at least one server");
        }
        if self.service_urls.iter().any(|url| url.path() != "/") {
            return refuse("service_urls", "are servers alone, without a path");
        }
        if self.issuer.is_empty() || self.scope.is_empty() {
            return refuse(if self.issuer.is_empty() { "issuer" } else { "scope" }, "must not be empty");
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if self.token_tenant.as_ref().is_some_and(|tenant| tenant.is_empty() || !tenant.bytes().all(is_name)) {
            return refuse("token_tenant", "must be a tenant's id or domain");
        }
        Ok(self)
    }

    /// The address of a service, without a slash at the end, if the bot's access token may be
    /// sent there.
    pub(crate) fn service_url(&self, text: &str) -> Option<ServiceUrl> {
        let url = Url::parse(text).ok().filter(is_plain)?;
        let allowed = self.service_urls.iter().any(|server| is_at(server, &url));
        allowed.then(|| ServiceUrl(text.trim_end_matches('/').to_owned()))
    }
}

/// The address of a service that the bot's access token may be sent to; made by
/// [`Settings::service_url`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUrl(String);

impl ServiceUrl {
    /// The address, without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// Whether an address is at a server of the list.
fn is_at(server: &Url, url: &Url) -> bool {
    let (Some(wanted), Some(host)) = (server.host_str(), url.host_str()) else { return false };
    let is_host = match wanted.strip_prefix('*') {
        Some(end) => end.starts_with('.') && host.len() > end.len() && host.ends_with(end),
        None => wanted == host,
    };
    is_host && server.scheme() == url.scheme() && server.port_or_known_default() == url.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_the_listed_servers_alone() {
        let settings = Settings::default();
        for good in ["https://smba.trafficmanager.net/emea/", "https://smba.infra.gcc.teams.microsoft.com/x"] {
            assert_eq!(settings.service_url(good).expect("it is listed").as_str(), good.trim_end_matches('/'));
        }
        for bad in [
            "http://smba.trafficmanager.net/emea/",
            "https://smba.trafficmanager.net:8443/",
            "https://smba.trafficmanager.net.evil.example/",
            "https://evilteams.microsoft.com/",
            "https://teams.microsoft.com/",
            "https://smba.trafficmanager.net@evil.example/",
            "https://evil.example/?https://smba.trafficmanager.net/",
            "https://smba.trafficmanager.net/?x=1",
            "smba.trafficmanager.net",
            "",
        ] {
            assert_eq!(settings.service_url(bad), None, "{bad}");
        }
    }
}
