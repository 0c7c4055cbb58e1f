//! The client of Mattermost's REST interface, version 4: one method for each call that the
//! backend makes. It talks to the address in the settings and to nothing else.

mod commands;
mod directory;

pub(crate) use self::commands::Command;

use chatport_sdk::prelude::*;
use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    address,
    card::Props,
    descriptor::{BOT_ACCESS_TOKEN, BOT_TOKEN},
    errors::{self, Operation},
    settings::{Mode, Settings, SiteUrl},
};

/// The longest answer that is read: a page of posts.
const MAX_PAGE: usize = 4 * 1024 * 1024;
/// A call without a body.
const NOTHING: Option<&Value> = None;
/// Posts on a page.
pub(crate) const PER_PAGE: usize = 60;

/// An account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    nickname: String,
    first_name: String,
    last_name: String,
    roles: String,
    pub(crate) is_bot: bool,
    pub(crate) delete_at: i64,
}

impl User {
    /// Whether it is a system administrator's.
    pub(crate) fn is_system_admin(&self) -> bool {
        self.roles.split_whitespace().any(|role| role == "system_admin")
    }

    /// As the host's account.
    pub(crate) fn account(&self) -> Account {
        let mut account = Account::new(self.id.as_str());
        account.username = self.username.clone();
        let full_name = format!("{} {}", self.first_name, self.last_name);
        let names = [full_name.trim(), &self.nickname, &self.username];
        account.display_name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned();
        account
    }
}

/// A channel, private or public, or a direct conversation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Channel {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) team_id: String,
    pub(crate) delete_at: i64,
}

impl Channel {
    /// Whether everybody in its team may join it.
    pub(crate) fn is_public(&self) -> bool {
        self.kind == "O"
    }

    /// Whether it is a channel of a team, public or private, in which something can happen.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(self.kind.as_str(), "O" | "P") && self.delete_at == 0 && address::is_id(&self.id)
    }

    /// The channel as the host's conversation; `team` is the name of its team.
    pub(crate) fn conversation(self, team: &str) -> Conversation {
        let kind = match self.kind.as_str() {
            "D" => ConversationKind::Direct,
            "G" => ConversationKind::Group,
            _ => ConversationKind::Channel,
        };
        let team = if self.team_id.is_empty() { "" } else { team };
        Conversation {
            address: address::of_channel(&self.id),
            id: self.id,
            kind,
            name: self.name,
            display_name: self.display_name,
            team: team.to_owned(),
        }
    }
}

/// Somebody in a team.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TeamMember {
    user_id: String,
    delete_at: i64,
}

/// A team.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, serde::Serialize)]
#[serde(default)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) delete_at: i64,
}

/// A post to be made.
#[derive(Serialize)]
pub(crate) struct NewPost<'a> {
    pub(crate) channel_id: &'a str,
    pub(crate) message: &'a str,
    pub(crate) props: Props<'a>,
    pub(crate) pending_post_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) root_id: Option<String>,
}

/// What a post becomes.
#[derive(Serialize)]
pub(crate) struct Patch<'a> {
    pub(crate) props: Props<'a>,
}

/// What is looked at of a post that has just been made.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MadePost {
    pub(crate) id: String,
    pub(crate) root_id: String,
}

/// A post, as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) root_id: String,
    pub(crate) create_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) props: Value,
}

/// A page of a channel's posts, newest first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PostList {
    pub(crate) order: Vec<String>,
    pub(crate) posts: std::collections::BTreeMap<String, Post>,
}

/// What the server says about itself; all values are texts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ServerConfig {
    #[serde(rename = "AsymmetricSigningPublicKey")]
    signing_key: String,
    #[serde(rename = "MaxPostSize")]
    max_post_size: String,
    #[serde(rename = "SiteURL")]
    site_url: String,
}

impl ServerConfig {
    /// The key that signs triggers, base64 of DER.
    pub(crate) fn signing_key(&self) -> Option<String> {
        Some(self.signing_key.clone()).filter(|key| !key.is_empty())
    }

    /// The longest message, in characters.
    pub(crate) fn max_post_size(&self) -> Option<u64> {
        self.max_post_size.parse().ok()
    }

    /// The address by which the server calls itself, if it is another one than `site`.
    pub(crate) fn other_address(&self, site: &SiteUrl) -> Option<&str> {
        let same = SiteUrl::parse(&self.site_url).is_ok_and(|own| own == *site);
        (!same && !self.site_url.is_empty()).then_some(self.site_url.as_str())
    }
}

/// A client with one token.
#[derive(Clone, Debug)]
pub(crate) struct Client<'a> {
    site: &'a Site,
    base: SiteUrl,
    token: Option<Secret>,
}

impl<'a> Client<'a> {
    /// A client without a token.
    pub(crate) fn anonymous(site: &'a Site, base: &SiteUrl) -> Self {
        Self { site, base: base.clone(), token: None }
    }

    /// A client with this token.
    pub(crate) fn with_token(site: &'a Site, base: &SiteUrl, token: Secret) -> Self {
        Self { site, base: base.clone(), token: Some(token) }
    }

    /// A client with the bot's token.
    ///
    /// # Errors
    /// There is no usable token: one that is renewed is awaited, one that a person pastes is
    /// missing.
    pub(crate) fn bot(site: &'a Site) -> Result<Self, Failure> {
        let settings = Settings::in_use(site)?;
        let (kind, without) = match settings.mode {
            Mode::Bot => (BOT_TOKEN, Cause::Unauthorized),
            Mode::Apps => (BOT_ACCESS_TOKEN, Cause::AwaitingCredential),
        };
        let fresh = |token: &chatport_sdk::token::Token| token.expires_at.is_none_or(|at| site.now() < at);
        let token = site.tokens(kind).into_iter().find(fresh);
        let token = token.ok_or_else(|| Failure::new(without, "there is no usable bot token"))?;
        Ok(Self::with_token(site, &settings.site_url, token.value))
    }

    /// The server that it talks to.
    pub(crate) fn base(&self) -> &SiteUrl {
        &self.base
    }

    /// Send, and give back an answer of success.
    async fn send(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, Failure> {
        let mut request = self.site.http().request(method, url).max_answer(MAX_PAGE);
        if let Some(token) = &self.token {
            request = request.bearer(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        if operation != Operation::Create {
            request = request.repeatable();
        }
        match request.send().await {
            Ok(answer) if answer.status.is_success() => Ok(answer),
            Ok(answer) => Err(errors::failure(operation, &answer, self.site.now())),
            Err(error) => Err(settle(operation, error.into())),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        operation: Operation,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, Failure> {
        let url = self.base.at(&format!("/api/v4{path}"));
        let answer = self.send(operation, method, url, body).await?;
        answer.json().map_err(|error| settle(operation, error.into()))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Operation::Other, Method::GET, path, NOTHING).await
    }

    async fn get_with<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<T, Failure> {
        let mut url = self.base.at(&format!("/api/v4{path}"));
        url.set_query(Some(query));
        let answer = self.send(Operation::Other, Method::GET, url, NOTHING).await?;
        answer.json().map_err(|error| settle(Operation::Other, error.into()))
    }

    /// Whose token it is.
    pub(crate) async fn me(&self) -> Result<User, Failure> {
        let user: User = self.get("/users/me").await?;
        usable(&user.id)?;
        Ok(user)
    }

    /// Another account.
    pub(crate) async fn user(&self, id: &str) -> Result<User, Failure> {
        self.get(&format!("/users/{id}")).await
    }

    /// The teams that the token's account is in.
    pub(crate) async fn teams(&self) -> Result<Vec<Team>, Failure> {
        let mut teams: Vec<Team> = self.get("/users/me/teams").await?;
        teams.retain(|team| team.delete_at == 0 && crate::address::is_id(&team.id));
        Ok(teams)
    }

    /// What the server says about itself.
    pub(crate) async fn config(&self) -> Result<ServerConfig, Failure> {
        self.get_with("/config/client", "format=old").await
    }

    /// Whether the server is there.
    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        self.get::<Value>("/system/ping").await.map(drop)
    }

    /// A channel.
    pub(crate) async fn channel(&self, id: &str) -> Result<Channel, Failure> {
        let channel: Channel = self.get(&format!("/channels/{id}")).await?;
        usable(&channel.id)?;
        Ok(channel)
    }

    /// Whether an account is a member of a channel. Outsiders are told nothing, so for them
    /// the answer is no.
    pub(crate) async fn is_member(&self, channel: &str, user: &str) -> Result<bool, Failure> {
        match self.get::<Value>(&format!("/channels/{channel}/members/{user}")).await {
            Ok(_) => Ok(true),
            Err(failure) if matches!(failure.cause, Cause::PermissionDenied | Cause::ChannelNotFound) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Whether an account is a member of a team. Outsiders are told nothing, so for them the
    /// answer is no.
    pub(crate) async fn is_in_team(&self, team: &str, user: &str) -> Result<bool, Failure> {
        if !address::is_id(team) {
            return Ok(false);
        }
        match self.get::<TeamMember>(&format!("/teams/{team}/members/{user}")).await {
            Ok(member) => Ok(member.user_id == user && member.delete_at == 0),
            Err(failure) if matches!(failure.cause, Cause::PermissionDenied | Cause::ChannelNotFound) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Put an account into a channel.
    pub(crate) async fn join(&self, channel: &str, user: &str) -> Result<(), Failure> {
        let body = json!({ "user_id": user });
        let path = format!("/channels/{channel}/members");
        self.call::<Value>(Operation::Other, Method::POST, &path, Some(&body)).await.map(drop)
    }

    /// The direct conversation of two accounts.
    pub(crate) async fn direct(&self, one: &str, other: &str) -> Result<Channel, Failure> {
        let channel: Channel =
            self.call(Operation::Direct, Method::POST, "/channels/direct", Some(&json!([one, other]))).await?;
        usable(&channel.id)?;
        Ok(channel)
    }

    /// Make a post.
    pub(crate) async fn create_post(&self, post: &NewPost<'_>) -> Result<MadePost, Failure> {
        let post: MadePost = self.call(Operation::Create, Method::POST, "/posts", Some(post)).await?;
        if crate::address::is_id(&post.id) {
            Ok(post)
        } else {
            Err(Failure::new(Cause::NoAnswer, "the server's answer names no post"))
        }
    }

    /// A post.
    pub(crate) async fn post(&self, id: &str) -> Result<Post, Failure> {
        self.get(&format!("/posts/{id}")).await
    }

    /// Change what is named in `patch`.
    pub(crate) async fn patch_post(&self, id: &str, patch: &Patch<'_>) -> Result<Post, Failure> {
        self.call(Operation::Other, Method::PUT, &format!("/posts/{id}/patch"), Some(patch)).await
    }

    /// Remove a post.
    pub(crate) async fn delete_post(&self, id: &str) -> Result<(), Failure> {
        self.call::<Value>(Operation::Other, Method::DELETE, &format!("/posts/{id}"), NOTHING).await.map(drop)
    }

    /// A page of a channel's posts, newest first.
    pub(crate) async fn posts(&self, channel: &str, page: usize) -> Result<PostList, Failure> {
        self.get_with(&format!("/channels/{channel}/posts"), &format!("page={page}&per_page={PER_PAGE}")).await
    }

    /// Ask the Apps plugin to call the app's webhook `refresh` with a new bot session. The
    /// plugin answers at once and calls later.
    pub(crate) async fn ask_for_session(&self, app_path: &str, secret: &Secret, nonce: &str) -> Result<(), Failure> {
        let mut url = self.base.at(&format!("{app_path}/webhook/refresh"));
        url.query_pairs_mut().append_pair("secret", secret.expose());
        self.send(Operation::Session, Method::POST, url, Some(&json!({ "nonce": nonce }))).await.map(drop)
    }
}

/// Only a creation can leave its outcome open; all else is repeated.
fn settle(operation: Operation, mut failure: Failure) -> Failure {
    if operation != Operation::Create && failure.cause == Cause::NoAnswer {
        failure.cause = Cause::Unavailable;
    }
    failure
}

/// An answer that names nothing isn't Mattermost's.
fn usable(id: &str) -> Result<(), Failure> {
    if crate::address::is_id(id) {
        Ok(())
    } else {
        Err(Failure::new(Cause::Unavailable, "the server's answer isn't Mattermost's"))
    }
}
