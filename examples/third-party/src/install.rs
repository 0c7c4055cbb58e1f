//! Setup: a form for the access token, and a look whether it may publish.

use chatport_sdk::prelude::*;
use http::Method;
use serde_json::Value;

use crate::{Ntfy, Settings, TOKEN, is_topic, send, settings, token, url};

/// Find out whether all topics can be published to, and show nothing to anybody: taking back what was
/// never published needs the same right, and a server before 2.16 doesn't know how.
async fn try_publishing(site: &Site, token: Option<Secret>) -> Result<(), Failure> {
    for topic in settings(site)?.topics {
        let request = site.http().request(Method::DELETE, url(site, &format!("/{topic}/chatport-probe"))?);
        send(site, token.clone(), request, Cause::Unavailable).await?;
    }
    Ok(())
}

#[async_trait]
impl Install for Ntfy {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        let settings: Settings = site.settings().map_err(|error| SetupError::field("settings", error.to_string()))?;
        match settings.topics.iter().find(|topic| !is_topic(topic)) {
            Some(topic) => Err(SetupError::field("topics", format!("`{topic}` isn't 1 to 64 of A-Z a-z 0-9 _ -"))),
            None if settings.topics.is_empty() => Err(SetupError::field("topics", "needs at least one topic")),
            None => Ok(()),
        }
    }

    async fn begin(&self, _: &Site) -> Result<Progress, SetupError> {
        let help = "In ntfy, under *Account → Access tokens*. A server that is open to everybody needs none.";
        let field = Field::new(TOKEN.name, "Access token", FieldKind::Secret, help).optional();
        let kind = StepKind::Fields { fields: vec![field] };
        Ok(Progress::next("token", vec![SetupStep::new("token", "Let Chatport publish", "", kind)]))
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        if site.stage() != "token" {
            return Err(SetupError::WrongStage("setup isn't waiting for anything".into()));
        }
        let token = fields.secret(TOKEN.name);
        try_publishing(site, token.clone()).await.map_err(|failure| match failure.cause {
            Cause::Unauthorized => SetupError::field(TOKEN.name, "the server doesn't know it"),
            Cause::PermissionDenied => SetupError::field(TOKEN.name, "doesn't allow to publish to each of the topics"),
            Cause::ChannelNotFound => SetupError::field("server_url", "no ntfy 2.16 or newer answers there"),
            _ => failure.into(),
        })?;
        // ntfy has no bots: who publishes isn't anybody in particular.
        let server = settings(site)?.server_url.to_string();
        let identity = Identity { account: server.clone(), display_name: "ntfy".into(), server, details: Value::Null };
        let tokens = token.into_iter().map(|token| NewToken::new(TOKEN.name, token)).collect();
        Ok(Progress { tokens, ..Progress::installed(identity) })
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        self.begin(site).await
    }

    async fn probe(&self, site: &Site) -> Health {
        let tried = try_publishing(site, token(site)).await;
        let missing: Vec<_> = tried.err().map(|failure| failure.for_application().into()).into_iter().collect();
        Health { can_post: missing.is_empty(), can_receive: site.ingress_url().is_some(), missing, ..Health::default() }
    }

    async fn remove(&self, _: &Site) -> Result<(), Failure> {
        Ok(())
    }
}
