"""Recorded networks of torchvision become an atlas. Needs torchvision, and the program, which UNIT_ATLAS names."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import torch

import unit_atlas

try:
    import torchvision
except ImportError:
    torchvision = None

PROGRAM = os.environ.get("UNIT_ATLAS")
# How far scores may be apart, of a unit's greatest, that are the same but for the order in which numbers are added up:
# a layer's rounding is the next one's input. Behind seventeen convolutions about 1e-5 was seen.
ROUNDING = 3e-5

PROJECT = """\
title: Recorded
source: { kind: phantom, patients: 10, height: 320 }
patches: { size: 64 }
split: { train: 0.6, validation: 0.3, test: 0.1 }
networks:
%s
dissection: { top: 8, permutations: 19 }
"""


@unittest.skipUnless(PROGRAM and torchvision, "UNIT_ATLAS does not name the program, or torchvision is not installed")
class Atlas(unittest.TestCase):
    def project(self, networks):
        """A project with these networks, its patches exported."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "atlas.yaml").write_text(PROJECT % "\n".join(f"  - {{ {one} }}" for one in networks))
        self.run_program("prepare")
        self.run_program("patches", "export", "patches")

    def run_program(self, *arguments):
        done = subprocess.run([Path(PROGRAM).resolve(), *arguments], cwd=self.root, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def units(self, network, layer):
        return json.loads((self.root / "output/work/dissection" / network / layer / "units.json").read_text())

    def page(self, *parts):
        return (self.root / "output/site").joinpath(*parts).read_text()

    def test_the_same_weights_give_the_same_lists(self):
        torch.manual_seed(1)
        model = torchvision.models.resnet18(num_classes=2)
        # Statistics of some input, so that activations keep a sensible size.
        model.train()
        with torch.no_grad():
            for _ in range(30):
                model(torch.randn(8, 3, 64, 64))
        model.eval()
        self.project(
            [
                "name: resnet18, weights: w.pth, training: false, input: 64, layers: [layer2, layer4]",
                "name: mine, activations: recorded",
            ]
        )
        torch.save(model.state_dict(), self.root / "w.pth")
        layers = {"layer2": model.layer2, "layer4": model.layer4}
        unit_atlas.record(
            model, layers, self.root / "patches", self.root / "recorded", dtype="float32", contributions=True, quiet=True
        )
        self.run_program("run")
        for layer in layers:
            ours, theirs = self.units("resnet18", layer), self.units("mine", layer)
            self.assertEqual(ours["field"], theirs["field"])
            self.assertEqual(ours["influence"]["linear"], theirs["influence"]["linear"])
            same = 0
            for a, b in zip(ours["units"], theirs["units"]):
                reach = max(abs(value) for value in a["score_range"])
                self.assertLessEqual(abs(a["threshold"] - b["threshold"]), ROUNDING * reach)
                tops = [[top["patch"] for top in one["top"]] for one in (a, b)]
                same += tops[0] == tops[1]
                # Where the order differs, the scores are as close as rounding.
                for first, second in zip(a["top"], b["top"]):
                    self.assertLessEqual(abs(first["score"] - second["score"]), ROUNDING * reach)
                for first, second in zip(a["influence"]["gradient"], b["influence"]["gradient"]):
                    self.assertAlmostEqual(first, second, delta=1e-4 * max(1.0, abs(first)))
            count = len(ours["units"])
            print(f"{layer}: {same} of {count} units have the same list of top patches")
            self.assertGreaterEqual(same, count - count // 100)
        evaluations = [
            json.loads((self.root / "output/work/networks" / name / "evaluation.json").read_text())
            for name in ("resnet18", "mine")
        ]
        for (_, first), (_, second) in zip(*(one["scores"] for one in evaluations)):
            self.assertAlmostEqual(first[1], second[1], delta=1e-5)

    def test_transformers_become_an_atlas_with_survey_labels_and_explanations(self):
        torch.manual_seed(2)
        vit = torchvision.models.VisionTransformer(
            image_size=64, patch_size=8, num_layers=3, num_heads=2, hidden_dim=32, mlp_dim=64, num_classes=2
        )
        # A new head is all zeros.
        torch.nn.init.normal_(vit.heads.head.weight)
        swin = torchvision.models.SwinTransformer(
            patch_size=[4, 4], embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=2
        )
        self.project(["name: vit, activations: vit", "name: swin, activations: swin"])
        patches = self.root / "patches"
        blocks = vit.encoder.layers
        unit_atlas.record(
            vit, {"block1": blocks[0], "block2": blocks[1]}, patches, self.root / "vit", name="a ViT", quiet=True
        )
        stages = {"stage1": swin.features[1], "stage2": swin.features[3]}
        unit_atlas.record(swin, stages, patches, self.root / "swin", name="a Swin", contributions=True, quiet=True)
        header = (self.root / "vit/activations.yaml").read_text()
        self.assertIn("maps are tokens laid out in 8 rows of 8; its class token was dropped.", header)
        self.assertIn("map: [8, 8], contributions: true }", header)
        self.assertIn("map: [16, 16], contributions: true }", (self.root / "swin/activations.yaml").read_text())
        told = self.run_program("run")
        self.assertIn("swin: dissecting stage1, stage2 as recorded", told)
        for network, layers in (("vit", ("block1", "block2")), ("swin", ("stage1", "stage2"))):
            for layer in layers:
                found = self.units(network, layer)
                live = [unit for unit in found["units"] if unit["score_range"][1] > unit["score_range"][0]]
                self.assertGreater(len(live), 20, f"{network}/{layer}")
            self.assertIn("Recorded elsewhere", self.page("networks", network, "index.html"))
            self.assertTrue(list((self.root / "output/site/cases" / network).iterdir()))
        survey = json.loads((self.root / "output/work/survey/survey.json").read_text())
        asked = [unit["unit"] for unit in survey["units"]]
        unit = next(unit for unit in asked if unit.startswith("vit/block2/"))
        self.assertTrue(any(unit.startswith("swin/stage2/") for unit in asked))
        labels = self.root / "content/labels"
        labels.mkdir(parents=True)
        (labels / "reader-a.yaml").write_text(
            "schema: 1\nstudy: recorded\nreader: reader-a\nlexicon: bi-rads-5\nanswers:\n"
            f"  - unit: {unit}\n    recognizable: yes\n"
            "    phenomena: [{ description: calcifications, terms: [calcifications], association: malignant }]\n"
        )
        self.run_program("build")
        self.assertIn("calcifications", self.page("networks", *unit.split("/"), "index.html"))
        self.run_program("check")
        self.assertRegex(self.run_program("explain", "--network", "swin"), r"by swin/stage2.*\n.*\n.*\n  unit \d{4}  \+")


if __name__ == "__main__":
    unittest.main()
