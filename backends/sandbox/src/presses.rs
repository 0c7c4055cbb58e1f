//! A person presses a button or chooses from a menu: the token that the button carries goes
//! back to the host.

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    SandboxBackend,
    card::Button,
    delivery::receipt,
    ingress::{Problem, check_id, read},
    world::{Post, World},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    #[serde(rename = "as")]
    by: String,
    action: String,
    choice: Option<String>,
    id: Option<String>,
}

impl SandboxBackend {
    /// A person presses.
    pub(crate) fn hear_press(&self, site: &Site, post: &str, request: &Request) -> Result<Received, Problem> {
        let press: Press = read(request)?;
        check_id(press.id.as_deref())?;
        self.worlds.change(site, |world| {
            let kind = pressed(world, post, &press)?;
            let id = press.id.clone().unwrap_or_else(|| world.next_happening());
            Ok(Received::Happenings(vec![Happening::new(id, kind)]))
        })
    }
}

fn pressed(world: &World, post: &str, press: &Press) -> Result<HappeningKind, Problem> {
    let account = world.person(&press.by)?.account();
    let post = world.post(post)?;
    world.place_of(&post.place, &press.by)?;
    let button = button(post, &press.action)?;
    check_choice(button, press.choice.as_deref())?;
    let tokens = post.delivered.iter().flat_map(|delivered| &delivered.tokens);
    let token = tokens.filter(|token| token.action == button.id).map(|token| &token.token).next();
    let token = token.ok_or_else(|| {
        Problem::new(StatusCode::CONFLICT, "this button carries nothing", "the host posted it without an action token")
    })?;
    Ok(HappeningKind::Pressed {
        token: token.clone(),
        choice: press.choice.clone(),
        account,
        conversation: post.place.clone(),
        part: receipt(post),
    })
}

fn button<'a>(post: &'a Post, action: &str) -> Result<&'a Button, Problem> {
    let buttons = &post.card.buttons;
    buttons.iter().find(|button| button.id == action).ok_or_else(|| {
        let ids: Vec<&str> = buttons.iter().map(|button| button.id.as_str()).collect();
        let hint = if ids.is_empty() { "it has no buttons".into() } else { format!("it has: {}", ids.join(", ")) };
        Problem::new(StatusCode::NOT_FOUND, format!("the post `{}` has no such button", post.id()), hint)
    })
}

fn check_choice(button: &Button, choice: Option<&str>) -> Result<(), Problem> {
    let values: Vec<&str> = button.choices.iter().map(|choice| choice.value.as_str()).collect();
    let right = match choice {
        None => values.is_empty(),
        Some(choice) => values.contains(&choice),
    };
    if right {
        return Ok(());
    }
    let hint = if values.is_empty() {
        "this is a button, not a menu: leave `choice` out".into()
    } else {
        format!("it has: {}", values.join(", "))
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, format!("`{}` has no such choice", button.id), hint))
}
