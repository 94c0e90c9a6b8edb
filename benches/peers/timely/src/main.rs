//! timely dataflow: `peer-timely WORKLOAD SECONDS [WORKERS]`.

mod flow;

use std::process::ExitCode;

use peer_kit::{Request, Setup, Workload, events::Share, measure};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    measure("timely", include_str!("../Cargo.lock"), run)
}

fn run(request: &Request) -> Result<Setup, String> {
    let Request {
        workload,
        time,
        workers,
        ..
    } = *request;
    if request.hands_over() && workers < 2 {
        return Err("a hand-over needs two workers: each of them runs every operator".into());
    }
    let config = match workers {
        1 => timely::Config::thread(),
        _ => timely::Config::process(workers),
    };
    let finished = timely::execute(config, move |worker| {
        let worker_index = worker.index();
        worker.dataflow(|scope| match workload {
            Workload::W1 => flow::count_up(scope, time, false),
            Workload::W1x => flow::count_up(scope, time, true),
            Workload::W2 => flow::flip(scope, time, false),
            Workload::W2x => flow::flip(scope, time, true),
            Workload::W3 => flow::word_count(scope, time),
            Workload::W4 => {
                let (index, sources) = (worker_index as u64, workers as u64);
                flow::windows(scope, time, Share { index, sources });
            }
        });
    })?;
    finished
        .join()
        .into_iter()
        .collect::<Result<(), String>>()?;
    let setting = if cfg!(feature = "mimalloc") {
        "mimalloc"
    } else {
        ""
    };
    Ok(Setup {
        threads: workers,
        setting: setting.into(),
        aligned: true,
    })
}
