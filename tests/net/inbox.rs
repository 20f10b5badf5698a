use eugpt_fast::net::inbox::Inbox;

/// Bytes that tell where they stand.
fn numbered(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place % 251) as u8).collect()
}

#[test]
fn bytes_are_taken_in_order_and_a_bounded_number_at_a_time() {
    let all = numbered(300_000);
    let (mut inbox, mut taken, mut filled) = (Inbox::default(), Vec::new(), 0);
    for (put, takes) in [(10, 1), (100_000, 2), (7, 0), (90_000, 3), (109_983, 9)] {
        inbox.fill(|bytes| bytes.extend_from_slice(&all[filled..filled + put]));
        filled += put;
        for _ in 0..takes {
            let piece = inbox.take();
            assert!(piece.len() <= 32 * 1024);
            taken.extend(piece);
            assert_eq!(inbox.len(), filled - taken.len());
        }
    }
    assert!(inbox.is_empty());
    assert!(taken == all);
    assert!(inbox.take().is_empty());
}

#[test]
fn who_deals_with_all_sees_only_what_was_not_taken() {
    let all = numbered(100_000);
    let mut inbox = Inbox::default();
    inbox.fill(|bytes| bytes.extend_from_slice(&all));
    let first = inbox.take();
    assert!(inbox.all()[..] == all[first.len()..]);
    inbox.all().clear();
    assert!(inbox.is_empty());
}
