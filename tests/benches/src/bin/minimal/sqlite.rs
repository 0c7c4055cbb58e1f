//! The minimal engine's table in SQLite, with a write-ahead log and full synchronization.

use std::path::Path;

use chatport_bench::connection::Problem;
use rusqlite::{Connection, Error, Transaction};

use crate::writer::{Message, Store};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL, delivered INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS waiting ON messages (id) WHERE delivered = 0;";

/// An SQLite database.
#[derive(Debug)]
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    pub(crate) fn open(file: &Path) -> Result<Self, Problem> {
        let connection = Connection::open(file).map_err(in_words)?;
        connection.execute_batch(SCHEMA).map_err(in_words)?;
        Ok(Self(connection))
    }
}

impl Store for Sqlite {
    async fn waiting(&mut self) -> Result<(Vec<Message>, i64), Problem> {
        read(&self.0).map_err(in_words)
    }

    async fn write(&mut self, accepted: &[Message], delivered: &[i64]) -> Result<(), Problem> {
        let transaction = self.0.transaction().map_err(in_words)?;
        put(&transaction, accepted, delivered).map_err(in_words)?;
        transaction.commit().map_err(in_words)
    }
}

fn read(connection: &Connection) -> Result<(Vec<Message>, i64), Error> {
    let mut found = connection.prepare("SELECT id, body FROM messages WHERE delivered = 0 ORDER BY id")?;
    let rows = found.query_map((), |row| Ok(Message { id: row.get(0)?, body: row.get::<_, Vec<u8>>(1)?.into() }))?;
    let next = connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM messages", (), |row| row.get(0))?;
    Ok((rows.collect::<Result<_, _>>()?, next))
}

/// One prepared statement a row costs SQLite less than a long statement that is new each time.
fn put(transaction: &Transaction<'_>, accepted: &[Message], delivered: &[i64]) -> Result<(), Error> {
    let mut insert = transaction.prepare_cached("INSERT INTO messages (id, body, delivered) VALUES (?1, ?2, 0)")?;
    for message in accepted {
        insert.execute((message.id, &message.body[..]))?;
    }
    let mut update = transaction.prepare_cached("UPDATE messages SET delivered = 1 WHERE id = ?1")?;
    for id in delivered {
        update.execute((id,))?;
    }
    Ok(())
}

fn in_words(error: Error) -> Problem {
    format!("SQLite: {error}")
}
