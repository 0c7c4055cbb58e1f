//! The people of a sandbox, who write, read and press through its own address.

use serde_json::{Value, json};

use crate::{client::Client, organization::text};

/// One sandbox's world.
#[derive(Clone)]
pub struct Sandbox {
    http: Client,
    pub address: String,
}

impl Sandbox {
    /// The world at this address.
    pub fn at(address: &str) -> Self {
        Self { http: Client::new(address, None), address: address.to_owned() }
    }

    /// The world in which a code is to be entered: the code's steps show its address.
    pub fn of_code(code: &Value) -> Self {
        let steps = code["steps"].as_array().expect("steps");
        let command = steps.iter().find_map(|step| step["command"]["value"].as_str()).expect("a command for the shell");
        let url = command.split(' ').find(|word| word.starts_with("http")).expect("an address");
        Self::at(url.split("/conversations/").next().expect("an address"))
    }

    /// Somebody writes in a conversation; the answer says what the bot made of it.
    pub async fn write(&self, who: &str, place: &str, message: &str) -> Value {
        let body = json!({ "as": who, "text": message });
        self.http.post(&format!("/conversations/{place}/messages"), body).await.expect(200)
    }

    /// Somebody presses a button.
    pub async fn press(&self, who: &str, post: &str, action: &str) -> Value {
        self.http.post(&format!("/posts/{post}/press"), json!({ "as": who, "action": action })).await.expect(200)
    }

    /// The posts of the bot's messages in a conversation, with their threads, as somebody
    /// who is in it reads them.
    pub async fn posts(&self, place: &str) -> Vec<Value> {
        let read = self.http.get(&format!("/conversations/{place}/posts")).await.expect(200);
        let posts = read["posts"].as_array().expect("posts").clone();
        posts.into_iter().filter(|post| post.get("copy").is_some() && post.get("deleted_at").is_none()).collect()
    }

    /// The one post with this title.
    pub async fn post(&self, place: &str, title: &str) -> Value {
        let posts = self.posts(place).await;
        let mut found = posts.iter().filter(|post| post["title"] == title);
        let post = found.next().unwrap_or_else(|| panic!("no post {title:?} in {posts:?}"));
        assert!(found.next().is_none(), "more than one post {title:?}");
        post.clone()
    }

    /// Let something go wrong.
    pub async fn fault(&self, fault: Value) {
        self.http.post("/faults", fault).await.expect(200);
    }

    /// Let everything go well again.
    pub async fn mend(&self) {
        self.http.delete("/faults").await.expect(200);
    }

    /// Link a person by a code in the direct conversation with the bot.
    pub async fn link(&self, person: &str, code: &Value) {
        let told = self.write(person, &format!("dm-{person}"), &format!("link {}", text(code, "code"))).await;
        assert_eq!(told["outcome"], "linked", "{told}");
    }
}
