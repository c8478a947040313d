"""Rows as text: what is read back is what was there, to the last bit."""

import csv
import io
import json
import math
import random
import struct

import pytest

from lyot.datasette.vo.formats import COMMAS, LISTS, TABS
from lyot.datasette.vo.votable import LINES


def numbers(count, seed=1):
    """Numbers of every size: any pattern of 64 bits but those that are none."""
    draws = random.Random(seed)
    found = []
    while len(found) < count:
        (number,) = struct.unpack("d", draws.randbytes(8))
        if math.isfinite(number):
            found.append(number)
    return found


def test_every_number_comes_back_to_the_last_bit():
    rows = [(one, index - 500, None) for index, one in enumerate(numbers(2000))]
    read = list(csv.reader(io.StringIO(COMMAS.write(rows).decode())))
    assert [(float(one), int(two), three) for one, two, three in read] == [(one, two, "") for one, two, _ in rows]
    assert json.loads("[" + LISTS.write(rows).decode()[:-2] + "]") == [list(row) for row in rows]


AWKWARD = ['a,"b"', "line\r\nline", "tab\t", "<&>\"'", "β Pic", "", "\x01\ufffe", " ", "\\", None, "\u2028"]


def test_every_text_comes_back_as_it_was():
    rows = [(one, 1) for one in AWKWARD]
    read = list(csv.reader(io.StringIO(COMMAS.write(rows).decode(), newline="")))
    assert read == [[one or "", "1"] for one in AWKWARD]
    assert json.loads("[" + LISTS.write(rows).decode()[:-2] + "]") == [[one, 1] for one in AWKWARD]
    lines = TABS.write(rows).decode().split("\n")
    assert [line.split("\t")[1:] for line in lines] == [["1"]] * len(AWKWARD) + [[]]


@pytest.mark.parametrize(
    ("value", "lines", "commas", "lists"),
    [(math.inf, "+Inf", "inf", "null"), (-math.inf, "-Inf", "-inf", "null"), (None, "", "", "null"), (3, "3", "3", "3"),
     (2**62, str(2**62), str(2**62), str(2**62)), ("<", "&lt;", "<", '"<"')],
)  # fmt: skip
def test_what_each_format_says(value, lines, commas, lists):
    for rows in ([(value,)], [(value,), (None,)]):
        assert LINES.write(rows).decode().startswith(f"<TR><TD>{lines}</TD></TR>\n")
        assert COMMAS.write(rows).decode().startswith(f"{commas}\r\n")
        assert LISTS.write(rows).decode().startswith(f"[{lists}],\n")


def test_a_column_may_hold_numbers_and_texts():
    """SQLite gives what it has, whatever the column was declared as."""
    rows = [("a", 1), (2, 2.5), (None, 2**60), (3.5, None)]
    assert LISTS.write(rows).decode() == f'["a", "1"],\n["2", "2.5"],\n[null, "{2**60}"],\n["3.5", null],\n'
