"""Recordings of small networks, compared with what the networks give."""

import json
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file, safe_open
from torch import nn

import unit_atlas
from unit_atlas import Field, patches

from . import support

UNIFORM = {"mean": 0.5, "std": 0.25}


class Small(nn.Module):
    """Two convolutions; the second is averaged and weighted into two classes."""

    def __init__(self, head=None):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(6, 5, 3, padding=1)
        self.head = head or nn.Linear(5, 2)

    def forward(self, x):
        x = self.relu(self.first(x))
        return self.head(self.second(x).mean(dim=(2, 3)))


class Hidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))

    def forward(self, x):
        return self.layers(x)


class Recording(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.names = support.export(self.root / "patches")
        self.addCleanup(self.folder.cleanup)

    def record(self, model, out="out", layers=None, **options):
        layers = layers or {"first": model.first, "second": model.second}
        options = {**UNIFORM, "quiet": True, "dtype": "float32", "batch": 3, "part": 4, **options}
        return unit_atlas.record(model, layers, self.root / "patches", self.root / out, **options)

    def parts(self, out="out"):
        """All tensors, in the order of the patches, and the patches."""
        whole, names = {}, []
        for path in sorted((self.root / out).glob("*.safetensors")):
            for key, value in load_file(str(path)).items():
                whole.setdefault(key, []).append(value)
            with safe_open(str(path), "pt") as opened:
                names += json.loads(opened.metadata()["patches"])
        return {key: torch.cat(values) for key, values in whole.items()}, names

    def header(self, out="out"):
        return (self.root / out / "activations.yaml").read_text()

    def pictures(self):
        greys = [patches.grey(self.root / "patches" / f"{name}.png") for name in self.names]
        return (torch.stack(greys)[:, None].float() / 255 - 0.5).div(0.25).expand(-1, 3, -1, -1)

    def test_maps_logits_and_contributions_are_the_network_s(self):
        model = Small().eval()
        self.record(model, contributions=True)
        found, names = self.parts()
        self.assertEqual(names, self.names)
        with torch.no_grad():
            first = model.first(self.pictures())
            second = model.second(torch.relu(first))
            logits = model(self.pictures())
        # What follows in place does not reach into what was recorded.
        self.assertLess(first.min(), 0)
        torch.testing.assert_close(found["maps/first"], first)
        torch.testing.assert_close(found["maps/second"], second)
        torch.testing.assert_close(found["logits"], logits)
        exact = second.mean(dim=(2, 3))[:, None] * model.head.weight[None]
        torch.testing.assert_close(found["contributions/second"], exact)
        torch.testing.assert_close(found["contributions/second"].sum(2) + model.head.bias, logits)
        # A layer further back: gradients by hand.
        maps = first.clone().requires_grad_()
        out = model.head(model.second(torch.relu(maps)).mean(dim=(2, 3)))
        for output in range(2):
            (gradient,) = torch.autograd.grad(out[:, output].sum(), maps, retain_graph=True)
            torch.testing.assert_close(found["contributions/first"][:, output], (gradient * maps).sum(dim=(2, 3)).detach())
        header = self.header()
        self.assertIn('name: "first", units: 6, map: [12, 12], field: 3, stride: 2, centre: 0.5, contributions: true }', header)
        self.assertIn('name: "second", units: 5, map: [12, 12], field: 7, stride: 2, centre: 0.5', header)
        self.assertIn("contributions: true, linear: true }", header)
        self.assertIn("classes: [normal, cancer]", header)
        self.assertIn(f"parameters: {sum(p.numel() for p in model.parameters())}", header)

    def test_a_layer_before_hidden_ones_is_not_linear(self):
        self.record(Small(Hidden()), contributions=["second"])
        self.assertIn("contributions: true }", self.header())
        self.assertNotIn("linear", self.header())
        self.record(Small(Hidden()), "none", contributions=False)
        self.assertNotIn("contributions", self.header("none"))
        self.assertNotIn("contributions/second", self.parts("none")[0])

    def test_parameters_that_are_frozen_have_contributions_all_the_same(self):
        model = Small()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        self.record(model)
        self.assertGreater(self.parts()[0]["contributions/second"].abs().max(), 0)

    def test_a_killed_recording_goes_on(self):
        model = Small()
        self.record(model, "whole")

        def kill(*_):
            if list((self.root / "out").glob("*.safetensors")):
                raise KeyboardInterrupt

        handle = model.first.register_forward_pre_hook(kill)
        with self.assertRaises(KeyboardInterrupt):
            self.record(model)
        handle.remove()
        self.assertFalse((self.root / "out" / "activations.yaml").exists())
        done = sorted((self.root / "out").glob("*.safetensors"))
        self.assertEqual(len(done), 1)
        before = [path.stat().st_mtime_ns for path in done]
        self.record(model)
        self.assertEqual([path.stat().st_mtime_ns for path in done], before)
        self.assertEqual(self.header(), self.header("whole"))
        (found, names), (whole, all_names) = self.parts(), self.parts("whole")
        self.assertEqual(names, all_names)
        for key in whole:
            self.assertTrue(torch.equal(found[key], whole[key]), key)
        # Nothing to do any more.
        self.record(model)

    def test_another_network_does_not_go_on_with_it(self):
        self.record(Small())
        with self.assertRaisesRegex(ValueError, "another model"):
            self.record(Small())
        model = Small()
        self.record(model, "other")
        with self.assertRaisesRegex(ValueError, "another dtype"):
            self.record(model, "other", dtype="float16")
        (self.root / "patches" / f"{self.names[2]}.png").write_bytes(support.png(support.picture(24, 99)))
        (self.root / "other" / "activations.yaml").unlink()
        with self.assertRaisesRegex(ValueError, "has changed since"):
            self.record(model, "other")
        (self.root / "mine").mkdir()
        (self.root / "mine" / "activations.yaml").write_text("mine")
        with self.assertRaisesRegex(ValueError, "not recorded by this package"):
            self.record(model, "mine")

    def test_precision_is_half_and_what_does_not_fit_is_refused(self):
        model = Small()
        self.record(model, dtype="float16")
        found, _ = self.parts()
        self.assertEqual((found["maps/first"].dtype, found["logits"].dtype), (torch.float16, torch.float32))
        with torch.no_grad():
            model.second.weight.mul_(1e7)
        with self.assertRaisesRegex(ValueError, "activations of second do not fit.*bfloat16"):
            self.record(model, "large", dtype="float16", layers={"second": model.second})

    def test_grey_inputs_and_one_output(self):
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))
        self.record(model, layers={"conv": model[0]}, input=32)
        self.assertIn("classes: [cancer]", self.header())
        self.assertIn("input: 32", self.header())
        self.assertIn("map: [30, 30]", self.header())
        three = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
        with self.assertRaisesRegex(ValueError, "3 outputs; say with `classes`"):
            self.record(three, "three", layers={"conv": three[0]})
        with self.assertRaisesRegex(ValueError, "'malignant'"):
            self.record(three, "three", layers={"conv": three[0]}, classes=["normal", "benign", "malignant"])

    def test_a_transform_is_measured_and_must_keep_the_patch(self):
        model = Small()

        def resized(image):
            image = nn.functional.interpolate(image[None].float() / 255, size=(48, 48), mode="bilinear")[0]
            return (image - 0.3) / 0.2

        self.record(model, transform=resized, mean=None, std=None)
        self.assertIn("input: 48", self.header())
        self.assertIn("mean [0.3, 0.3, 0.3] and deviation [0.2, 0.2, 0.2]", self.header())
        with self.assertRaisesRegex(ValueError, "cuts the patch"):
            self.record(model, "cut", transform=lambda image: resized(image)[:, 6:-6, 6:-6], mean=None, std=None)
        with self.assertRaisesRegex(ValueError, "beside the patch"):
            padded = lambda image: nn.functional.pad(resized(image), (4, 4, 4, 4))
            self.record(model, "padded", transform=padded, mean=None, std=None)
        with self.assertRaisesRegex(ValueError, "is random"):
            noisy = lambda image: resized(image) + (image.float().std() > 0) * 0.1 * torch.rand(1)
            self.record(model, "random", transform=noisy, mean=None, std=None)
        with self.assertRaisesRegex(ValueError, "leave `mean`"):
            self.record(model, "both", transform=resized)

    def test_outputs_that_are_no_logits_are_told(self):
        model = Small()
        with self.assertWarnsRegex(UserWarning, "probabilities already"):
            self.record(nn.Sequential(model, nn.Softmax(dim=1)), "softmax", layers={"second": model.second}, contributions=False)

        class Broken(nn.Module):
            def forward(self, logits):
                return logits * float("nan")

        with self.assertRaisesRegex(ValueError, "no numbers, such as for m0"):
            self.record(nn.Sequential(model, Broken()), "nan", layers={"second": model.second}, contributions=False)
        with self.assertRaisesRegex(ValueError, "nothing that cancer is told from"):
            self.record(model, "cancer", classes=["cancer", "unused"])
        with self.assertRaisesRegex(ValueError, "'composition-a' and no other of its scale"):
            self.record(model, "scale", classes=["cancer", "composition-a"])
        with self.assertRaisesRegex(ValueError, "'mass' twice"):
            self.record(model, "twice", classes=["mass", "mass"])
        # Cancer by its sigmoid beside a finding.
        self.record(model, "beside", classes=["cancer", "mass"])
        self.assertIn("[cancer, mass]", self.header("beside"))

    def test_an_input_that_was_not_normalised_is_told(self):
        model = Small()
        with self.assertWarnsRegex(UserWarning, "as if it were not normalised"):
            self.record(model, mean=0, std=1 / 255)
        self.assertIn("Warning of the recorder", self.header())
        normed = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
        )
        normed.train()
        for _ in range(60):
            normed(self.pictures())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.record(normed, "right", layers={"conv": normed[0]})
        with self.assertWarnsRegex(UserWarning, "first batch normalisation"):
            self.record(normed, "wrong", layers={"conv": normed[0]}, mean=-2.0, std=0.25)
        model.pretrained_cfg = {"mean": (0.1, 0.1, 0.1), "std": (0.25, 0.25, 0.25)}
        with self.assertWarnsRegex(UserWarning, "configuration says mean"):
            self.record(model, "timm")

    def test_modules_that_run_twice_or_never_are_refused(self):
        model = Small()
        model.unused = nn.Conv2d(3, 3, 1)
        with self.assertRaisesRegex(ValueError, "ran 0 times"):
            self.record(model, layers={"unused": model.unused})
        twice = nn.Sequential(model.relu, model.first, model.relu, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))
        with self.assertRaisesRegex(ValueError, "ran 2 times"):
            self.record(twice, "twice", layers={"relu": model.relu})
        with self.assertRaisesRegex(ValueError, "cannot be a folder"):
            self.record(model, layers={"a/b": model.first})

    def test_what_reaches_no_output_is_told(self):
        class Token(nn.Module):
            """The class reads the first token alone, as vision transformers do."""

            def __init__(self):
                super().__init__()
                self.cut = nn.Conv2d(3, 8, 8, stride=8)
                self.block = nn.Identity()
                self.head = nn.Linear(8, 2)

            def forward(self, x):
                tokens = self.cut(x).flatten(2).transpose(1, 2)
                return self.head(self.block(torch.cat([tokens.mean(1, keepdim=True), tokens], 1))[:, 0])

        model = Token()
        with self.assertWarnsRegex(UserWarning, "no unit of it contributes"):
            self.record(model, layers={"block": model.block})
        self.assertIn("map: [3, 3]", self.header())
        self.assertIn("block: maps are tokens laid out in 3 rows of 3; its class token was dropped.", self.header())

    def test_fields_may_be_given(self):
        self.record(Small(), fields={"first": Field(9, 2, 1.5)})
        self.assertIn("field: 9, stride: 2, centre: 1.5", self.header())
        with self.assertRaisesRegex(ValueError, "none of the layers"):
            self.record(Small(), "other", fields={"third": Field()})


if __name__ == "__main__":
    unittest.main()
