//! One request and its answer: what the task on the I/O thread and the consumer share.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::answer::Answer;
use super::error::{Failure, Kind};
use super::http2::Window;
use super::inbox::Inbox;
use super::notifier::{self, Notifier};
use super::runtime;

/// What a consumer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The head of the answer.
    Head,
    /// Bytes of the body, or its end.
    Body,
    /// Room for more of the request's body.
    Room,
}

/// Somebody who reads what arrives before the consumer does, on the I/O thread.
pub trait Ahead: Send + Sync {
    /// Reads from the front of `inbox` and takes off what it has dealt with. Returns what the consumer should know.
    fn read(&self, inbox: &mut Vec<u8>) -> Seen;

    /// Whether the consumer is waiting for some of what arrives, and not for the end alone.
    fn delivers(&self) -> bool;
}

/// What was seen by reading ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// There was content: more than comments and keep-alive events.
    pub progress: bool,
    /// The consumer has to look.
    pub attention: bool,
}

/// What was measured of the bytes that arrived.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Bytes of the body.
    pub bytes: u64,
    /// Pieces in which they came.
    pub pieces: u64,
    /// When the last of them came.
    pub latest: Instant,
    /// When the last content came that was read ahead, or reading ahead began.
    pub progress: Instant,
    /// The longest time between two pieces of such content.
    pub longest_pause: Duration,
}

impl Pace {
    fn nothing() -> Self {
        let now = Instant::now();
        Self { bytes: 0, pieces: 0, latest: now, progress: now, longest_pause: Duration::ZERO }
    }
}

enum Waiter {
    Thread,
    Ticket(Arc<Notifier>, u64),
}

struct Waiting {
    waiter: Waiter,
    wanted: Wanted,
    since: Instant,
}

struct State {
    answer: Option<Answer>,
    inbox: Inbox,
    end: Option<Result<(), Failure>>,
    waiting: Option<Waiting>,
    ahead: Option<Arc<dyn Ahead>>,
    /// The consumer has to look at what was read ahead.
    attention: bool,
    /// The consumer has taken bytes that it may not have dealt with: what came behind them must wait.
    lent: bool,
    /// There was content that was read ahead.
    progressed: bool,
    /// Who lets the server send more, where that is not for the task to do by reading.
    window: Option<Window>,
    pace: Pace,
    /// When the first came of the bytes in the inbox.
    earliest: Instant,
    outbox: VecDeque<Vec<u8>>,
    outbox_ended: bool,
}

impl State {
    fn has(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Head => self.answer.is_some() || self.end.is_some(),
            Wanted::Body => self.has_bytes() || self.is_over(),
            Wanted::Room => self.outbox.is_empty() || self.answer.is_some() || self.end.is_some(),
        }
    }

    /// Whether there is something to take.
    fn has_bytes(&self) -> bool {
        if self.ahead.is_some() { self.attention && !self.lent } else { !self.inbox.is_empty() }
    }

    fn is_over(&self) -> bool {
        self.end.is_some() && self.inbox.is_empty()
    }

    /// The consumer has dealt with all that it took.
    fn go_on_ahead(&mut self) {
        if std::mem::take(&mut self.lent) {
            self.attention = false;
            self.read_ahead();
        }
    }

    fn release(&mut self, bytes: usize) {
        if let Some(window) = &mut self.window {
            window.release(bytes);
        }
    }

    fn read_ahead(&mut self) {
        let Some(ahead) = &self.ahead else { return };
        if self.lent || self.attention || self.inbox.is_empty() {
            return;
        }
        let before = self.inbox.len();
        let seen = ahead.read(self.inbox.all());
        let used = before - self.inbox.len();
        self.release(used);
        self.attention = seen.attention || self.pace.pieces == 1; // of the first byte the time is wanted
        if seen.progress {
            if std::mem::replace(&mut self.progressed, true) {
                let pause = self.earliest.saturating_duration_since(self.pace.progress);
                self.pace.longest_pause = self.pace.longest_pause.max(pause);
            }
            self.pace.progress = self.pace.latest;
        }
    }
}

/// See the module.
pub struct Exchange {
    state: Mutex<State>,
    arrived: Condvar,
    /// Rung when the task may go on: there is room in the inbox, or something in the outbox.
    go_on: Notify,
    task: OnceLock<AbortHandle>,
    /// Bytes that the inbox may hold.
    limit: usize,
    generation: u32,
}

impl Exchange {
    /// An exchange whose request has the body `piece`, or begins with it.
    pub fn new(limit: usize, piece: Vec<u8>, more_follows: bool) -> Self {
        Self {
            state: Mutex::new(State {
                answer: None,
                inbox: Inbox::default(),
                end: None,
                waiting: None,
                ahead: None,
                attention: false,
                lent: false,
                progressed: false,
                window: None,
                pace: Pace::nothing(),
                earliest: Instant::now(),
                outbox: Some(piece).into_iter().filter(|piece| !piece.is_empty()).collect(),
                outbox_ended: !more_follows,
            }),
            arrived: Condvar::new(),
            go_on: Notify::new(),
            task: OnceLock::new(),
            limit,
            generation: runtime::generation(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process is the one that sent the request.
    fn is_ours(&self) -> bool {
        self.generation == runtime::generation()
    }

    /// Lets the task go on if it waits for the room that `act` makes.
    fn making_room<T>(&self, state: &mut State, act: impl FnOnce(&mut State) -> T) -> T {
        let was_full = state.inbox.len() >= self.limit;
        let result = act(state);
        if was_full {
            self.go_on.notify_one();
        }
        result
    }

    fn check_ours(&self) -> Result<(), Failure> {
        let lost = || Kind::ReadError.because("the request was sent before the process was forked");
        self.is_ours().then_some(()).ok_or_else(lost)
    }
}

/// The consumer's side.
impl Exchange {
    /// The head of the answer, once. None: not yet there.
    pub fn take_answer(&self) -> Result<Option<Answer>, Failure> {
        self.check_ours()?;
        let mut state = self.lock();
        match (state.answer.take(), &state.end) {
            (None, Some(Err(failure))) => Err(failure.clone()),
            (answer, _) => Ok(answer),
        }
    }

    /// What has arrived of the body and was not read ahead, 32 KiB of it at most, if there is something to look at.
    /// Nothing may be there when it was all read ahead.
    pub fn take(&self) -> Result<Option<Vec<u8>>, Failure> {
        self.check_ours()?;
        let mut state = self.lock();
        if !state.has_bytes() {
            return match &state.end {
                Some(Err(failure)) if state.is_over() => Err(failure.clone()),
                _ => Ok(None),
            };
        }
        let bytes = self.making_room(&mut state, |state| state.inbox.take());
        state.lent = state.ahead.is_some();
        if state.lent && !bytes.is_empty() {
            state.pace.progress = state.pace.latest; // what is lent is not read here: it may be content
        }
        state.release(bytes.len());
        Ok(Some(bytes))
    }

    /// Whether the body was taken, or read ahead, to its end.
    pub fn is_over(&self) -> bool {
        !self.is_ours() || self.lock().is_over()
    }

    /// Whether `wanted` is there.
    pub fn has(&self, wanted: Wanted) -> bool {
        !self.is_ours() || self.lock().has(wanted) // where it is not ours, an error waits
    }

    /// Blocks until `wanted` is there, for `patience` at most. Returns whether it is.
    pub fn wait(&self, wanted: Wanted, patience: Duration) -> bool {
        if !self.is_ours() {
            return true; // the error is
        }
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        self.making_room(&mut state, State::go_on_ahead);
        loop {
            if state.has(wanted) {
                state.waiting = None;
                return true;
            }
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() {
                return false; // it goes on waiting: the transport's own timeout counts from the start
            }
            if state.waiting.is_none() {
                state.waiting = Some(Waiting { waiter: Waiter::Thread, wanted, since: now });
            }
            state = self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks for the ticket to be called when `wanted` is there. Returns false if it is there already.
    pub fn call_when(&self, wanted: Wanted, notifier: &Arc<Notifier>, ticket: u64) -> bool {
        if !self.is_ours() {
            return false;
        }
        let mut state = self.lock();
        self.making_room(&mut state, State::go_on_ahead);
        if state.has(wanted) {
            state.waiting = None;
            return false;
        }
        let since = Instant::now();
        state.waiting = Some(Waiting { waiter: Waiter::Ticket(notifier.clone(), ticket), wanted, since });
        true
    }

    /// The next piece of the request's body; empty pieces are none. Returns whether more are of any use: behind the
    /// answer, or the end, nobody sends them.
    pub fn push(&self, piece: Vec<u8>) -> bool {
        if !self.is_ours() {
            return false;
        }
        let mut state = self.lock();
        if state.answer.is_some() || state.end.is_some() {
            return false;
        }
        if !piece.is_empty() {
            state.outbox.push_back(piece);
            self.go_on.notify_one();
        }
        true
    }

    /// The request's body is whole.
    pub fn finish(&self) {
        if self.is_ours() {
            self.lock().outbox_ended = true;
            self.go_on.notify_one();
        }
    }

    /// Lets `ahead` read what arrives from now on; None ends that. The consumer must have dealt with all that it took.
    pub fn read_ahead(&self, ahead: Option<Arc<dyn Ahead>>) {
        if !self.is_ours() {
            return;
        }
        let mut state = self.lock();
        state.pace.progress = Instant::now();
        state.ahead = ahead;
        state.attention = false;
        state.lent = false;
        self.making_room(&mut state, State::read_ahead);
    }

    /// What was measured so far.
    pub fn pace(&self) -> Pace {
        if self.is_ours() {
            return self.lock().pace;
        }
        self.state.try_lock().map_or_else(|_| Pace::nothing(), |state| state.pace) // which may be locked for ever
    }

    /// Nobody wants the rest: the connection is freed at once, unless the exchange is over, and who waits is woken.
    pub fn close(&self) {
        // In a forked child the task belongs to the parent, and its locks may be held for ever.
        if let (true, Some(task)) = (self.is_ours(), self.task.get()) {
            task.abort();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_ours() {
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget((self.task.take(), state.window.take()));
        }
    }
}

/// The task's side.
impl Exchange {
    /// Which task serves this exchange.
    pub fn served_by(&self, task: AbortHandle) {
        let _ = self.task.set(task);
    }

    /// The head has come.
    pub fn answer(&self, answer: Answer) {
        let mut state = self.lock();
        state.answer = Some(answer);
        self.wake(state);
    }

    /// From now on the server may send so much as the consumer takes.
    pub fn limit_by(&self, window: Window) {
        self.lock().window = Some(window);
    }

    /// Bytes have come: `decode` puts those of the body behind the inbox.
    pub fn deliver<T>(&self, decode: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut state = self.lock();
        let before = state.inbox.len();
        let result = state.inbox.fill(decode);
        let grown = state.inbox.len() - before;
        if grown > 0 {
            state.pace.latest = Instant::now();
            if before == 0 {
                state.earliest = state.pace.latest;
            }
            state.pace.bytes += grown as u64;
            state.pace.pieces += 1;
            state.read_ahead();
        }
        self.wake(state);
        result
    }

    /// The answer is over.
    pub fn end(&self, how: Result<(), Failure>) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(how);
        }
        let window = state.window.take();
        self.wake(state);
        drop(window); // which would keep a cancelled stream open; it takes a lock of its own
    }

    /// Whether nobody waits for what comes next but for its end.
    pub fn awaits_its_end(&self) -> bool {
        let state = self.lock();
        state.ahead.as_ref().is_some_and(|ahead| !ahead.delivers()) && !state.attention && !state.lent
    }

    /// Waits until the inbox has room; says for how many bytes.
    pub async fn room(&self) -> usize {
        loop {
            let held = self.lock().inbox.len();
            if held < self.limit {
                return self.limit - held;
            }
            self.go_on.notified().await;
        }
    }

    /// The next piece of the request's body; None behind the last.
    pub async fn next_piece(&self) -> Option<Vec<u8>> {
        loop {
            match self.pop_piece() {
                Some(piece) => return piece,
                None => self.go_on.notified().await,
            }
        }
    }

    /// A piece was not used after all.
    pub fn put_back(&self, piece: Vec<u8>) {
        self.lock().outbox.push_front(piece);
    }

    fn pop_piece(&self) -> Option<Option<Vec<u8>>> {
        let mut state = self.lock();
        let piece = state.outbox.pop_front();
        let ended = piece.is_none() && state.outbox_ended;
        self.wake(state);
        (piece.is_some() || ended).then_some(piece)
    }

    /// Since when the consumer has been waiting for what the network brings, if it is.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.lock().waiting.as_ref().filter(|waiting| waiting.wanted != Wanted::Room).map(|waiting| waiting.since)
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let due = state.waiting.as_ref().is_some_and(|waiting| state.has(waiting.wanted));
        let waiting = if due { state.waiting.take() } else { None };
        drop(state);
        match waiting.map(|waiting| waiting.waiter) {
            Some(Waiter::Thread) => self.arrived.notify_one(),
            Some(Waiter::Ticket(notifier, ticket)) => notifier.notify(ticket),
            None => {}
        }
        notifier::ring_if_late();
    }
}
