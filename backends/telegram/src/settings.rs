//! The settings of an installation: which Bot API server, and how updates come.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use chatport_sdk::{
    prelude::*,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use url::Host;

/// Telegram's own server.
const API: &str = "https://api.telegram.org";
/// The ports to which Telegram sends updates. <https://core.telegram.org/bots/api#setwebhook>
const PORTS: [u16; 4] = [80, 88, 443, 8443];

/// Where updates come, below the installation's address.
pub(crate) const PATH: &str = "/updates";

/// The settings of a Telegram installation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address of the Bot API server: Telegram's own, unless you run one yourself.
    pub(crate) api_url: Url,
    /// How what happens on Telegram comes here.
    pub(crate) updates: Hearing,
}

/// How what happens on Telegram comes here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(rename_all = "snake_case")]
pub enum Hearing {
    /// By a webhook where Telegram can reach this host's public address, else by polling.
    #[default]
    Auto,
    /// Telegram calls this host.
    Webhook,
    /// This host asks Telegram.
    Polling,
}

impl Default for Settings {
    fn default() -> Self {
        Self { api_url: Url::parse(API).expect("a URL"), updates: Hearing::default() }
    }
}

impl Settings {
    /// The settings of a site.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub(crate) fn of(site: &Site) -> Result<Arc<Self>, SetupError> {
        site.read_once(Self::read)
    }

    fn read(site: &Site) -> Result<Self, SetupError> {
        let settings: Option<Self> =
            site.settings().map_err(|error| SetupError::field("settings", format!("can't be read: {error}")))?;
        let settings = settings.unwrap_or_default();
        let url = &settings.api_url;
        let is_plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.host().is_some();
        if !matches!(url.scheme(), "http" | "https") || !is_plain {
            let detail = "must be an http or https address without a query, such as https://api.telegram.org";
            return Err(SetupError::field("api_url", detail));
        }
        Ok(settings)
    }

    /// The settings while the installation is in use. Settings that can't be read need a person.
    pub(crate) fn in_use(site: &Site) -> Result<Arc<Self>, Failure> {
        Self::of(site).map_err(|error| Failure::new(Cause::InstallationRevoked, format!("the settings: {error}")))
    }

    /// Where Telegram calls; `None`: updates are polled for.
    pub(crate) fn webhook(&self, site: &Site) -> Option<Url> {
        let url = site.ingress_url()?;
        let is_used = match self.updates {
            Hearing::Polling => false,
            Hearing::Webhook => true,
            Hearing::Auto => is_reachable(url),
        };
        is_used.then(|| Url::parse(&format!("{url}{PATH}")).ok()).flatten()
    }
}

/// Whether Telegram can call an address, as far as the address tells.
fn is_reachable(url: &Url) -> bool {
    let is_public = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".local") && !name.ends_with(".internal"),
        Some(Host::Ipv4(address)) => !is_private(address),
        Some(Host::Ipv6(address)) => !IpAddr::V6(address).is_loopback() && address.segments()[0] & 0xe000 == 0x2000,
        None => false,
    };
    url.scheme() == "https" && is_public && url.port_or_known_default().is_some_and(|port| PORTS.contains(&port))
}

fn is_private(address: Ipv4Addr) -> bool {
    address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_telegram_can_call_is_a_webhook_by_itself() {
        let is_reachable = |text: &str| is_reachable(&Url::parse(text).expect("a URL"));
        for url in ["https://chatport.example.com", "https://chatport.example.com:8443/x", "https://93.184.216.34"] {
            assert!(is_reachable(url), "{url}");
        }
        for url in [
            "http://chatport.example.com",
            "https://chatport.example.com:8080",
            "https://localhost",
            "https://10.1.2.3",
            "http://127.0.0.1:8080",
            "https://[::1]",
            "https://chatport.internal",
        ] {
            assert!(!is_reachable(url), "{url}");
        }
    }
}
