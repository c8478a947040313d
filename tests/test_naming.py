"""Rows that name a star by another of its names."""

import pyarrow.parquet as pq
import pytest
from releases import facts, sequence

from lyot.build.publish import publish
from lyot.store import Store


@pytest.mark.parametrize("name", ["hd-39060", "beta-pictoris"])
def test_an_observation_under_another_name_belongs_to_the_target(tmp_path, name):
    store = Store(str(tmp_path / "store"))
    facts(store)
    sequence(store, f"naco/{name}/2013-02-01", target=name)

    folder = publish(store, tmp_path / "out").folder / "parquet"

    for table in ("target", "observation", "reduction", "detection"):
        rows = pq.read_table(folder / f"{table}.parquet", use_threads=False).to_pylist()
        assert [row["target_id"] for row in rows] == ["beta-pic"], table
    products = pq.read_table(folder / "product.parquet", use_threads=False).to_pylist()
    assert {row["kind"]: row["target_id"] for row in products} == {
        "import": None, "cube": "beta-pic", "reduction": "beta-pic"
    }  # fmt: skip
