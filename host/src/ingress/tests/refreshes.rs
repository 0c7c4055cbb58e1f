//! Clients that ask what a post shows.

use sea_orm::PaginatorTrait;

use super::*;
use crate::store::entities::happenings;

impl Shown {
    fn refresh_token(&self) -> Secret {
        press::refresh_token(&self.world.app, &self.world.organization, self.id, self.copy, 0)
    }

    async fn refresh(&self, token: Secret, conversation: &str, part: &str) -> Outcome {
        let (conversation, part) = (conversation.to_owned(), Receipt::new(part));
        commit(&self.world, self.id, "r", HappeningKind::RefreshAsked { token, conversation, part }).await
    }

    async fn say(&self, put: serde_json::Value) {
        let put = serde_json::from_value(put).unwrap();
        delivery::accept(&self.world.app, &self.world.organization, "fire", put).await.unwrap();
    }
}

/// What a client is shown: the revision, what is on it, its tokens.
fn shown_by(outcome: Outcome) -> Outgoing {
    match outcome {
        Outcome::Refreshed(shown) => *shown,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_is_shown_the_newest_revision_before_it_is_sent_and_its_buttons_work() {
    let shown = Shown::new().await;
    let actions = json!([{ "id": "look", "label": "Look", "allow": Allow::Anyone }]);
    let content = json!({ "title": "Over", "actions": actions });
    shown.say(json!({ "revision": 2, "targets": [{ "default": true }], "content": content })).await;
    let now = shown_by(shown.refresh(shown.refresh_token(), "attic", "post-1").await);
    assert_eq!((now.revision, now.number, now.copy), (2, 0, shown.copy.to_string()));
    assert!(now.part.payload.text().contains("Over"), "{}", now.part.payload.text());
    assert_eq!(now.refresh.unwrap().expose(), shown.refresh_token().expose());
    let token = now.tokens.into_iter().find(|token| token.action == "look").unwrap().token;
    assert!(matches!(shown.press("h", token, |_| {}).await, Outcome::Pressed(_)));
}

#[tokio::test]
async fn asking_leaves_no_trace_however_often() {
    let shown = Shown::new().await;
    let before = shown.world.events().await.len();
    for _ in 0..3 {
        shown_by(shown.refresh(shown.refresh_token(), "attic", "post-1").await);
    }
    assert_eq!(shown.world.events().await.len(), before);
    assert_eq!(happenings::Entity::find().count(shown.world.app.database.read()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_post_that_is_on_its_way_is_shown_too() {
    let shown = Shown::in_flight().await;
    shown_by(shown.refresh(shown.refresh_token(), "attic", "post-1").await);
}

#[tokio::test]
async fn only_our_own_post_in_its_own_place_is_shown() {
    let shown = Shown::new().await;
    shown.set(&[(copies::Column::Sending, Option::<i64>::None.into())]).await;
    let token = || shown.refresh_token();
    for (token, conversation, part) in [
        (token(), "cellar", "post-1"),
        (token(), "attic", "post-2"),
        (Secret::new("AAAA"), "attic", "post-1"),
        (shown.token("look", None), "attic", "post-1"),
    ] {
        let outcome = shown.refresh(token, conversation, part).await;
        assert!(matches!(outcome, Outcome::NotOurs), "{conversation} {part}: {outcome:?}");
    }
    // Nor does it press anything.
    assert!(matches!(shown.press("h", token(), |_| {}).await, Outcome::NotOurs));
    shown_by(shown.refresh(token(), "attic", "post-1").await);
    delivery::delete(&shown.world.app, &shown.world.organization, "fire").await.unwrap();
    assert!(matches!(shown.refresh(token(), "attic", "post-1").await, Outcome::NotOurs));
    let token = token();
    let other = Shown { id: shown.world.installed().await, ..shown };
    assert!(matches!(other.refresh(token, "attic", "post-1").await, Outcome::NotOurs));
}
