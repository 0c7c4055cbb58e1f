//! Two replicas on one Postgres: one of them asks Telegram, and the other takes over.

use std::time::Duration;

use chatport_fake_telegram::{FakeTelegram, Options};
use chatport_tests::{
    client::Client,
    database::postgres_database,
    mattermost::grant_for,
    organization::Organization,
    program::Chatport,
    telegram::{Connected, connect},
};
use tokio::time::{Instant, sleep};

/// How long nobody may listen after a crash, and otherwise.
const AFTER_A_CRASH: Duration = Duration::from_secs(60);
const USUALLY: Duration = Duration::from_secs(10);

/// How often a replica could not listen: two that ask at once disturb each other.
async fn disturbed(replica: &Client) -> bool {
    replica.get("/metrics").await.text.contains("chatport_listen_failures_total{")
}

/// Ada says something to the bot, and is answered.
async fn is_heard(bot: &Connected, patience: Duration) {
    let count = || bot.server.posts(&bot.token, bot.private("Ada")).len();
    let (begun, before) = (Instant::now(), count());
    bot.server.tell_bot("Ada", &bot.token, "hello");
    while count() == before {
        assert!(begun.elapsed() < patience, "nobody listens");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_asks_at_a_time_and_the_other_takes_over_when_it_dies_or_ends() {
    let server = FakeTelegram::start(Options::local()).await;
    server.add_user("Ada");
    let database = postgres_database().await;
    let arguments = ["--demo=off", "--app-name=OnCall", &format!("--allow-networks={}", grant_for(server.url()))];
    let mut one = Chatport::start_with(&arguments, &[("DATABASE_URL", &database)]).await;
    let acme = Organization::create(&one.client(), "acme").await;
    let bot = connect(&acme, &server, "polling").await;
    bot.link("Ada", "u-ada").await;

    let mut other = one.replica().await;
    for _ in 0..3 {
        is_heard(&bot, USUALLY).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(!disturbed(&one.client()).await && !disturbed(&other.client()).await, "both ask");

    one.kill().await;
    is_heard(&bot, AFTER_A_CRASH).await;
    // One that ends gives its turn to the other at once, and nothing is answered twice.
    one.restart().await;
    assert!(other.stop().await);
    is_heard(&bot, USUALLY).await;
    sleep(Duration::from_secs(1)).await;
    let said = server.posts(&bot.token, bot.private("Ada")).len();
    assert_eq!(said, 1 + 5, "the link and five answers");
}
