//! What Responses events mean: their type, whether they end the stream, and the text that they carry.
//!
//! Only the JSON `type` counts; the SSE event name decides nothing (the API sends `message` for all).

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::Surprise;
use crate::json::escapes::unescape;
use crate::json::lexer::{Lexer, Str, small_integer};
use crate::json::shape::{Filling, Kind, Place, Shape, Token};
use crate::json::skim::skim;
use crate::sse::decode;

/// What an event means to the account of its stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// It adds to the text.
    Text,
    /// It adds to the refusal.
    Refusal,
    /// It adds to the reasoning.
    Reasoning,
    /// It adds to the summary of the reasoning.
    ReasoningSummary,
    /// It adds to the arguments of a function call.
    Arguments,
    /// It says that the connection is alive.
    Keepalive,
    /// It ends the stream. Tool-level failures such as `response.mcp_call.failed` do not.
    Terminal,
    /// None of these.
    #[default]
    Other,
}

impl Role {
    /// The role of events of this type, if they have one.
    pub fn of(kind: Option<&[u8]>) -> Self {
        match kind.unwrap_or_default() {
            b"response.output_text.delta" => Self::Text,
            b"response.refusal.delta" => Self::Refusal,
            b"response.reasoning_text.delta" => Self::Reasoning,
            b"response.reasoning_summary_text.delta" => Self::ReasoningSummary,
            b"response.function_call_arguments.delta" => Self::Arguments,
            b"keepalive" => Self::Keepalive,
            b"response.completed"
            | b"response.incomplete"
            | b"response.failed"
            | b"response.cancelled"
            | b"response.canceled"
            | b"error" => Self::Terminal,
            _ => Self::Other,
        }
    }
}

/// True for the payload that marks the end of some streams and is never JSON.
pub fn is_done(payload: &[u8]) -> bool {
    payload.trim_ascii() == b"[DONE]"
}

/// What one look at a payload tells; nothing is built.
#[derive(Debug, Default)]
pub struct Head<'a> {
    /// The top-level `type`, wherever it stands in the object; absent if it is no string.
    pub kind: Option<Cow<'a, [u8]>>,
    /// `json.loads` may still refuse the document.
    pub doubtful: bool,
    role: Role,
    sequence_number: Option<i64>,
    delta: Option<Str<'a>>,
    item_id: Option<Str<'a>>,
    response: Option<&'a [u8]>,
}

impl<'a> Head<'a> {
    /// Reads `payload` to its end. Of duplicate keys the last wins.
    pub fn read(payload: &'a [u8]) -> Result<Self, Surprise> {
        let mut head = Self::default();
        head.doubtful = skim(payload, |key, value| head.note(key, value))?;
        Ok(head)
    }

    /// Takes down one member of the top-level object.
    pub fn note(&mut self, key: Str<'a>, value: &'a [u8]) {
        match resolve(key).as_ref() {
            b"type" => {
                self.kind = string(value).map(resolve);
                self.role = Role::of(self.kind.as_deref());
            }
            b"sequence_number" => self.sequence_number = integer(value),
            b"delta" => self.delta = string(value),
            b"item_id" => self.item_id = string(value),
            b"response" => self.response = Some(value),
            _ => {}
        }
    }

    /// The same without reading, of a payload that matches a shape.
    #[inline]
    pub fn predicted(plan: &Plan, shape: &'a Shape, payload: &'a [u8], fillings: &[Filling]) -> Self {
        let token = |place: Option<Place>| Some(shape.at(place?, payload, fillings));
        let string = |place| token(place).and_then(Token::string);
        let kind = string(plan.kind).map(resolve);
        Self {
            role: plan.role.unwrap_or_else(|| Role::of(kind.as_deref())),
            kind,
            doubtful: false,
            sequence_number: token(plan.sequence_number).and_then(|token| match token.kind {
                Kind::Small(value) => Some(value),
                Kind::Integer => integer(token.raw),
                _ => None,
            }),
            delta: string(plan.delta),
            item_id: string(plan.item_id),
            response: None,
        }
    }

    /// Whether this event is more than a sign of life.
    pub fn is_content(&self) -> bool {
        self.role != Role::Keepalive
    }

    /// Whether this event ends the stream.
    pub fn is_terminal(&self) -> bool {
        self.role == Role::Terminal
    }

    fn response_id(&self) -> Option<Vec<u8>> {
        let mut id = None;
        skim(self.response?, |key, value| {
            if resolve(key).as_ref() == b"id" {
                id = string(value).map(|token| resolve(token).into_owned());
            }
        })
        .ok()?;
        id
    }
}

/// Where to find in the documents of one shape what a [`Head`] holds.
#[derive(Debug, Default)]
pub struct Plan {
    kind: Option<Place>,
    /// Of every event of the shape, if all have the same type.
    role: Option<Role>,
    sequence_number: Option<Place>,
    delta: Option<Place>,
    item_id: Option<Place>,
}

impl Plan {
    /// A plan for `shape`. None for events that carry a response object: they are few, and need to be read.
    pub fn of(shape: &Shape) -> Option<Self> {
        let mut plan = Self::default();
        let mut plain = true;
        let sample = shape.sample();
        skim(sample, |key, value| {
            let place = || shape.place_of(value.as_ptr() as usize - sample.as_ptr() as usize);
            match resolve(key).as_ref() {
                b"type" => plan.kind = place(),
                b"sequence_number" => plan.sequence_number = place(),
                b"delta" => plan.delta = place(),
                b"item_id" => plan.item_id = place(),
                b"response" => plain = false,
                _ => {}
            }
        })
        .ok()?;
        plan.role = match plan.kind {
            Some(Place::Hole(_)) => None,
            Some(place) => Some(Role::of(shape.at(place, sample, &[]).string().map(resolve).as_deref())),
            None => Some(Role::Other),
        };
        plain.then_some(plan)
    }

    /// Whether every event of the shape has the same type.
    #[inline]
    pub fn has_fixed_kind(&self) -> bool {
        self.role.is_some()
    }
}

/// The account of one stream, kept from its events in order. Text is UTF-8, but for lone surrogates, which are kept
/// in three bytes each and never joined (as joining strings in Python would not).
#[derive(Debug, Default)]
pub struct Account {
    /// Events seen, skipped ones included.
    pub events: u64,
    /// Events seen that are not `keepalive`.
    pub progress: u64,
    /// The deltas of `response.output_text.delta`, joined.
    pub text: Vec<u8>,
    /// The deltas of `response.refusal.delta`, joined.
    pub refusal: Vec<u8>,
    /// The deltas of `response.reasoning_text.delta`, joined.
    pub reasoning: Vec<u8>,
    /// The deltas of `response.reasoning_summary_text.delta`, joined.
    pub reasoning_summary: Vec<u8>,
    /// Item id and joined deltas of `response.function_call_arguments.delta`, in order of appearance.
    pub arguments: Vec<(Vec<u8>, Vec<u8>)>,
    arguments_at: HashMap<Vec<u8>, usize>,
    arguments_last: usize,
    /// The `id` of the response object.
    pub response_id: Option<Vec<u8>>,
    /// The highest `sequence_number` seen.
    pub last_sequence_number: Option<i64>,
    /// How often `sequence_number` jumped ahead.
    pub gaps: u64,
    /// How often it came twice in a row.
    pub repeats: u64,
    /// How often it went back.
    pub reorders: u64,
}

impl Account {
    /// Enters one event.
    pub fn enter(&mut self, head: &Head<'_>) {
        self.events += 1;
        self.progress += u64::from(head.is_content());
        if let Some(number) = head.sequence_number {
            self.check_sequence(number);
        }
        if head.response.is_some() {
            if let Some(id) = head.response_id() {
                self.response_id = Some(id);
            }
        }
        if let Some(delta) = head.delta {
            let into = match head.role {
                Role::Text => &mut self.text,
                Role::Refusal => &mut self.refusal,
                Role::Reasoning => &mut self.reasoning,
                Role::ReasoningSummary => &mut self.reasoning_summary,
                Role::Arguments => self.arguments_of(head.item_id),
                Role::Keepalive | Role::Terminal | Role::Other => return,
            };
            append(delta, into);
        }
    }

    fn check_sequence(&mut self, number: i64) {
        let Some(last) = self.last_sequence_number else {
            self.last_sequence_number = Some(number);
            return;
        };
        match number.cmp(&last) {
            std::cmp::Ordering::Less => self.reorders += 1,
            std::cmp::Ordering::Equal => self.repeats += 1,
            std::cmp::Ordering::Greater => {
                self.gaps += u64::from(number - 1 > last);
                self.last_sequence_number = Some(number);
            }
        }
    }

    fn arguments_of(&mut self, item_id: Option<Str<'_>>) -> &mut Vec<u8> {
        let id = item_id.map(resolve).unwrap_or_default();
        // Deltas of one call follow each other.
        if self.arguments.get(self.arguments_last).is_some_and(|(known, _)| *known == *id) {
            return &mut self.arguments[self.arguments_last].1;
        }
        let at = *self.arguments_at.entry(id.into_owned()).or_insert_with_key(|id| {
            self.arguments.push((id.clone(), Vec::new()));
            self.arguments.len() - 1
        });
        self.arguments_last = at;
        &mut self.arguments[at].1
    }
}

fn resolve(token: Str<'_>) -> Cow<'_, [u8]> {
    if !token.escaped && token.ascii {
        return Cow::Borrowed(token.raw);
    }
    let mut value = Vec::with_capacity(token.raw.len());
    append(token, &mut value);
    Cow::Owned(value)
}

fn append(token: Str<'_>, out: &mut Vec<u8>) {
    let decoded;
    let raw = if token.ascii {
        token.raw
    } else {
        decoded = decode(token.raw);
        decoded.as_bytes()
    };
    if token.escaped {
        unescape(raw, out);
    } else {
        out.extend_from_slice(raw);
    }
}

/// The string that a value is, if it is one.
fn string(value: &[u8]) -> Option<Str<'_>> {
    if value.starts_with(b"\"") { Lexer::new(value).string().ok() } else { None }
}

/// The integer that a value is, if it is one of 64 bits.
fn integer(value: &[u8]) -> Option<i64> {
    small_integer(value).or_else(|| std::str::from_utf8(value).ok()?.parse().ok())
}
