//! Chatport beside Microsoft Teams, and an installation there: what the flows need before they can
//! begin.

use chatport_fake_msteams::{Delivered, FakeTeams};
use serde_json::{Value, json};

use crate::{
    mattermost::grant_for,
    organization::{Organization, text},
    program::Chatport,
};

/// The channel in which things happen.
pub const INCIDENTS: (&str, &str) = ("Operations", "Incidents");

/// Start Chatport with what it needs to reach these servers of this machine.
pub async fn chatport_beside(servers: &[&str], more: &[&str]) -> Chatport {
    let grants: Vec<String> = servers.iter().map(|server| grant_for(server)).collect();
    let allowed = format!("--allow-networks={}", grants.join(","));
    let usual = ["--demo=off", "--app-name=OnCall", &allowed];
    Chatport::start(&[&usual, more].concat()).await
}

/// An installation.
#[derive(Clone)]
pub struct Connected {
    pub teams: FakeTeams,
    pub organization: Organization,
    pub installation: String,
    /// Where the connector sends activities, as a person copies it.
    pub endpoint: String,
    /// Where the app package is.
    pub package: String,
}

/// Set an installation up by a client secret.
pub async fn connect(organization: &Organization, teams: &FakeTeams, settings: Value) -> Connected {
    let begun = organization.install("msteams", settings).await;
    let installation = text(&begun, "id");
    let options = teams.options();
    let fields = json!({ "app_id": options.app_id, "tenant_id": options.tenant_id, "client_secret": options.secret });
    let done = organization.submit(&installation, fields).await.expect(200);
    assert_eq!(done["state"], "active", "{done}");
    Connected {
        teams: teams.clone(),
        organization: organization.clone(),
        installation,
        endpoint: text(&step(&begun, "endpoint")["value"], "value"),
        package: text(&step(&done, "app-package"), "url"),
    }
}

/// A setup step by its id.
pub fn step(installation: &Value, id: &str) -> Value {
    let steps = installation["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id} in {installation}")).clone()
}

impl Connected {
    /// Let an activity reach Chatport; it is taken.
    pub async fn deliver(&self, activity: &Value) -> Delivered {
        let delivered = self.teams.deliver(&self.endpoint, activity).await;
        assert_eq!(delivered.status, 200, "{} to {activity}", delivered.text);
        delivered
    }

    /// The last thing that the bot said in a conversation.
    pub fn last_said(&self, conversation: &str) -> String {
        self.teams.posts(conversation).last().map(|post| post.text()).unwrap_or_default()
    }

    /// Link a person by a code in the personal chat with the bot.
    pub async fn link(&self, person: &str, user: &str) {
        self.deliver(&self.teams.installs(person, true)).await;
        let code = self.organization.user_code(&self.installation, user).await;
        self.deliver(&self.teams.says(person, &text(&code, "code"))).await;
        let said = self.last_said(&self.teams.personal_chat(person));
        assert_eq!(said, format!("You are linked to user {user} of OnCall."));
    }

    /// Connect a channel by a code; the answer is the channel's id.
    pub async fn connect_channel(&self, person: &str, place: (&str, &str)) -> String {
        let code = self.organization.channel_code(&self.installation).await;
        let typed = format!("link {}", text(&code, "code"));
        self.deliver(&self.teams.mentions(person, place, None, &typed)).await;
        let said = self.last_said(&self.teams.channel_id(place.0, place.1));
        assert_eq!(said, format!("{} is connected to OnCall.", place.1));
        text(&self.organization.channel(place.1).await, "id")
    }
}
