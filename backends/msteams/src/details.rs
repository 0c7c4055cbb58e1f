//! What setup found out: kept in the identity's details, never a secret.

use chatport_sdk::{crypto, prelude::*};
use serde::{Deserialize, Serialize};

/// The bot's registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// The version of this shape.
    v: u32,
    /// The bot's app id, a UUID in lower case.
    pub(crate) app_id: String,
    /// The tenant in which it is used, a UUID in lower case.
    pub(crate) tenant_id: String,
}

const VERSION: u32 = 1;

impl Details {
    pub(crate) fn new(app_id: String, tenant_id: String) -> Self {
        Self { v: VERSION, app_id, tenant_id }
    }

    /// What is kept about this site, once it is set up.
    pub(crate) fn of(site: &Site) -> Option<Self> {
        let details = Self::deserialize(&site.identity()?.details).ok()?;
        (details.v == VERSION).then_some(details)
    }

    /// The same while the installation is in use.
    pub(crate) fn in_use(site: &Site) -> Result<Self, Failure> {
        Self::of(site)
            .ok_or_else(|| Failure::new(Cause::InstallationRevoked, "setup isn't complete: the bot isn't known"))
    }

    /// The identity of an installation.
    pub(crate) fn identity(&self, app_name: &str) -> Identity {
        Identity {
            server: self.tenant_id.clone(),
            account: self.app_id.clone(),
            display_name: app_name.to_owned(),
            // Texts and a number: JSON holds all of it.
            details: serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

/// What a token's audience is compared with.
pub(crate) fn audience_digest(app_id: &str) -> String {
    crypto::hex(&crypto::sha256(format!("msteams audience {app_id}").as_bytes()))
}

/// A UUID in lower case, if the text is one.
pub(crate) fn uuid(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    (lengths == [8, 4, 4, 4, 12] && groups.iter().all(is_hex)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_is_an_id() {
        let id = "A1b2c3d4-0000-4000-8000-00000000000F";
        assert_eq!(uuid(id), Some(id.to_lowercase()));
        for text in ["", "a1b2c3d4", "a1b2c3d4-0000-4000-8000-00000000000g", "{a1b2c3d4-0000-4000-8000-000000000000}"] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }
}
