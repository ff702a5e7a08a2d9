//! Files of `torch.save`: the zip form (PyTorch 1.6 and later) and the one before it.
//!
//! Both hold a pickle whose tensors refer to storages outside of it by a key. In the zip form a
//! storage is an entry `data/<key>` of the archive, uncompressed. The older form is a row of pickles
//! (magic number, protocol version, facts of the machine, the object, the list of keys) and after
//! them, in the order of the keys, each storage as its number of elements and its values.
//! torchvision's AlexNet and VGG weights and the checkpoints of the paper's time are in the older one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor};

use super::Contents;
use super::pickle::{Id, Node, Pickle, printable};

/// 0x1950a86a20f9469cfc6c, as a pickle holds it.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;
/// How deep dictionaries with tensors may lie in each other.
const DEPTH: usize = 4;
/// Longest key of a dictionary within another: it comes before every name in it.
const KEY: usize = 200;
/// Tensors may share storages, but not without end: together they may be this many times as large as
/// the file.
const SHARING: usize = 8;

/// Reads the dictionaries of a file in zip form.
pub(super) fn read_zip(bytes: &[u8]) -> Result<Contents> {
    // Nothing stands before it. Were that looked for, the second entry of its table of contents would sometimes be taken
    // for the first: the 76 bytes that PyTorch writes after the table are not counted as part of it.
    let config = zip::read::Config { archive_offset: zip::read::ArchiveOffset::Known(0) };
    let archive = || -> Result<_> { Ok(zip::ZipArchive::with_config(config, Cursor::new(bytes))?) };
    let mut archive = archive().context(
        "the archive has no readable table of contents: the file is truncated (was the download \
         complete?) or damaged",
    )?;
    // What `torch.jit.save` writes is found by its code, before any entry is looked at closely.
    let of_script = |name: &str| {
        let inner = name.split_once('/').map_or(name, |(_, inner)| inner);
        inner == "constants.pkl" || inner.starts_with("code/")
    };
    if archive.file_names().flatten().any(|name| of_script(&name)) {
        bail!(
            "the file is a TorchScript program (torch.jit.save), not a state dictionary. PyTorch can \
             turn it into one without the code that made it: \
             `torch.save(torch.jit.load(\"FILE\", map_location=\"cpu\").state_dict(), \"state.pth\")`; \
             use state.pth"
        );
    }
    let mut entries = BTreeMap::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).with_context(|| format!("entry {i} of the archive"))?;
        let name = entry.name()?.into_owned();
        let range = || {
            let start = usize::try_from(entry.data_start()?).ok()?;
            let end = start.checked_add(usize::try_from(entry.size()).ok()?)?;
            bytes.get(start..end)
        };
        if entry.compression() != zip::CompressionMethod::Stored {
            bail!(
                "entry {} is compressed, which PyTorch never does: unpack the archive and use the \
                 .pth or .safetensors file in it",
                printable(&name)
            );
        }
        let content = range().with_context(|| {
            format!("entry {} lies beyond the end: the file is truncated", printable(&name))
        })?;
        entries.insert(name, content);
    }
    let root = entries.keys().find_map(|name| {
        let folder = name.strip_suffix("data.pkl")?;
        (folder.is_empty() || folder.matches('/').count() == 1).then(|| folder.to_string())
    });
    let Some(root) = root else {
        bail!("the archive is not of PyTorch: it holds no data.pkl");
    };
    if entries.get(&format!("{root}byteorder")).is_some_and(|order| *order != b"little") {
        bail!("the values are big-endian: save the file again on a usual machine");
    }
    let (pickle, _) = Pickle::read(entries[&format!("{root}data.pkl")])?;
    let storage = |key: &str| entries.get(&format!("{root}data/{key}")).copied();
    Reader { pickle: &pickle, budget: SHARING * bytes.len() }.contents(&storage)
}

/// Whether a file begins as one of the older form.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    // Protocol 2 and later; the magic number as LONG1 of ten bytes.
    matches!(bytes, [0x80, 2..=5, rest @ ..] if rest.starts_with(&[0x8a, 10]) && rest[2..].starts_with(&MAGIC))
}

/// Reads the dictionaries of a file in the older form.
pub(super) fn read_legacy(bytes: &[u8]) -> Result<Contents> {
    let mut at = 0;
    let mut next = || -> Result<Pickle> {
        let (pickle, length) = Pickle::read(&bytes[at..])?;
        at += length;
        Ok(pickle)
    };
    let magic = next()?;
    let protocol = next()?;
    if *magic.node(magic.root) != Node::Big(MAGIC.to_vec())
        || *protocol.node(protocol.root) != Node::Int(PROTOCOL)
    {
        bail!("the file is not of torch.save, or of a version that never was");
    }
    let system = next()?;
    if let Some(order) = find(&system, system.root, "little_endian")
        && *system.node(order) == Node::Bool(false)
    {
        bail!("the values are big-endian: save the file again on a usual machine");
    }
    let pickle = next()?;
    let keys = next()?;
    let reader = Reader { pickle: &pickle, budget: SHARING * bytes.len() };

    // How wide a storage's elements are is known from the references to it only.
    let mut widths = BTreeMap::new();
    for node in &pickle.nodes {
        if let Node::Outside(id) = node
            && let Some(storage) = reader.storage(*id)
        {
            widths.insert(storage.key, storage.element.width());
        }
    }
    let Node::List(keys_list) = keys.node(keys.root) else {
        bail!("the list of storages is missing");
    };
    let mut storages = BTreeMap::new();
    for (i, key) in keys_list.iter().enumerate() {
        let key = text_or_number(&keys, *key).context("a storage's key is not a text")?;
        let width = *widths.get(&key).with_context(|| {
            format!("no tensor refers to storage {}, so its size is unknown", printable(&key))
        })?;
        let truncated = || {
            format!(
                "the file is truncated: it ends in storage {} of {} (was the download complete?)",
                i + 1,
                keys_list.len()
            )
        };
        let count = bytes.get(at..).and_then(|rest| rest.first_chunk()).with_context(truncated)?;
        at += size_of::<i64>();
        let length = usize::try_from(i64::from_le_bytes(*count))
            .ok()
            .and_then(|count| count.checked_mul(width))
            .and_then(|length| at.checked_add(length));
        let end = length.filter(|end| *end <= bytes.len()).with_context(truncated)?;
        storages.insert(key, &bytes[at..end]);
        at = end;
    }
    reader.contents(&|key| storages.get(key).copied())
}

/// What a storage holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    /// Can become a tensor here.
    Known(DType),
    /// Has a width, and is skipped.
    Other(usize),
}

impl Element {
    fn of(class: &str) -> Option<Element> {
        Some(match class.strip_suffix("Storage")? {
            "Float" => Element::Known(DType::F32),
            "Double" => Element::Known(DType::F64),
            "Half" => Element::Known(DType::F16),
            "BFloat16" => Element::Known(DType::BF16),
            "Long" => Element::Known(DType::I64),
            "Int" => Element::Known(DType::I32),
            "Short" => Element::Known(DType::I16),
            "Byte" | "Bool" => Element::Known(DType::U8),
            "Char" | "QInt8" | "QUInt8" | "Untyped" => Element::Other(1),
            "QInt32" => Element::Other(4),
            "ComplexFloat" => Element::Other(8),
            "ComplexDouble" => Element::Other(16),
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Element::Known(dtype) => dtype.size_in_bytes(),
            Element::Other(width) => width,
        }
    }
}

/// A reference to a storage, or to a part of one.
struct Storage {
    key: String,
    class: String,
    element: Element,
    /// First element, and how many where it is a part.
    part: Option<(usize, usize)>,
}

/// Where a storage's bytes are, by its key.
type Storages<'a, 'b> = dyn Fn(&str) -> Option<&'a [u8]> + 'b;

struct Reader<'p> {
    pickle: &'p Pickle,
    /// Bytes that all tensors together may have.
    budget: usize,
}

impl Reader<'_> {
    /// `('storage', class, key, location, elements[, view])`. The location (a GPU, perhaps) says
    /// where the values were and changes nothing.
    fn storage(&self, id: Id) -> Option<Storage> {
        let Node::Tuple(parts) = self.pickle.node(id) else { return None };
        let [kind, class, key, _, _, view @ ..] = parts.as_slice() else { return None };
        if *self.pickle.node(*kind) != Node::Text("storage".into()) {
            return None;
        }
        let (module, class) = self.pickle.class(*class)?;
        if module != "torch" && !module.starts_with("torch.") {
            return None;
        }
        let part = match view.first().map(|view| self.pickle.node(*view)) {
            Some(Node::Tuple(view)) => Some((self.size(*view.get(1)?)?, self.size(*view.get(2)?)?)),
            _ => None,
        };
        Some(Storage {
            key: text_or_number(self.pickle, *key)?,
            class: class.to_string(),
            element: Element::of(class)?,
            part,
        })
    }

    fn size(&self, id: Id) -> Option<usize> {
        match self.pickle.node(id) {
            Node::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    fn sizes(&self, id: Id) -> Option<Vec<usize>> {
        let items = match self.pickle.node(id) {
            Node::Tuple(items) | Node::List(items) => items,
            // torch.Size((…))
            Node::Object { arguments, .. } => match self.pickle.node(*arguments) {
                Node::Tuple(outer) => match self.pickle.node(*outer.first()?) {
                    Node::Tuple(items) | Node::List(items) => items,
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        // No network here has tensors of more dimensions; each could be read once per use.
        (items.len() <= 8).then(|| items.iter().map(|item| self.size(*item)).collect())?
    }

    /// The arguments of the function that rebuilds a tensor, if the value is one.
    fn tensor_arguments(&self, id: Id) -> Option<&[Id]> {
        let mut id = id;
        // A parameter wraps a tensor; nothing wraps a parameter.
        for _ in 0..3 {
            let Node::Object { arguments, state, .. } = self.pickle.node(id) else { return None };
            let Node::Tuple(arguments) = self.pickle.node(*arguments) else { return None };
            match self.pickle.class(id)? {
                ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => {
                    return Some(arguments);
                }
                ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                    id = *arguments.first()?;
                }
                ("torch._tensor", "_rebuild_from_type_v2") => {
                    // (function, type, its arguments, attributes)
                    let function = self.pickle.class(*arguments.first()?)?;
                    let ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") = function
                    else {
                        return None;
                    };
                    match self.pickle.node(*arguments.get(2)?) {
                        Node::Tuple(inner) => return Some(inner),
                        _ => return None,
                    }
                }
                // Before PyTorch 0.4 a parameter was a class with its tensor among the attributes.
                ("torch.nn.parameter", "Parameter") | ("torch.autograd.variable", "Variable") => {
                    id = match state.map(|state| self.pickle.node(state)) {
                        Some(Node::Tuple(state)) => *state.first()?,
                        _ => *arguments.first()?,
                    };
                }
                _ => return None,
            }
        }
        None
    }

    fn is_tensor(&self, id: Id) -> bool {
        self.tensor_arguments(id).is_some()
    }

    fn entries(&self, id: Id) -> &[(Id, Id)] {
        match self.pickle.node(id) {
            Node::Dict(entries) => entries,
            _ => &[],
        }
    }

    /// Every tensor of the file's dictionaries by its name, and the objects beside them. A dictionary
    /// counts once, however often it is referred to; keys that are no text (an optimiser's numbers)
    /// lead nowhere.
    fn named(&self) -> (Vec<(String, Id)>, BTreeMap<String, String>) {
        let (mut tensors, mut objects) = (Vec::new(), BTreeMap::new());
        let mut seen = BTreeSet::from([self.pickle.root]);
        let mut open = vec![(self.pickle.root, String::new(), 1)];
        while let Some((dict, prefix, depth)) = open.pop() {
            for &(key, value) in self.entries(dict) {
                let Node::Text(key) = self.pickle.node(key) else { continue };
                match self.pickle.node(value) {
                    _ if self.is_tensor(value) => tensors.push((format!("{prefix}{key}"), value)),
                    Node::Dict(_) if depth < DEPTH && key.len() <= KEY && seen.insert(value) => {
                        open.push((value, format!("{prefix}{key}."), depth + 1));
                    }
                    Node::Object { .. } | Node::Class { .. } | Node::Outside(_) => {
                        objects.insert(format!("{prefix}{key}"), self.pickle.describe(value));
                    }
                    // What scripts keep beside the tensors: epochs, names, settings.
                    _ => {}
                }
            }
        }
        (tensors, objects)
    }

    /// What a tensor is, where its values are of a kind that no network here has.
    fn unsupported(&self, id: Id) -> Option<String> {
        let Node::Outside(storage) = self.pickle.node(*self.tensor_arguments(id)?.first()?) else {
            return None;
        };
        let storage = self.storage(*storage)?;
        let unknown = matches!(storage.element, Element::Other(_));
        unknown.then(|| format!("a tensor of a {}", printable(&storage.class)))
    }

    /// Why there is nothing to read.
    fn without_tensors(&self) -> anyhow::Error {
        let root = self.pickle.root;
        let entries = self.entries(root);
        let values = entries.iter().map(|(_, value)| *value).chain([root]);
        let class = values.filter_map(|id| Some((id, self.pickle.class(id)?))).next();
        if let Some((id, _)) = class {
            return anyhow::anyhow!(
                "the file holds {}, not a state dictionary, and nothing in it was executed: load it \
                 where that class is known, save `model.state_dict()`, and use that file",
                self.pickle.describe(id)
            );
        }
        let keys: Vec<String> = entries
            .iter()
            .filter_map(|(key, _)| text_or_number(self.pickle, *key))
            .take(12)
            .map(|key| printable(&key))
            .collect();
        if keys.is_empty() {
            let what = self.pickle.describe(root);
            return anyhow::anyhow!("the file holds {what} where a state dictionary is expected");
        }
        anyhow::anyhow!("the file holds no tensor with a name; its keys are {}", keys.join(", "))
    }

    fn contents(mut self, storages: &Storages) -> Result<Contents> {
        let (named, mut objects) = self.named();
        if named.is_empty() {
            return Err(self.without_tensors());
        }
        let mut tensors = BTreeMap::new();
        for (name, value) in named {
            // Quantised and complex values may lie beside a network.
            if let Some(what) = self.unsupported(value) {
                objects.insert(name, what);
                continue;
            }
            let tensor = self
                .tensor(value, storages)
                .with_context(|| format!("the tensor {} cannot be read", printable(&name)))?;
            tensors.insert(name, tensor);
        }
        Ok(Contents { tensors, objects })
    }

    /// `(storage, offset, size, stride, …)`.
    fn tensor(&mut self, id: Id, storages: &Storages) -> Result<Tensor> {
        let arguments = self.tensor_arguments(id).context("it is not a tensor")?;
        let [storage, offset, size, stride, ..] = arguments else {
            bail!("its description is too short");
        };
        let storage = match self.pickle.node(*storage) {
            Node::Outside(id) => self.storage(*id),
            _ => None,
        };
        let storage = storage.context("its storage is of no kind that torch.save writes")?;
        let Element::Known(dtype) = storage.element else {
            bail!("values of a {} are not supported", printable(&storage.class));
        };
        let offset = self.size(*offset).context("its offset is not a size")?;
        let dims = self.sizes(*size).context("its size is not a list of up to 8 sizes")?;
        let strides = self.sizes(*stride).context("its stride is not a list of up to 8 sizes")?;
        let bytes = storages(&storage.key).with_context(|| {
            format!("storage {} is not in the file: it is incomplete", printable(&storage.key))
        })?;
        let width = dtype.size_in_bytes();
        let bytes = match storage.part {
            None => bytes,
            Some((start, count)) => {
                part(bytes, start, count, width).context("it lies beyond the end of its storage")?
            }
        };
        let length = count(&dims)
            .and_then(|count| count.checked_mul(width))
            .filter(|length| *length <= self.budget)
            .context("it is larger than the file")?;
        self.budget -= length;
        let values = gather(bytes, offset, &dims, &strides, width)
            .context("it lies beyond the end of its storage: the file is truncated or damaged")?;
        Ok(Tensor::from_raw_buffer(&values, dtype, &dims, &Device::Cpu)?)
    }
}

fn count(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim))
}

fn part(bytes: &[u8], start: usize, count: usize, width: usize) -> Option<&[u8]> {
    let start = start.checked_mul(width)?;
    bytes.get(start..start.checked_add(count.checked_mul(width)?)?)
}

/// Values of a strided view, row by row. `None` when it reaches beyond the storage.
pub(super) fn gather(
    bytes: &[u8],
    offset: usize,
    dims: &[usize],
    strides: &[usize],
    width: usize,
) -> Option<Vec<u8>> {
    if dims.len() != strides.len() {
        return None;
    }
    let total = count(dims)?;
    // A view of nothing may begin anywhere.
    if total == 0 {
        return Some(vec![]);
    }
    let mut contiguous = 1usize;
    let plain = dims.iter().zip(strides).rev().all(|(dim, stride)| {
        let fits = *dim == 1 || *stride == contiguous;
        contiguous = contiguous.saturating_mul(*dim);
        fits
    });
    if plain {
        return part(bytes, offset, total, width).map(<[u8]>::to_vec);
    }
    // The farthest element tells whether all are inside.
    let last = dims
        .iter()
        .zip(strides)
        .try_fold(offset, |at, (dim, stride)| at.checked_add((dim - 1).checked_mul(*stride)?))?;
    part(bytes, last, 1, width)?;
    let mut values = Vec::with_capacity(total * width);
    let mut index = vec![0; dims.len()];
    let mut at = offset;
    for _ in 0..total {
        values.extend_from_slice(part(bytes, at, 1, width)?);
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            // A lone row may have any stride: it is added and taken away again.
            at = at.wrapping_add(strides[axis]);
            if index[axis] < dims[axis] {
                break;
            }
            at = at.wrapping_sub(dims[axis].wrapping_mul(strides[axis]));
            index[axis] = 0;
        }
    }
    Some(values)
}

fn text_or_number(pickle: &Pickle, id: Id) -> Option<String> {
    match pickle.node(id) {
        Node::Text(text) if text.len() <= 1000 => Some(text.clone()),
        Node::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The value under a key of a dictionary.
fn find(pickle: &Pickle, dict: Id, key: &str) -> Option<Id> {
    let Node::Dict(entries) = pickle.node(dict) else { return None };
    let found = |(id, _): &&(Id, Id)| matches!(pickle.node(*id), Node::Text(text) if text == key);
    entries.iter().find(found).map(|(_, value)| *value)
}
