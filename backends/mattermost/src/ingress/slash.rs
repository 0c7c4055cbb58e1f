//! Somebody ran the slash command, or one that the application declared (bot mode). The command's token is a static secret that
//! everybody who manages commands can read, so it opens nothing alone: the trigger must
//! prove the person as well.

use chatport_sdk::prelude::*;
use http::header;
use serde_json::json;
use url::form_urlencoded;

use super::{person, words};
use crate::{
    address,
    api::Client,
    commands::{self, Words},
    declared,
    descriptor::{COMMAND_TOKEN, DECLARED_TOKEN},
    details::Details,
    trigger,
};

/// Longest body.
const MAX_FORM: usize = 16 * 1024;

/// The fields that are used.
#[derive(Default)]
struct Form {
    channel_id: String,
    channel_name: String,
    team_id: String,
    team_domain: String,
    text: String,
    token: String,
    trigger_id: String,
    user_id: String,
    user_name: String,
}

impl Form {
    /// Read a form; a field given twice says two things, so it is refused.
    fn of(body: &[u8]) -> Option<Self> {
        let mut form = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            let field = match name.as_ref() {
                "channel_id" => &mut form.channel_id,
                "channel_name" => &mut form.channel_name,
                "team_id" => &mut form.team_id,
                "team_domain" => &mut form.team_domain,
                "text" => &mut form.text,
                "token" => &mut form.token,
                "trigger_id" => &mut form.trigger_id,
                "user_id" => &mut form.user_id,
                "user_name" => &mut form.user_name,
                _ => continue,
            };
            if seen.contains(&name) {
                return None;
            }
            *field = value.into_owned();
            seen.push(name);
        }
        Some(form)
    }

    fn account(&self) -> Account {
        let mut account = Account::new(self.user_id.as_str());
        account.username.clone_from(&self.user_name);
        account
    }

    /// The place as the server named it: enough to tell the application where a command ran.
    fn conversation(&self) -> Conversation {
        let is_direct = self.channel_name.contains("__");
        Conversation {
            id: self.channel_id.clone(),
            address: address::of_channel(&self.channel_id),
            kind: if is_direct { ConversationKind::Direct } else { ConversationKind::Channel },
            name: self.channel_name.clone(),
            display_name: String::new(),
            team: self.team_domain.clone(),
        }
    }
}

fn refused(reason: &'static str) -> Received {
    Received::Refused { response: private("This command could not be verified."), reason }
}

pub(super) async fn receive(site: &Site, request: &Request) -> Received {
    let verified = verify(site, request, COMMAND_TOKEN, |label| Some(label.to_owned()));
    let Verified { form, details, trigger, .. } = match verified {
        Ok(verified) => verified,
        Err(reason) => return refused(reason),
    };
    let kind = match Words::of(&form.text) {
        Words::Help => return Received::Answer(private(&commands::help(&words::command(site), site.app_name()))),
        Words::Unlink => HappeningKind::UnlinkAsked { account: form.account() },
        Words::Link(code) => {
            let conversation = proven_conversation(site, &form, &details).await;
            HappeningKind::CodeEntered { code, account: form.account(), place: Place::Command { conversation } }
        }
        Words::Other(text) => {
            HappeningKind::Commanded { text, account: form.account(), conversation: form.conversation() }
        }
    };
    happening(site, trigger, kind)
}

/// A command that the application declared. Which one is told by its token.
pub(super) fn receive_declared(site: &Site, request: &Request) -> Received {
    let team = |label: &str| declared::team_and_name(label).map(|(team, _)| team.to_owned());
    let Verified { form, trigger, label, .. } = match verify(site, request, DECLARED_TOKEN, team) {
        Ok(verified) => verified,
        Err(reason) => return refused(reason),
    };
    let Some((_, name)) = declared::team_and_name(&label) else { return refused("command-token") };
    let (account, conversation) = (form.account(), form.conversation());
    let used = HappeningKind::CommandUsed { name: name.to_owned(), text: form.text, account, conversation };
    happening(site, trigger, used)
}

fn happening(site: &Site, trigger: Option<trigger::Trigger>, kind: HappeningKind) -> Received {
    let mut happening = Happening::new(trigger::happening_id(site, trigger.as_ref()), kind);
    happening.at = trigger.map(|trigger| trigger.at);
    Received::Happenings(vec![happening])
}

/// A command that was proven.
struct Verified {
    form: Form,
    details: Details,
    trigger: Option<trigger::Trigger>,
    /// What is known of its token.
    label: String,
}

/// `kind`: the kind of its token; `team`: the team of such a token, empty for any.
fn verify(
    site: &Site,
    request: &Request,
    kind: &str,
    team: impl FnOnce(&str) -> Option<String>,
) -> Result<Verified, &'static str> {
    if request.body.len() > MAX_FORM {
        return Err("body-too-long");
    }
    let form = Form::of(&request.body).ok_or("body-form")?;
    // `Bearer …` stands there where the server has its own connection to log in with.
    let in_header = request.header(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Token "));
    let presented = Some(in_header.unwrap_or(&form.token)).filter(|token| !token.is_empty());
    let label = presented.and_then(|token| site.matches(kind, token.as_bytes())).ok_or("command-token")?;
    let team = team(&label).ok_or("command-token")?;
    if !team.is_empty() && team != form.team_id {
        return Err("command-token-of-another-team");
    }
    let details = Details::of(site).ok_or("not-installed")?;
    if !address::is_id(&form.user_id) || !address::is_id(&form.channel_id) {
        return Err("body-form");
    }
    let trigger = trigger::verify_for(&details, &form.trigger_id, &form.user_id, site.now());
    Ok(Verified { trigger: trigger.map_err(trigger::TriggerError::reason)?, form, details, label })
}

/// The conversation, if the bot is in it or can join it, and the person is in it. Nothing is
/// changed here: the bot joins when there is something to post.
async fn proven_conversation(site: &Site, form: &Form, details: &Details) -> Option<Conversation> {
    let client = Client::bot(site).ok()?;
    let channel = person::channel(&client, &form.channel_id).await?;
    let is_there = if client.is_member(&channel.id, &details.bot_user_id).await.ok()? {
        client.is_member(&channel.id, &form.user_id).await
    } else if channel.is_public() {
        // Only members may ask who is in it. Everybody in its team may read and join it.
        client.is_in_team(&channel.team_id, &form.user_id).await
    } else {
        return None;
    };
    is_there.ok()?.then(|| channel.conversation(&form.team_domain))
}

pub(super) fn answer(site: &Site, happening: &Happening, outcome: &Outcome) -> Response {
    private(&words::of_outcome(site, happening, outcome).text)
}

/// A text for the person alone.
fn private(text: &str) -> Response {
    Response::json(&json!({ "response_type": "ephemeral", "text": text }))
}
