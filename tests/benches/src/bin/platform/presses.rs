//! What a person does: running the slash command, and pressing the buttons of the posts that
//! came last. The server calls whoever made them, with a trigger that it signs.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use chatport_bench::{PERSON, marker};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::TEAM;

/// How many posts are kept.
const KEPT: usize = 2_000;
/// The secret of the slash command.
const COMMAND_TOKEN: &str = "tokentokentokentokentokent";

/// What people can press and run.
#[derive(Debug)]
pub(crate) struct Presses {
    key: EcdsaKeyPair,
    /// Ids and bodies of the last posts. They are read only when somebody asks for presses.
    posts: VecDeque<(String, Bytes)>,
    /// The address behind the slash command of each server.
    commands: HashMap<String, String>,
    triggers: u64,
}

impl Default for Presses {
    fn default() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a P-256 key can be made");
        Self { key, posts: VecDeque::new(), commands: HashMap::new(), triggers: 0 }
    }
}

impl Presses {
    /// The key that verifies triggers: base64 of DER.
    pub(crate) fn public_key(&self) -> String {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.key.public_key()).expect("a public key can be encoded");
        STANDARD.encode(der.as_ref())
    }

    /// Keep a post.
    pub(crate) fn keep(&mut self, id: String, body: Bytes) {
        if self.posts.len() == KEPT {
            self.posts.pop_front();
        }
        self.posts.push_back((id, body));
    }

    /// Make the slash command that was asked for.
    pub(crate) fn add_command(&mut self, server: &str, url: &str) -> Value {
        self.commands.insert(server.to_owned(), url.to_owned());
        json!({ "id": "commandcommandcommandcomma", "token": COMMAND_TOKEN })
    }

    /// The request by which this server passes `link CODE` on: its path, its form.
    pub(crate) fn command(&mut self, server: &str, code: &str) -> Value {
        let url = self.commands.get(server).and_then(|url| Url::parse(url).ok());
        let trigger = self.trigger();
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("token", COMMAND_TOKEN), ("team_id", TEAM), ("team_domain", "bench")])
            .extend_pairs([("channel_id", "townsquaretownsquaretownsq"), ("channel_name", "town-square")])
            .extend_pairs([("user_id", PERSON), ("user_name", "ann"), ("text", &format!("link {code}"))])
            .append_pair("trigger_id", &trigger)
            .finish();
        json!({ "path": url.as_ref().map(Url::path), "form": form })
    }

    /// The requests for up to `count` presses of buttons that call this address, a path, a
    /// tab and a body a line; each of another button, or of another post.
    pub(crate) fn make(&mut self, address: &str, count: usize) -> String {
        let posts: Vec<(String, Value)> =
            self.posts.iter().filter_map(|(id, body)| Some((id.clone(), serde_json::from_slice(body).ok()?))).collect();
        let mut lines = Vec::new();
        for (id, post) in &posts {
            let buttons = post["props"]["attachments"][0]["actions"].as_array().into_iter().flatten();
            for integration in buttons.map(|button| &button["integration"]) {
                let url = integration["url"].as_str().and_then(|url| Url::parse(url).ok());
                let Some(url) = url.filter(|url| url.authority() == address) else { continue };
                if lines.len() == count {
                    break;
                }
                let press = json!({
                    "user_id": PERSON, "user_name": "ann", "channel_id": post["channel_id"], "channel_name": "bench",
                    "team_id": TEAM, "team_domain": "bench", "post_id": id, "trigger_id": self.trigger(),
                    "type": "", "data_source": "", "context": integration["context"],
                });
                lines.push(format!("{}\t{press}\n", url.path()));
            }
        }
        lines.concat()
    }

    /// The server's word that the person acted now.
    fn trigger(&mut self) -> String {
        self.triggers += 1;
        let data = format!("trigger{:019}:{PERSON}:{}:", self.triggers, marker::now() / 1_000);
        let signature = self.key.sign(&SystemRandom::new(), data.as_bytes()).expect("a P-256 key signs");
        STANDARD.encode(format!("{data}{}", STANDARD.encode(signature.as_ref())))
    }
}
