use alloc::vec::Vec;

use roxmltree::{Document, Node};

use super::*;

fn by_class<'a>(document: &'a Document<'a>, class: &str) -> Vec<Node<'a, 'a>> {
    let has =
        |node: &Node<'_, '_>| node.attribute("class").is_some_and(|found| found.split(' ').any(|one| one == class));
    document.descendants().filter(has).collect()
}

fn all_text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

#[test]
fn a_figure_asks_for_nothing() {
    let figure = html(&record(RETRIED), &HtmlStyle::default());
    for word in ["<script", "<link", "<img", "http", "url(", "@import", "src=", "href=", " id="] {
        assert!(!figure.contains(word), "{word}");
    }
    let document = Document::parse(&figure).unwrap();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        assert!(!attribute.name().starts_with("on") && attribute.name() != "id", "{attribute:?}");
        let classes = attribute.value().split(' ');
        assert!(attribute.name() != "class" || classes.into_iter().all(|one| one.starts_with("llmspan")));
    }
}

#[test]
fn every_rule_is_about_the_figure() {
    let figure = html(&Record::default(), &HtmlStyle::default());
    let document = Document::parse(&figure).unwrap();
    let sheet = document.descendants().find(|node| node.has_tag_name("style")).unwrap().text().unwrap();
    let rules = sheet.lines().filter(|line| line.contains('{') && !line.starts_with("@container"));
    let mut count = 0;
    for rule in rules {
        let rule = rule.rsplit_once("@media").map_or(rule, |(_, rule)| rule.split_once('{').unwrap().1);
        let selectors = rule.split_once('{').unwrap().0;
        assert!(selectors.split(',').all(|selector| selector.starts_with(".llmspan.llmspan")), "{rule}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}

#[test]
fn the_rows_are_a_table_with_the_numbers() {
    let figure = html(&record(RETRIED), &HtmlStyle::default());
    let document = Document::parse(&figure).unwrap();
    let rows: Vec<Vec<String>> = document
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
        .map(|row| row.children().filter(Node::is_element).map(all_text).collect())
        .collect();
    let row = |at: usize| rows[at].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(row(0), ["step", "01 s2 s3 s4 s", "start", "time"]);
    assert_eq!(row(1), ["prompt.build", "", "0", "125 ms"]);
    assert_eq!(row(3), ["✗ attempt 1", "rate_limit 429", "125 ms", "375 ms"]);
    assert_eq!(row(8), ["first token", "TTFT", "1.5 s", "500 ms"]);
    assert_eq!(rows.len(), 11);
}

#[test]
fn bars_have_places_and_words() {
    let figure = html(&record(RETRIED), &HtmlStyle::default());
    let document = Document::parse(&figure).unwrap();
    let bars = by_class(&document, "llmspan-bars");
    // Attempt 2: from 1.5 to 4 s, of which 1.875 s in the middle are a stall.
    let attempt = bars[4];
    assert_eq!(attempt.attribute("role"), Some("img"));
    let words = "waiting for the server 250 ms, nothing visible yet 250 ms, stalled 1.88 s, content 125 ms";
    assert_eq!(attempt.attribute("aria-label"), Some(words));
    let pieces: Vec<_> =
        attempt.children().map(|bar| (bar.attribute("class").unwrap(), bar.attribute("style").unwrap())).collect();
    let expected = [
        ("llmspan-bar llmspan-waiting", "left:min(37.50%,calc(100% - 2px));width:6.25%"),
        ("llmspan-bar llmspan-pending", "left:min(43.75%,calc(100% - 2px));width:6.25%"),
        ("llmspan-bar llmspan-stalled", "left:min(50.00%,calc(100% - 2px));width:46.87%"),
        ("llmspan-bar llmspan-content", "left:min(96.87%,calc(100% - 2px));width:3.12%"),
    ];
    assert_eq!(pieces, expected);
    assert_eq!(attempt.first_child().unwrap().attribute("title"), Some("waiting for the server: 250 ms from 1.5 s"));
    assert_eq!(bars[2].first_child().unwrap().attribute("class"), Some("llmspan-bar llmspan-waiting llmspan-lost"));
}

/// A note beside a bar of the call, from and to these per cents: its class and its style.
fn note_beside(note: &str, start: u64, end: u64) -> (String, String) {
    let json = alloc::format!(
        r#"{{"duration_ns": 100, "model": "m", "attempts": [
            {{"number": 1, "model": "{note}", "start_ns": {start}, "duration_ns": {}}}]}}"#,
        end - start
    );
    let figure = html(&from_json(&json), &HtmlStyle::default());
    let document = Document::parse(&figure).unwrap();
    let note = by_class(&document, "llmspan-note")[0];
    (note.attribute("class").unwrap().into(), note.attribute("style").unwrap().into())
}

#[test]
fn notes_stand_where_there_is_room() {
    let found = |note, start, end| {
        let (class, style) = note_beside(note, start, end);
        (class.replace("llmspan-", ""), style)
    };
    let placed = |class: &str, style: &str| (class.into(), style.into());
    // Ten characters need 24 per cent.
    assert_eq!(found("0123456789", 0, 76), placed("note", "left:76.00%;max-width:24.00%"));
    assert_eq!(found("0123456789", 24, 100), placed("note", "right:76.00%;max-width:24.00%"));
    assert_eq!(found("0123456789", 23, 77), placed("note below long", "margin-left:23.00%"));
    // Twenty-four need 52, and have to do with 44 where the lane is wide.
    assert_eq!(found("012345678901234567890123", 0, 48), placed("note", "left:48.00%;max-width:52.00%"));
    assert_eq!(found("012345678901234567890123", 0, 56), placed("note long", "left:56.00%;max-width:44.00%"));
}

#[test]
fn a_figure_has_a_summary() {
    let figure = html(&record(RETRIED), &HtmlStyle::default().with_title("retried"));
    let document = Document::parse(&figure).unwrap();
    let label = document.root_element().attribute("aria-label").unwrap();
    assert!(label.starts_with("retried: call m @ ?, success, 4 s. 4 s in all: "), "{label}");
}

#[test]
fn text_and_html_say_the_same() {
    let record = record(RETRIED);
    let figure = html(&record, &HtmlStyle::default());
    let document = Document::parse(&figure).unwrap();
    let drawn = text(&record, &narrow(400));
    let facts = by_class(&document, "llmspan-fact");
    assert!(facts.len() > 8);
    for fact in facts {
        let value = all_text(fact.last_element_child().unwrap());
        assert!(drawn.contains(&value), "{value}: {drawn}");
    }
    let lines = by_class(&document, "llmspan-why")[0].children().filter(Node::is_element).map(all_text);
    for line in lines {
        assert!(drawn.contains(&line), "{line}: {drawn}");
    }
}

#[test]
fn colours_follow_the_scheme() {
    let class = |scheme| {
        let figure = html(&Record::default(), &HtmlStyle::default().with_scheme(scheme));
        String::from(Document::parse(&figure).unwrap().root_element().attribute("class").unwrap())
    };
    assert_eq!(class(Scheme::Auto), "llmspan llmspan-auto");
    assert_eq!(class(Scheme::Dark), "llmspan llmspan-dark");
    assert_eq!(class(Scheme::Light), "llmspan llmspan-light");
}

#[test]
fn a_page_holds_many_figures() {
    let figures = [html(&record(RETRIED), &HtmlStyle::default()), html(&Record::default(), &HtmlStyle::default())];
    let page = page("a < b", &figures);
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = Document::parse_with_options(&page, options).unwrap();
    assert_eq!(by_class(&document, "llmspan").len(), 2);
    assert_eq!(document.descendants().find(|node| node.has_tag_name("title")).unwrap().text(), Some("a < b"));
}
