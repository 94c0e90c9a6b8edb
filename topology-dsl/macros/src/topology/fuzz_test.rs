//! Random tokens: whatever comes, an expansion comes out.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use super::expand;

/// A small generator of its own (xorshift), so that a failure names its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const WORDS: [&str; 40] = [
    "spout",
    "bolt",
    "spout",
    "bolt",
    "fn",
    "pub",
    "async",
    "let",
    "if",
    "for",
    "in",
    "as",
    "match",
    "self",
    "mut",
    "t",
    "t",
    "a",
    "b",
    "c",
    "__x",
    "_",
    "loop",
    "r#loop",
    "reads",
    "reads",
    "tasks",
    "named",
    "tick",
    "config",
    "blocking",
    "untracked",
    "concurrent",
    "replaying",
    "task",
    "by",
    "partial_by",
    "shuffle",
    "größe",
    "true",
];

fn tree(random: &mut Random, depth: usize) -> TokenTree {
    match random.below(if depth == 0 { 16 } else { 20 }) {
        0..8 => match random.pick(&WORDS) {
            "r#loop" => Ident::new_raw("loop", Span::call_site()).into(),
            word => Ident::new(word, Span::call_site()).into(),
        },
        8..14 => {
            let c = random
                .pick(&[',', ':', ';', '=', '.', '.', '&', '|', '<', '>', '-', '!', '#', '\'']);
            let spacing = random.pick(&[Spacing::Alone, Spacing::Alone, Spacing::Joint]);
            Punct::new(c, spacing).into()
        }
        14 => Literal::usize_unsuffixed(random.below(3)).into(),
        15 => Literal::string(random.pick(&["word", "", "a b"])).into(),
        _ => {
            use Delimiter::{Brace, Bracket, None, Parenthesis};
            let delimiter = random.pick(&[Brace, Brace, Parenthesis, Bracket, None]);
            Group::new(delimiter, trees(random, depth - 1)).into()
        }
    }
}

fn trees(random: &mut Random, depth: usize) -> TokenStream {
    (0..random.below(11)).map(|_| tree(random, depth)).collect()
}

/// Half of the time random, half of the time a sound program with some tokens changed.
fn program(random: &mut Random) -> TokenStream {
    if random.below(2) == 0 {
        return trees(random, 3);
    }
    let sound: TokenStream = "pub fn f<F: Fn(u8) -> u8>(t: &mut Topology<E>, f: F) -> Stream<X> {
        #[cfg(x)] spout a = A::<B, C>::new(|x, y| x), tasks: 4, config: { k: 1, \"l\": 2 };
        for i in 0..3 { bolt b = B { x: 1 }, reads: [a.by(word), a.by(x, y).to(In::A)], blocking; }
        if x { t.scope(\"eu\", |t| { bolt c = C, reads: a.by(|w| &w.x), tick: d }) }
        *a
    }"
    .parse()
    .unwrap();
    mutate(sound, random, 3)
}

fn mutate(tokens: TokenStream, random: &mut Random, depth: usize) -> TokenStream {
    let mut output = TokenStream::new();
    for token in tokens {
        match random.below(24) {
            0 => {}
            1 => output.extend([tree(random, depth)]),
            2 => output.extend([token.clone(), token]),
            3 => output.extend([token, tree(random, depth)]),
            _ => output.extend([match token {
                TokenTree::Group(group) => {
                    let depth = depth.saturating_sub(1);
                    Group::new(group.delimiter(), mutate(group.stream(), random, depth)).into()
                }
                other => other,
            }]),
        }
    }
    output
}

#[test]
fn no_tokens_make_it_panic() {
    for seed in 1..=20_000 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let input = program(&mut random);
        let text = input.to_string();
        let expansion = std::panic::catch_unwind(|| expand(input).to_string());
        assert!(expansion.is_ok(), "seed {seed}: {text}");
    }
}
