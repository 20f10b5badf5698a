//! What the generator says of itself, so that nobody has to believe that it was not the bottleneck.

use crate::clock::{SECOND, cpu, now};

/// Lateness is counted in microseconds up to here; all that is later counts as this.
const LATEST: usize = 100_000;

/// Counts since the last report.
pub struct Report {
    begun: u64,
    cpu: u64,
    /// Requests answered.
    pub requests: u64,
    /// Events written, whole or in part.
    pub events: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Writes that the socket did not take whole: the client has not read.
    pub blocked: u64,
    /// Connections that the client closed in the middle of a response.
    pub dropped: u64,
    late: Vec<u32>,
}

impl Report {
    pub fn new() -> Self {
        let late = vec![0; LATEST + 1];
        Self { begun: now(), cpu: cpu(), requests: 0, events: 0, bytes: 0, blocked: 0, dropped: 0, late }
    }

    /// A paced event is being written so many nanoseconds behind its schedule.
    pub fn is_late(&mut self, nanoseconds: u64) {
        self.late[LATEST.min(nanoseconds as usize / 1000)] += 1;
    }

    /// The report as a line of JSON; counting begins anew.
    pub fn taken(&mut self, connections: usize) -> String {
        let seconds = |nanoseconds: u64| nanoseconds as f64 / SECOND as f64;
        let line = format!(
            "{{\"seconds\":{},\"cpu_seconds\":{},\"connections\":{connections},\"requests\":{},\"events\":{},\
             \"bytes\":{},\"blocked\":{},\"dropped\":{},\"late_us\":{}}}",
            seconds(now() - self.begun),
            seconds(cpu() - self.cpu),
            self.requests,
            self.events,
            self.bytes,
            self.blocked,
            self.dropped,
            self.lateness(),
        );
        *self = Self::new();
        line
    }

    /// Median, 99th percentile and maximum, or `null` if nothing had a schedule.
    fn lateness(&self) -> String {
        let all: u64 = self.late.iter().copied().map(u64::from).sum();
        if all == 0 {
            return "null".to_owned();
        }
        let quantile = |part: f64| {
            let rank = (part * all as f64).ceil() as u64;
            let mut below = 0;
            self.late.iter().position(|&count| {
                below += u64::from(count);
                below >= rank
            })
        };
        let [median, high, most] = [0.5, 0.99, 1.0].map(|part| quantile(part).unwrap_or(LATEST));
        format!("{{\"p50\":{median},\"p99\":{high},\"max\":{most}}}")
    }
}
