//! Sizes and choices of the kinds of pairs.

use anyhow::Result;
use candle_core::Device;
use candle_nn::Activation;

use super::bert::{self, Bert};
use super::images::Eye;
use super::mammo_clip;
use super::mobile;
use super::projection::Projection;
use super::reader::Reader;
use super::texts;
use super::texts::{Seen, Texts, Told};
use super::tokens::Marks;
use crate::inverted::Inverted;
use crate::parameters::Parameters;
use crate::tower;
use crate::tower::block::Form;
use architecture::tower::Tower;

/// A kind of pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) image: Image,
    /// Edge of the images in pixels.
    pub(super) input: u32,
    pub(super) text: Text,
    /// Numbers of an embedding.
    pub(super) width: usize,
    /// How texts begin, end and are cleaned.
    pub(super) marks: Marks,
}

/// An image tower.
#[derive(Debug, Clone, Copy)]
pub(super) enum Image {
    /// A vision transformer.
    Tower(Tower, tower::Plan),
    /// MobileCLIP's.
    Mobile(mobile::Plan),
    /// Mammo-CLIP's.
    Efficient(mammo_clip::Plan),
}

impl Image {
    /// What names of its tensors begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Image::Tower(..) => "vision_model.",
            Image::Mobile(_) => mobile::PREFIX,
            Image::Efficient(_) => mammo_clip::PREFIX,
        }
    }
}

/// A text tower.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    /// One like CLIP's.
    Tower(texts::Plan),
    /// Mammo-CLIP's.
    Bert(bert::Plan),
}

impl Text {
    /// Tokens that there are.
    pub(super) fn vocabulary(self) -> usize {
        match self {
            Text::Tower(plan) => plan.vocabulary,
            Text::Bert(plan) => plan.vocabulary,
        }
    }

    /// Tokens of a text at most.
    pub(super) fn places(self) -> usize {
        match self {
            Text::Tower(plan) => plan.places,
            Text::Bert(plan) => plan.places,
        }
    }

    /// Values of what is seen of a text.
    fn width(self) -> usize {
        match self {
            Text::Tower(plan) => plan.form.width,
            Text::Bert(plan) => plan.width,
        }
    }
}

/// Blocks, values of a token and heads of a text tower.
type Size = [usize; 3];

const BASE: Size = [12, 512, 8];
const LARGE: Size = [12, 768, 12];
/// Tokens that CLIP's byte pairs make, and places of a text.
const CLIP: [usize; 2] = [49_408, 77];
/// The same of SigLIP's pieces of words.
const SIG_LIP: [usize; 2] = [32_000, 64];
/// Bio_ClinicalBERT (Alsentzer et al. 2019), of which Mammo-CLIP takes half of the places.
const CLINICAL: bert::Plan = bert::Plan {
    depth: 12,
    width: 768,
    heads: 12,
    vocabulary: 28_996,
    positions: 512,
    places: 256,
};

impl Plan {
    /// That of a name of [`architecture::namer::NAMERS`].
    pub(super) fn of(name: &str) -> Option<Plan> {
        let namer = architecture::namer::find(name)?;
        let quick = |tower: &str, text: Size, width: usize| {
            Some(Plan::clip(tower::Plan::of(tower)?, namer.input, text, CLIP, width))
        };
        match name {
            "clip_vit_base_patch32" | "clip_vit_base_patch16" => quick(name, BASE, 512),
            "clip_vit_large_patch14" => quick(name, LARGE, 768),
            "openclip_vit_b_32" => quick("clip_vit_base_patch32", BASE, 512).map(Plan::with_gelu),
            "openclip_vit_b_16" => quick("clip_vit_base_patch16", BASE, 512).map(Plan::with_gelu),
            "mobileclip_s1" => Some(Plan::mobile(mobile::Plan::S1, namer.input, BASE, CLIP, 512)),
            "mobileclip_s2" => Some(Plan::mobile(mobile::Plan::S2, namer.input, BASE, CLIP, 512)),
            "siglip_base_patch16_224" => {
                let text = [12, 768, 12];
                Some(Plan::sig_lip(tower::Plan::of(name)?, namer.input, text, SIG_LIP))
            }
            "mammo_clip_b2" => Some(Plan::mammo(mammo_clip::Plan::B2, namer.input, CLINICAL, 512)),
            "mammo_clip_b5" => Some(Plan::mammo(mammo_clip::Plan::B5, namer.input, CLINICAL, 512)),
            _ => None,
        }
    }

    /// CLIP's text tower sees of a text what comes before each token, and what the token at its end has seen is the
    /// text's.
    pub(super) fn clip(
        image: tower::Plan,
        input: u32,
        [depth, tokens, heads]: Size,
        [vocabulary, places]: [usize; 2],
        width: usize,
    ) -> Plan {
        let form = Form { width: tokens, heads, epsilon: 1e-5, activation: Activation::Silu };
        let (seen, told) = (Seen::Before, Told::End);
        let text = texts::Plan { form, depth, vocabulary, places, seen, told };
        let (image, text) = (Image::Tower(Tower::Clip, image), Text::Tower(text));
        Plan { image, input, text, width, marks: Marks::CLIP }
    }

    /// MobileCLIP's text tower is OpenCLIP's, but that each token sees all of them.
    pub(super) fn mobile(
        image: mobile::Plan,
        input: u32,
        [depth, tokens, heads]: Size,
        [vocabulary, places]: [usize; 2],
        width: usize,
    ) -> Plan {
        let form = Form { width: tokens, heads, epsilon: 1e-5, activation: Activation::Gelu };
        let (seen, told) = (Seen::All, Told::End);
        let text = texts::Plan { form, depth, vocabulary, places, seen, told };
        let (image, text) = (Image::Mobile(image), Text::Tower(text));
        Plan { image, input, text, width, marks: Marks::OPEN_CLIP }
    }

    /// SigLIP's sees all of it, always filled up to as many tokens as there are places, and what is in the last place is
    /// the text's.
    pub(super) fn sig_lip(
        image: tower::Plan,
        input: u32,
        [depth, width, heads]: Size,
        [vocabulary, places]: [usize; 2],
    ) -> Plan {
        let activation = Activation::GeluPytorchTanh;
        let form = Form { width, heads, epsilon: 1e-6, activation };
        let (seen, told) = (Seen::All, Told::Last);
        let text = texts::Plan { form, depth, vocabulary, places, seen, told };
        let (image, text) = (Image::Tower(Tower::SigLip, image), Text::Tower(text));
        Plan { image, input, text, width, marks: Marks::SIG_LIP }
    }

    /// Mammo-CLIP's text tower is a BERT, and a layer with a bias follows each tower.
    pub(super) fn mammo(
        image: mammo_clip::Plan,
        input: u32,
        text: bert::Plan,
        width: usize,
    ) -> Plan {
        let (image, text) = (Image::Efficient(image), Text::Bert(text));
        Plan { image, input, text, width, marks: Marks::BERT }
    }

    /// With GELU in both towers: OpenAI's own CLIPs have a quicker one, OpenCLIP's trainings this.
    pub(super) fn with_gelu(mut self) -> Plan {
        if let Image::Tower(kind, plan) = self.image {
            self.image = Image::Tower(kind, plan.with_activation(Activation::Gelu));
        }
        if let Text::Tower(plan) = &mut self.text {
            plan.form.activation = Activation::Gelu;
        }
        self
    }

    /// Names and shapes of all tensors of a file, in Hugging Face's layout, but for the scale and MobileCLIP's image
    /// tower.
    pub(super) fn wanted(&self) -> Result<Vec<(String, Vec<usize>)>> {
        let mut parts = Parts::new(Parameters::sketch);
        self.build(&mut parts)?;
        let Parts { image, text, joint } = parts;
        let heads = self.heads();
        let is_head = |name: &str| heads.iter().any(|head| super::file::is_of(name, head));
        let image = image.into_sketch().into_iter().filter(|(name, _)| !is_head(name));
        let under = |prefix: &'static str| {
            move |(name, dims): (String, Vec<usize>)| (format!("{prefix}{name}"), dims)
        };
        let image = image.map(under(self.image.prefix()));
        let text = text.into_sketch().into_iter().map(under(TEXT));
        Ok(image.chain(text).chain(joint.into_sketch()).collect())
    }

    /// The towers, their parameters among `parts`, and what projects what they see into the space of both.
    pub(super) fn build(&self, parts: &mut Parts) -> Result<Built> {
        let image = match self.image {
            Image::Tower(_, plan) => {
                let ends = crate::Ends::colour(1);
                Some(Eye::Tower(tower::Tower::new(plan, ends, &mut parts.image)?))
            }
            Image::Efficient(plan) => {
                let ends = crate::Ends::colour(self.width);
                let network = Inverted::new(plan.network(), ends, &mut parts.image)?;
                Some(Eye::Efficient(Box::new(network)))
            }
            Image::Mobile(_) => None,
        };
        let text = match self.text {
            Text::Tower(plan) => Words::Tower(Texts::new(plan, &mut parts.text)?),
            Text::Bert(plan) => Words::Bert(Bert::new(plan, &mut parts.text)?),
        };
        let Parts { joint, text: of_text, .. } = parts;
        let of_images = match self.image {
            Image::Tower(Tower::SigLip, _) | Image::Mobile(_) | Image::Efficient(_) => None,
            Image::Tower(_, plan) => {
                let dims = [self.width, plan.features()];
                Some(Projection::bare("visual_projection", dims, joint)?)
            }
        };
        let (name, dims) = ("text_projection", [self.width, self.text.width()]);
        let of_texts = match self.image {
            Image::Tower(Tower::SigLip, _) => Projection::with_bias("head", dims, of_text)?,
            Image::Efficient(_) => Projection::with_bias(name, dims, joint)?,
            Image::Tower(..) | Image::Mobile(_) => Projection::bare(name, dims, joint)?,
        };
        Ok(Built { image, text, of_images, of_texts })
    }

    /// The last layer that a vision transformer may have, and that is not wanted here.
    pub(super) fn heads(&self) -> &'static [&'static str] {
        match self.image {
            Image::Tower(kind, _) => tower::landmarks(kind).heads,
            Image::Mobile(_) | Image::Efficient(_) => &[],
        }
    }
}

/// What names of the text tower begin with.
pub(super) const TEXT: &str = "text_model.";

/// The parameters of a pair.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) image: Parameters,
    pub(super) text: Parameters,
    /// What belongs to neither tower.
    pub(super) joint: Parameters,
}

impl Parts {
    pub(super) fn new(empty: impl Fn() -> Parameters) -> Parts {
        Parts { image: empty(), text: empty(), joint: empty() }
    }
}

/// The towers of a pair.
#[derive(Debug)]
pub(super) struct Built {
    /// MobileCLIP's is made of the tensors themselves.
    pub(super) image: Option<Eye>,
    pub(super) text: Words,
    /// SigLIP's images need none, and the towers of MobileCLIP and Mammo-CLIP have their own.
    pub(super) of_images: Option<Projection>,
    pub(super) of_texts: Projection,
}

/// The parameters of a text tower.
#[derive(Debug)]
pub(super) enum Words {
    Tower(Texts),
    Bert(Bert),
}

impl Words {
    /// A tower of the parameters as they are, which live on `device`.
    pub(super) fn ready(&self, device: &Device) -> candle_core::Result<Reader> {
        match self {
            Words::Tower(texts) => texts.ready(device),
            Words::Bert(bert) => bert.ready(device),
        }
    }
}
