//! The client of the Bot Connector's REST interface: one method for each call that the backend
//! makes. It talks to a service that the settings allow and to nothing else.
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference>

use std::time::Duration;

use chatport_sdk::prelude::*;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    access::{self, Borrowed},
    address,
    errors::{self, NO_ACTIVITY, Operation},
    settings::ServiceUrl,
};

/// How long a call may take, and one for which somebody waits who has pressed a button.
const TIMEOUT: Duration = Duration::from_secs(15);
const PROMPT: Duration = Duration::from_secs(4);

/// A client for one service, with one token.
pub(crate) struct Connector<'a> {
    site: &'a Site,
    service: &'a ServiceUrl,
    token: Secret,
    /// Where another token is had if this one is refused; without it the host gets one.
    others: Option<&'a Borrowed>,
}

/// What creating answers with.
#[derive(Deserialize)]
struct Created {
    id: String,
    #[serde(default, rename = "activityId")]
    activity_id: Option<String>,
}

/// Somebody in a conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) user_principal_name: String,
    aad_object_id: String,
    object_id: String,
}

impl Member {
    /// The person's id in the directory, under whichever of its names; empty where it isn't told.
    pub(crate) fn directory_id(&self) -> &str {
        if self.aad_object_id.is_empty() { &self.object_id } else { &self.aad_object_id }
    }
}

/// A team, or a channel of one.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Channels {
    conversations: Vec<Named>,
}

impl<'a> Connector<'a> {
    /// A client with the token that the host keeps.
    ///
    /// # Errors
    /// There is none that lasts.
    pub(crate) fn new(site: &'a Site, service: &'a ServiceUrl) -> Result<Self, Failure> {
        Ok(Self { site, service, token: access::kept(site)?, others: None })
    }

    /// A client for calls between which the host can't renew: it borrows a token where there is
    /// none, and another one, once, where it is refused.
    ///
    /// # Errors
    /// There is no token to be had.
    pub(crate) async fn borrowing(
        site: &'a Site,
        service: &'a ServiceUrl,
        others: &'a Borrowed,
    ) -> Result<Self, Failure> {
        Ok(Self { site, service, token: others.token(site).await?, others: Some(others) })
    }

    /// Post into a conversation, or into a thread of one; the answer is the post's id.
    pub(crate) async fn post(
        &self,
        conversation: &str,
        below: Option<&str>,
        activity: &Value,
    ) -> Result<String, Failure> {
        let (operation, path) = match below {
            None => (Operation::Create, format!("{}/activities", segment(conversation))),
            Some(post) => (Operation::Reply, format!("{}/activities/{}", segment(conversation), segment(post))),
        };
        let answer = self.send(operation, Method::POST, &path, Some(activity)).await?;
        Ok(created(operation, &answer)?.id)
    }

    /// Start a conversation: a personal chat, or a thread in a channel with its first post. The
    /// answer is the conversation's id, and the post's where there is one.
    pub(crate) async fn start(
        &self,
        operation: Operation,
        conversation: &Value,
    ) -> Result<(String, Option<String>), Failure> {
        let answer = self.send(operation, Method::POST, "", Some(conversation)).await?;
        let made = created(operation, &answer)?;
        let post = made.activity_id.filter(|id| address::is_id(id));
        Ok((made.id, post))
    }

    /// Show something else in a post. `None`: it isn't there any more.
    pub(crate) async fn update(
        &self,
        conversation: &str,
        post: &str,
        activity: &Value,
    ) -> Result<Option<String>, Failure> {
        let path = format!("{}/activities/{}", segment(conversation), segment(post));
        match self.send(Operation::Other, Method::PUT, &path, Some(activity)).await {
            Ok(answer) => Ok(Some(created(Operation::Other, &answer)?.id)),
            Err(failure) if is_gone(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Take a post back; one that is gone is taken back.
    pub(crate) async fn delete(&self, conversation: &str, post: &str) -> Result<(), Failure> {
        let path = format!("{}/activities/{}", segment(conversation), segment(post));
        match self.send(Operation::Other, Method::DELETE, &path, None).await {
            Err(failure) if is_gone(&failure) => Ok(()),
            done => done.map(drop),
        }
    }

    /// Somebody in a conversation or team. `None`: no such member.
    pub(crate) async fn member(&self, conversation: &str, person: &str) -> Result<Option<Member>, Failure> {
        let path = format!("{}/members/{}", segment(conversation), segment(person));
        match self.send(Operation::Other, Method::GET, &path, None).await {
            Ok(answer) => {
                let member = answer.json::<Member>().map_err(|error| errors::silence(Operation::Other, error))?;
                Ok(Some(member).filter(|member| member.id == person))
            }
            Err(failure) if failure.error_id.as_deref().is_some_and(|code| code.starts_with("MemberNotFound")) => {
                Ok(None)
            }
            Err(failure) if failure.cause == Cause::ChannelNotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The name of a team.
    pub(crate) async fn team_name(&self, team: &str) -> Result<String, Failure> {
        let answer = self.at(Operation::Other, Method::GET, &format!("teams/{}", segment(team)), None).await?;
        let named: Named = answer.json().map_err(|error| errors::silence(Operation::Other, error))?;
        Ok(named.name.unwrap_or_default())
    }

    /// The name of a team's channel; of the first one Teams tells none.
    pub(crate) async fn channel_name(&self, team: &str, channel: &str) -> Result<String, Failure> {
        let path = format!("teams/{}/conversations", segment(team));
        let answer = self.at(Operation::Other, Method::GET, &path, None).await?;
        let listed: Channels = answer.json().map_err(|error| errors::silence(Operation::Other, error))?;
        let found = listed.conversations.into_iter().find(|listed| listed.id == channel);
        let name = found.and_then(|found| found.name).filter(|name| !name.is_empty());
        Ok(name.unwrap_or_else(|| if team == channel { "General".into() } else { String::new() }))
    }

    async fn send(
        &self,
        operation: Operation,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let separator = if path.is_empty() { "" } else { "/" };
        self.at(operation, method, &format!("conversations{separator}{path}"), body).await
    }

    async fn at(
        &self,
        operation: Operation,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let url = Url::parse(&format!("{}/v3/{path}", self.service.as_str()));
        let url = url.map_err(|_| Failure::new(Cause::ChannelNotFound, "the conversation's address can't be read"))?;
        let answer = self.once(operation, method.clone(), url.clone(), &self.token, body).await?;
        let answer = match self.others {
            Some(others) if answer.status == 401 => {
                let token = others.other_than(self.site, &self.token).await?;
                self.once(operation, method, url, &token, body).await?
            }
            _ => answer,
        };
        match answer.status.as_u16() {
            200..=299 => Ok(answer),
            _ => Err(errors::failure(operation, &answer, self.site.now())),
        }
    }

    async fn once(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
        token: &Secret,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let timeout = if self.others.is_some() { PROMPT } else { TIMEOUT };
        let mut request = self.site.http().request(method, url).bearer(token).timeout(timeout);
        if let Some(body) = body {
            request = request.json(body);
        }
        if !matches!(operation, Operation::Create | Operation::Reply) {
            request = request.repeatable();
        }
        request.send().await.map_err(|error| errors::silence(operation, error))
    }
}

fn is_gone(failure: &Failure) -> bool {
    failure.error_id.as_deref() == Some(NO_ACTIVITY)
}

/// What was made, by a usable id.
fn created(operation: Operation, answer: &Answer) -> Result<Created, Failure> {
    let made = answer.json::<Created>().map_err(|error| errors::silence(operation, error))?;
    if address::is_id(&made.id) {
        return Ok(made);
    }
    let cause = match operation {
        Operation::Create | Operation::Reply => Cause::NoAnswer,
        Operation::Open | Operation::Other => Cause::Unavailable,
    };
    Err(Failure::new(cause, "the answer names no usable id"))
}

/// An id as one segment of a path: everything but letters, digits and `-._~` is encoded
/// (RFC 3986 §2.3).
fn segment(id: &str) -> String {
    id.bytes().fold(String::with_capacity(id.len() * 3), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write;
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
