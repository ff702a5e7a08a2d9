"""Writes mammo_clip.json: what small Mammo-CLIPs compute, of the parts that theirs are made of.

Mammo-CLIP's image tower is a copy of lukemelas' EfficientNet (the package efficientnet_pytorch, here with its own
classifier left out as theirs is), its text tower Hugging Face's BERT, of which the last token within the attention mask
is taken; a linear layer follows each (batmanlab/Mammo-CLIP, src/codebase/breastclip/model/clip.py). Names are those of
its checkpoints. The image tower is once made for the images that it sees and once, as the published ones are, for images
of another size, to which its paddings belong. Weights, images and texts follow from formulas as in namers.py; everything
is in double precision. The tokenizer is what Hugging Face makes of a folder with vocab.txt and without any settings, as
emilyalsentzer/Bio_ClinicalBERT is one.
Run: python tests/golden/mammo_clip.py > tests/golden/mammo_clip.json
(PyTorch 2.x, transformers 5, efficientnet_pytorch 0.7, and what namers.py needs)
"""

import json
import string
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from efficientnet_pytorch import EfficientNet
from efficientnet_pytorch.utils import efficientnet
from transformers import AutoTokenizer, BertConfig, BertModel

from namers import SCALE, fill_layers, images
from network import short

SPACE, PLACES, POSITIONS, WIDTH = 12, 8, 10, 16
# How much wider and deeper than B0, the edge that paddings are made for, and that of the images. At a half no block is as
# wide as the one before it where theirs, by how it reads its settings, has no shortcut all the same.
CASES = [("even", 0.5, 0.5, 76, 96), ("odd", 0.5, 0.5, 65, 65)]
PUBLISHED = dict(mammo_clip_b5="efficientnet-b5", mammo_clip_b2="efficientnet-b2")
TEXTS = ["a mass", "Mass,  with spiculated margins and 12 calcifications", "", "l\u00e9sion \u2603", "I don't see a lesion"]
NORMAL = ([0.3089279] * 3, [0.25053555408335154] * 3)


def vocabulary():
    letters = string.ascii_lowercase + string.digits + ",.'-"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + letter for letter in letters)]
    return words + ["mass", "with", "les", "##ion", "##cula", "calc", "and"]


def tokenizer_of(words):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.txt").write_text("".join(word + "\n" for word in words))
        Path(folder, "config.json").write_text(json.dumps(dict(model_type="bert")))
        return AutoTokenizer.from_pretrained(folder)


class MammoClip(torch.nn.Module):
    def __init__(self, image, text, space):
        super().__init__()
        self.image_encoder, self.text_encoder = image, torch.nn.Module()
        self.text_encoder.text_encoder = text
        del image._fc
        self.image_projection, self.text_projection = torch.nn.Module(), torch.nn.Module()
        self.image_projection.projection = torch.nn.Linear(image._conv_head.out_channels, space)
        self.text_projection.projection = torch.nn.Linear(text.config.hidden_size, space)
        self.logit_scale = torch.nn.Parameter(torch.tensor(0.0))

    def images(self, x):
        x = self.image_encoder.extract_features(x).mean((2, 3))
        return F.normalize(self.image_projection.projection(x), dim=-1)

    def texts(self, tokens):
        x = self.text_encoder.text_encoder(**tokens).last_hidden_state
        x = x[torch.arange(len(x)), tokens["attention_mask"].sum(-1) - 1]
        return F.normalize(self.text_projection.projection(x), dim=-1)

    def tensors(self):
        """Those that its embeddings follow from: not the pooler of BERT."""
        return {name: tensor for name, tensor in self.state_dict().items()
                if ".pooler." not in name and not name.endswith("num_batches_tracked")}


def small(words, wider, deeper, edge):
    blocks, settings = efficientnet(wider, deeper, image_size=edge)
    text = BertModel(BertConfig(
        vocab_size=len(words), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=4 * WIDTH, max_position_embeddings=POSITIONS, attn_implementation="eager"))
    model = MammoClip(EfficientNet(blocks, settings), text, SPACE)
    with torch.no_grad():
        model.double().eval()
        for name, part in model.named_children():
            fill_layers(part, f"{name}.")
        model.logit_scale.fill_(SCALE)
    return model


def sizes():
    """Tensors and numbers of the published ones."""
    with torch.device("meta"):
        text = BertModel(BertConfig(vocab_size=28996))
        models = {name: MammoClip(EfficientNet.from_name(kind), text, 512) for name, kind in PUBLISHED.items()}
    return {name: [len(model.tensors()), sum(t.numel() for t in model.tensors().values())]
            for name, model in models.items()}


if __name__ == "__main__":
    torch.manual_seed(0)
    words = vocabulary()
    tokenizer = tokenizer_of(words)
    file = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=PLACES, return_tensors="pt")
    cases = []
    for kind, wider, deeper, edge, size in CASES:
        model = small(words, wider, deeper, edge)
        with torch.no_grad():
            cases.append(dict(kind=kind, edge=edge, input=size, images=short(model.images(images(*NORMAL, size=size)))))
    with torch.no_grad():
        found = short(model.texts(tokens))
    lengths = tokens["attention_mask"].sum(-1).tolist()
    out = dict(vocabulary=words, tokenizer=file, ids=[ids[:n] for ids, n in zip(tokens["input_ids"].tolist(), lengths)],
               shapes={name: list(t.shape) for name, t in model.state_dict().items() if t.is_floating_point()},
               texts=TEXTS, embeddings=found, cases=cases, sizes=sizes())
    print(json.dumps(out, ensure_ascii=False).replace("}, ", "},\n"))
