"""Writes tests/golden/font.ttf: a font with one letter, a filled square at U+10FFF0, which no other font
has.

Run: python tests/golden/font.py  (fontTools 4)
"""

import os

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

EDGE = 1000


def square(edge):
    pen = TTGlyphPen(None)
    if edge:
        pen.moveTo((0, 0))
        pen.lineTo((0, edge))
        pen.lineTo((edge, edge))
        pen.lineTo((edge, 0))
        pen.closePath()
    return pen.glyph()


font = FontBuilder(EDGE, isTTF=True)
names = [".notdef", "square"]
font.setupGlyphOrder(names)
font.setupCharacterMap({0x10FFF0: "square"})
font.setupGlyf({".notdef": square(0), "square": square(EDGE)})
font.setupHorizontalMetrics({name: (EDGE, 0) for name in names})
font.setupHorizontalHeader(ascent=EDGE, descent=0)
font.setupNameTable({"familyName": "Square", "styleName": "Regular", "psName": "Square-Regular"})
font.setupOS2(sTypoAscender=EDGE, usWinAscent=EDGE, usWinDescent=0)
font.setupPost()
font.font["head"].created = font.font["head"].modified = 0
font.font.recalcTimestamp = False
font.save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "font.ttf"))
