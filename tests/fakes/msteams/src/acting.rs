//! What people do, as activities; and sending them to the bot.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use crate::{teams::FakeTeams, world::World};

/// What the bot answered to an activity.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub status: u16,
    /// Null where it is no JSON.
    pub body: Value,
    pub text: String,
}

/// An activity of somebody, with what all have.
fn activity(world: &mut World, kind: &str, person: &str, conversation: Value, channel_data: Value) -> Value {
    let number = world.next();
    let from = &world.people[person];
    let mut channel_data = channel_data;
    channel_data["tenant"] = json!({ "id": world.options.tenant_id });
    let mut conversation = conversation;
    conversation["tenantId"] = world.options.tenant_id.as_str().into();
    json!({
        "type": kind, "id": number.to_string(), "timestamp": "2026-11-27T12:00:00.000Z",
        "localTimestamp": "2026-11-27T13:00:00.000+01:00", "channelId": "msteams", "serviceUrl": world.service_url(),
        "from": { "id": from.id, "name": from.name, "aadObjectId": from.aad },
        "recipient": { "id": world.bot(), "name": "OnCall" },
        "conversation": conversation, "channelData": channel_data,
        "entities": [{ "type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web" }],
    })
}

fn personal(world: &World, person: &str) -> Value {
    json!({ "id": world.people[person].chat, "conversationType": "personal" })
}

fn in_channel(world: &World, team: &str, channel: &str, root: Option<&str>) -> (Value, Value) {
    let team = &world.teams[team];
    let id = &team.channels[channel];
    let thread = root.map_or_else(|| id.clone(), |root| format!("{id};messageid={root}"));
    let data =
        json!({ "team": { "id": team.id }, "channel": { "id": id }, "teamsTeamId": team.id, "teamsChannelId": id });
    (json!({ "id": thread, "conversationType": "channel", "isGroup": true }), data)
}

/// The text with a mention of the bot in front.
fn mentioning(world: &World, activity: &mut Value, text: &str) {
    activity["text"] = format!("<at>OnCall</at>&nbsp;{text}\n").into();
    activity["textFormat"] = "plain".into();
    let mentioned = json!({ "id": world.bot(), "name": "OnCall" });
    let mention = json!({ "type": "mention", "mentioned": mentioned, "text": "<at>OnCall</at>" });
    activity["entities"].as_array_mut().expect("a list").push(mention);
}

/// Make an activity the use of a universal action.
fn invoke(activity: &mut Value, action: &Value, data: Value, trigger: &str, post: &str) {
    let used = json!({ "type": action["type"], "verb": action["verb"], "data": data });
    activity["id"] = format!("f:{}", activity["id"].as_str().unwrap_or_default()).into();
    activity["name"] = "adaptiveCard/action".into();
    activity["value"] = json!({ "action": used, "trigger": trigger });
    activity["replyToId"] = post.into();
}

impl FakeTeams {
    /// Somebody writes to the bot in their personal chat.
    pub fn says(&self, person: &str, text: &str) -> Value {
        let mut world = self.world();
        let conversation = personal(&world, person);
        let mut activity = activity(&mut world, "message", person, conversation, json!({}));
        (activity["text"], activity["textFormat"]) = (text.into(), "plain".into());
        activity
    }

    /// Somebody mentions the bot in a new thread of a channel, or in one that there is.
    pub fn mentions(&self, person: &str, (team, channel): (&str, &str), root: Option<&str>, text: &str) -> Value {
        let mut world = self.world();
        let own = world.next().to_string();
        let (conversation, data) = in_channel(&world, team, channel, Some(root.unwrap_or(&own)));
        let mut activity = activity(&mut world, "message", person, conversation, data);
        if root.is_none() {
            activity["id"] = own.into();
        }
        mentioning(&world, &mut activity, text);
        activity
    }

    /// Somebody mentions the bot in a chat of several people.
    pub fn mentions_in_chat(&self, person: &str, chat: &str, text: &str) -> Value {
        let mut world = self.world();
        let conversation = json!({ "id": world.chats[chat].id, "conversationType": "groupChat", "isGroup": true });
        let mut activity = activity(&mut world, "message", person, conversation, json!({}));
        mentioning(&world, &mut activity, text);
        activity
    }

    /// Where a post stands, as activities say it.
    fn place_of(&self, post: &str) -> Option<(Value, Value)> {
        let world = self.world();
        let post = world.posts.iter().find(|found| found.id == post)?;
        if let Some((team, channel)) = world.channel(&post.conversation) {
            let root = post.root.as_deref().unwrap_or(&post.id);
            return Some(in_channel(&world, &team.name, channel, Some(root)));
        }
        let chat = world.chats.values().any(|chat| chat.id == post.conversation);
        let kind = if chat { "groupChat" } else { "personal" };
        Some((json!({ "id": post.conversation, "conversationType": kind }), json!({})))
    }

    /// Somebody presses the button with these words on a post; `inputs` is what they chose. The
    /// client of a person who is `old` knows no universal actions.
    pub fn presses(&self, person: &str, post: &str, title: &str, inputs: Value, old: bool) -> Value {
        let (conversation, data) = self.place_of(post).expect("a post");
        let posts = self.world().posts.clone();
        let found = posts.iter().find(|found| found.id == post).expect("a post");
        let action = found.action(title).unwrap_or_else(|| panic!("no button `{title}` on {}", found.card()));
        let action = if old { &action["fallback"] } else { action };
        let mut given = action["data"].clone();
        for (name, value) in inputs.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        let mut world = self.world();
        if old {
            let mut activity = activity(&mut world, "message", person, conversation, data);
            (activity["value"], activity["replyToId"]) = (given, post.into());
            return activity;
        }
        let mut activity = activity(&mut world, "invoke", person, conversation, data);
        invoke(&mut activity, action, given, "manual", post);
        activity
    }

    /// Somebody's client asks by itself what a post shows now.
    pub fn refreshes(&self, person: &str, post: &str) -> Value {
        let (conversation, data) = self.place_of(post).expect("a post");
        let mut world = self.world();
        let found = world.posts.iter().find(|found| found.id == post).expect("a post");
        let action = found.card()["refresh"]["action"].clone();
        assert!(action.is_object(), "the client has nothing to ask by on {}", found.card());
        let mut activity = activity(&mut world, "invoke", person, conversation, data);
        invoke(&mut activity, &action, action["data"].clone(), "automatic", post);
        activity
    }

    /// Somebody adds the app for themselves, or removes it.
    pub fn installs(&self, person: &str, adds: bool) -> Value {
        let mut world = self.world();
        world.people.get_mut(person).expect("a person").has_app = adds;
        let conversation = personal(&world, person);
        let mut activity = activity(&mut world, "installationUpdate", person, conversation, json!({}));
        activity["action"] = if adds { "add" } else { "remove" }.into();
        activity
    }

    /// Somebody adds the app to a team, or removes it.
    pub fn installs_in_team(&self, person: &str, team: &str, adds: bool) -> Value {
        let mut world = self.world();
        world.teams.get_mut(team).expect("a team").has_app = adds;
        let (conversation, mut data) = in_channel(&world, team, "General", None);
        data["eventType"] = if adds { "teamMemberAdded" } else { "teamMemberRemoved" }.into();
        data["team"]["name"] = team.into();
        let mut activity = activity(&mut world, "conversationUpdate", person, conversation, data);
        activity[if adds { "membersAdded" } else { "membersRemoved" }] = json!([{ "id": world.bot() }]);
        activity
    }

    /// A channel is deleted.
    pub fn deletes_channel(&self, person: &str, team: &str, channel: &str) -> Value {
        let mut world = self.world();
        let (_, mut data) = in_channel(&world, team, channel, None);
        let (conversation, _) = in_channel(&world, team, "General", None);
        world.teams.get_mut(team).expect("a team").channels.remove(channel);
        (data["eventType"], data["channel"]["name"]) = ("channelDeleted".into(), channel.into());
        activity(&mut world, "conversationUpdate", person, conversation, data)
    }

    /// What the connector sends with an activity.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token(&self.claims(), &Value::Null))
    }

    /// Send an activity to the bot as the connector does.
    pub async fn deliver(&self, endpoint: &str, activity: &Value) -> Delivered {
        self.deliver_with(endpoint, &self.authorization(), activity).await
    }

    /// The same with another proof.
    pub async fn deliver_with(&self, endpoint: &str, authorization: &str, activity: &Value) -> Delivered {
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::builder()
            .method(Method::POST)
            .uri(endpoint)
            .header("content-type", "application/json; charset=utf-8")
            .header("authorization", authorization)
            .body(Full::new(Bytes::from(activity.to_string())))
            .expect("a request");
        let response = client.request(request).await.expect("the bot answers");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole answer").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Delivered { status, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }
}
