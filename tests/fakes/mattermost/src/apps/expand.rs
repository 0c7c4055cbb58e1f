//! Fills the context of a call with what the call asks for, as far as it may be given.

use serde_json::json;

use super::App;
use super::context::{AppInContext, ClientContext, Context};
use super::manifest::Expand;
use super::sessions;
use crate::options::PluginBuild;
use crate::state::Shared;
use crate::views::{self, Level, PostJson, UserJson};
use crate::world::World;

/// Reads a level: whether it is required, and which it is (`None` for nothing).
fn parse(level: &str) -> Result<(bool, Option<Level>), String> {
    let (required, clean) = match level.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, level),
    };
    let level = match clean {
        "" => None,
        "id" => Some(Level::Id),
        "summary" => Some(Level::Summary),
        "all" => Some(Level::All),
        other => return Err(format!("{other:?} is not a known expand level")),
    };
    Ok((required, level))
}

/// One expansion under way.
struct Expander<'a> {
    world: &'a mut World,
    app: &'a App,
    client: &'a ClientContext,
    /// Who acts, empty for calls the plugin makes itself.
    acting_user_id: &'a str,
    now: i64,
    out: Context,
    /// Whose rights are used to fetch entities, once it is known.
    getter: Option<String>,
}

/// Expands the context of a call.
pub(crate) fn expand(
    shared: &Shared,
    app: &App,
    client: &ClientContext,
    acting_user_id: &str,
    wanted: Option<&Expand>,
) -> Result<Context, String> {
    let now = shared.now();
    let mut world = shared.world();
    let keep_agent = shared.options.plugin_build == PluginBuild::Master;
    let mut out = Context {
        subject: client.subject.clone(),
        mattermost_site_url: shared.site_url.clone(),
        app_path: format!("{}{}", shared.options.subpath, app.path()),
        bot_user_id: app.bot_user_id.clone(),
        ..Context::default()
    };
    if keep_agent {
        out.user_agent.clone_from(&client.user_agent);
        out.track_as_submit = client.track_as_submit;
    }
    let mut expander = Expander { world: &mut world, app, client, acting_user_id, now, out, getter: None };
    if app.may("act_as_bot") && !app.bot_user_id.is_empty() {
        expander.out.bot_access_token =
            expander.session(&app.bot_user_id).map_err(|why| format!("failed to get bot session: {why}"))?;
    }
    if let Some(wanted) = wanted {
        expander.run(wanted)?;
    }
    Ok(expander.out)
}

impl Expander<'_> {
    fn session(&mut self, user_id: &str) -> Result<String, String> {
        sessions::get_or_create(self.world, &self.app.manifest.app_id, user_id, self.now)
    }

    /// All steps in the plugin's order. A level a step does not know is passed over in silence.
    fn run(&mut self, wanted: &Expand) -> Result<(), String> {
        use Level::{All, Id, Summary};
        let entity = &[Id, Summary, All];
        let token = &wanted.acting_user_access_token;
        self.step("acting_user_access_token", token, &[All], Self::user_token)?;
        self.step("acting_user", &wanted.acting_user, entity, Self::acting_user)?;
        self.step("app", &wanted.app, &[Summary, All], Self::app)?;
        let member = &wanted.channel_member;
        self.step("channel_member", member, entity, Self::channel_member)?;
        self.step("channel", &wanted.channel, entity, Self::channel)?;
        self.step("locale", &wanted.locale, entity, Self::locale)?;
        self.step("oauth2_app", &wanted.oauth2_app, &[All], Self::oauth2)?;
        self.step("oauth2_user", &wanted.oauth2_user, &[All], Self::oauth2)?;
        self.step("post", &wanted.post, entity, Self::post)?;
        self.step("root_post", &wanted.root_post, entity, Self::root_post)?;
        self.step("team_member", &wanted.team_member, entity, Self::team_member)?;
        self.step("team", &wanted.team, entity, Self::team)?;
        self.step("user", &wanted.user, entity, Self::other_user)?;
        self.check()
    }

    fn step(
        &mut self,
        name: &str,
        level: &str,
        known: &[Level],
        step: fn(&mut Self, Level) -> Result<(), String>,
    ) -> Result<(), String> {
        let (required, level) = parse(level)?;
        let Some(level) = level.filter(|level| known.contains(level)) else {
            return Ok(());
        };
        self.ensure_getter()?;
        match step(self, level) {
            Err(why) if required => Err(format!("failed to expand required {name}: {why}")),
            _ => Ok(()),
        }
    }

    /// Settles whose rights are used: the acting user's if the app may, else the bot's.
    fn ensure_getter(&mut self) -> Result<(), String> {
        if self.getter.is_some() {
            return Ok(());
        }
        let getter = if self.app.may("act_as_user") && !self.acting_user_id.is_empty() {
            self.acting_user_id.to_owned()
        } else if self.app.may("act_as_bot") {
            self.app.bot_user_id.clone()
        } else {
            return Err("apps without any ActAs* permission can't expand: unauthorized".into());
        };
        self.session(&getter).map_err(|why| format!("failed to get the access token: {why}"))?;
        self.getter = Some(getter);
        Ok(())
    }

    fn reads(&self, channel_id: &str) -> bool {
        let getter = self.getter.as_deref().unwrap_or_default();
        self.world.may_read_channel(channel_id, getter)
    }

    fn user_token(&mut self, _: Level) -> Result<(), String> {
        if !self.app.may("act_as_user") {
            return Err(format!("{} does not have permission to act_as_user: forbidden", self.app.manifest.app_id));
        }
        if self.acting_user_id.is_empty() {
            return Err("no user ID to expand".into());
        }
        self.out.acting_user_access_token = self.session(self.acting_user_id)?;
        Ok(())
    }

    fn user(&self, user_id: &str, level: Level) -> Result<UserJson, String> {
        if user_id.is_empty() {
            return Err("no user ID to expand".into());
        }
        let user = self.world.users.get(user_id);
        let user = user.ok_or_else(|| format!("id: {user_id}: not found"))?;
        Ok(views::user(user, level))
    }

    fn acting_user(&mut self, level: Level) -> Result<(), String> {
        self.out.acting_user = Some(self.user(self.acting_user_id, level)?);
        Ok(())
    }

    fn other_user(&mut self, level: Level) -> Result<(), String> {
        self.out.user = Some(self.user(&self.client.user_id, level)?);
        Ok(())
    }

    fn app(&mut self, level: Level) -> Result<(), String> {
        let app = self.app;
        let everything = level == Level::All;
        let for_admin = everything && self.world.is_sysadmin(self.acting_user_id);
        self.out.app = Some(AppInContext {
            app_id: app.manifest.app_id.clone(),
            version: app.manifest.version.clone(),
            deploy_type: if everything { "http" } else { "" }.to_owned(),
            webhook_secret: if for_admin { app.webhook_secret.clone() } else { String::new() },
            bot_user_id: app.bot_user_id.clone(),
            bot_username: app.bot_username.clone(),
            remote_oauth2: json!({}),
        });
        Ok(())
    }

    /// The user memberships are about: the one the client names, else the acting one.
    fn member_id(&self) -> &str {
        if self.client.user_id.is_empty() { self.acting_user_id } else { &self.client.user_id }
    }

    fn channel_member(&mut self, level: Level) -> Result<(), String> {
        let (channel, user) = (&self.client.channel_id, self.member_id());
        if channel.is_empty() || user.is_empty() {
            return Err("no user ID or channel ID to expand".into());
        }
        let getter = self.getter.as_deref().unwrap_or_default();
        if !self.world.may_use_channel(channel, getter) || !self.world.in_channel(channel, user) {
            return Err("failed to get channel membership".into());
        }
        self.out.channel_member = Some(views::channel_member(channel, user, level));
        Ok(())
    }

    fn channel(&mut self, level: Level) -> Result<(), String> {
        let id = &self.client.channel_id;
        if id.is_empty() {
            return Err("no channel ID to expand".into());
        }
        let channel = self.world.channels.get(id).filter(|_| self.reads(id));
        self.out.channel = match channel {
            Some(channel) => Some(views::channel(channel, level)),
            // The bare ids are given even if the channel cannot be read.
            None if level == Level::Id => {
                let bare = crate::model::Channel {
                    id: id.clone(),
                    team_id: self.client.team_id.clone(),
                    ..crate::model::Channel::default()
                };
                Some(views::channel(&bare, Level::Id))
            }
            None => return Err(format!("id: {id}")),
        };
        Ok(())
    }

    fn team(&mut self, level: Level) -> Result<(), String> {
        let id = &self.client.team_id;
        if id.is_empty() {
            return Err("no team ID to expand".into());
        }
        let getter = self.getter.as_deref().unwrap_or_default();
        let visible = self.world.in_team(id, getter) || self.world.is_sysadmin(getter);
        let team = self.world.teams.get(id).filter(|_| visible);
        self.out.team = match team {
            Some(team) => Some(views::team(team, level)),
            None if level == Level::Id => {
                let bare = crate::model::Team { id: id.clone(), ..crate::model::Team::default() };
                Some(views::team(&bare, Level::Id))
            }
            None => return Err(format!("failed to get team {id}")),
        };
        Ok(())
    }

    fn team_member(&mut self, level: Level) -> Result<(), String> {
        let (team, user) = (&self.client.team_id, self.member_id());
        if team.is_empty() || user.is_empty() {
            return Err("no user ID or channel ID to expand".into());
        }
        if !self.world.in_team(team, user) {
            return Err("failed to get team membership".into());
        }
        let admin = self.world.team_members[team][user];
        self.out.team_member = Some(match level {
            Level::Id => json!({"team_id": team, "user_id": user}),
            _ => views::team_member(team, user, admin),
        });
        Ok(())
    }

    fn locale(&mut self, _: Level) -> Result<(), String> {
        let user = self.world.users.get(self.acting_user_id);
        self.out.locale = user.map_or_else(|| "en".to_owned(), |user| user.locale.clone());
        Ok(())
    }

    fn oauth2(&mut self, _: Level) -> Result<(), String> {
        Err("remote OAuth2 is not part of this stand-in".into())
    }

    fn post_of(&self, id: &str, level: Level) -> Result<PostJson, String> {
        if id.is_empty() {
            return Err("no post ID to expand".into());
        }
        let post = self.world.posts.get(id);
        let post = post.filter(|post| !post.is_deleted() && self.reads(&post.channel_id));
        let post = post.ok_or_else(|| format!("failed to get post {id}"))?;
        Ok(views::post(post, level))
    }

    fn post(&mut self, level: Level) -> Result<(), String> {
        self.out.post = Some(self.post_of(&self.client.post_id, level)?);
        Ok(())
    }

    fn root_post(&mut self, level: Level) -> Result<(), String> {
        self.out.root_post = Some(self.post_of(&self.client.root_post_id, level)?);
        Ok(())
    }

    /// The parts must belong together.
    fn check(&self) -> Result<(), String> {
        let client = &self.client;
        let differs = |have: &str, want: &str| !want.is_empty() && have != want;
        if let Some(post) = &self.out.post
            && differs(&post.channel_id, &client.channel_id)
        {
            return Err("failed post-expand consistency check: the post is elsewhere".into());
        }
        if let Some(channel) = &self.out.channel
            && !channel.team_id.is_empty()
            && differs(&channel.team_id, &client.team_id)
        {
            return Err("failed post-expand consistency check: the channel is elsewhere".into());
        }
        Ok(())
    }
}
