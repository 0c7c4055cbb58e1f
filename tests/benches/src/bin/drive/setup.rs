//! Setting Chatport up by its API as an application does: an organization, installations of
//! the stand-in platform in bot mode, conversations, and a person who links an account of
//! each, so that pressing buttons is allowed.

use chatport_bench::{
    BOT_TOKEN,
    connection::{Connection, Problem},
};
use clap::Args;
use http::Method;
use serde_json::{Value, json};

use crate::message::ORGANIZATION;

#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// Chatport: ADDRESS:PORT
    #[arg(long)]
    server: String,
    /// An API key
    #[arg(long)]
    key: String,
    /// The platform: ADDRESS:PORT
    #[arg(long)]
    platform: String,
    /// How many installations
    #[arg(long)]
    installations: usize,
    /// How many conversations of each
    #[arg(long)]
    conversations: usize,
}

/// The answer is the ids of the channels, one a line.
pub(crate) async fn run(setup: &Setup) -> Result<String, Problem> {
    let mut connection = Connection::with_key(&setup.server, &setup.key)?;
    call(&mut connection, Method::PUT, "", &json!({ "name": "Bench", "locale": "en" })).await?;
    let mut channels = String::new();
    for installation in 0..setup.installations {
        let id = install(&mut connection, &setup.platform, installation).await?;
        link(&mut connection, &setup.platform, installation, &id).await?;
        for conversation in 0..setup.conversations {
            let conversation = format!("c{installation:012}x{conversation:012}");
            let asked = json!({ "installation": id, "conversation": {
                "id": conversation, "address": { "v": 1, "channel": conversation }, "kind": "channel", "name": conversation,
            }});
            let channel = call(&mut connection, Method::POST, "/channels", &asked).await?;
            channels += text(&channel, "id")?;
            channels.push('\n');
        }
    }
    Ok(channels)
}

async fn install(connection: &mut Connection, platform: &str, number: usize) -> Result<String, Problem> {
    // Each is a server of its own to Chatport, at a path of its own.
    let settings = json!({ "site_url": format!("http://{platform}/server-{number}"), "mode": "bot" });
    let asked = json!({ "backend": "mattermost", "settings": settings });
    let mut installation = call(connection, Method::POST, "/installations", &asked).await?;
    let id = text(&installation, "id")?.to_owned();
    for fields in [json!({ "bot_token": BOT_TOKEN }), json!({ "register_commands": true })] {
        let path = format!("/installations/{id}/setup");
        installation = call(connection, Method::POST, &path, &json!({ "fields": fields })).await?;
    }
    match text(&installation, "state")? {
        "active" => Ok(id),
        state => Err(format!("the installation is {state}: {installation}")),
    }
}

/// The person asks for a code and enters it by the slash command.
async fn link(connection: &mut Connection, platform: &str, number: usize, id: &str) -> Result<(), Problem> {
    let asked = json!({ "installation": id, "purpose": "user", "user": "ann" });
    let code = call(connection, Method::POST, "/verification-codes", &asked).await?;
    let order = format!("/bench/commands/server-{number}/{}", text(&code, "code")?);
    let command = Connection::to(platform).get(&order).await?.json()?;
    let (path, form) = (text(&command, "path")?, text(&command, "form")?.to_owned());
    let told = connection.send(Method::POST, path, form.into()).await?.json()?;
    let linked = call(connection, Method::GET, &format!("/accounts?installation={id}"), &Value::Null).await?;
    match linked["accounts"].as_array().or(linked["items"].as_array()) {
        Some(links) if links.len() == 1 => Ok(()),
        _ => Err(format!("the person isn't linked: {told}, {linked}")),
    }
}

async fn call(connection: &mut Connection, method: Method, path: &str, body: &Value) -> Result<Value, Problem> {
    let path = format!("{ORGANIZATION}{path}");
    let answer = connection.send(method, &path, body.to_string().into()).await?;
    answer.json().map_err(|problem| format!("{path}: {problem}"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Problem> {
    value[name].as_str().ok_or_else(|| format!("there is no {name} in {value}"))
}
