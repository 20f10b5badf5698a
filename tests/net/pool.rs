//! Who gets what becomes free.

use std::sync::Arc;
use std::time::Duration;

use eugpt_fast::net::io::Io;
use eugpt_fast::net::pool::{Found, Limits, Pool};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::ping::route;
use crate::support::{listen, run};

#[test]
fn what_is_of_no_use_to_one_goes_to_the_next() {
    run(async {
        let (listener, port) = listen().await;
        let (plain, shared) = (route(false, "127.0.0.1", port, None), route(false, "127.0.0.2", port, None));
        let pool = Arc::new(Pool::new(Limits { connections: 2, idle: 2, expiry: None }, true));
        let Found::New(permit) = pool.acquire(&plain).await else { panic!("there is nothing yet") };
        let connection = permit.alone(Io::Tcp(TcpStream::connect(("127.0.0.1", port)).await.unwrap()));
        let _open = listener.accept().await.unwrap();
        let Found::New(_connecting) = pool.acquire(&shared).await else { panic!("there is room") };
        // The first waits for what becomes of the connection that is being made, the second for the one that is used.
        let waiting = [&shared, &plain].map(|route| {
            let (pool, route) = (pool.clone(), route.clone());
            tokio::spawn(async move { pool.acquire(&route).await })
        });
        tokio::task::yield_now().await;
        pool.give_back(&plain, connection);
        let [first, second] = waiting;
        let found = timeout(Duration::from_secs(30), second).await.expect("the second is woken").unwrap();
        assert!(matches!(found, Found::Open(_)));
        assert!(!first.is_finished());
        first.abort();
    });
}
