//! Reading ahead: what needs no object is dealt with where it arrives, without the interpreter.

use std::sync::{Arc, Mutex};

use super::core::Core;
use super::feed::Step;
use super::predict::Predictor;
use super::sink::{Held, Only, Sink, wants};
use crate::net::exchange::{Ahead, Seen};
use crate::responses::{Account, Head, is_done};
use crate::sse::TooLarge;

/// Enters events in the account up to the first that needs the interpreter, and holds that.
struct Skimming<'a> {
    build: bool,
    account: &'a mut Account,
    held: &'a mut Option<Held>,
    /// What is held is content.
    content: bool,
}

impl Sink for Skimming<'_> {
    #[inline]
    fn take(&mut self, predictor: &mut Predictor, only: Option<&Only>, payload: &[u8], foreseen: bool) -> Step {
        if let Some(mut predicted) = predictor.find(payload, foreseen) {
            if let Some(head) = predicted.head() {
                let wanted = wants(self.build, only, &head);
                predicted.remember(wanted);
                return if wanted { self.hold(payload, head.is_content()) } else { self.enter(&head) };
            }
        }
        if is_done(payload) {
            return Ok(true);
        }
        match Head::read(payload) {
            Ok(head) if !head.doubtful && !wants(self.build, only, &head) => {
                predictor.learn(payload);
                self.enter(&head)
            }
            Ok(head) => self.hold(payload, head.is_content()),
            Err(_) => self.hold(payload, true),
        }
    }

    fn refuse(&mut self, error: TooLarge) -> Step {
        *self.held = Some(Held::TooLarge(error));
        self.content = true;
        Ok(false)
    }
}

impl Skimming<'_> {
    fn enter(&mut self, head: &Head<'_>) -> Step {
        self.account.enter(head);
        Ok(true)
    }

    fn hold(&mut self, payload: &[u8], content: bool) -> Step {
        self.content = content;
        *self.held = Some(Held::Payload(payload.to_vec()));
        Ok(false)
    }
}

/// Who reads ahead for a parser.
pub struct Skimmer {
    pub core: Arc<Mutex<Core>>,
    /// Whether wanted events are to become objects, or terminal ones alone.
    pub build: bool,
}

const LOOK: Seen = Seen { progress: false, attention: true };

impl Ahead for Skimmer {
    fn delivers(&self) -> bool {
        self.build
    }

    fn read(&self, inbox: &mut Vec<u8>) -> Seen {
        let Ok(mut core) = self.core.try_lock() else { return LOOK };
        let Core { engine, account, held } = &mut *core;
        if held.is_some() {
            return LOOK;
        }
        let (progress, no_event, no_text) = (account.progress, account.events == 0, account.text.is_empty());
        let mut skimming = Skimming { build: self.build, account, held, content: false };
        let result = engine.way.run(inbox, &mut skimming);
        let content = skimming.content;
        debug_assert!(result.is_ok(), "there is no interpreter to raise");
        inbox.clear(); // what is behind an event that is held waits in the feed
        let firsts = (no_event && account.events > 0) || (no_text && !account.text.is_empty());
        Seen { progress: content || account.progress != progress, attention: held.is_some() || firsts }
    }
}
