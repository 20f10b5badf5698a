//! What the binding's `ResponseParser.skim` does with a payload, less Python: predict, else read; then the account.

use eugpt_fast::json::shape::Filling;
use eugpt_fast::json::shapes::Shapes;
use eugpt_fast::responses::{Account, Head, Plan};

#[derive(Default)]
pub struct Collector {
    shapes: Shapes,
    /// Version and plan by the number of the shape.
    plans: Vec<(u64, Option<Plan>)>,
    fillings: Vec<Filling>,
    account: Account,
}

impl Collector {
    /// The length of the payload that starts `ahead`, if it is what was expected.
    pub fn foresee(&mut self, ahead: &[u8]) -> Option<usize> {
        self.shapes.find(ahead, &mut self.fillings)
    }

    pub fn take(&mut self, payload: &[u8], foreseen: bool) {
        if foreseen || self.shapes.find(payload, &mut self.fillings) == Some(payload.len()) {
            let (at, shape) = self.shapes.last();
            if at >= self.plans.len() {
                self.plans.resize_with(at + 1, Default::default);
            }
            let (version, plan) = &mut self.plans[at];
            if *version != shape.version() {
                (*version, *plan) = (shape.version(), Plan::of(shape));
            }
            if let Some(plan) = plan {
                self.account.enter(&Head::predicted(plan, shape, payload, &self.fillings));
                return;
            }
        }
        self.account.enter(&Head::read(payload).unwrap_or_default());
        self.shapes.learn(payload);
    }

    pub fn has_collected(&self, events: usize) -> bool {
        self.account.events == events as u64 && self.account.gaps == 0 && !self.account.text.is_empty()
    }
}
