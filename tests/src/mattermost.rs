//! Chatport beside a Mattermost server, and an installation there in bot mode: what the
//! flows need before they can begin.

use chatport_fake_mattermost::FakeMattermost;
use serde_json::{Value, json};

use crate::{
    organization::{Organization, text},
    program::Chatport,
};

/// The bot's name.
pub const BOT: &str = "oncallbot";

/// The line by which the operator lets Chatport reach the server.
pub fn grant(server: &FakeMattermost) -> String {
    grant_for(&server.url())
}

/// The line by which the operator lets Chatport reach an address of this machine.
pub fn grant_for(address: &str) -> String {
    let url = url::Url::parse(address).expect("an address");
    format!("127.0.0.1=127.0.0.1/32:{}", url.port().expect("a port"))
}

/// Start Chatport with what it needs to reach the server, under the name of an application.
pub async fn chatport_beside(server: &FakeMattermost, more: &[&str]) -> Chatport {
    let allowed = format!("--allow-networks={}", grant(server));
    let usual = ["--demo=off", "--app-name=OnCall", &allowed];
    Chatport::start(&[&usual, more].concat()).await
}

/// An installation in bot mode.
pub struct Connected {
    pub server: FakeMattermost,
    pub organization: Organization,
    pub installation: String,
    pub bot_token: String,
    /// The token of the team's slash command.
    pub command_token: String,
}

/// Set an installation up in bot mode, in the team `acme` and its private channel `incidents`.
pub async fn connect_bot(organization: &Organization, server: &FakeMattermost) -> Connected {
    connect_bot_by(organization, server, &server.url()).await
}

/// The same, with a server that Chatport reaches at this address.
pub async fn connect_bot_by(organization: &Organization, server: &FakeMattermost, site_url: &str) -> Connected {
    let (_, bot_token) = server.create_bot(BOT, "sysadmin");
    server.join_team("acme", BOT);
    server.join_channel("acme/incidents", BOT);
    let begun = organization.install("mattermost", json!({ "site_url": site_url })).await;
    let installation = text(&begun, "id");
    let asked = organization.submit(&installation, json!({ "bot_token": bot_token })).await.expect(200);
    let command_token = server.create_command("acme", "oncall", &request_url(&asked));
    let field = format!("command_token_{}", server.team_id("acme"));
    let done = organization.submit(&installation, json!({ field: command_token })).await.expect(200);
    assert_eq!(done["state"], "active", "{done}");
    let (server, organization) = (server.clone(), organization.clone());
    Connected { server, organization, installation, bot_token, command_token }
}

/// The address that a person copies into a slash command.
pub fn request_url(installation: &Value) -> String {
    let steps = installation["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["label"] == "Request URL").expect("a step with the address");
    text(&step["value"], "value")
}

impl Connected {
    /// Link a person by a code and the slash command.
    pub async fn link(&self, person: &str, user: &str) {
        let code = self.organization.user_code(&self.installation, user).await;
        let said = self.server.slash(person, "town-square", &format!("/oncall link {}", text(&code, "code"))).await;
        assert!(said.text.contains("You are linked"), "{}", said.text);
    }

    /// Connect a channel by a code and the slash command; the answer is the channel's id.
    pub async fn connect(&self, channel: &str) -> String {
        let code = self.organization.channel_code(&self.installation).await;
        let said = self.server.slash("alice", channel, &format!("/oncall link {}", text(&code, "code"))).await;
        assert!(said.text.contains("is linked to OnCall"), "{}", said.text);
        text(&self.organization.channel(channel).await, "id")
    }
}
