//! One connection, and the few that there are.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::types::{FromSqlOwned, IsNull, ToSql, Type};
use tokio_postgres::{Client, Statement};

use super::address::{Address, STATEMENT};
use super::fault;
use crate::engine::{Cell, Param, Row};
use crate::error::{Fault, Sql};

/// How long we wait for an answer: longer than the server gives itself, so that it normally tells.
const ANSWER: Duration = Duration::from_secs(25);
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// A connection with its prepared statements.
pub(super) struct Link {
    client: Client,
    runtime: Handle,
    statements: HashMap<String, Statement>,
    /// Begins a transaction, together with its first statement.
    begin: Option<&'static str>,
}

impl Link {
    /// Connects; the connection is driven by the runtime until it is closed.
    pub fn connect(address: &Address, runtime: &Handle) -> Sql<Self> {
        let connect = address.config.connect(address.tls.clone());
        let connected = runtime.block_on(async { timeout(ANSWER, connect).await });
        let (client, connection) = connected.map_err(late)?.map_err(fault)?;
        runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to the queue's database ended");
            }
        });
        Ok(Self { client, runtime: runtime.clone(), statements: HashMap::new(), begin: None })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Has a transaction begin with its first statement, which saves a journey to the server.
    pub fn begin(&mut self, sql: &'static str) {
        self.begin = Some(sql);
    }

    /// Runs statements without parameters or results.
    pub fn run(&mut self, sql: &str) -> Sql<()> {
        let begin = self.begin.take();
        self.wait(begin, self.client.batch_execute(sql))
    }

    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<u64> {
        let statement = self.statement(sql, params)?;
        let begin = self.begin.take();
        self.wait(begin, self.client.execute(&statement, &references(params)))
    }

    pub fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<Vec<Row>> {
        let statement = self.statement(sql, params)?;
        let begin = self.begin.take();
        let rows = self.wait(begin, self.client.query(&statement, &references(params)))?;
        rows.iter().map(row).collect()
    }

    fn statement(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = params.iter().map(kind).collect();
        // Our SQL has question marks for placeholders only.
        let dialect = sql.replace('?', "$");
        let statement = self.wait(None, self.client.prepare_typed(&dialect, &types))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn wait<T>(
        &self,
        begin: Option<&str>,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Sql<T> {
        let both = async {
            let Some(begin) = begin else { return answer.await };
            // Sent in this order, and not waited for in between.
            let (begun, answered) = tokio::join!(self.client.batch_execute(begin), answer);
            begun.and(answered)
        };
        let answered = self.runtime.block_on(async { timeout(ANSWER, both).await });
        answered.map_err(late)?.map_err(fault)
    }
}

fn late(_: tokio::time::error::Elapsed) -> Fault {
    Fault::Passing(format!("no answer within {} s", ANSWER.as_secs()).into())
}

fn references<'a>(params: &'a [Param<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

fn kind(param: &Param<'_>) -> Type {
    match param {
        Param::Int(_) => Type::INT8,
        Param::Text(_) => Type::TEXT,
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Param::Int(value) => value.to_sql(kind, out),
            // PostgreSQL's texts cannot hold it; a log with one must not stop a task's end.
            Param::Text(Some(text)) if text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql(kind, out)
            }
            Param::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT)
    }

    tokio_postgres::types::to_sql_checked!();
}

fn row(row: &tokio_postgres::Row) -> Sql<Row> {
    let cells = row.columns().iter().enumerate().map(|(at, column)| match *column.type_() {
        Type::BOOL => cell(row, at, |value: bool| Cell::Int(value.into())),
        Type::INT4 => cell(row, at, |value: i32| Cell::Int(value.into())),
        Type::INT8 => cell(row, at, Cell::Int),
        _ => cell(row, at, Cell::Text),
    });
    Ok(Row(cells.collect::<Sql<_>>()?))
}

fn cell<T: FromSqlOwned>(
    row: &tokio_postgres::Row,
    at: usize,
    make: impl Fn(T) -> Cell,
) -> Sql<Cell> {
    Ok(row.try_get::<_, Option<T>>(at).map_err(fault)?.map_or(Cell::Null, make))
}

/// The connections: at most a given number, and no more than are used at once.
pub(super) struct Pool {
    address: Address,
    runtime: Handle,
    most: usize,
    state: Mutex<Idle>,
    freed: Condvar,
}

#[derive(Default)]
struct Idle {
    links: Vec<Link>,
    /// Those in use and those idle.
    open: usize,
}

impl Pool {
    pub fn new(address: Address, runtime: Handle, most: usize) -> Self {
        Self { address, runtime, most: most.max(1), state: Mutex::default(), freed: Condvar::new() }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn place(&self) -> &str {
        &self.address.place
    }

    /// A connection, once there is one to be had.
    pub fn take(&self, deadline: Instant) -> Sql<Taken<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            while let Some(link) = state.links.pop() {
                if !link.client.is_closed() {
                    return Ok(Taken { pool: self, link: Some(link) });
                }
                state.open -= 1;
            }
            if state.open < self.most {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Database("all connections are in use".into()));
            }
            let waited = self.freed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.open += 1;
        drop(state);
        // From here on its place is given back when it is dropped.
        let mut taken = Taken { pool: self, link: None };
        taken.link = Some(Link::connect(&self.address, &self.runtime)?);
        Ok(taken)
    }
}

/// A connection in use. Unless it is [given back](Self::give_back) it is closed in the end: it may
/// be in the middle of something.
pub(super) struct Taken<'a> {
    pool: &'a Pool,
    link: Option<Link>,
}

impl Taken<'_> {
    pub fn link(&mut self) -> Sql<&mut Link> {
        self.link.as_mut().ok_or_else(|| Fault::Database("the connection is gone".into()))
    }

    pub fn give_back(mut self) {
        let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.links.extend(self.link.take());
        // Its place stays taken: undone below.
        state.open += 1;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.pool.state.lock().unwrap_or_else(PoisonError::into_inner).open -= 1;
        self.pool.freed.notify_one();
    }
}

const _: () = assert!(STATEMENT.as_secs() < ANSWER.as_secs());
