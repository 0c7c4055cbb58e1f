//! Notifications: published, and kept up to date.

use chatport_sdk::prelude::*;
use http::Method;
use serde_json::{Value, json};

use crate::{Ntfy, is_topic, send, settle, token, url};

/// ntfy reads 8,192 bytes of JSON. The buttons' addresses and tokens, which come last, need some.
const MOST_JSON: usize = 8_192 - 2_000;

/// The longest beginning of a text that takes at most so many bytes in JSON.
fn cut(text: &str, most: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            '\0'..='\x1f' => 6,
            c => c.len_utf8(),
        };
        taken > most
    });
    &text[..end.map_or(text.len(), |(end, _)| end)]
}

/// An emoji in front of the title: <https://docs.ntfy.sh/emojis/>.
fn tag(state: State) -> &'static str {
    match state {
        State::Firing => "rotating_light",
        State::Acknowledged => "eyes",
        State::Silenced => "mute",
        State::Resolved => "white_check_mark",
        _ => "information_source",
    }
}

/// An address is `{"v":1,"topic":"…"}`.
fn topic(address: &Address) -> Result<&str, Failure> {
    let topic = address.0["topic"].as_str().filter(|topic| address.0["v"] == 1 && is_topic(topic));
    topic.ok_or_else(|| Failure::new(Cause::ChannelNotFound, "the address isn't that of a topic"))
}

/// The name of a post is ours to choose. What is published under the same one takes its place:
/// <https://docs.ntfy.sh/publish/#updating-deleting-notifications>.
fn sequence_id(outgoing: &Outgoing) -> String {
    format!("{}-{}", outgoing.copy, outgoing.number)
}

async fn publish(site: &Site, outgoing: &Outgoing, post: String, lost: Cause) -> Result<Receipt, Failure> {
    let topic = topic(&outgoing.address)?;
    let mut body = outgoing.part.payload.value();
    body["topic"] = topic.into();
    body["sequence_id"] = post.as_str().into();
    body["priority"] = match outgoing.urgency {
        Urgency::Low => 2.into(),
        Urgency::Normal => 3.into(),
        Urgency::Urgent => 5.into(),
    };
    match site.ingress_url() {
        Some(ingress) => {
            for action in body["actions"].as_array_mut().into_iter().flatten() {
                let token = outgoing.token(action["id"].as_str().unwrap_or_default()).map(Secret::expose);
                // By the revision, a tap on a newer one is another tap.
                let press = json!({ "token": token, "topic": topic, "post": post, "revision": outgoing.revision });
                action["body"] = press.to_string().into();
                action["url"] = format!("{ingress}/press").into();
            }
        }
        None => body["actions"] = Value::Null, // no phone would reach us
    }
    let request = site.http().post(url(site, "/")?).json(&body);
    let answer = send(site, token(site), request, lost).await?;
    match answer.json::<Value>().map_err(|error| settle(error, lost))? {
        published if published["sequence_id"] == post => Ok(Receipt::new(post)),
        _ => Err(Failure::new(lost, "the answer doesn't name the post")),
    }
}

#[async_trait]
impl Delivery for Ntfy {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        let (content, limits) = (request.content, request.limits);
        let facts = content.facts.iter().map(|fact| format!("- **{}**: {}\n", fact.name, fact.value));
        let text = format!("{}\n{}", content.text, facts.collect::<String>());
        let buttons = content.actions.iter().filter(|action| action.choices.is_empty()).take(limits.actions);
        let actions: Vec<String> = buttons.clone().map(|action| action.id.clone()).collect();
        let button = |action: &Action| json!({ "action": "http", "id": action.id, "label": cut(&action.label, 80) });
        // Without a message ntfy shows "triggered".
        let (title, text) = match text.trim() {
            "" => ("", content.title.as_str()),
            text => (cut(&content.title, 250.min(limits.text)), text),
        };
        let mut payload = json!({
            "title": title,
            "markdown": true,
            "tags": content.state.map(tag).as_slice(),
            "click": content.link.as_ref().map(|link| &link.url),
            "attach": content.image.as_ref().map(|image| &image.url),
            "actions": buttons.map(button).collect::<Value>(),
        });
        let room = (limits.text - title.len()).min(MOST_JSON.saturating_sub(payload.to_string().len()));
        let message = cut(text, room);
        let trimmed = message != text || (title != content.title && message != content.title);
        let dropped = actions.len() < content.actions.len();
        let notes = [
            trimmed.then(|| Note::new(NoteCode::Trimmed, "ntfy takes 4,095 bytes")),
            dropped.then(|| Note::new(NoteCode::ActionsDropped, "ntfy shows three buttons and no menus")),
        ];
        payload["message"] = message.into();
        Rendering {
            parts: vec![Part { payload: payload.into(), actions }],
            notes: notes.into_iter().flatten().collect(),
        }
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        Ok(StreamKey { key: topic(address)?.to_owned(), rate: "requests" })
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        publish(site, outgoing, sequence_id(outgoing), Cause::NoAnswer).await
    }

    fn edit(&self) -> Option<&dyn Edit> {
        Some(self)
    }
    fn delete(&self) -> Option<&dyn Delete> {
        Some(self)
    }
    fn find(&self) -> Option<&dyn Find> {
        Some(self)
    }
}

#[async_trait]
impl Edit for Ntfy {
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        publish(site, outgoing, receipt.id.clone(), Cause::Unavailable).await.map(Edited::Done)
    }
}

#[async_trait]
impl Delete for Ntfy {
    async fn delete(&self, site: &Site, address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let path = format!("/{}/{}", topic(address)?, receipt.id);
        let request = site.http().request(Method::DELETE, url(site, &path)?);
        send(site, token(site), request, Cause::Unavailable).await.map(drop)
    }
}

#[async_trait]
impl Find for Ntfy {
    /// Look into what the server keeps of the topic. What isn't there can be published again: it has its own place.
    async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
        let since = outgoing.first_tried.map_or(0, |tried| tried.as_seconds() - 300);
        let path = format!("/{}/json?poll=1&since={since}", topic(&outgoing.address)?);
        let kept = match send(site, token(site), site.http().get(url(site, &path)?), Cause::Unavailable).await {
            Err(failure) if failure.cause == Cause::PermissionDenied => return Ok(Found::SafeToRepeat),
            kept => kept?,
        };
        let post = sequence_id(outgoing);
        let lines = kept.body.split(|byte| *byte == b'\n').map(serde_json::from_slice::<Value>);
        match lines.flatten().any(|line| line["event"] == "message" && line["sequence_id"] == post) {
            true => Ok(Found::Posted(Receipt::new(post))),
            false => Ok(Found::SafeToRepeat),
        }
    }
}
