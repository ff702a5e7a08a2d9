//! The prose of a page, for the search: what a reader reads of its main part, tables, drawings and cards of units
//! aside: units are found by themselves.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Elements whose content is no prose.
const ASIDE: [&str; 9] =
    ["table", "svg", "nav", "form", "fieldset", "button", "template", "script", "article"];
/// Elements within a line.
const INLINE: [&str; 12] =
    ["a", "abbr", "code", "em", "i", "b", "mark", "q", "small", "span", "strong", "sub"];

/// The text within `<main>`, words one space apart.
pub(super) fn of(html: &str) -> String {
    let sink = Prose::default();
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let text = tokenizer.sink.0.into_inner().text;
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Prose(RefCell<State>);

#[derive(Default)]
struct State {
    text: String,
    /// How deep within `<main>`, and within what is no prose.
    main: usize,
    aside: usize,
}

impl TokenSink for Prose {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) if state.main > 0 && state.aside == 0 => {
                state.text.push_str(&text);
            }
            Token::TagToken(tag) => {
                let name = &*tag.name;
                if !INLINE.contains(&name) {
                    state.text.push(' ');
                }
                if tag.self_closing {
                    return TokenSinkResult::Continue;
                }
                let count = match name {
                    "main" => &mut state.main,
                    _ if ASIDE.contains(&name) => &mut state.aside,
                    _ => return TokenSinkResult::Continue,
                };
                *count = match tag.kind {
                    TagKind::StartTag => *count + 1,
                    TagKind::EndTag => count.saturating_sub(1),
                };
                if name == "script" && tag.kind == TagKind::StartTag {
                    return TokenSinkResult::RawData(RawKind::ScriptData);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_read_is_there_and_nothing_else() {
        let html = "<title>No</title><nav>No</nav><main><h1>Me&amp;thods</h1><p>One <em>t</em>wo.</p>\
                    <table><tr><td>no</td></table><article>no</article><script>no('</main>')</script>\
                    <svg><text>no</text></svg><p>Three</p></main><footer>No</footer>";
        assert_eq!(super::of(html), "Me&thods One two. Three");
    }
}
