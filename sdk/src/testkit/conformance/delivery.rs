//! Posting, editing, deleting, replying, where all goes well.

use super::{super::hostile, Finding, Fixture, Obstacle, Ready, ensure};
use crate::{
    content::{Action, Allow, Content, Style},
    delivery::{Edited, Outgoing, Receipt},
    identity::Address,
    testkit::{Dice, Post},
};

impl Ready {
    /// The posts in which this can be read.
    pub(super) async fn standing(&self, text: &str) -> Vec<Post> {
        self.stage.platform.posts().await.into_iter().filter(|post| post.text.contains(text)).collect()
    }

    pub(super) async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Obstacle> {
        let posted = self.delivery()?.post(&self.stage.site(), outgoing).await;
        Ok(posted.map_err(|failure| format!("post: {failure}"))?)
    }
}

pub(super) async fn an_address_has_one_stream(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let place = ready.stage.platform.place();
    let stream = || ready.delivery().map(|delivery| delivery.stream(&place.address));
    let key = stream()?.map_err(|failure| format!("stream: {failure}"))?;
    ensure!(stream()? == Ok(key.clone()), "an address has another stream the second time");
    ensure!(key.key == place.id, "the stream `{}` isn't the conversation `{}`", key.key, place.id);
    let rate = ready.backend.descriptor().rate(key.rate);
    ensure!(rate.is_some(), "the rate `{}` isn't in the descriptor", key.rate);
    Ok(())
}

pub(super) async fn an_address_of_any_shape_is_answered(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let dice = Dice::new(13);
    let template = ready.short("shape", "Shape")?;
    for _ in 0..500 {
        let address = Address(hostile::value(&dice, 3));
        if ready.delivery()?.stream(&address).is_ok() {
            continue;
        }
        let calls = ready.stage.line.calls();
        let outgoing = Outgoing { address: address.clone(), ..template.clone() };
        let posted = ready.delivery()?.post(&ready.stage.site(), &outgoing).await;
        ensure!(posted.is_err(), "something was posted to {address:?}, which has no stream");
        ensure!(ready.stage.line.calls() == calls, "the platform was asked for {address:?}, which has no stream");
    }
    Ok(())
}

pub(super) async fn a_post_stands_once(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let receipt = ready.post(&ready.short("stands", "Stands once")?).await?;
    let standing = ready.standing("Stands once").await;
    ensure!(standing.len() == 1, "a post stands {} times", standing.len());
    ensure!(standing[0].id == receipt.id, "the receipt names `{}`, the post is `{}`", receipt.id, standing[0].id);
    let other = ready.post(&ready.short("other", "Another")?).await?;
    ensure!(other.id != receipt.id, "two posts have one id");
    Ok(())
}

/// A message with a button.
pub(super) fn with_button() -> Content {
    let action = |id: &str, label: &str| Action {
        id: id.into(),
        label: label.into(),
        style: Style::Primary,
        choices: Vec::new(),
        allow: Allow::Linked,
    };
    let actions = vec![action("ack", "Acknowledge"), action("resolve", "Resolve")];
    Content { title: "With buttons".into(), actions, ..Content::default() }
}

pub(super) async fn buttons_carry_their_tokens(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let parts = ready.outgoing("buttons", &with_button())?;
    if parts.iter().all(|part| part.tokens.is_empty()) {
        return Err(Obstacle::Absent("the platform has no buttons"));
    }
    for part in &parts {
        ready.post(part).await?;
    }
    let buttons: Vec<_> = ready.stage.platform.posts().await.into_iter().flat_map(|post| post.buttons).collect();
    for token in parts.iter().flat_map(|part| &part.tokens) {
        let is_carried = buttons.iter().any(|(_, carried)| carried.contains(token.token.expose()));
        ensure!(is_carried, "no button carries the token of `{}`", token.action);
    }
    Ok(())
}

pub(super) async fn a_reply_is_a_reply(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    if !ready.backend.descriptor().limits.threads {
        return Err(Obstacle::Absent("the platform has no threads"));
    }
    let root = ready.post(&ready.short("root", "The root")?).await?;
    let mut reply = ready.short("reply", "The reply")?;
    reply.reply_to = Some(root.clone());
    ready.post(&reply).await?;
    let standing = ready.standing("The reply").await;
    ensure!(standing.len() == 1, "a reply stands {} times", standing.len());
    ensure!(standing[0].reply_to.as_deref() == Some(&root.id), "a reply to {root:?} stands as {:?}", standing[0]);
    Ok(())
}

pub(super) async fn an_edit_changes_the_post(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let edit = ready.delivery()?.edit().ok_or(Obstacle::Absent("the backend edits nothing"))?;
    let mut receipt = ready.post(&ready.short("edited", "As it was")?).await?;
    for time in ["once", "twice"] {
        let newer = ready.short("edited", "As it is")?;
        match edit.edit(&ready.stage.site(), &newer, &receipt).await {
            Ok(Edited::Done(changed)) => receipt = changed,
            other => return Err(Obstacle::Broken(format!("editing {time} became {other:?}"))),
        }
    }
    let (old, new) = (ready.standing("As it was").await, ready.standing("As it is").await);
    ensure!(old.is_empty() && new.len() == 1, "{} show the old content, {} the new", old.len(), new.len());
    ensure!(new[0].id == receipt.id, "the edit's receipt names `{}`, the post is `{}`", receipt.id, new[0].id);
    Ok(())
}

pub(super) async fn an_edit_of_what_is_gone_says_so(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let delivery = ready.delivery()?;
    let edit = delivery.edit().ok_or(Obstacle::Absent("the backend edits nothing"))?;
    let delete = delivery.delete().ok_or(Obstacle::Absent("nothing can be deleted first"))?;
    let outgoing = ready.short("gone", "Soon gone")?;
    let receipt = ready.post(&outgoing).await?;
    let deleted = delete.delete(&ready.stage.site(), &outgoing.address, &receipt).await;
    deleted.map_err(|failure| format!("delete: {failure}"))?;
    let edited = edit.edit(&ready.stage.site(), &ready.short("gone", "Back again")?, &receipt).await;
    let standing = ready.standing("Back again").await;
    match edited {
        Ok(Edited::Gone) => ensure!(standing.is_empty(), "what is gone was edited and posted anew"),
        // Where posts have names of our choosing, what is written to a name stands there, whatever was before.
        Ok(Edited::Done(receipt)) => {
            let stands = standing.len() == 1 && standing[0].id == receipt.id;
            ensure!(stands, "what is gone was edited to {receipt:?}, and {standing:?} stands");
        }
        other => return Err(Obstacle::Broken(format!("editing what is gone became {other:?}"))),
    }
    Ok(())
}

pub(super) async fn a_deletion_takes_it_back(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let delete = ready.delivery()?.delete().ok_or(Obstacle::Absent("the backend deletes nothing"))?;
    let (kept, taken) = (ready.short("kept", "Is kept")?, ready.short("taken", "Is taken back")?);
    ready.post(&kept).await?;
    let receipt = ready.post(&taken).await?;
    for time in ["once", "twice"] {
        let deleted = delete.delete(&ready.stage.site(), &taken.address, &receipt).await;
        ensure!(deleted.is_ok(), "deleting {time} became {deleted:?}");
    }
    ensure!(ready.standing("Is taken back").await.is_empty(), "what was deleted still stands");
    ensure!(ready.standing("Is kept").await.len() == 1, "something else was deleted too");
    Ok(())
}

pub(super) async fn a_person_can_be_written_to(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let direct = ready.delivery()?.direct().ok_or(Obstacle::Absent("the backend writes to nobody directly"))?;
    let person = ready.stage.platform.person().ok_or(Obstacle::Absent("the platform's stand-in knows nobody"))?;
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let address = direct.direct(&ready.stage.site(), &person).await;
        addresses.push(address.map_err(|failure| format!("direct: {failure}"))?);
    }
    ensure!(addresses[0] == addresses[1], "one person has two addresses: {addresses:?}");
    let stream = ready.delivery()?.stream(&addresses[0]);
    ensure!(stream.is_ok(), "a direct address has no stream: {stream:?}");
    let content = Content { title: "For you".into(), ..Content::default() };
    for outgoing in ready.outgoing_to("direct", &content, &addresses[0])? {
        ready.post(&outgoing).await?;
    }
    Ok(())
}
