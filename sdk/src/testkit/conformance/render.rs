//! Rendering: pure, unbreakable, within the limits that the backend declares.

use super::{
    super::hostile::{self, LINK},
    Finding, Fixture, Obstacle, Ready, ensure,
};
use crate::{
    content::{Content, State},
    delivery::{ActionToken, Delivery, Outgoing, RenderRequest, Rendering},
    descriptor::Limits,
    identity::Address,
    secret::Secret,
    testkit::{Dice, Post},
};

/// How many documents are rendered.
const RENDERED: usize = 10_000;
/// How many of them are posted.
const POSTED: usize = 60;

/// A document as the host sends it: rendered, with a token for each button and choice.
pub(super) fn outgoing(
    delivery: &dyn Delivery,
    limits: &Limits,
    copy: &str,
    content: &Content,
    address: &Address,
) -> Result<Vec<Outgoing>, Obstacle> {
    let rendering = delivery.render(&RenderRequest::new(content, limits));
    expect_parts(&rendering)?;
    let parts = rendering.parts.into_iter().zip(0..);
    Ok(parts
        .map(|(part, number)| {
            let actions: Vec<_> = part.actions.iter().filter_map(|id| content.action(id)).collect();
            let mut outgoing = Outgoing::new(copy, 1, address.clone(), part.clone());
            outgoing.number = number;
            for (place, action) in actions.into_iter().enumerate() {
                let mut token = |choice: Option<&str>, name: String| {
                    let (action, choice) = (action.id.clone(), choice.map(str::to_owned));
                    outgoing.tokens.push(ActionToken { action, choice, token: Secret::new(name) });
                };
                token(None, format!("token-{copy}-{number}-{place}"));
                for (at, choice) in action.choices.iter().enumerate() {
                    token(Some(&choice.value), format!("token-{copy}-{number}-{place}-{at}"));
                }
            }
            outgoing
        })
        .collect())
}

fn expect_parts(rendering: &Rendering) -> Finding {
    ensure!(!rendering.parts.is_empty(), "a document became no part at all");
    Ok(())
}

pub(super) async fn rendering_is_pure(fixture: &dyn Fixture) -> Finding {
    let (backend, other) = (fixture.backend(), fixture.backend());
    let absent = || Obstacle::Absent("the backend doesn't deliver");
    let (one, two) = (backend.delivery().ok_or_else(absent)?, other.delivery().ok_or_else(absent)?);
    let (dice, limits) = (Dice::new(3), &backend.descriptor().limits);
    for _ in 0..200 {
        let content = hostile::content(&dice);
        let request = RenderRequest::new(&content, limits);
        let first = one.render(&request);
        ensure!(first == one.render(&request), "the same document is rendered in another way the second time");
        ensure!(first == two.render(&request), "another process renders the same document in another way");
    }
    Ok(())
}

pub(super) async fn nothing_makes_rendering_panic(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let delivery = backend.delivery().ok_or(Obstacle::Absent("the backend doesn't deliver"))?;
    let (dice, person) = (Dice::new(5), fixture.platform().person());
    let mut limits = backend.descriptor().limits.clone();
    // Over a network each one takes its time.
    let rendered = if fixture.is_elsewhere() { RENDERED / 20 } else { RENDERED };
    for number in 0..rendered {
        let content = hostile::content(&dice);
        // An operator may set tighter limits.
        if number % 10 == 0 {
            limits.text = 100 + dice.below(1_000);
        }
        let mention = person.as_ref().filter(|_| number % 3 == 0);
        let rendering = delivery.render(&RenderRequest::new(&content, &limits).mention(mention));
        expect_parts(&rendering)?;
        let unknown = rendering.parts.iter().flat_map(|part| &part.actions).find(|id| content.action(id).is_none());
        ensure!(unknown.is_none(), "a part has an action `{unknown:?}` that the document doesn't have");
    }
    Ok(())
}

/// Post a document; the answer is the posts that it has become.
async fn posted(ready: &Ready, copy: &str, content: &Content) -> Result<Vec<Post>, Obstacle> {
    let before = ready.stage.platform.posts().await.len();
    for outgoing in ready.outgoing(copy, content)? {
        let posted = ready.delivery()?.post(&ready.stage.site(), &outgoing).await;
        posted.map_err(|failure| format!("the platform refuses what was rendered: {failure}; of {content:?}"))?;
    }
    Ok(ready.stage.platform.posts().await.split_off(before))
}

pub(super) async fn every_post_is_within_the_limits(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let (dice, limits) = (Dice::new(11), ready.backend.descriptor().limits.clone());
    let long =
        |piece: &str| Content { title: "t".into(), text: piece.repeat(40_000 / piece.len()), ..Content::default() };
    let crafted = ["a", "👩‍👩‍👧‍👦", "é", "**", "<b>", "word ", "\n"].map(long);
    let generated = (0..POSTED).map(|_| hostile::content(&dice));
    for (number, content) in crafted.into_iter().chain(generated).enumerate() {
        for post in posted(&ready, &format!("limit{number}"), &content).await? {
            let length = limits.unit.length(&post.text);
            ensure!(length <= limits.text, "a post of {length}, and {} is declared", limits.text);
            let buttons = post.buttons.len();
            let most = limits.actions.saturating_mul(limits.choices.max(1));
            ensure!(buttons <= most, "a post with {buttons} buttons and choices, and {most} are declared");
        }
    }
    within_tighter_ones(&ready, &long("word ")).await
}

/// Whoever asks may want less than what the platform takes.
async fn within_tighter_ones(ready: &Ready, content: &Content) -> Finding {
    let mut limits = ready.backend.descriptor().limits.clone();
    limits.text = limits.text.min(300);
    let before = ready.stage.platform.posts().await.len();
    let address = ready.stage.platform.place().address;
    for outgoing in outgoing(ready.delivery()?, &limits, "tight", content, &address)? {
        ready.post(&outgoing).await?;
    }
    for post in ready.stage.platform.posts().await.split_off(before) {
        let length = limits.unit.length(&post.text);
        ensure!(length <= limits.text, "a post of {length}, and {} was asked for", limits.text);
    }
    Ok(())
}

pub(super) async fn the_link_is_kept(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let texts = ["short".to_owned(), "a long story ".repeat(3_800), "🔥".repeat(49_000), "unbroken".repeat(6_000)];
    for (number, text) in texts.into_iter().enumerate() {
        let state = Some(State::Firing);
        let content = Content { state, title: "Disk full".into(), text, link: hostile::link(), ..Content::default() };
        let posts = posted(&ready, &format!("link{number}"), &content).await?;
        let leads = |post: &Post| post.text.contains(LINK) || post.links.iter().any(|link| link == LINK);
        ensure!(posts.iter().any(leads), "the link is lost where the text has {} characters", content.text.len());
    }
    Ok(())
}
