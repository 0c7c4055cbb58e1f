//! The tokens of one installation, as its backend may see them during a call; and what stands
//! in their place for a slot that doesn't exist.

use std::sync::Arc;

use chatport_sdk::{
    async_trait,
    backend::MessagingBackend,
    crypto,
    http::{Answer, Call, Dispatch, HttpClient, HttpError, HttpErrorKind, Transport},
    secret::Secret,
    site::{Site, SiteParts, Vault},
    time::{Clock, Timestamp},
    token::{Token, TokenUse},
};

use super::{sites::ingress_url, tokens::Holder};
use crate::{app::App, security::keyring::Keyring, store::entities};

/// The stored tokens of one installation.
pub(super) struct StoredVault {
    pub(super) holder: Holder,
    pub(super) rows: Arc<Vec<entities::tokens::Model>>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) clock: Arc<dyn Clock>,
}

impl StoredVault {
    fn rows<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a entities::tokens::Model> {
        let now = self.clock.now().as_micros();
        self.rows.iter().filter(move |row| row.kind == kind && row.expires_at.is_none_or(|until| now < until))
    }
}

impl Vault for StoredVault {
    fn tokens(&self, kind: &str) -> Vec<Token> {
        let Some(declared) = self.holder.backend.descriptor().token_kind(kind) else { return Vec::new() };
        let open = |row: &entities::tokens::Model| {
            let opened = self.holder.open(&self.keyring, row, declared).inspect_err(|error| {
                tracing::error!(installation = %self.holder.installation, kind, %error, "a token can't be used");
            });
            Some(Token {
                value: opened.ok()?,
                label: Some(row.label.clone()).filter(|label| !label.is_empty()),
                created_at: Timestamp::from_micros(row.created_at),
                expires_at: row.expires_at.map(Timestamp::from_micros),
            })
        };
        self.rows(kind).filter(|row| row.sealed.is_some()).filter_map(open).collect()
    }

    fn matches(&self, kind: &str, presented: &[u8]) -> Option<String> {
        let declared = self.holder.backend.descriptor().token_kind(kind)?;
        if presented.is_empty() {
            return None;
        }
        if declared.usage == TokenUse::Reveal {
            let found = self.tokens(kind).into_iter().find(|token| token.value.matches(presented));
            return found.map(|token| token.label.clone().unwrap_or_default());
        }
        let candidates = self.holder.candidates(&self.keyring, kind, presented);
        let fits = |row: &&entities::tokens::Model| {
            let kept = row.digest.as_deref().unwrap_or_default();
            candidates.iter().any(|candidate| crypto::constant_time_eq(candidate, kept))
        };
        self.rows(kind).find(fits).map(|row| row.label.clone())
    }
}

/// Random tokens, one of each kind.
struct DecoyVault {
    tokens: Vec<(&'static str, TokenUse, Secret)>,
    clock: Arc<dyn Clock>,
}

impl Vault for DecoyVault {
    fn tokens(&self, kind: &str) -> Vec<Token> {
        let of_kind = self.tokens.iter().filter(|(name, usage, _)| *name == kind && *usage == TokenUse::Reveal);
        let now = self.clock.now();
        of_kind
            .map(|(_, _, value)| Token { value: value.clone(), label: None, created_at: now, expires_at: None })
            .collect()
    }

    fn matches(&self, kind: &str, presented: &[u8]) -> Option<String> {
        // The same work as for a real one; a random token is never presented.
        let mut of_kind = self.tokens.iter().filter(|(name, ..)| *name == kind);
        of_kind.find(|(_, _, value)| value.matches(presented)).map(|_| String::new())
    }
}

/// Reaches nothing.
pub(super) struct NoNetwork;

#[async_trait]
impl Transport for NoNetwork {
    async fn send(&self, _: Call, _: &Dispatch) -> Result<Answer, HttpError> {
        Err(HttpError::new(HttpErrorKind::Connect, false, "there is no such installation"))
    }
}

/// A site for a slot that doesn't exist: its tokens are random and it reaches nothing.
pub fn decoy(app: &App, backend: &dyn MessagingBackend, slot: &str) -> Site {
    let vault = DecoyVault {
        tokens: backend.descriptor().tokens.iter().map(|kind| (kind.name, kind.usage, random_token(app))).collect(),
        clock: app.clock.clone(),
    };
    let mut parts = SiteParts::new(slot, Arc::new(vault), app.clock.clone(), app.random.clone());
    parts.ingress_url = ingress_url(app, backend.descriptor().id, slot);
    parts.app_name = app.settings.app_name.clone();
    parts.decoy = true;
    Site::new(parts, HttpClient::new(Arc::new(NoNetwork), Dispatch::default()))
}

fn random_token(app: &App) -> Secret {
    let mut bytes = [0; 32];
    app.random.fill(&mut bytes);
    Secret::new(crypto::base64url(&bytes))
}
