//! Microsoft's own libraries beside ours, for what a stand-in of ours can't show: which tokens they
//! accept, and whether our cards, answers and app package, and the stand-in's activities, are what
//! their models and schemas say. The peers issue the tokens; the connector is the stand-in.

mod exchange;
mod peer;
mod shapes;
mod tokens;

use chatport_fake_msteams::{FakeTeams, Options};
use chatport_tests::{
    msteams::{Connected, INCIDENTS, chatport_beside, connect},
    organization::Organization,
    program::Chatport,
};
use peer::{Judge, Oracle};
use serde_json::{Value, json};

/// Chatport, set up with the peers' issuer of tokens.
struct World {
    chatport: Chatport,
    teams: FakeTeams,
    oracle: Oracle,
    judge: Judge,
    acme: Organization,
    bot: Connected,
}

impl World {
    async fn begin() -> Self {
        let teams = FakeTeams::start(Options::default()).await;
        let app_id = teams.options().app_id;
        let mut oracle = Oracle::start(&app_id).await;
        let judge = Judge::start(&app_id, &oracle);
        teams.trust(oracle.keys().await);
        let chatport = chatport_beside(&[&teams.url(), &oracle.url], &[]).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let metadata = format!("{}/metadata", oracle.url);
        let settings =
            json!({ "openid_metadata_url": metadata, "login_url": oracle.url, "service_urls": [teams.url()] });
        let bot = connect(&acme, &teams, settings).await;
        let world = Self { chatport, teams, oracle, judge, acme, bot };
        // Nobody has anything yet, but the app is everywhere.
        world.teams.installs("Ada", true);
        world.teams.installs_in_team("Ada", INCIDENTS.0, true);
        world
    }

    /// Let an activity reach Chatport with a token of the peers' issuer; its answer.
    async fn deliver(&mut self, activity: &Value) -> Value {
        let token = self.oracle.mint(&self.teams.claims(), &Value::Null, false).await;
        let (endpoint, authorization) = (&self.bot.endpoint, format!("Bearer {token}"));
        let delivered = self.teams.deliver_with(endpoint, &authorization, activity).await;
        assert_eq!(delivered.status, 200, "{} to {activity}", delivered.text);
        delivered.body
    }
}
