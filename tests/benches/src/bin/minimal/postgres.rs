//! The minimal engine's table in Postgres: one statement, and so one commit, for all that is
//! written at once.

use chatport_bench::connection::Problem;
use tokio_postgres::{Client, Error, NoTls, Statement};

use crate::writer::{Message, Store};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (id bigint PRIMARY KEY, body bytea NOT NULL, delivered boolean NOT NULL);
    CREATE INDEX IF NOT EXISTS waiting ON messages (id) WHERE NOT delivered;";

const WRITE: &str = "
    WITH recorded AS (UPDATE messages SET delivered = true WHERE id = ANY ($3::bigint[]))
    INSERT INTO messages (id, body, delivered)
    SELECT id, body, false FROM unnest($1::bigint[], $2::bytea[]) AS accepted (id, body)";

/// A Postgres database.
pub(crate) struct Postgres {
    client: Client,
    write: Statement,
}

impl Postgres {
    pub(crate) async fn connect(url: &str) -> Result<Self, Problem> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(in_words)?;
        tokio::spawn(connection);
        client.batch_execute(SCHEMA).await.map_err(in_words)?;
        let write = client.prepare(WRITE).await.map_err(in_words)?;
        Ok(Self { client, write })
    }
}

impl Store for Postgres {
    async fn waiting(&mut self) -> Result<(Vec<Message>, i64), Problem> {
        let found = "SELECT id, body FROM messages WHERE NOT delivered ORDER BY id";
        let rows = self.client.query(found, &[]).await.map_err(in_words)?;
        let waiting = rows.iter().map(|row| Message { id: row.get(0), body: row.get::<_, Vec<u8>>(1).into() });
        let next = "SELECT coalesce(max(id), 0) + 1 FROM messages";
        let next = self.client.query_one(next, &[]).await.map_err(in_words)?.get(0);
        Ok((waiting.collect(), next))
    }

    async fn write(&mut self, accepted: &[Message], delivered: &[i64]) -> Result<(), Problem> {
        let ids: Vec<i64> = accepted.iter().map(|message| message.id).collect();
        let bodies: Vec<&[u8]> = accepted.iter().map(|message| &message.body[..]).collect();
        self.client.execute(&self.write, &[&ids, &bodies, &delivered]).await.map(drop).map_err(in_words)
    }
}

fn in_words(error: Error) -> Problem {
    format!("Postgres: {error}")
}
