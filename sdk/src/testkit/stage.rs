//! One installation as the host keeps it: what setup returned is stored, and each call gets a
//! site made anew of what is stored, as if it came to another process.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use url::Url;

use super::{Cue, Dice, Fixture, Line, MemoryVault, Platform, dice::Slot};
use crate::{
    descriptor::Descriptor,
    happening::{Happening, HappeningKind},
    http::{Dispatch, HttpClient},
    identity::Identity,
    ingress::{Received, Request},
    install::Progress,
    secret::Secret,
    site::{Site, SiteParts},
    steps::{SetupStep, StepKind},
    time::{Clock, Timestamp},
    token::{NewToken, TokenKind},
};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct SetClock(Slot<Timestamp>);

impl SetClock {
    /// Let so much time pass.
    pub fn pass(&self, time: Duration) {
        self.0.with(|now| *now = now.plus(time));
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.0.with(|now| *now)
    }
}

#[derive(Default)]
struct Kept {
    settings: Value,
    stage: String,
    notes: Value,
    steps: Vec<SetupStep>,
    identity: Option<Identity>,
    window: Option<Timestamp>,
    is_hidden: bool,
}

/// One installation and its platform.
pub struct Stage {
    /// The platform.
    pub platform: Arc<dyn Platform>,
    /// The network to it.
    pub line: Arc<Line>,
    /// The clock; it begins with [`Platform::now`].
    pub clock: Arc<SetClock>,
    /// The tokens.
    pub vault: Arc<MemoryVault>,
    random: Arc<Dice>,
    kinds: Vec<TokenKind>,
    kept: Slot<Kept>,
}

/// The random name in the ingress path.
const SLOT: &str = "7hq2mxk4vd9rtw3c5bnz";

impl Stage {
    /// An installation on which nothing has been done, whose backend declares these kinds of
    /// token.
    pub fn new(platform: Arc<dyn Platform>, kinds: &[TokenKind]) -> Self {
        Self {
            line: Arc::new(Line::to(Arc::clone(&platform))),
            clock: Arc::new(SetClock(Slot::new(platform.now()))),
            platform,
            vault: Arc::new(MemoryVault::new(kinds)),
            random: Arc::new(Dice::new(1)),
            kinds: kinds.to_vec(),
            kept: Slot::default(),
        }
    }

    /// A stage for a backend, with a new platform and its settings.
    pub fn of(fixture: &dyn Fixture, descriptor: &Descriptor) -> Self {
        let stage = Self::new(fixture.platform(), descriptor.tokens);
        stage.set_settings(stage.platform.settings());
        fixture.connected(&stage.line);
        stage
    }

    /// What the application has sent as settings.
    pub fn set_settings(&self, settings: Value) {
        self.kept.with(|kept| kept.settings = settings);
    }

    /// From now on the platform can't call: the host has no public address.
    pub fn hide(&self) {
        self.kept.with(|kept| kept.is_hidden = true);
    }

    /// The installation, for one call.
    pub fn site(&self) -> Site {
        self.site_of(Arc::clone(&self.vault), false)
    }

    /// What stands for an installation that doesn't exist: random tokens, and no more.
    pub fn decoy(&self) -> Site {
        self.site_of(self.random_vault(), true)
    }

    /// An installation that is like this one in everything but its secrets.
    pub fn stranger(&self) -> Site {
        self.site_of(self.random_vault(), false)
    }

    fn random_vault(&self) -> Arc<MemoryVault> {
        let vault = MemoryVault::new(&self.kinds);
        for kind in &self.kinds {
            let value = format!("{:016x}{:016x}", self.random.number(), self.random.number());
            // Its kind is declared, and it isn't empty.
            let _ = vault.store(NewToken::new(kind.name, Secret::new(value)), self.clock.now());
        }
        Arc::new(vault)
    }

    fn site_of(&self, vault: Arc<MemoryVault>, decoy: bool) -> Site {
        let clock: Arc<dyn Clock> = Arc::<SetClock>::clone(&self.clock);
        let random: Arc<dyn crate::site::Random> = Arc::<Dice>::clone(&self.random);
        let mut parts = SiteParts::new(SLOT, vault, clock, random);
        self.kept.with(|kept| {
            if !decoy {
                parts.settings.clone_from(&kept.settings);
                parts.identity.clone_from(&kept.identity);
                parts.stage.clone_from(&kept.stage);
                parts.notes.clone_from(&kept.notes);
                parts.window = kept.window;
            }
        });
        let is_hidden = self.kept.with(|kept| kept.is_hidden);
        let url = || Url::parse(&format!("https://chatport.example.com/in/backend/{SLOT}")).ok();
        parts.ingress_url = if is_hidden { None } else { url() };
        parts.app_name = "OnCall".into();
        parts.decoy = decoy;
        let transport: Arc<dyn crate::http::Transport> = Arc::<Line>::clone(&self.line);
        Site::new(parts, HttpClient::new(transport, Dispatch::default()))
    }

    /// Store what a step of setup has returned, as the host does.
    ///
    /// # Errors
    /// A token that can't be stored.
    pub fn keep(&self, progress: Progress) -> Result<(), String> {
        let now = self.clock.now();
        progress.tokens.into_iter().try_for_each(|token| self.vault.store(token, now))?;
        self.kept.with(|kept| {
            kept.stage = progress.stage;
            kept.steps = progress.steps;
            kept.identity = progress.installed.or(kept.identity.take());
            kept.window = progress.window.map(|window| now.plus(window));
            if let Some(settings) = progress.settings {
                kept.settings = settings;
            }
            if let Some(notes) = progress.notes {
                kept.notes = notes;
            }
        });
        Ok(())
    }

    /// The steps that are shown.
    pub fn steps(&self) -> Vec<SetupStep> {
        self.kept.with(|kept| kept.steps.clone())
    }

    /// Who the installation turned out to be.
    pub fn identity(&self) -> Option<Identity> {
        self.kept.with(|kept| kept.identity.clone())
    }

    /// Set it up: each step is taken by a backend made anew.
    ///
    /// # Errors
    /// Why it can't be set up.
    pub async fn install(&self, fixture: &dyn Fixture) -> Result<(), String> {
        let backend = fixture.backend();
        let Some(install) = backend.install() else { return Ok(()) };
        let begun = install.begin(&self.site()).await.map_err(|error| format!("begin: {error}"))?;
        self.keep(begun)?;
        self.go_on(fixture).await
    }

    /// Take the steps that are shown until there are none.
    ///
    /// # Errors
    /// Why it doesn't go on.
    pub async fn go_on(&self, fixture: &dyn Fixture) -> Result<(), String> {
        for _ in 0..8 {
            let steps = self.steps();
            if steps.iter().all(|step| step.optional) {
                return self.identity().map(drop).ok_or_else(|| "there are no steps left, and no identity".into());
            }
            if steps.iter().any(|step| matches!(step.kind, StepKind::Fields { .. })) {
                let backend = fixture.backend();
                let install = backend.install().ok_or("install() has gone")?;
                let submitted = install.submit(&self.site(), &self.platform.fields(&steps)).await;
                self.keep(submitted.map_err(|error| format!("submit: {error}"))?)?;
            } else {
                let request = self.platform.request(self, &Cue::Install).await;
                let request = request.ok_or("setup waits for something that the platform doesn't do")?;
                self.take_installed(&self.receive(fixture, &request).await?)?;
            }
        }
        Err("setup doesn't come to an end".into())
    }

    fn take_installed(&self, happenings: &[Happening]) -> Result<(), String> {
        let installed = happenings.iter().find_map(|happening| match &happening.kind {
            HappeningKind::Installed { identity, tokens, .. } => Some((identity.clone(), tokens.clone())),
            _ => None,
        });
        let (identity, tokens) = installed.ok_or("the request didn't complete the installation")?;
        self.keep(Progress { tokens, ..Progress::installed(identity) })
    }

    /// Let the platform's request come in.
    ///
    /// # Errors
    /// It didn't become happenings.
    pub async fn receive(&self, fixture: &dyn Fixture, request: &Request) -> Result<Vec<Happening>, String> {
        let backend = fixture.backend();
        let ingress = backend.ingress().ok_or("there is no ingress")?;
        match ingress.receive(&self.site(), request).await {
            Received::Happenings(happenings) => Ok(happenings),
            other => Err(format!("a genuine request became {other:?}")),
        }
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("line", &self.line).finish_non_exhaustive()
    }
}
