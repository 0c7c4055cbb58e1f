//! The line between the program and its database: a TCP proxy that can be slow, cut, dead
//! or deaf.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good,
    /// Each piece takes longer.
    Slow(Duration),
    /// Connections are closed as soon as they are made; those that stand are reset.
    Refusing,
    /// Nothing passes any more, and nobody is told.
    Deaf,
    /// Connections that stand stay silent for ever, and nobody is told; new ones pass. So it is
    /// after the database's host has died and another has taken its address.
    Gone,
    /// What is under way passes so many bytes more, then is reset; new connections pass.
    CutAfter(usize),
}

/// The line. It ends when it is dropped.
#[derive(Debug)]
pub struct Line {
    pub port: u16,
    state: Arc<watch::Sender<State>>,
    accepting: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Line {
    /// A line to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("an address").port();
        let state = Arc::new(watch::Sender::new(State::Good));
        let accepting = tokio::spawn(accept(listener, port, Arc::clone(&state)));
        Self { port: here, state, accepting }
    }

    /// Let the line become so.
    pub fn becomes(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn accept(listener: TcpListener, port: u16, state: Arc<watch::Sender<State>>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((near, _)) = listener.accept().await else { continue };
        let state = state.subscribe();
        connections.spawn(async move {
            if *state.borrow() == State::Refusing {
                return reset(near);
            }
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return reset(near) };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            // The first way that ends ends the connection.
            let (near_out, far_out) = tokio::select! {
                out = pass(near_in, far_out, state.clone()) => (None, Some(out)),
                out = pass(far_in, near_out, state.clone()) => (Some(out), None),
            };
            drop((near_out, far_out));
        });
    }
}

/// Close without a farewell.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Pass on what comes, as the line is.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) -> OwnedWriteHalf {
    let mut piece = vec![0; 16 * 1024];
    // A connection that was made after the cut isn't cut, nor is it silent.
    let mut left: Option<usize> = None;
    state.mark_unchanged();
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            changed = state.changed() => {
                if changed.is_err() {
                    return to;
                }
                let now = *state.borrow_and_update();
                match now {
                    State::Refusing => return to,
                    State::Gone => std::future::pending::<()>().await,
                    State::CutAfter(bytes) => left = Some(bytes),
                    _ => left = None,
                }
                continue;
            }
        };
        let Ok(length @ 1..) = read else { return to };
        let now = *state.borrow();
        match now {
            // What is held back arrives late, as after a network's pause.
            State::Deaf => {
                let over = state.wait_for(|state| *state != State::Deaf).await.map(|state| *state);
                if !matches!(over, Ok(State::Good)) {
                    return to;
                }
            }
            State::Refusing => return to,
            State::Slow(by) => tokio::time::sleep(by).await,
            _ => {}
        }
        let pass = left.map_or(length, |left| left.min(length));
        if to.write_all(&piece[..pass]).await.is_err() {
            return to;
        }
        if let Some(rest) = left {
            if pass == rest {
                return to;
            }
            left = Some(rest - pass);
        }
    }
}
