//! Starts the stand-in on a port, with the standard world and the Apps plugin, and tells how to
//! reach it: `fake-mattermost [PORT] [SUBPATH]`.

use std::io::Write as _;

use chatport_fake_mattermost::{FakeMattermost, Options};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = match arguments.next() {
        Some(text) => text.parse()?,
        None => 8065,
    };
    let server = FakeMattermost::start(Options {
        port,
        subpath: arguments.next().unwrap_or_default(),
        control_api: true,
        ..Options::with_apps()
    })
    .await;
    let mut tokens = serde_json::Map::new();
    for name in ["sysadmin", "alice", "bob", "mallory"] {
        let shown = json!({"id": server.user_id(name), "token": server.login(name)});
        tokens.insert(name.into(), shown);
    }
    let (id, token) = server.create_bot("helper", "sysadmin");
    server.join_channel("acme/alerts", "helper");
    tokens.insert("helper".into(), json!({"id": id, "token": token, "is_bot": true}));
    let shown = json!({
        "url": server.url(),
        "users": tokens,
        "teams": {"acme": server.team_id("acme"), "globex": server.team_id("globex")},
        "channels": {
            "acme/town-square": server.channel_id("acme/town-square"),
            "acme/alerts": server.channel_id("acme/alerts"),
            "acme/incidents": server.channel_id("acme/incidents"),
            "globex/ops": server.channel_id("globex/ops"),
        },
    });
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    out.flush()?;
    // Until somebody ends the process.
    std::future::pending::<()>().await;
    Ok(())
}
