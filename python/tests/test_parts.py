"""What recording is made of: pictures, maps, fields."""

import tempfile
import unittest
from pathlib import Path

import torch
from torch import nn

from unit_atlas import Field, maps, patches
from unit_atlas.field import measure

from . import support


class Pictures(unittest.TestCase):
    def test_every_filter_is_undone(self):
        rows = support.picture(31, 1)
        for filters in ([0], [1], [2], [3], [4], [4, 3, 1, 2, 0]):
            width, height, pixels = patches.decode(support.png(rows, filters))
            self.assertEqual((width, height, pixels), (31, 31, b"".join(rows)), filters)

    def test_pillow_reads_the_same(self):
        if patches.Image is None:
            self.skipTest("Pillow is not installed")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.png"
            path.write_bytes(support.png(support.picture(17, 3)))
            self.assertEqual(patches._by_pillow(path), patches.decode(path.read_bytes()))

    def test_other_files_are_refused(self):
        whole = support.png(support.picture(9, 1))
        colour = bytearray(whole)
        colour[25] = 2
        for data, says in ((b"GIF89a", "not a PNG"), (whole[:33], "not a whole"), (bytes(colour), "not a grey")):
            with self.assertRaisesRegex(ValueError, says):
                patches.decode(data, "x.png")

    def test_lists_are_read_as_they_are_written(self):
        with tempfile.TemporaryDirectory() as folder:
            names = support.export(Path(folder) / "p")
            self.assertEqual(patches.listed(Path(folder) / "p", ["validation", "test"]), names)
            with self.assertRaisesRegex(ValueError, "no patch"):
                patches.listed(Path(folder) / "p", ["train"])
            with self.assertRaisesRegex(ValueError, "patches export"):
                patches.listed(folder, ["test"])


class Maps(unittest.TestCase):
    def test_units_may_be_first_or_last_also_where_there_are_as_many_as_rows(self):
        class Last(nn.Module):
            def forward(self, x):
                return x.permute(0, 2, 3, 1)

        for units in (5, 8, 12):
            convolution, last = nn.Conv2d(3, units, 4, 4), Last()
            model = nn.Sequential(convolution, last)
            picture = torch.randn(2, 3, 32, 32)
            first = convolution(picture)
            for module, gives in ((convolution, first), (last, last(first))):
                fold = maps.Fold("x", input_edge=32)
                fold.settle(model, module, 3, "cpu")
                self.assertTrue(torch.equal(fold(gives), first), units)
                # The field is that of the convolution either way.
                self.assertEqual(measure(model, module, fold, 3, "cpu"), Field(4, 4, 2))

    def test_units_that_cannot_be_told_from_rows_are_asked_for(self):
        class Own(nn.Module):
            def forward(self, x):
                assert x.shape[2:] == (32, 32)
                return x.new_ones(len(x), 6, 6, 6)

        model = Own()
        with self.assertRaisesRegex(ValueError, r"units_last=\['x'\]"):
            maps.Fold("x", input_edge=32).settle(model, model, 3, "cpu")
        maps.Fold("x", input_edge=32, units_last=False).settle(model, model, 3, "cpu")

    def test_tokens_before_any_attention_look_where_their_patch_lies(self):
        class Tokens(nn.Module):
            def __init__(self):
                super().__init__()
                self.cut, self.block = nn.Conv2d(3, 12, 16, 16), nn.Identity()

            def forward(self, x):
                return self.block(self.cut(x).flatten(2).transpose(1, 2))

        model = Tokens()
        fold = maps.Fold("x", patch=16, input_edge=64)
        fold.settle(model, model.block, 3, "cpu")
        self.assertEqual(measure(model, model.block, fold, 3, "cpu"), Field(16, 16, 8))

    def test_tokens_become_a_square_without_those_before_it(self):
        grid = torch.randn(2, 7, 4, 4)
        tokens = grid.flatten(2).transpose(1, 2)
        for extra, words in ((0, "tokens are those"), (1, "class token was dropped"), (3, "first 3 tokens")):
            fold = maps.Fold("x", patch=8, input_edge=32)
            found = fold(torch.cat([torch.zeros(2, extra, 7), tokens], dim=1))
            self.assertTrue(torch.equal(found, grid))
            self.assertIn(words, fold.said)
        # Without knowing the patch's edge, too; and after tokens were merged.
        self.assertTrue(torch.equal(maps.Fold("x")(tokens), grid))
        self.assertTrue(torch.equal(maps.Fold("x", patch=4, input_edge=32)(tokens), grid))
        with self.assertRaisesRegex(ValueError, "13 tokens"):
            maps.Fold("x")(torch.zeros(1, 13, 7))

    def test_what_is_no_map_is_refused(self):
        with self.assertRaisesRegex(ValueError, "expected"):
            maps.Fold("x")(torch.zeros(2, 5))
        with self.assertRaisesRegex(TypeError, "no tensor"):
            maps.tensor_of("words")


class Excite(nn.Module):
    def forward(self, x):
        return x * x.mean(dim=(2, 3), keepdim=True)


class Fields(unittest.TestCase):
    def field(self, model, layer):
        return measure(model.eval(), layer, maps.Fold("x"), 3, "cpu")

    def test_convolutions_and_poolings(self):
        # As the arithmetic of receptive fields has it (Araujo et al., Distill 2019).
        model = nn.Sequential(
            nn.Conv2d(3, 4, 7, stride=2, padding=3),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Conv2d(4, 4, 3, stride=2, padding=1),
        )
        self.assertEqual(self.field(model, model[0]), Field(7, 2, 0.5))
        self.assertEqual(self.field(model, model[3]), Field(11, 4, 0.5))
        self.assertEqual(self.field(model, model[5]), Field(27, 8, 0.5))
        valid = nn.Sequential(nn.Conv2d(3, 4, 11, stride=4), nn.MaxPool2d(3, stride=2))
        self.assertEqual(self.field(valid, valid[1]), Field(19, 8, 9.5))

    def test_what_sees_everything_says_nothing(self):
        model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Excite())
        self.assertEqual(self.field(model, model[1]), Field())
        # So does what takes no other picture than its own.
        only = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(2), nn.Linear(64, 2))
        self.assertEqual(self.field(only, only[2]), Field())


if __name__ == "__main__":
    unittest.main()
