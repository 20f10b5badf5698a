//! `count STAGE REPEATS` does the work of one stage so many times and nothing else: valgrind counts (instructions.py).
//! Without arguments it lists the stages: name, events and bytes, separated by tabs.

mod stages;

use std::process::ExitCode;

fn main() -> ExitCode {
    // `cargo bench` adds options of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut stages = stages::all();
    let [name, repeats] = arguments.as_slice() else {
        for stage in stages {
            println!("{}\t{}\t{}", stage.name, stage.events, stage.bytes);
        }
        return ExitCode::SUCCESS;
    };
    let stage = stages.iter_mut().find(|stage| stage.name == *name);
    let (Some(stage), Ok(repeats)) = (stage, repeats.parse::<u32>()) else {
        eprintln!("count: no such stage, or not a number: {name} {repeats}");
        return ExitCode::from(2);
    };
    for _ in 0..repeats {
        (stage.run)();
    }
    ExitCode::SUCCESS
}
