//! renoir: `peer-renoir WORKLOAD SECONDS [WORKERS] [adaptive]`.

mod flow;

use std::process::ExitCode;

use peer_kit::{Request, Setup, Workload, measure};
use renoir::{BatchMode, RuntimeConfig, StreamContext};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    measure("renoir", include_str!("../Cargo.lock"), run)
}

fn run(request: &Request) -> Result<Setup, String> {
    let Request {
        workload,
        time,
        workers,
        ref option,
    } = *request;
    let hands_over = request.hands_over();
    let (batches, batches_name) = match option.as_deref() {
        None => (BatchMode::fixed(1024), "fixed batches"),
        Some("adaptive") => (BatchMode::default(), "adaptive batches"),
        Some(other) => return Err(format!("no option `{other}`, only `adaptive`")),
    };
    let config = RuntimeConfig::local(workers as u64).map_err(|error| error.to_string())?;
    let context = StreamContext::new(config);
    match workload {
        Workload::W1 => flow::count_up(&context, time),
        Workload::W1x => flow::count_up_shuffled(&context, time, batches),
        Workload::W2 => flow::flip(&context, time),
        Workload::W2x => flow::flip_shuffled(&context, time, batches),
        Workload::W3 if hands_over => flow::word_count_shuffled(&context, time, batches),
        Workload::W3 => flow::word_count(&context, time),
        Workload::W4 => flow::windows(&context, time, batches),
    }
    context.execute_blocking();
    let allocator = cfg!(feature = "mimalloc").then_some("mimalloc");
    let setting: Vec<&str> = hands_over
        .then_some(batches_name)
        .into_iter()
        .chain(allocator)
        .collect();
    // The stages before and after a hand-over have their own threads.
    Ok(Setup {
        threads: workers * (1 + usize::from(hands_over || workload == Workload::W4)),
        setting: setting.join(", "),
        aligned: false,
    })
}
