//! A post of the bot, as people see it.

use serde_json::Value;

/// A post.
#[derive(Clone, Debug)]
pub struct Post {
    pub id: String,
    /// The conversation without a thread.
    pub conversation: String,
    /// The post that starts the thread, in a channel.
    pub root: Option<String>,
    /// The post below which it was put.
    pub reply_to: Option<String>,
    /// The activity as it was sent last.
    pub activity: Value,
    pub edits: usize,
    pub is_deleted: bool,
}

impl Post {
    /// The card, or null.
    pub fn card(&self) -> &Value {
        &self.activity["attachments"][0]["content"]
    }

    /// All that can be read, without what stands on buttons.
    pub fn text(&self) -> String {
        let mut text = self.activity["text"].as_str().unwrap_or_default().to_owned();
        for element in self.card()["body"].as_array().into_iter().flatten() {
            read(element, &mut text);
        }
        text
    }

    /// The addresses that it leads to.
    pub fn links(&self) -> Vec<String> {
        let opens = self.actions().into_iter().filter(|action| action["type"] == "Action.OpenUrl");
        opens.filter_map(|action| action["url"].as_str().map(str::to_owned)).collect()
    }

    /// The actions of the card.
    pub fn actions(&self) -> Vec<&Value> {
        self.card()["actions"].as_array().into_iter().flatten().collect()
    }

    /// The action with these words on it.
    pub fn action(&self, title: &str) -> Option<&Value> {
        self.actions().into_iter().find(|action| action["title"] == title)
    }

    /// The words on buttons, and what a press brings back.
    pub fn buttons(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let presses = self.actions().into_iter().filter(|action| action["type"] == "Action.Execute");
        presses.map(|action| (text(&action["title"]), text(&action["data"]["t"]))).collect()
    }
}

fn read(element: &Value, into: &mut String) {
    let mut push = |value: &Value| into.push_str(value.as_str().unwrap_or_default());
    push(&element["text"]);
    for run in element["inlines"].as_array().into_iter().flatten() {
        push(&run["text"]);
    }
    for fact in element["facts"].as_array().into_iter().flatten() {
        push(&fact["title"]);
        push(&fact["value"]);
    }
}
