//! What happened, as the contract has it.
//! <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/subscribe-to-conversation-events>

use chatport_sdk::prelude::*;
use http::StatusCode;

use super::{
    Proven,
    answer::{self, ID_INVOKE, ID_MESSAGE},
    people::Nobody,
};
use crate::{
    TeamsBackend,
    activity::{Activity, Pressed},
    address::{self, Kind},
    card::{PRESS, REFRESH},
    typed::Said,
    words::{self, CHOOSE, NOT_RECORDED},
};

/// What an activity became.
pub(super) enum Understood {
    /// These happened, perhaps none.
    Happened(Vec<Happening>),
    /// There is nothing to remember.
    Answered(Response),
    /// It is no good.
    Refused(Response, &'static str),
}

use Understood::{Answered, Happened, Refused};

impl Proven {
    /// The id of a happening: Teams' id of the activity is unique within its conversation.
    pub(super) fn id(&self, sort: &str) -> String {
        format!("{sort}/{}/{}", self.activity.conversation.id, self.activity.id)
    }

    fn happening(&self, sort: &str, kind: HappeningKind) -> Happening {
        let mut happening = Happening::new(self.id(sort), kind);
        happening.at = self.activity.at();
        happening
    }
}

/// A client asks what a card shows now. Every reader's client does: the roster isn't asked who it
/// is, for all get the same.
fn refresh(proven: &Proven, token: Secret) -> Understood {
    let activity = &proven.activity;
    if !address::is_id(&activity.reply_to_id) {
        return Answered(answer::bad_request("the action names no card"));
    }
    let kind = HappeningKind::RefreshAsked {
        token,
        conversation: address::split(&activity.conversation.id).0.to_owned(),
        part: address::receipt(&activity.reply_to_id, &activity.conversation.id),
    };
    Happened(vec![proven.happening(ID_INVOKE, kind)])
}

impl TeamsBackend {
    pub(super) async fn understand(&self, site: &Site, proven: &Proven) -> Understood {
        let activity = &proven.activity;
        match activity.kind.as_str() {
            "message" if !activity.is_by_bot() => self.message(site, proven).await,
            "invoke" if activity.name == "adaptiveCard/action" => self.action(site, proven).await,
            "invoke" => Answered(Response::text(StatusCode::NOT_IMPLEMENTED, "not offered")),
            "conversationUpdate" | "installationUpdate" => self.update(site, proven),
            _ => Happened(self.moved(site, proven, None).into_iter().collect()),
        }
    }

    /// Somebody wrote to the bot, or pressed a button whose client knows no universal actions.
    async fn message(&self, site: &Site, proven: &Proven) -> Understood {
        let Some(conversation) = proven.conversation() else {
            return Refused(Response::text(StatusCode::FORBIDDEN, "forbidden"), "activity-form");
        };
        let account = match self.person(site, proven).await {
            Ok(account) => account,
            Err(Nobody::NotThere) => {
                return Refused(Response::text(StatusCode::FORBIDDEN, "forbidden"), "not-a-member");
            }
            Err(Nobody::Unknown) => {
                return Answered(Response::text(StatusCode::SERVICE_UNAVAILABLE, "not recorded, try again"));
            }
        };
        let activity = &proven.activity;
        if let Some(pressed) = Activity::pressed(&activity.value) {
            if pressed.lacks_choice {
                self.say(site, &proven.service, (&activity.conversation.id, &activity.id), CHOOSE).await;
                return Answered(Response::empty());
            }
            return match self.press(site, proven, account, pressed, ID_MESSAGE) {
                Some(happenings) => Happened(happenings),
                None => Answered(Response::empty()),
            };
        }
        let is_direct = conversation.kind == ConversationKind::Direct;
        let account = Account { direct: is_direct.then(|| conversation.address.clone()), ..account };
        let kind = match (activity.said(), proven.root()) {
            (Said::Help, _) => {
                self.say(site, &proven.service, (&activity.conversation.id, &activity.id), &words::help(site)).await;
                return Answered(Response::empty());
            }
            (Said::Code(code), _) => {
                let place = if is_direct {
                    Place::Direct { address: account.direct.clone() }
                } else {
                    Place::Posted { conversation: self.named(site, proven, conversation).await }
                };
                HappeningKind::CodeEntered { code, account: account.clone(), place }
            }
            (Said::Unlink, _) => HappeningKind::UnlinkAsked { account: account.clone() },
            (Said::Other(text), Some(root)) => {
                let root = address::receipt(root, &activity.conversation.id);
                HappeningKind::SaidInThread { root, text, account: account.clone(), conversation }
            }
            (Said::Other(text), None) => HappeningKind::Commanded { text, account: account.clone(), conversation },
        };
        let mut happenings = vec![proven.happening(ID_MESSAGE, kind)];
        happenings.extend(self.moved(site, proven, Some(&account)));
        Happened(happenings)
    }

    /// Somebody used a universal action, or a client did on its own.
    async fn action(&self, site: &Site, proven: &Proven) -> Understood {
        let action = &proven.activity.value["action"];
        let pressed = match (action["verb"].as_str(), Activity::pressed(&action["data"])) {
            (Some(PRESS), Some(pressed)) => pressed,
            (Some(REFRESH), Some(asked)) => return refresh(proven, asked.token),
            _ => return Answered(answer::bad_request("this isn't a button of this app")),
        };
        if pressed.lacks_choice {
            return Answered(answer::notice(CHOOSE));
        }
        match self.person(site, proven).await {
            Ok(account) => match self.press(site, proven, account, pressed, ID_INVOKE) {
                Some(happenings) => Happened(happenings),
                None => Answered(answer::bad_request("the action names no card")),
            },
            Err(Nobody::NotThere) => Refused(answer::notice(NOT_RECORDED), "not-a-member"),
            Err(Nobody::Unknown) => Answered(answer::notice(NOT_RECORDED)),
        }
    }

    fn press(
        &self,
        site: &Site,
        proven: &Proven,
        account: Account,
        pressed: Pressed,
        sort: &str,
    ) -> Option<Vec<Happening>> {
        let (activity, reference) = (&proven.activity, proven.reference()?);
        if !address::is_id(&activity.reply_to_id) {
            return None;
        }
        let moved = self.moved(site, proven, Some(&account));
        let direct = (reference.kind == Kind::Personal).then(|| reference.address());
        let kind = HappeningKind::Pressed {
            token: pressed.token,
            choice: pressed.choice,
            account: Account { direct, ..account },
            conversation: reference.conversation,
            part: address::receipt(&activity.reply_to_id, &activity.conversation.id),
        };
        // A personal chat's address goes with the press itself.
        let moved = moved.filter(|_| reference.kind != Kind::Personal);
        Some([proven.happening(sort, kind)].into_iter().chain(moved).collect())
    }

    /// The bot came or went, or a channel did. Teams never says that an app is gone from a whole
    /// tenant: it goes from one conversation, chat or team at a time.
    fn update(&self, site: &Site, proven: &Proven) -> Understood {
        let (activity, data) = (&proven.activity, &proven.activity.channel_data);
        let conversation = address::split(&activity.conversation.id).0.to_owned();
        let lost = |conversation: String| HappeningKind::ConversationLost { conversation };
        let is_removed = match activity.kind.as_str() {
            // An upgrade of the app is a `remove-upgrade` and an `add-upgrade`: it stays.
            "installationUpdate" => activity.action == "remove",
            _ => activity.removes_bot(),
        };
        let channel = Some(&data.channel.id).filter(|id| address::is_id(id));
        let kind = match (is_removed, data.event_type.as_str(), channel) {
            (true, ..) => lost(conversation),
            (_, "channelDeleted", Some(channel)) => lost(channel.clone()),
            (_, "teamDeleted" | "teamHardDeleted", _) => lost(conversation),
            (_, "channelRenamed" | "channelRestored", Some(channel)) => match self.renamed(proven, channel) {
                Some(kind) => kind,
                None => return Happened(Vec::new()),
            },
            _ => return Happened(self.moved(site, proven, None).into_iter().collect()),
        };
        Happened(vec![proven.happening("update", kind)])
    }

    /// A channel has another name; the activity may come from the team's first channel.
    fn renamed(&self, proven: &Proven, channel: &str) -> Option<HappeningKind> {
        let mut to = proven.conversation()?;
        let mut reference = proven.reference()?;
        reference.conversation = channel.to_owned();
        reference.kind = Kind::Channel;
        (to.id, to.address, to.kind) = (channel.to_owned(), reference.address(), ConversationKind::Channel);
        let name = proven.activity.channel_data.channel.name.clone();
        (to.name, to.display_name) = (name.clone(), name);
        Some(HappeningKind::ConversationMoved { from: channel.to_owned(), to })
    }
}
