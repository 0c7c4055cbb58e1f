use std::time::Duration;

use chatport_sdk::{identity::ConversationKind, prelude::*};

use super::super::{
    SetupFailure,
    audit::Actor,
    channels::{self, ChannelFilter},
    codes,
    links::{self, LinkFilter},
    page::Page,
    state::InstallationState,
    suspension,
    test_world::{World, loft},
};
use crate::{
    ids::InstallationId,
    ingress::{commit_all, happenings},
};

struct Linking {
    world: World,
    id: InstallationId,
    next: std::sync::atomic::AtomicUsize,
}

impl Linking {
    async fn new() -> Self {
        let world = World::new().await;
        let id = world.installed().await;
        Self { world, id, next: Default::default() }
    }

    async fn issue(&self, purpose: Purpose, user: Option<&str>) -> Result<Secret, SetupFailure> {
        let world = &self.world;
        let issued = codes::issue(&world.app, &world.organization, self.id, purpose, user, &Actor::host()).await?;
        Ok(issued.code)
    }

    async fn user_code(&self, user: &str) -> Secret {
        self.issue(Purpose::User, Some(user)).await.unwrap()
    }

    /// `account` enters a code at a place.
    async fn enter(&self, code: &Secret, account: &str, place: Place) -> Outcome {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let kind = HappeningKind::CodeEntered { code: code.clone(), account: Account::new(account), place };
        let loaded = self.world.load(self.id).await;
        happenings::commit(&self.world.app, &loaded, &Happening::new(format!("h{number}"), kind)).await
    }

    async fn links(&self) -> Vec<(String, String)> {
        let world = &self.world;
        let found = links::list(&world.app, &world.organization, &LinkFilter::default(), Page::default()).await;
        found.unwrap().items.into_iter().map(|link| (link.user, link.account.id)).collect()
    }

    async fn channels(&self) -> Vec<String> {
        let world = &self.world;
        let found = channels::list(&world.app, &world.organization, &ChannelFilter::default(), Page::default()).await;
        found.unwrap().items.into_iter().map(|channel| channel.name).collect()
    }
}

fn direct() -> Place {
    Place::Direct { address: None }
}

fn posted(id: &str) -> Place {
    Place::Posted { conversation: loft(id) }
}

fn refusal(outcome: &Outcome) -> Option<CodeRefusal> {
    match outcome {
        Outcome::CodeRefused(why) => Some(*why),
        _ => None,
    }
}

#[tokio::test]
async fn a_code_links_the_user_to_the_account_that_enters_it() {
    let linking = Linking::new().await;
    let code = linking.user_code("ann").await;
    let typed = Secret::new(code.expose().to_lowercase().replace('-', " "));
    let outcome = linking.enter(&typed, "a1", direct()).await;
    assert!(matches!(&outcome, Outcome::Linked { purpose: Purpose::User, name } if name == "ann"), "{outcome:?}");
    assert_eq!(linking.links().await, [("ann".to_owned(), "a1".to_owned())]);
    assert_eq!(linking.world.event_kinds().await.last().unwrap(), "account.linked");
}

#[tokio::test]
async fn of_many_who_enter_one_code_at_once_exactly_one_is_linked() {
    let linking = std::sync::Arc::new(Linking::new().await);
    let code = linking.user_code("ann").await;
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (linking, code) = (linking.clone(), code.clone());
            tokio::spawn(async move { linking.enter(&code, &format!("a{number}"), direct()).await })
        })
        .collect();
    let mut linked = 0;
    for task in tasks {
        match task.await.unwrap() {
            Outcome::Linked { .. } => linked += 1,
            outcome => assert!(
                matches!(refusal(&outcome), Some(CodeRefusal::NotValid | CodeRefusal::AlreadyLinked)),
                "{outcome:?}"
            ),
        }
    }
    assert_eq!(linked, 1);
    assert_eq!(linking.links().await.len(), 1);
}

#[tokio::test]
async fn unknown_used_expired_and_replaced_codes_look_alike() {
    let linking = Linking::new().await;
    let used = linking.user_code("ann").await;
    linking.enter(&used, "a1", direct()).await;
    let replaced = linking.user_code("bob").await;
    let expired = linking.user_code("bob").await;
    let mut answers = vec![
        linking.enter(&Secret::new("0000-0000-0000"), "a2", direct()).await,
        linking.enter(&Secret::new("no code at all"), "a2", direct()).await,
        linking.enter(&used, "a3", direct()).await,
        linking.enter(&replaced, "a4", direct()).await,
    ];
    linking.world.clock.advance(codes::LIFETIME);
    answers.push(linking.enter(&expired, "a5", direct()).await);
    for answer in answers {
        assert_eq!(refusal(&answer), Some(CodeRefusal::NotValid));
    }
}

#[tokio::test]
async fn a_code_of_one_installation_is_not_found_through_another() {
    let mut linking = Linking::new().await;
    let code = linking.user_code("ann").await;
    linking.id = linking.world.installed().await;
    assert_eq!(refusal(&linking.enter(&code, "a1", direct()).await), Some(CodeRefusal::NotValid));
}

#[tokio::test]
async fn attempts_are_charged_to_the_guesser_and_not_to_the_owner_of_the_code() {
    let linking = Linking::new().await;
    let code = linking.user_code("ann").await;
    for _ in 0..5 {
        let guess = linking.enter(&Secret::new("0000-0000-0000"), "mallory", direct()).await;
        assert_eq!(refusal(&guess), Some(CodeRefusal::NotValid));
    }
    let right = linking.enter(&code, "mallory", direct()).await;
    assert_eq!(refusal(&right), Some(CodeRefusal::TooManyAttempts));
    assert!(matches!(linking.enter(&code, "a1", direct()).await, Outcome::Linked { .. }));
}

#[tokio::test]
async fn guesses_of_a_single_account_do_not_use_up_what_all_share() {
    let linking = Linking::new().await;
    let code = linking.user_code("ann").await;
    for _ in 0..210 {
        linking.enter(&Secret::new("0000-0000-0000"), "mallory", direct()).await;
    }
    assert!(matches!(linking.enter(&code, "a1", direct()).await, Outcome::Linked { .. }));
}

#[tokio::test]
async fn a_repeated_happening_is_not_counted_as_another_attempt() {
    let linking = Linking::new().await;
    let loaded = linking.world.load(linking.id).await;
    let kind = HappeningKind::CodeEntered {
        code: Secret::new("0000-0000-0000"),
        account: Account::new("a1"),
        place: direct(),
    };
    for _ in 0..8 {
        commit_all(&linking.world.app, &loaded, &[Happening::new("same", kind.clone())]).await;
    }
    assert_eq!(linking.world.count("FROM guesses WHERE guesser = '10min:a1' AND count = 1").await, 1);
}

#[tokio::test]
async fn a_users_code_that_others_can_read_is_revoked() {
    let linking = Linking::new().await;
    let code = linking.user_code("ann").await;
    let seen = linking.enter(&code, "a1", posted("attic")).await;
    assert_eq!(refusal(&seen), Some(CodeRefusal::SeenByOthers));
    assert_eq!(refusal(&linking.enter(&code, "a1", direct()).await), Some(CodeRefusal::NotValid));
    assert!(linking.links().await.is_empty());
}

#[tokio::test]
async fn a_users_code_may_be_typed_as_a_command_or_posted_to_the_bot_alone() {
    let linking = Linking::new().await;
    let command = Place::Command { conversation: Some(loft("attic")) };
    let code = linking.user_code("ann").await;
    assert!(matches!(linking.enter(&code, "a1", command).await, Outcome::Linked { .. }));
    let with_bot = Conversation { kind: ConversationKind::Direct, ..loft("with-bob") };
    let code = linking.user_code("bob").await;
    let outcome = linking.enter(&code, "a2", Place::Posted { conversation: with_bot }).await;
    assert!(matches!(outcome, Outcome::Linked { .. }));
}

#[tokio::test]
async fn a_channels_code_connects_the_conversation_in_which_it_is_entered() {
    let linking = Linking::new().await;
    let code = linking.issue(Purpose::Channel, None).await.unwrap();
    let nowhere = linking.enter(&code, "a1", direct()).await;
    assert_eq!(refusal(&nowhere), Some(CodeRefusal::NeedsChannel));
    let unproven = linking.enter(&code, "a1", Place::Command { conversation: None }).await;
    assert_eq!(refusal(&unproven), Some(CodeRefusal::NeedsChannel));
    let outcome = linking.enter(&code, "a1", posted("attic")).await;
    assert!(matches!(outcome, Outcome::Linked { purpose: Purpose::Channel, name } if name == "Loft attic"));
    assert_eq!(linking.channels().await, ["attic"]);
    let again = linking.enter(&code, "a2", posted("tower")).await;
    assert_eq!(refusal(&again), Some(CodeRefusal::NotValid));
}

#[tokio::test]
async fn a_link_of_either_side_is_not_overwritten_but_may_be_confirmed() {
    let linking = Linking::new().await;
    linking.enter(&linking.user_code("ann").await, "a1", direct()).await;
    let taken_user = linking.user_code("ann").await;
    assert_eq!(refusal(&linking.enter(&taken_user, "a2", direct()).await), Some(CodeRefusal::AlreadyLinked));
    let taken_account = linking.user_code("bob").await;
    assert_eq!(refusal(&linking.enter(&taken_account, "a1", direct()).await), Some(CodeRefusal::AlreadyLinked));
    assert!(matches!(linking.enter(&taken_user, "a1", direct()).await, Outcome::Linked { .. }));
    assert_eq!(linking.links().await, [("ann".to_owned(), "a1".to_owned())]);
}

#[tokio::test]
async fn a_user_gets_five_codes_an_hour() {
    let linking = Linking::new().await;
    for _ in 0..5 {
        linking.user_code("ann").await;
    }
    let refused = linking.issue(Purpose::User, Some("ann")).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::TooManyCodes { retry_after } if retry_after == Duration::from_secs(3600)));
    linking.user_code("bob").await;
    linking.world.clock.advance(Duration::from_secs(3600));
    linking.user_code("ann").await;
}

#[tokio::test]
async fn a_code_needs_an_active_installation_and_a_user() {
    let linking = Linking::new().await;
    let refused = linking.issue(Purpose::User, None).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "user"));
    let pending = Linking { id: linking.world.begin().await.id, ..linking };
    let refused = pending.issue(Purpose::User, Some("ann")).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::NotActive { state: InstallationState::Pending, .. }));
}

#[tokio::test]
async fn a_suspended_installation_redeems_no_code() {
    let linking = Linking::new().await;
    let code = linking.user_code("ann").await;
    let (app, organization) = (&linking.world.app, &linking.world.organization);
    suspension::suspend(app, organization, linking.id, "installation_revoked", "401").await.unwrap();
    assert_eq!(refusal(&linking.enter(&code, "a1", direct()).await), Some(CodeRefusal::NotValid));
    suspension::resume(app, organization, linking.id, &Actor::host()).await.unwrap();
    assert!(matches!(linking.enter(&code, "a1", direct()).await, Outcome::Linked { .. }), "it isn't used up");
}

#[tokio::test]
async fn a_live_code_in_a_command_is_not_passed_on() {
    let linking = Linking::new().await;
    let (live, used) = (linking.user_code("ann").await, linking.user_code("bob").await);
    linking.enter(&used, "b1", direct()).await;
    let loaded = linking.world.load(linking.id).await;
    let (live, used) = (live.expose(), used.expose());
    let spaced = live.to_lowercase().replace('-', " ");
    for (number, (typed, heard)) in [
        (format!("my code ({live}), please"), "my code (…), please".to_owned()),
        (format!("{} {spaced} notification", live.replace('-', "")), "… … notification".to_owned()),
        (format!("used: {used}"), format!("used: {used}")),
        (format!("{live} {}", "notification ".repeat(100)).trim().to_owned(), format!("…{}", " …".repeat(100))),
    ]
    .into_iter()
    .enumerate()
    {
        let kind = HappeningKind::Commanded { text: typed, account: Account::new("a1"), conversation: loft("attic") };
        commit_all(&linking.world.app, &loaded, &[Happening::new(format!("command-{number}"), kind)]).await;
        let (_, told) = linking.world.events().await.pop().unwrap();
        assert_eq!(told["text"], heard, "{number}");
    }
}
