use std::time::{Duration, Instant};

use eugpt_fast::net::rush::{REST, Rush};

const SECOND: Duration = Duration::from_secs(1);

/// Reads at this rate for a second; how long a stream rests then.
fn rest_after(rush: &mut Rush, now: &mut Instant, reads: u32) -> Duration {
    for _ in 0..reads {
        *now += SECOND / reads;
        rush.note(*now);
    }
    rush.rest(*now)
}

#[test]
fn only_many_reads_make_a_rush_and_fewer_keep_it_up() {
    let mut now = Instant::now();
    let mut rush = Rush::new(now);
    assert_eq!(rest_after(&mut rush, &mut now, 15_000), Duration::ZERO);
    assert_eq!(rest_after(&mut rush, &mut now, 25_000), REST);
    assert_eq!(rest_after(&mut rush, &mut now, 6_000), REST, "what is left when streams rest");
    assert_eq!(rest_after(&mut rush, &mut now, 4_000), Duration::ZERO);
}

#[test]
fn the_more_streams_the_longer_they_rest() {
    let mut now = Instant::now();
    let mut rush = Rush::new(now);
    let streams = 3_000.0;
    for _ in 0..200_000 {
        // All of them rest, so each is read once in that time.
        let rest = rush.rest(now).max(REST);
        now += rest.div_f64(streams);
        rush.note(now);
    }
    let rest = rush.rest(now);
    assert!((Duration::from_millis(95)..=Duration::from_millis(105)).contains(&rest), "{rest:?}");
    assert!(rest_after(&mut rush, &mut now, 1_000_000) <= SECOND / 2);
}

#[test]
fn a_pause_ends_it() {
    let mut now = Instant::now();
    let mut rush = Rush::new(now);
    assert_eq!(rest_after(&mut rush, &mut now, 25_000), REST);
    assert_eq!(rush.rest(now + 2 * REST), Duration::ZERO);
    now += 5 * SECOND;
    rush.note(now);
    assert_eq!(rush.rest(now), Duration::ZERO);
}
