//! The fingerprint of a happening: two requests under one id with the same fingerprint are
//! one happening told twice. Secrets are part of it, and only the digest is kept. Names that
//! a backend may look up anew each time are left out.

use chatport_sdk::{
    crypto,
    happening::{Happening, HappeningKind, Place},
    identity::Conversation,
    token::NewToken,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The fingerprint of a happening of this installation.
pub fn of(installation: Uuid, happening: &Happening) -> [u8; 32] {
    crypto::sha256(json!([installation, happening.id, content(&happening.kind)]).to_string().as_bytes())
}

fn content(kind: &HappeningKind) -> Value {
    match kind {
        HappeningKind::CodeEntered { code, account, place: at } => {
            json!(["code_entered", code.expose(), account.id, place(at)])
        }
        HappeningKind::UnlinkAsked { account } => json!(["unlink_asked", account.id]),
        HappeningKind::Pressed { token, choice, account, conversation, part } => {
            json!(["pressed", token.expose(), choice, account.id, conversation, part.id])
        }
        HappeningKind::Commanded { text, account, conversation } => {
            json!(["commanded", text, account.id, conversation.id])
        }
        HappeningKind::CommandUsed { name, text, account, conversation } => {
            json!(["command_used", name, text, account.id, conversation.id])
        }
        HappeningKind::Installed { identity, tokens, .. } => {
            json!(["installed", identity.server, identity.account, values(tokens)])
        }
        HappeningKind::Uninstalled { .. } => json!(["uninstalled"]),
        HappeningKind::TokensArrived { tokens } => json!(["tokens_arrived", values(tokens)]),
        HappeningKind::ConversationLost { conversation } => json!(["conversation_lost", conversation]),
        HappeningKind::ConversationMoved { from, to } => json!(["conversation_moved", from, to.id]),
        HappeningKind::AccountChanged { account } => {
            json!(["account_changed", account.id, account.username, account.display_name, account.direct])
        }
        HappeningKind::SaidInThread { root, text, account, conversation } => {
            json!(["said_in_thread", root.id, text, account.id, conversation.id])
        }
        HappeningKind::Replied { part, conversation, account, text } => {
            json!(["replied", part.id, conversation, account.id, text])
        }
        // A kind that this host doesn't know has no effect, so its content doesn't matter.
        _ => json!(["unknown"]),
    }
}

fn place(place: &Place) -> Value {
    let id = |conversation: &Conversation| conversation.id.clone();
    match place {
        Place::Direct { .. } => json!("direct"),
        Place::Command { conversation } => json!(["command", conversation.as_ref().map(id)]),
        Place::Posted { conversation } => json!(["posted", id(conversation)]),
        _ => json!("unknown"),
    }
}

fn values(tokens: &[NewToken]) -> Vec<Value> {
    tokens.iter().map(|token| json!([token.kind, token.label, token.value.expose()])).collect()
}

#[cfg(test)]
mod tests {
    use chatport_sdk::{delivery::Receipt, identity::Account, secret::Secret};

    use super::*;

    fn press(token: &str, choice: Option<&str>, name: &str) -> Happening {
        let account = Account { display_name: name.into(), ..Account::new("u1") };
        let kind = HappeningKind::Pressed {
            token: Secret::new(token),
            choice: choice.map(str::to_owned),
            account,
            conversation: "c1".into(),
            part: Receipt::new("p1"),
        };
        Happening::new("h1", kind)
    }

    #[test]
    fn a_name_that_was_looked_up_anew_makes_no_other_happening() {
        let installation = Uuid::now_v7();
        assert_eq!(of(installation, &press("t", None, "Ann")), of(installation, &press("t", None, "")));
    }

    #[test]
    fn another_secret_or_choice_makes_another_happening() {
        let installation = Uuid::now_v7();
        let first = of(installation, &press("t", None, "Ann"));
        assert_ne!(first, of(installation, &press("s", None, "Ann")));
        assert_ne!(first, of(installation, &press("t", Some("a"), "Ann")));
        assert_ne!(first, of(Uuid::now_v7(), &press("t", None, "Ann")));
    }
}
