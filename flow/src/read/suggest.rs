//! What a misspelt name was probably meant to be.

/// `; did you mean `tail`?`, or the names that there are.
pub(crate) fn suggest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if let Some(near) = same_thing(wrong, &names).or_else(|| nearest(wrong, &names)) {
        return format!("did you mean `{near}`?");
    }
    match names.as_slice() {
        [] => "there is none".to_owned(),
        [only] => format!("there is only `{only}`"),
        many => {
            let quoted: Vec<String> = many.iter().map(|name| format!("`{name}`")).collect();
            format!("there are {}", quoted.join(", "))
        }
    }
}

/// What others call it.
const ELSEWHERE: [(&str, &str); 14] = [
    ("integer", "int"),
    ("long", "int"),
    ("string", "text"),
    ("str", "text"),
    ("bytes", "text"),
    ("boolean", "bool"),
    ("double", "float"),
    ("number", "float"),
    ("json", "any"),
    ("avg", "mean"),
    ("average", "mean"),
    ("union", "select"),
    ("lowercase", "lower"),
    ("uppercase", "upper"),
];

/// The name of what is called so elsewhere.
fn same_thing<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let (_, ours) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == wrong)?;
    names.iter().find(|name| *name == ours).copied()
}

/// The name that is fewest slips away, if that is few for its length.
fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let distance = |name: &&str| slips(&wrong, &name.to_lowercase());
    let near = names.iter().min_by_key(|name| distance(name)).copied()?;
    let slips_max = (wrong.chars().count().max(near.chars().count()) / 3).max(1);
    (distance(&near) <= slips_max).then_some(near)
}

/// Letters to insert, remove, replace or swap with their neighbour.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    rows[i - 2][j - 2] + 1
                } else {
                    usize::MAX
                };
                replaced.min(swapped).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, expected) in [
            ("", "", 0),
            ("tail", "tial", 1),
            ("tail", "tails", 1),
            ("tail", "", 4),
            ("ab", "xy", 2),
        ] {
            assert_eq!((slips(a, b), slips(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let names = ["lines", "tail", "timer"];
        assert_eq!(suggest("tial", names), "did you mean `tail`?");
        assert_eq!(suggest("Lines", names), "did you mean `lines`?");
        assert_eq!(suggest("Integer", ["text", "int"]), "did you mean `int`?");
        assert_eq!(suggest("integer", names), "there are `lines`, `tail`, `timer`");
        assert_eq!(suggest("kafka", names), "there are `lines`, `tail`, `timer`");
        assert_eq!(suggest("x", ["word"]), "there is only `word`");
        assert_eq!(suggest("x", []), "there is none");
    }
}
