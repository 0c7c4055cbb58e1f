//! Changing what is kept in memory: a transaction, or a single statement, after which the
//! cache is told. Whatever begins with these can't forget it; the engine's own writes, and
//! those to columns that aren't kept, go by `begin_uncached` and `write_uncached`.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};

use super::cache::{Cache, Scope};

/// A transaction that changes something that is kept in memory.
#[derive(Debug)]
pub struct Change {
    transaction: DatabaseTransaction,
    cache: Arc<Cache>,
    scope: Scope,
    touched: AtomicBool,
}

impl Change {
    pub(super) fn new(transaction: DatabaseTransaction, cache: Arc<Cache>, scope: Scope, touched: bool) -> Self {
        Self { transaction, cache, scope, touched: AtomicBool::new(touched) }
    }

    /// Something that is kept is being changed after all, see `Database::begin_quietly`.
    pub(crate) fn touch(&self) {
        self.touched.store(true, SeqCst);
    }

    /// Commit. What was known before isn't used any more once this answers, whatever it
    /// answers.
    ///
    /// # Errors
    /// It failed, or it isn't known whether it did.
    pub async fn commit(self) -> Result<(), DbErr> {
        let Self { transaction, cache, scope, touched } = self;
        if !touched.into_inner() {
            return transaction.commit().await;
        }
        completed(cache, scope, transaction.commit()).await
    }

    /// Leave everything as it was.
    ///
    /// # Errors
    /// The database can't be reached.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.rollback().await
    }
}

impl Deref for Change {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

/// Tells the cache when it goes, however that comes about.
struct Tell(Arc<Cache>, Scope);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.outdate(&self.1);
    }
}

/// Run to the end and tell the cache, in a task of its own: what a caller that went away has
/// begun takes effect all the same, and later than the caller knows.
async fn completed<T: Send + 'static>(
    cache: Arc<Cache>,
    scope: Scope,
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    let tell = Tell(cache, scope);
    let done = tokio::spawn(async move {
        let done = work.await;
        drop(tell);
        done
    });
    done.await.unwrap_or_else(|error| Err(DbErr::Exec(RuntimeErr::Internal(error.to_string()))))
}

/// Single statements, each of which may change anything that is kept in memory.
#[derive(Clone, Debug)]
pub struct Writes {
    pub(super) connection: DatabaseConnection,
    pub(super) cache: Arc<Cache>,
}

impl Writes {
    async fn tell<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
    ) -> Result<T, DbErr> {
        completed(Arc::clone(&self.cache), Scope::Everything, work).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Writes {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let connection = self.connection.clone();
        self.tell(async move { connection.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (connection, sql) = (self.connection.clone(), sql.to_owned());
        self.tell(async move { connection.execute_unprepared(&sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let connection = self.connection.clone();
        self.tell(async move { connection.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let connection = self.connection.clone();
        self.tell(async move { connection.query_all_raw(statement).await }).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Change {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::pin,
        task::{Context, Waker},
        time::Duration,
    };

    use super::*;
    use crate::{
        ids::OrganizationId,
        store::{Database, Location, cache::Shelf},
    };

    struct Kept {
        database: Database,
        shelf: Shelf<(), u32>,
        _folder: tempfile::TempDir,
    }

    impl Kept {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = Database::open(&Location::Sqlite(folder.path().join("chatport.db"))).await.unwrap();
            Self { database, shelf: Shelf::default(), _folder: folder }
        }

        /// What is known, `stored` if nothing is.
        async fn find(&self, stored: u32) -> u32 {
            let read = async || Ok::<_, Infallible>(Some(stored));
            *self.database.cache().find(&self.shelf, "acme", (), read).await.unwrap().unwrap()
        }

        fn acme(&self) -> OrganizationId {
            OrganizationId::parse("acme").unwrap()
        }
    }

    #[tokio::test]
    async fn a_commit_outdates_what_is_known_and_a_rollback_does_not() {
        let kept = Kept::new().await;
        assert_eq!(kept.find(1).await, 1);
        kept.database.begin(&kept.acme()).await.unwrap().rollback().await.unwrap();
        assert_eq!(kept.find(2).await, 1);
        kept.database.begin(&kept.acme()).await.unwrap().commit().await.unwrap();
        assert_eq!(kept.find(3).await, 3);
        kept.database.begin_for_all().await.unwrap().commit().await.unwrap();
        assert_eq!(kept.find(4).await, 4);
        kept.database.write().execute_unprepared("UPDATE organizations SET name = ''").await.unwrap();
        assert_eq!(kept.find(5).await, 5);
    }

    #[tokio::test]
    async fn a_quiet_change_outdates_only_where_it_says_so() {
        let kept = Kept::new().await;
        assert_eq!(kept.find(1).await, 1);
        kept.database.begin_quietly(&kept.acme()).await.unwrap().commit().await.unwrap();
        assert_eq!(kept.find(2).await, 1);
        let change = kept.database.begin_quietly(&kept.acme()).await.unwrap();
        change.touch();
        change.commit().await.unwrap();
        assert_eq!(kept.find(3).await, 3);
    }

    #[tokio::test]
    async fn a_commit_whose_caller_went_away_outdates_what_is_known_too() {
        let kept = Kept::new().await;
        assert_eq!(kept.find(1).await, 1);
        let change = kept.database.begin(&kept.acme()).await.unwrap();
        {
            let mut commit = pin!(change.commit());
            assert!(commit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let outdated = async {
            while kept.find(2).await != 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), outdated).await.unwrap();
    }
}
