//! People act: they post, click, type commands, delete.

use serde_json::{Value, json};

use super::FakeMattermost;
use crate::clicks::{self, ClickOutcome};
use crate::gojson;
use crate::model::Post;
use crate::slash::{self, CommandOutcome};

impl FakeMattermost {
    /// Somebody writes a message.
    ///
    /// # Panics
    /// If the server refuses it.
    pub fn post_as(&self, user: &str, channel: &str, message: &str) -> Post {
        self.try_post_as(user, channel, message, json!({})).expect("the server accepts the post")
    }

    /// Somebody writes a message with properties of their own choice.
    pub fn try_post_as(&self, user: &str, channel: &str, message: &str, props: Value) -> Result<Post, String> {
        let (user, channel) = (self.user_id(user), self.channel_id(channel));
        let props = props.as_object().cloned().unwrap_or_default();
        let now = self.shared.now();
        let mut world = self.shared.world();
        if !world.may_use_channel(&channel, &user) {
            return Err("403 the user is not in the channel".into());
        }
        if world.channels[&channel].delete_at != 0 {
            return Err("400 the channel is archived".into());
        }
        let post = Post {
            user_id: user,
            channel_id: channel,
            message: message.to_owned(),
            props: gojson::map_passed_through(&props),
            ..Post::default()
        };
        world.store_post(post, &self.shared.options, now).map_err(|error| error.to_string())
    }

    /// Somebody writes a post of their own with one button that leads to any address with any
    /// context, as everybody may; gives the post's id. The button's id is `press`.
    ///
    /// # Panics
    /// If the server refuses it.
    pub fn post_button_as(&self, user: &str, channel: &str, url: &str, context: Value) -> String {
        let props = json!({"attachments": [{
            "fallback": "a button",
            "text": "a button",
            "actions": [{
                "id": "press",
                "type": "button",
                "name": "Press",
                "integration": {"url": url, "context": context},
            }],
        }]});
        let post = self.try_post_as(user, channel, "", props);
        post.expect("the server accepts the post").id
    }

    /// A post is deleted by an administrator.
    pub fn delete_post(&self, post_id: &str) {
        let now = self.shared.now();
        self.shared.world().delete_post(post_id, now);
    }

    /// Somebody clicks a button, or chooses from a menu.
    pub async fn click(
        &self,
        user: &str,
        post_id: &str,
        action_id: &str,
        selected_option: Option<&str>,
    ) -> ClickOutcome {
        let user = self.user_id(user);
        clicks::click(&self.shared, &user, post_id, action_id, selected_option).await
    }

    /// Somebody types a custom slash command. In a direct channel the client says a team: the
    /// first one of the person.
    pub async fn slash(&self, user: &str, channel: &str, text: &str) -> CommandOutcome {
        let (user, channel) = (self.user_id(user), self.channel_id(channel));
        let team = {
            let world = self.shared.world();
            let mut teams = world.teams.keys();
            teams.find(|team| world.in_team(team, &user)).cloned()
        };
        slash::execute(&self.shared, &user, &channel, team.as_deref(), text).await
    }
}
