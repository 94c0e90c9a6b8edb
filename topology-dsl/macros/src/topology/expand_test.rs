//! What the macro expands to, next to what a person would write.

use super::expand;
use crate::testing::assert_same;

#[track_caller]
fn same(sugar: &str, by_hand: &str) {
    assert_same(expand(sugar.parse().unwrap()), by_hand);
}

#[test]
fn word_count() {
    same(
        "
        /// Counts words.
        pub fn word_count(path: PathBuf, tasks: usize) {
            spout lines = Lines::at(path);
            bolt  split = Split,            tasks: tasks, reads: lines.shuffle();
            bolt  count = Count::default(), tasks: 2,     reads: split.by(word);
            bolt  print = TopWords::new(20),              reads: count.global();
        }",
        r#"
        /// Counts words.
        pub fn word_count(t: &mut ::tormenta::Topology, path: PathBuf, tasks: usize) {
            let lines = t.spout("lines", Lines::at(path));
            let split = t.bolt("split", Split, lines.shuffle()).tasks(tasks);
            let count = t.bolt("count", Count::default(), split.by(|tuple| &tuple.word)).tasks(2);
            #[allow(unused_variables)]
            let print = t.bolt("print", TopWords::new(20), count.global());
        }"#,
    );
}

#[test]
fn every_option_is_the_method_of_its_name() {
    same(
        r#"fn all() {
            spout s = S, tasks: 4, replaying: retry, untracked, pending_max: 9,
                message_timeout: m, fuse: false, blocking, named: n, config: { a: 1, "b.c": x };
            bolt b = B::<u8, u16>::new(|a, b| a), reads: s.all(), tick: d, concurrent: 2,
                concurrent_unordered: 3, execute_timeout: e, hold_timeout: h, config: {};
        }"#,
        r#"fn all(t: &mut ::tormenta::Topology) {
            let s = t.spout("s", S).tasks(4).replaying(retry).untracked().pending_max(9)
                .message_timeout(m).fuse(false).blocking().named(n)
                .config("a", 1).config("b.c", x);
            #[allow(unused_variables)]
            let b = t.bolt("b", B::<u8, u16>::new(|a, b| a), s.all()).tick(d).concurrent(2)
                .concurrent_unordered(3).execute_timeout(e).hold_timeout(h);
        }"#,
    );
}

#[test]
fn groupings_by_field() {
    same(
        "fn keys() {
            spout s = S;
            bolt a = A, reads: s.by(card.number);
            bolt b = B, reads: s.by(card, day);
            bolt c = C, reads: [s.alert.partial_by(card).to(In::A), vec![a.by(x)][0], b.by(f::g)];
            bolt d = D, reads: c.by(|w| &w.word);
            bolt e = E, reads: { let edges = [d.by(word)]; edges };
            bolt f = F, reads: s.partial_by(card, day);
        }",
        r#"fn keys(t: &mut ::tormenta::Topology) {
            let s = t.spout("s", S);
            let a = t.bolt("a", A, s.by(|tuple| &tuple.card.number));
            let b = t.bolt("b", B, s.by_key(|tuple, key| {
                key.add(&tuple.card).add(&tuple.day);
            }));
            let c = t.bolt("c", C, [
                s.alert.partial_by(|tuple| &tuple.card).to(In::A),
                vec![a.by(|tuple| &tuple.x)][0],
                b.by(f::g)
            ]);
            let d = t.bolt("d", D, c.by(|w| &w.word));
            #[allow(unused_variables)]
            let e = t.bolt("e", E, { let edges = [d.by(|tuple| &tuple.word)]; edges });
            #[allow(unused_variables)]
            let f = t.bolt("f", F, s.partial_by_key(|tuple, key| {
                key.add(&tuple.card).add(&tuple.day);
            }));
        }"#,
    );
}

#[test]
fn plain_rust_stays_what_it_is() {
    let rust = r#"
        fn plain<F: Fn(u32) -> u32>(t: &mut Topology<E>, spout: F, bolt: Bolt) -> Result
        where
            F: Copy
        {
            #![allow(unused)]
            let bolt = bolt.spout(spout) as u64;
            if bolt == 1 && !{ spout } { bolt; spout!{ bolt x = 1; } }
            for bolt in spout { match bolt { Bolt { spout } if bolt => {} } }
            bolt as u64
        }"#;
    same(rust, rust);
}

#[test]
fn statements_are_found_in_every_block() {
    same(
        r#"fn nested(regions: &[&str]) -> Stream<Word> {
            #![allow(unused)]
            let bolt = 3;
            for region in regions {
                spout lines = Lines::of(region), named: format!("lines-{region}");
                if let Some(f) = filter { bolt keep = f, reads: lines.shuffle(); } else {}
                #[cfg(test)] /// A note.
                bolt count = Count, reads: lines.by(word);
            }
            t.scope("eu", |t| { bolt r#loop = L, reads: r.all(); again.from(&r#loop); });
            bolt last = { bolt pre = P, reads: r.all(); Last(pre) }, reads: r.all();
            *last
        }"#,
        r#"fn nested(t: &mut ::tormenta::Topology, regions: &[&str]) -> Stream<Word> {
            #![allow(unused)]
            let bolt = 3;
            for region in regions {
                let lines = t.spout("lines", Lines::of(region)).named(format!("lines-{region}"));
                if let Some(f) = filter {
                    #[allow(unused_variables)]
                    let keep = t.bolt("keep", f, lines.shuffle());
                } else {}
                #[cfg(test)] #[allow(unused_variables)]
                let count = t.bolt("count", Count, lines.by(|tuple| &tuple.word));
            }
            t.scope("eu", |t| {
                let r#loop = t.bolt("loop", L, r.all());
                again.from(&r#loop);
            });
            let last = t.bolt("last", {
                let pre = t.bolt("pre", P, r.all());
                Last(pre)
            }, r.all());
            *last
        }"#,
    );
}

#[test]
fn the_first_parameter_may_be_given() {
    same(
        "fn one<E: Engine>(t: &mut Topology<E>) { spout s = S; s.all(); }
         pub(crate) fn two(t: &'a mut Topology<E>, n: usize) -> Stream<X> { spout s = S; *s }
         fn three<F: Fn(A) -> B>(f: F,) {}",
        r#"fn one<E: Engine>(t: &mut Topology<E>) { let s = t.spout("s", S); s.all(); }
         pub(crate) fn two(t: &'a mut Topology<E>, n: usize) -> Stream<X> {
             let s = t.spout("s", S);
             *s
         }
         fn three<F: Fn(A) -> B>(t: &mut ::tormenta::Topology, f: F,) {}"#,
    );
}

#[test]
fn half_typed_code_goes_to_rustc_as_it_is() {
    same(
        "fn half(path) { spout lines = Lines::, tasks: 4.; bolt b = B, reads: lines.; let x = ; }",
        r#"fn half(t: &mut ::tormenta::Topology, path) {
            let lines = t.spout("lines", Lines::).tasks(4.);
            #[allow(unused_variables)]
            let b = t.bolt("b", B, lines.);
            let x = ;
        }"#,
    );
}

#[test]
fn variables_that_nobody_reads_are_allowed() {
    same(
        "fn f() {
            spout a = A;
            spout a = B, named: a;
            spout c = C;
            { spout c = C; spout c = C, named: n; c.all(); }
        }",
        r#"fn f(t: &mut ::tormenta::Topology) {
            let a = t.spout("a", A);
            #[allow(unused_variables)]
            let a = t.spout("a", B).named(a);
            #[allow(unused_variables)]
            let c = t.spout("c", C);
            {
                #[allow(unused_variables)]
                let c = t.spout("c", C);
                let c = t.spout("c", C).named(n);
                c.all();
            }
        }"#,
    );
}
