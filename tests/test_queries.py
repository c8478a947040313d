"""Questions of astronomers, on stars whose answers are known."""

import sqlite3

import pytest
from baked import bake

from lyot.catalog.queries import QUERIES


def answer(folder, name, **rows):
    """Rows (dictionaries) that a question gives on a small release."""
    with sqlite3.connect(bake(folder, rows) / "lyot.db") as connection:
        connection.row_factory = sqlite3.Row
        (query,) = (one for one in QUERIES if one.name == name)
        return [dict(row) for row in connection.execute(query.sql)]


def test_limits_of_different_significance_are_compared_at_the_same(tmp_path):
    """3e-6 at 3σ is 5e-6 at 5σ, not as deep as 4e-6 there."""
    rights = {"workspace": "main", "simulated": False}
    star = {"target_id": "one", "name": "One", "age": 20.0, **rights}
    limit = {"target_id": "one", "observation_id": "o", "noise": "mawet", "separation": 500.0, **rights}
    limits = [{**limit, "reduction_id": name, "contrast": contrast, "sigma": sigma}
              for name, contrast, sigma in (("shallow", 3e-6, 3.0), ("deep", 4e-6, 5.0))]  # fmt: skip
    (found,) = answer(tmp_path, "deepest-limits-around-young-stars", target=[star], detection_limit=limits)
    assert found["reduction_id"] == "deep"
    assert found["contrast"] == pytest.approx(4e-6)
