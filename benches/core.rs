//! `cargo bench --bench core`: the time of every stage of the core. No Python.

mod stages;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};

fn main() {
    // Criterion's own defaults would take five minutes for all stages.
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .configure_from_args();
    for mut stage in stages::all() {
        let (group, what) = stage.name.split_once('/').unwrap_or(("core", &stage.name));
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Bytes(stage.bytes as u64));
        let id = BenchmarkId::new(what, format!("{} events", stage.events));
        group.bench_function(id, |bencher| bencher.iter(&mut stage.run));
        group.finish();
    }
    criterion.final_summary();
}
