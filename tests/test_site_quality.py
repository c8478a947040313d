"""The page on data quality counts what the tables hold."""

import re

from baked import HOSTILE, bake, release

from lyot.site.quality import quality
from lyot.site.release import opened


def rows_of(table: str) -> dict[str, list[str]]:
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table)
    return {head: re.findall(r"<td[^>]*>(.*?)</td>", cells) for head, cells in rows}


def test_what_is_known_is_counted(tmp_path):
    folder, _ = release(tmp_path)
    with opened(folder) as opened_release:
        tables = dict(quality(opened_release))
    detection = rows_of(tables["What is known of each detection"])
    assert detection["separation_error"][1:] == ["6", "6", "100"]
    assert detection["dra_ddec_correlation"][1:] == ["0", "6", "0"]
    assert rows_of(tables["Validation"]) == {"not validated": ["pca", "3"]}
    assert "Jobs" not in tables


def test_what_people_wrote_is_text_and_nothing_is_no_table(tmp_path):
    reduction = {"reduction_id": "r", "observation_id": "o", "target_id": "t", "recipe": HOSTILE, "workspace": "main"}
    with opened(bake(tmp_path / "one", {"reduction": [{**reduction, "simulated": 0}]})) as opened_release:
        ((_, table),) = quality(opened_release)
    assert "<img" not in table
    with opened(bake(tmp_path / "none", {})) as opened_release:
        assert quality(opened_release) == []
