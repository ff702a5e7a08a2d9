//! Python's pickles, read as data.
//!
//! A pickle is a program for a stack machine that may call anything. Here it only builds a tree: a
//! class stays a name, a call stays a note of what would have been called. Every byte read makes at
//! most one node, so that no file can ask for more memory than a multiple of its size, and the tree
//! is a list of nodes that refer to each other by number, so that no nesting is too deep.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

/// Place of a node in [`Pickle::nodes`].
pub(super) type Id = u32;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, little-endian.
    Big(Vec<u8>),
    Float(f64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// A dictionary, ordered or not.
    Dict(Vec<(Id, Id)>),
    Class {
        module: String,
        name: String,
    },
    /// What a call of `class` with `arguments` would have made, its attributes set from `state`.
    Object {
        class: Id,
        arguments: Id,
        state: Option<Id>,
    },
    /// Something kept outside of the pickle: a storage.
    Outside(Id),
}

/// A pickle's tree.
#[derive(Debug)]
pub(super) struct Pickle {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
}

impl Pickle {
    /// Reads one pickle from the beginning of `bytes`. Returns also how long it was.
    pub(super) fn read(bytes: &[u8]) -> Result<(Pickle, usize)> {
        let mut machine = Machine {
            bytes,
            at: 0,
            nodes: vec![],
            stack: vec![],
            marks: vec![],
            memo: HashMap::new(),
        };
        let root = machine.run().with_context(|| format!("at byte {} of a pickle", machine.at))?;
        Ok((Pickle { nodes: machine.nodes, root }, machine.at))
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        // Only the machine makes ids, each from a node that exists.
        &self.nodes[id as usize]
    }

    /// Module and name of the class that `id` is or is an object of.
    pub(super) fn class(&self, id: Id) -> Option<(&str, &str)> {
        let class = match self.node(id) {
            Node::Object { class, .. } => *class,
            _ => id,
        };
        match self.node(class) {
            Node::Class { module, name } => Some((module, name)),
            _ => None,
        }
    }

    /// What a value is, for a message.
    pub(super) fn describe(&self, id: Id) -> String {
        match self.node(id) {
            Node::None => "nothing (None)".into(),
            Node::Bool(_) => "a truth value".into(),
            Node::Int(_) | Node::Big(_) => "an integer".into(),
            Node::Float(_) => "a number".into(),
            Node::Text(_) => "a text".into(),
            Node::Tuple(_) => "a tuple".into(),
            Node::List(_) => "a list".into(),
            Node::Dict(_) => "a dictionary".into(),
            Node::Outside(_) => "a storage".into(),
            Node::Class { .. } | Node::Object { .. } => match self.class(id) {
                Some((module, name)) => {
                    let kind = if matches!(self.node(id), Node::Class { .. }) {
                        "the class"
                    } else {
                        "an object of the class"
                    };
                    format!("{kind} {}", printable(&format!("{module}.{name}")))
                }
                None => "an object without a class".into(),
            },
        }
    }
}

/// A name out of a file, fit for a terminal.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 80;
    let clean: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() { clean + "…" } else { clean }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack at the marks that are open.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl Machine<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.context("the file ends inside a pickle: it is truncated or damaged")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into()?)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Up to the end of the line.
    fn line(&mut self) -> Result<String> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|b| *b == b'\n')
            .context("a line has no end: the file is truncated or damaged")?;
        let line = self.take(length + 1)?;
        let line = line[..length].strip_suffix(b"\r").unwrap_or(&line[..length]);
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    fn text(&mut self, length: usize) -> Result<()> {
        // Python 2's strings are bytes; names in them are ASCII.
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Node::Text(text))
    }

    fn push(&mut self, node: Node) -> Result<()> {
        let id = Id::try_from(self.nodes.len())?;
        self.nodes.push(node);
        self.stack.push(id);
        Ok(())
    }

    /// Height below which the values belong to somebody else.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id> {
        if self.stack.len() <= self.floor() {
            bail!("a value is missing");
        }
        self.stack.pop().context("a value is missing")
    }

    fn last(&self) -> Result<Id> {
        self.stack[self.floor()..].last().copied().context("a value is missing")
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().context("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, count: usize) -> Result<()> {
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Node::Tuple(items))
    }

    fn put(&mut self, index: u32) -> Result<()> {
        let id = self.last()?;
        self.memo.insert(index, id);
        Ok(())
    }

    fn get(&mut self, index: u32) -> Result<()> {
        let id = *self.memo.get(&index).with_context(|| format!("there is no memo {index}"))?;
        self.stack.push(id);
        Ok(())
    }

    fn extend_list(&mut self, items: Vec<Id>) -> Result<()> {
        let list = self.last()?;
        match &mut self.nodes[list as usize] {
            Node::List(list) => list.extend(items),
            // An object that is a list as well; what it holds is none of our business.
            Node::Object { .. } => {}
            _ => bail!("items for something that is not a list"),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<Id>) -> Result<()> {
        let (pairs, []) = items.as_chunks::<2>() else { bail!("a key without a value") };
        let dict = self.last()?;
        match &mut self.nodes[dict as usize] {
            Node::Dict(entries) => entries.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Node::Object { .. } => {}
            _ => bail!("entries for something that is not a dictionary"),
        }
        Ok(())
    }

    fn object(&mut self, class: Id, arguments: Id) -> Result<()> {
        let dict = matches!(
            &self.nodes[class as usize],
            Node::Class { module, name } if module == "collections"
                && matches!(name.as_str(), "OrderedDict" | "defaultdict")
        );
        if !dict {
            return self.push(Node::Object { class, arguments, state: None });
        }
        // Python 2 calls an ordered dictionary with a list of its pairs. The list is moved: to copy it
        // for every call would take more memory than the file has bytes.
        let pairs = match &self.nodes[arguments as usize] {
            Node::Tuple(arguments) => arguments.first().copied(),
            _ => None,
        };
        let pairs = match pairs.map(|pairs| &mut self.nodes[pairs as usize]) {
            Some(Node::List(pairs)) => std::mem::take(pairs),
            _ => vec![],
        };
        let entries = pairs.iter().filter_map(|pair| match &self.nodes[*pair as usize] {
            Node::Tuple(pair) | Node::List(pair) => Some((*pair.first()?, *pair.get(1)?)),
            _ => None,
        });
        let dict = Node::Dict(entries.collect());
        self.push(dict)
    }

    fn long(&mut self, length: usize) -> Result<()> {
        let bytes = self.take(length)?;
        let node = if bytes.len() <= 8 {
            let sign = if bytes.last().is_some_and(|b| *b >= 0x80) { 0xff } else { 0 };
            let mut wide = [sign; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            Node::Int(i64::from_le_bytes(wide))
        } else {
            Node::Big(bytes.to_vec())
        };
        self.push(node)
    }

    fn run(&mut self) -> Result<Id> {
        loop {
            let code = self.byte()?;
            match code {
                b'.' => {
                    self.marks.clear();
                    return self.pop();
                }
                // Protocol and frame: nothing to do.
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_to_mark()?),
                b'2' => {
                    let id = self.last()?;
                    self.stack.push(id);
                }
                b'N' => self.push(Node::None)?,
                0x88 => self.push(Node::Bool(true))?,
                0x89 => self.push(Node::Bool(false))?,
                b'K' => {
                    let value = self.byte()?;
                    self.push(Node::Int(value.into()))?;
                }
                b'M' => {
                    let value = u16::from_le_bytes(self.array()?);
                    self.push(Node::Int(value.into()))?;
                }
                b'J' => {
                    let value = i32::from_le_bytes(self.array()?);
                    self.push(Node::Int(value.into()))?;
                }
                b'I' | b'L' => {
                    let line = self.line()?;
                    let node = match line.as_str() {
                        "00" => Node::Bool(false),
                        "01" => Node::Bool(true),
                        _ => {
                            let digits = line.strip_suffix('L').unwrap_or(&line);
                            Node::Int(digits.parse().context("not an integer")?)
                        }
                    };
                    self.push(node)?;
                }
                0x8a => {
                    let length = self.byte()?;
                    self.long(length.into())?;
                }
                0x8b => {
                    let length = self.u32()?;
                    self.long(length as usize)?;
                }
                b'G' => {
                    let value = f64::from_be_bytes(self.array()?);
                    self.push(Node::Float(value))?;
                }
                b'F' => {
                    let value = self.line()?.parse().context("not a number")?;
                    self.push(Node::Float(value))?;
                }
                b'X' | b'T' | b'B' => {
                    let length = self.u32()?;
                    self.text(length as usize)?;
                }
                0x8c | b'U' | b'C' => {
                    let length = self.byte()?;
                    self.text(length.into())?;
                }
                0x8d | 0x8e => {
                    let length = u64::from_le_bytes(self.array()?);
                    self.text(usize::try_from(length)?)?;
                }
                b'S' | b'V' => {
                    let line = self.line()?;
                    let bare = line.trim_matches(|c| c == '\'' || c == '"').to_string();
                    self.push(Node::Text(bare))?;
                }
                b')' => self.push(Node::Tuple(vec![]))?,
                0x85 => self.tuple(1)?,
                0x86 => self.tuple(2)?,
                0x87 => self.tuple(3)?,
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Tuple(items))?;
                }
                // Sets have no order and hold no tensor: lists do for them.
                b']' | 0x8f => self.push(Node::List(vec![]))?,
                b'l' | 0x91 => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::List(items))?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend_list(vec![item])?;
                }
                b'e' | 0x90 => {
                    let items = self.pop_to_mark()?;
                    self.extend_list(items)?;
                }
                b'}' => self.push(Node::Dict(vec![]))?,
                b'd' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Dict(vec![]))?;
                    self.extend_dict(items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.extend_dict(vec![key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.extend_dict(items)?;
                }
                b'q' => {
                    let index = self.byte()?;
                    self.put(index.into())?;
                }
                b'r' => {
                    let index = self.u32()?;
                    self.put(index)?;
                }
                b'p' => {
                    let index = self.line()?.parse().context("not a memo")?;
                    self.put(index)?;
                }
                0x94 => {
                    let index = u32::try_from(self.memo.len())?;
                    self.put(index)?;
                }
                b'h' => {
                    let index = self.byte()?;
                    self.get(index.into())?;
                }
                b'j' => {
                    let index = self.u32()?;
                    self.get(index)?;
                }
                b'g' => {
                    let index = self.line()?.parse().context("not a memo")?;
                    self.get(index)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Node::Class { module, name })?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    // Longer names would be copied for every use.
                    let text = |id: Id| match &self.nodes[id as usize] {
                        Node::Text(text) if text.len() <= 1000 => Ok(text.clone()),
                        _ => bail!("a class whose name is not a short text"),
                    };
                    let node = Node::Class { module: text(module)?, name: text(name)? };
                    self.push(node)?;
                }
                b'R' | 0x81 => {
                    let arguments = self.pop()?;
                    let class = self.pop()?;
                    self.object(class, arguments)?;
                }
                0x92 => {
                    self.pop()?;
                    let arguments = self.pop()?;
                    let class = self.pop()?;
                    self.object(class, arguments)?;
                }
                b'i' => {
                    let (module, name) = (self.line()?, self.line()?);
                    let arguments = self.pop_to_mark()?;
                    self.push(Node::Class { module, name })?;
                    let class = self.pop()?;
                    self.push(Node::Tuple(arguments))?;
                    let arguments = self.pop()?;
                    self.object(class, arguments)?;
                }
                b'o' => {
                    let mut arguments = self.pop_to_mark()?;
                    if arguments.is_empty() {
                        bail!("an object without a class");
                    }
                    let class = arguments.remove(0);
                    self.push(Node::Tuple(arguments))?;
                    let arguments = self.pop()?;
                    self.object(class, arguments)?;
                }
                b'b' => {
                    let given = self.pop()?;
                    let object = self.last()?;
                    // Attributes of a dictionary (PyTorch's versions of modules) are not entries.
                    if let Node::Object { state, .. } = &mut self.nodes[object as usize] {
                        *state = Some(given);
                    }
                }
                b'Q' => {
                    let id = self.pop()?;
                    self.push(Node::Outside(id))?;
                }
                b'P' => {
                    let line = self.line()?;
                    self.push(Node::Text(line))?;
                    let id = self.pop()?;
                    self.push(Node::Outside(id))?;
                }
                other => bail!("there is no pickle code {other:#04x}: the file is damaged"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root(bytes: &[u8]) -> Result<(Pickle, usize)> {
        Pickle::read(bytes)
    }

    #[test]
    fn values_of_every_protocol() {
        // Python's pickle.dumps(([1, -2], {'a': 2.5}, True, None, 300, 2**40, 10**30), protocol).
        let two = b"\x80\x02(]q\x00(K\x01J\xfe\xff\xff\xffe}q\x01X\x01\x00\x00\x00aq\x02G@\x04\x00\
            \x00\x00\x00\x00\x00s\x88NM,\x01\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\r\x00\x00\x00@\xea\
            \xed\x74\x46\xd0\x9c,\x9f\x0ctq\x03.";
        let zero = b"((lp0\nI1\naI-2\na(dp1\nVa\np2\nF2.5\nsI01\nNI300\nI1099511627776\n\
            L1L\ntp3\n.";
        for bytes in [&two[..], zero] {
            let (pickle, length) = root(bytes).unwrap();
            assert_eq!(length, bytes.len());
            let Node::Tuple(items) = pickle.node(pickle.root) else { panic!() };
            let Node::List(list) = pickle.node(items[0]) else { panic!() };
            assert_eq!(pickle.node(list[1]), &Node::Int(-2));
            let Node::Dict(dict) = pickle.node(items[1]) else { panic!() };
            assert_eq!(pickle.node(dict[0].0), &Node::Text("a".into()));
            assert_eq!(pickle.node(dict[0].1), &Node::Float(2.5));
            assert_eq!(pickle.node(items[2]), &Node::Bool(true));
            assert_eq!(pickle.node(items[4]), &Node::Int(300));
            assert_eq!(pickle.node(items[5]), &Node::Int(1 << 40));
        }
    }

    #[test]
    fn calls_are_noted_not_made() {
        let (pickle, _) = root(b"cposix\nsystem\n(Vtouch /tmp/x\ntR.").unwrap();
        assert_eq!(pickle.class(pickle.root), Some(("posix", "system")));
        assert_eq!(pickle.describe(pickle.root), "an object of the class posix.system");
    }

    #[test]
    fn nesting_and_repetition_stay_linear() {
        let mut deep = vec![b'N'];
        deep.extend(std::iter::repeat_n(0x85, 1_000_000));
        deep.push(b'.');
        assert_eq!(root(&deep).unwrap().0.nodes.len(), 1_000_001);
        // Each tuple holds the one before twice: 2^60 leaves, if they were copied.
        let mut wide = b"Nq\x00".to_vec();
        for _ in 0..60 {
            wide.extend(b"h\x00\x86q\x00");
        }
        wide.push(b'.');
        assert_eq!(root(&wide).unwrap().0.nodes.len(), 61);
        let huge = b"X\xff\xff\xff\xffabc";
        assert!(format!("{:#}", root(huge).unwrap_err()).contains("truncated"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_tree_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = root(&bytes);
        }

        #[test]
        fn any_codes_give_a_tree_or_an_error(
            codes in prop::collection::vec(prop::sample::select(
                b"(tRNK\x01\x01]}\x85\x86\x87)abdehuqs0123Q\x81\x92\x93ol\x94\x8f\x90.".to_vec()), 0..200)
        ) {
            let _ = root(&codes);
        }
    }
}
