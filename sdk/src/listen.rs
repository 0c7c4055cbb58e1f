//! Hearing what happens by asking the platform, where it doesn't call: polling, or waiting in
//! a request that the platform answers when there is something.

use crate::{
    async_trait,
    failure::Failure,
    happening::{Happening, Outcome},
    site::Site,
};

/// Longest cursor, in bytes.
pub const MAX_CURSOR: usize = 1_000;

/// The way in for a platform that is asked, rather than calls. The host asks for one
/// installation from one replica at a time, again and again, and goes on at the cursor.
///
/// What happened counts only once it is on disk: the host keeps the cursor after the
/// happenings that came before it, so what was heard before a crash comes again. The same
/// happening must then have the same [id](Happening::id), by which it is recognized.
///
/// ```
/// use chatport_sdk::{http::Dispatch, prelude::*};
/// use serde_json::Value;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Listen for Noticeboard {
///     fn listens(&self, _: &Site) -> bool {
///         true
///     }
///
///     async fn listen(&self, site: &Site, cursor: Option<&str>) -> Result<Heard, Failure> {
///         let url = format!("https://board.example.com/api/events?wait=20&after={}", cursor.unwrap_or("0"));
///         let url = Url::parse(&url).map_err(|error| Failure::new(Cause::ContentRejected, error.to_string()))?;
///         let answer = site.http().get(url).send().await?;
///         let events: Vec<Value> = serde_json::from_slice(&answer.body)
///             .map_err(|error| Failure::new(Cause::Unavailable, error.to_string()))?;
///         let mut heard = Heard::default();
///         for event in events {
///             let (Some(id), Some(code)) = (event["id"].as_u64(), event["code"].as_str()) else { continue };
///             let account = Account::new(event["by"].as_str().unwrap_or_default());
///             let place = Place::Direct { address: None };
///             let kind = HappeningKind::CodeEntered { code: Secret::new(code), account, place };
///             heard = heard.happening(Happening::new(id.to_string(), kind)).until(id.to_string());
///         }
///         Ok(heard)
///     }
///
///     async fn answer(&self, _: &Site, _: &[Happening], _: &[Outcome]) {}
/// }
/// ```
#[async_trait]
pub trait Listen: Send + Sync {
    /// Whether this installation is heard in this way: as setup arranged it, e.g. because there was
    /// no public address. Not before setup has got so far. Pure, and asked often.
    fn listens(&self, site: &Site) -> bool;

    /// What has happened after `cursor`; `None`: nothing was heard yet. May wait for something
    /// to happen, but comes back within 30 seconds, with nothing if nothing did; the host gives
    /// a call up after 45. May use the network; must not sleep or retry.
    ///
    /// # Errors
    /// A failure to ask; the host asks again later, at the same cursor. After one that reaches the
    /// whole installation it asks seldom, until a person has mended that.
    async fn listen(&self, site: &Site, cursor: Option<&str>) -> Result<Heard, Failure>;

    /// Say to the platform what came of happenings that `listen` returned; `outcomes` has one
    /// entry for each. They are on disk; nothing can be refused any more. May use the network.
    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]);
}

/// What was heard.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Heard {
    /// What happened, in order.
    pub happenings: Vec<Happening>,
    /// Where to go on: at most [`MAX_CURSOR`] bytes, no secret. `None`: where it was.
    pub cursor: Option<String>,
}

impl Heard {
    /// This happened too.
    #[must_use]
    pub fn happening(mut self, happening: Happening) -> Self {
        self.happenings.push(happening);
        self
    }

    /// Go on here.
    #[must_use]
    pub fn until(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}
