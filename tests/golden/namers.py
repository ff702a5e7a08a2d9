"""Writes namers.json: what small pairs of an image and a text tower compute, by Hugging Face's and OpenCLIP's code.

CLIP and SigLIP are Hugging Face's; the pairs in OpenCLIP's layout are OpenCLIP's own, with GELU and with CLIP's quicker
one; MobileCLIP's image tower is timm's. Weights follow from their published names and images from a formula, as in
network.py, everything in double precision. The tokenizers are as small: CLIP's byte-level pairs with `</w>` at the ends
of words, SigLIP's pieces with `▁` at their starts. What they make of texts is here by Hugging Face's code too, truncated
and padded by its own.
Run: python tests/golden/namers.py > tests/golden/namers.json  (PyTorch 2.x, transformers 5, open_clip_torch 3, timm 1)
"""

import json
import string
from functools import partial

import open_clip
import torch
import torch.nn.functional as F
from timm.models.fastvit import FastVit, RepConditionalPosEnc
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (CLIPConfig, CLIPModel, PreTrainedTokenizerFast, SiglipConfig, SiglipModel)

from network import fill as fill_network
from network import short, values
from towers import fill as fill_by_name

WIDTH, TEXT, DEPTH, PATCH, GRID, SPACE, PLACES, EDGE = 24, 16, 2, 8, 4, 12, 8, 40
SCALE = 2.5
TEXTS = ["a mass", "Mass,  with spiculated margins and 12 calcifications", "", "lesion", "I don't see a lesion"]
START, END = "<|startoftext|>", "<|endoftext|>"


def clip_tokenizer():
    """As that of openai/clip-vit-base-patch32, with the letters of ASCII and a few pairs."""
    letters = string.ascii_lowercase + string.digits + ",.-'"
    merges = [("a", "s"), ("as", "s</w>"), ("m", "ass</w>"), ("o", "n</w>"), ("i", "on</w>"), ("l", "e"), ("i", "t"),
              ("it", "h</w>"), ("c", "a")]
    words = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges), START, END]
    words = {word: at for at, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(words, merges, continuing_subword_prefix="", end_of_word_suffix="</w>",
                                     unk_token=END))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, words[END]), (START, words[START]), trim_offsets=False, add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([START, END])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=END)


def siglip_tokenizer():
    """As that of google/siglip-base-patch16-224, whose ends and padding are `</s>`, with the letters of ASCII."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(letter, -6.0 - at / 16) for at, letter in enumerate(string.ascii_letters + string.digits + "'")]
    pieces += [("▁a", -3.0), ("▁mass", -4.0), ("▁with", -4.5), ("ion", -5.0), ("▁les", -5.5), ("ss", -5.75)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["</s>", "<unk>"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>", unk_token="<unk>")


def canonical(text):
    """SigLIP's cleaning: its published tokenizer has it in code (`SiglipTokenizer.canonicalize_text`)."""
    return " ".join(text.lower().translate(str.maketrans("", "", string.punctuation)).split())


def ids(tokenizer, texts):
    return tokenizer(texts, padding="max_length", truncation=True, max_length=PLACES, return_tensors="pt").input_ids


def images(mean, deviation, count=2, size=GRID * PATCH):
    """Grey patches of EDGE pixels on a side, resized and normalised."""
    bytes = [((values(seed, EDGE * EDGE) + 1) * 128).floor() for seed in range(1, count + 1)]
    x = torch.stack(bytes).double().reshape(count, 1, EDGE, EDGE)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    of = lambda numbers: torch.tensor(numbers, dtype=torch.float64).reshape(1, 3, 1, 1)
    return (x / 255 - of(mean)) / of(deviation)


OPENAI = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
HALF = ([0.5] * 3, [0.5] * 3)


def fill(model):
    with torch.no_grad():
        state = model.state_dict()
        for name in ("logit_scale", "logit_bias"):
            if name in state:
                state[name].fill_(SCALE)
        scalars = {name: tensor for name, tensor in state.items() if tensor.numel() == 1}

        class Others:
            def state_dict(self):
                return {name: tensor for name, tensor in state.items()
                        if name not in scalars and tensor.is_floating_point()}

        fill_by_name(Others(), [])
    return {name: list(tensor.shape) for name, tensor in state.items() if tensor.is_floating_point()}


def case(kind, model, tokens, picture, images_of, texts_of, filled=None):
    shapes = (filled or fill)(model.double().eval())
    with torch.no_grad():
        one = lambda x: F.normalize(x if torch.is_tensor(x) else x.pooler_output, dim=-1)
        found = dict(images=short(one(images_of(picture))), texts=short(one(texts_of(tokens))))
    return dict(kind=kind, shapes=shapes, **found)


def tower(width, **more):
    return dict(hidden_size=width, num_hidden_layers=DEPTH, num_attention_heads=2, intermediate_size=4 * width,
                attn_implementation="eager", **more)


def clip(tokenizer, tokens, activation):
    end = tokenizer.eos_token_id
    config = CLIPConfig(
        text_config=tower(TEXT, vocab_size=len(tokenizer), max_position_embeddings=PLACES, hidden_act=activation,
                          bos_token_id=end - 1, eos_token_id=end, pad_token_id=end),
        vision_config=tower(WIDTH, image_size=GRID * PATCH, patch_size=PATCH, hidden_act=activation),
        projection_dim=SPACE)
    model = CLIPModel(config)
    kind = "clip" if activation == "quick_gelu" else "clip_gelu"
    return case(kind, model, tokens, images(*OPENAI), lambda x: model.get_image_features(pixel_values=x),
                lambda x: model.get_text_features(input_ids=x))


def siglip(tokenizer, tokens):
    config = SiglipConfig(
        text_config=tower(WIDTH, vocab_size=len(tokenizer), max_position_embeddings=PLACES),
        vision_config=tower(WIDTH, image_size=GRID * PATCH, patch_size=PATCH))
    model = SiglipModel(config)
    return case("siglip", model, tokens, images(*HALF), lambda x: model.get_image_features(pixel_values=x),
                lambda x: model.get_text_features(input_ids=x))


def openclip(tokenizer, tokens, quick):
    model = open_clip.model.CLIP(
        SPACE, dict(image_size=GRID * PATCH, layers=DEPTH, width=WIDTH, head_width=WIDTH // 2, patch_size=PATCH),
        dict(context_length=PLACES, vocab_size=len(tokenizer), width=TEXT, heads=2, layers=DEPTH), quick_gelu=quick)
    tokens = zero_padded(tokenizer, tokens)
    return case("openclip_quick" if quick else "openclip", model, tokens, images(*OPENAI), model.encode_image,
                model.encode_text)


def mobileclip(tokenizer, tokens):
    """MobileCLIP's parts: timm's FastViT and OpenCLIP's text tower whose tokens see each other in both directions."""
    model = torch.nn.Module()
    model.visual = torch.nn.Module()
    model.visual.trunk = FastVit(
        layers=(1, 1, 1, 1), embed_dims=(8, 16, 32, 64), mlp_ratios=(3,) * 4, se_downsamples=(False, False, True, True),
        pos_embs=(None, None, None, partial(RepConditionalPosEnc, spatial_shape=(7, 7))),
        token_mixers=("repmixer",) * 3 + ("attention",), lkc_use_act=True, num_classes=SPACE)
    model.text = open_clip.transformer.TextTransformer(
        context_length=PLACES, vocab_size=len(tokenizer), width=TEXT, heads=2, layers=DEPTH, output_dim=SPACE,
        no_causal_mask=True)
    model.logit_scale = torch.nn.Parameter(torch.zeros(()))

    def filled(model):
        state = model.state_dict()
        with torch.no_grad():
            fill_layers(model.visual.trunk, "visual.trunk.")
            fill_layers(model.text, "text.")
            state["logit_scale"].fill_(SCALE)
        return {name: list(tensor.shape) for name, tensor in state.items() if tensor.is_floating_point()}

    return case("mobileclip", model, zero_padded(tokenizer, tokens), images([0.0] * 3, [1.0] * 3, size=64),
                model.visual.trunk, model.text, filled)


def fill_layers(module, prefix):
    """network.py's, with a prefix before the names."""

    class Prefixed:
        def state_dict(self):
            return {prefix + name: tensor for name, tensor in module.state_dict().items()}

    fill_network(Prefixed())


def zero_padded(tokenizer, tokens):
    """As OpenCLIP's own tokenizer pads."""
    ends = (tokens == tokenizer.eos_token_id).int().argmax(1)
    return torch.where(torch.arange(PLACES) > ends[:, None], 0, tokens)


def sizes():
    """Tensors and numbers of the published pairs, of their authors' code at the published sizes."""
    large = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, projection_dim=768)
    vision = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14)
    with torch.device("meta"):
        models = dict(
            clip_vit_base_patch32=CLIPModel(CLIPConfig()),
            clip_vit_base_patch16=CLIPModel(CLIPConfig(vision_config=dict(patch_size=16))),
            clip_vit_large_patch14=CLIPModel(CLIPConfig(text_config=large, vision_config=vision, projection_dim=768)),
            siglip_base_patch16_224=SiglipModel(SiglipConfig()),
            openclip_vit_b_32=open_clip.create_model("ViT-B-32", device="meta"),
            openclip_vit_b_16=open_clip.create_model("ViT-B-16", device="meta"),
            mobileclip_s1=open_clip.create_model("MobileCLIP-S1", device="meta"),
            mobileclip_s2=open_clip.create_model("MobileCLIP-S2", device="meta"))
    return {name: [len(list(model.parameters())), sum(p.numel() for p in model.parameters())]
            for name, model in models.items()}


if __name__ == "__main__":
    torch.manual_seed(0)
    of_clip, of_siglip = clip_tokenizer(), siglip_tokenizer()
    clip_ids, siglip_ids = ids(of_clip, TEXTS), ids(of_siglip, [canonical(text) for text in TEXTS])
    tokenizers = {name: json.loads(tokenizer.backend_tokenizer.to_str())
                  for name, tokenizer in (("clip", of_clip), ("siglip", of_siglip))}
    for tokenizer in tokenizers.values():
        # As they are published: no padding and no truncation of their own.
        tokenizer["padding"] = tokenizer["truncation"] = None
    cases = [clip(of_clip, clip_ids, "quick_gelu"), clip(of_clip, clip_ids, "gelu"),
             siglip(of_siglip, siglip_ids), openclip(of_clip, clip_ids, False), openclip(of_clip, clip_ids, True), mobileclip(of_clip, clip_ids)]
    out = dict(texts=TEXTS, tokenizers=tokenizers, ids=dict(clip=clip_ids.tolist(), siglip=siglip_ids.tolist()),
               cases=cases, sizes=sizes())
    print(json.dumps(out, ensure_ascii=False).replace("}, ", "},\n"))
