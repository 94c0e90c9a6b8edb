//! scratch
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout)]
use tormenta_dsl::{Bolt, Emitter, Result, Spout};
use tormenta_runtime::*;
#[derive(Clone)]
struct Const {
    n: u64,
    left: u64,
    acked: u64,
}
impl Spout for Const {
    type Output = u64;
    type Id = u64;
    #[inline]
    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.n += 1;
        Ok(Some((self.n, self.n)))
    }
    #[inline]
    fn acked(&mut self, id: u64) {
        self.acked = self.acked.wrapping_add(id);
    }
}
#[derive(Clone)]
struct Null(u64);
impl Bolt for Null {
    type Input = u64;
    type Output = ();
    #[inline]
    async fn execute(&mut self, n: u64, _: &Emitter<()>) -> Result {
        self.0 = self.0.wrapping_add(std::hint::black_box(n));
        Ok(())
    }
}
#[derive(Clone)]
struct Id;
impl Bolt for Id {
    type Input = u64;
    type Output = u64;
    #[inline]
    async fn execute(&mut self, n: u64, o: &Emitter<u64>) -> Result {
        o.emit(n ^ 1).await
    }
}
fn go(map: bool, unfused: bool, tracked: bool, n: u64) {
    let mut t = Topology::new("w");
    let c = t.spout("const", Const { n: 0, left: n, acked: 0 });
    let c = if tracked { c } else { c.untracked() };
    if map {
        let m = t.bolt("map", Id, c.shuffle()).fuse(!unfused);
        t.bolt("null", Null(0), m.shuffle());
    } else {
        t.bolt("null", Null(0), c.shuffle()).fuse(!unfused);
    }
    let cpu0 = cpu();
    let s = start(t, Options::default()).unwrap().wait();
    let cpu = cpu() - cpu0;
    println!(
        "map={map} unfused={unfused} tracked={tracked}: {:.1} M/s  {:.1} M per cpu-s acked {} p50 {} p99 {}",
        n as f64 / s.seconds / 1e6,
        n as f64 / cpu / 1e6,
        s.metrics.sum(|c| c.acked),
        s.metrics.complete_latency.p50,
        s.metrics.complete_latency.p99
    );
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let _ = s;
    let t = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = t.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a.len() > 3 {
        return go(a[1] == "1", a[2] == "1", a[3] == "1", a[4].parse().unwrap());
    }
    for _ in 0..2 {
        for map in [false, true] {
            for unfused in [false, true] {
                for tracked in [true, false] {
                    go(map, unfused, tracked, 100_000_000);
                }
            }
        }
    }
}
