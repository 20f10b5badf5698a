use std::time::{Duration, Instant};

use eugpt_fast::net::rush::Rush;

/// Reads, evenly spread over `period`.
fn read(rush: &mut Rush, now: &mut Instant, reads: u32, period: Duration) {
    for _ in 0..reads {
        *now += period / reads;
        rush.note(*now);
    }
}

#[test]
fn only_many_reads_make_a_rush_and_fewer_keep_it_up() {
    let second = Duration::from_secs(1);
    let mut now = Instant::now();
    let mut rush = Rush::new(now);
    read(&mut rush, &mut now, 15_000, second);
    assert!(!rush.is_on(now));
    read(&mut rush, &mut now, 25_000, second);
    assert!(rush.is_on(now));
    read(&mut rush, &mut now, 6_000, second); // what is left when streams rest
    assert!(rush.is_on(now));
    read(&mut rush, &mut now, 4_000, second);
    assert!(!rush.is_on(now));
}

#[test]
fn a_pause_ends_it() {
    let mut now = Instant::now();
    let mut rush = Rush::new(now);
    read(&mut rush, &mut now, 2_500, Duration::from_millis(100));
    assert!(rush.is_on(now));
    assert!(!rush.is_on(now + Duration::from_millis(20)));
    now += Duration::from_secs(5);
    rush.note(now);
    assert!(!rush.is_on(now));
}
