//! How a code is entered in a world: as a message to the bot, or as a post in the channel.

use chatport_sdk::prelude::*;
use serde_json::json;

use crate::SandboxBackend;

impl Verification for SandboxBackend {
    fn purposes(&self) -> &'static [Purpose] {
        &[Purpose::User, Purpose::Channel]
    }

    fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation {
        let message = format!("link {}", code.expose());
        let (title, to, place) = match purpose {
            Purpose::User => ("Send the code to the bot", "the bot, in a direct message", "dm-ada"),
            Purpose::Channel => ("Post the code in the channel", "the channel that is to be linked", "incidents"),
        };
        let page = site.ingress_url().map(|url| format!(" on its page, {url}")).unwrap_or_default();
        let text = format!("In a sandbox you write as any of its people{page}. Send this text before it runs out.");
        let send = StepKind::SendText { text: ShownValue::Secret(Secret::new(message.as_str())), to: to.into() };
        let mut steps = vec![SetupStep::new("send-code", title, text, send)];
        if let Some(ingress) = site.ingress_url() {
            let body = json!({ "as": "ada", "text": message });
            let command = format!("curl -d '{body}' {ingress}/conversations/{place}/messages");
            let text = format!("The same in a shell, as Ada and in `{place}`; `GET {ingress}/world` lists the others.");
            let run = StepKind::RunCommand { command: ShownValue::Secret(Secret::new(command)) };
            steps.push(SetupStep::new("send-code-by-shell", "Or run this in a shell", text, run).optional());
        }
        Presentation { steps, deep_link: None }
    }
}
