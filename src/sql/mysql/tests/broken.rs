//! What nobody would write is read without harm, and in time.

use proptest::prelude::*;

use super::*;

fn within(statement: &Statement, outer: &Range<usize>, text: &str) {
    let inside = |span: &Range<usize>| {
        assert!(
            outer.start <= span.start && span.start <= span.end && span.end <= outer.end,
            "{text}"
        );
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end), "{text}");
    };
    inside(&statement.span);
    match &statement.what {
        What::AlterTable(alter) => alter.actions.iter().for_each(|(_, span)| inside(span)),
        What::CreateTrigger { body: Some(body), .. }
        | What::CreateRoutine { body: Some(body), .. }
        | What::Do(body) => body.statements.iter().for_each(|one| within(one, outer, text)),
        _ => {}
    }
}

fn mutated(text: &str, changes: &[(usize, u8)]) -> String {
    let tokens = cut(Tokens::MySql, text, &(0..text.len()), |_| comment_runs());
    let mut words: Vec<&str> = Vec::new();
    let mut c = Cursor::new(Tokens::MySql, text, &tokens);
    while !c.done() {
        let from = c.at();
        if !c.symbol('(') {
            c.skip();
        }
        words.push(c.text_since(from));
    }
    for (at, how) in changes {
        if words.is_empty() {
            break;
        }
        let at = at % words.len();
        let other = (at + 1 + usize::from(how / 4)) % words.len();
        match how % 4 {
            0 => drop(words.remove(at)),
            1 => words.insert(other, words[at]),
            2 => words.swap(at, other),
            _ => words[at] = ["(", ")", ",", ";", "'", "/*!80000", "*/", "BEGIN", "é"][other % 9],
        }
    }
    words.join(" ")
}

fn comment_runs() -> crate::sql::cursor::Opening {
    crate::sql::cursor::Opening::Runs(3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_broken_is_read_without_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
    ) {
        let at = which.index(CLAUSES.len() + STATEMENTS.len());
        let text = match CLAUSES.get(at) {
            Some(clause) => format!("ALTER TABLE t ADD x INT, {clause}"),
            None => STATEMENTS[at - CLAUSES.len()].to_owned(),
        };
        let text = format!("é; {}", mutated(&text, &changes));
        for source in [MYSQL, MARIADB] {
            for statement in &script(source, &text).statements {
                within(statement, &statement.span, &text);
            }
        }
    }
}

#[test]
fn a_tower_is_read_in_time() {
    for (part, close) in
        [("f(", ")"), ("(", ")"), ("CREATE PROCEDURE p () ", ""), ("BEGIN ", "END ")]
    {
        let text = format!("SELECT {}{}", part.repeat(50_000), close.repeat(50_000));
        script(MYSQL, &text);
        let text = format!("{}SELECT 1", part.repeat(50_000));
        script(MYSQL, &text);
    }
    script(MYSQL, &format!("{} SELECT 1", "WITH a AS (SELECT 1 FROM b), ".repeat(20_000)));
    let text = format!("ALTER TABLE t {}", "ADD a INT, ".repeat(20_000));
    assert_eq!(altered(&text).actions.len(), 20_001);
}
