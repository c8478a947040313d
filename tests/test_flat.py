"""Flat tables into documents."""

import pytest

from lyot.catalog.exchange import rows_of
from lyot.catalog.flat import document_of_csv
from lyot.errors import BadInput

DETECTIONS = """\
target_name,instrument,mjd,filter,algorithm,separation,separation_error,position_angle,position_angle_error,snr
HD 1,gpi,57000.5,H,pca,500,2,12.5,0.2,9
HD 1,gpi,57000.5,H,pca,800,3,100,0.2,7
HD 1,gpi,57000.5,K,pca,501,2,12.4,0.2,
HD 1,gpi,57000.5,H,loci,499,4,12.6,0.4,8
HD 2,gpi,57100.5,H,pca,300,2,200,0.3,11
"""


def test_detections_are_put_together():
    rows = rows_of(document_of_csv(DETECTIONS)).tables
    assert [len(rows[name]) for name in ("observation", "reduction", "detection")] == [2, 3, 5]
    first = rows["detection"][0]
    assert (first["separation"], first["position_angle"], first["filter"], first["snr"]) == (500, 12.5, "H", 9)
    assert {row["filter"] for row in rows["detection"]} == {"H", "K"}
    assert rows["reduction"][0]["algorithm"] == "pca"
    assert not rows_of(document_of_csv(DETECTIONS)).unknown


@pytest.mark.parametrize(
    ("text", "table", "count"),
    [
        ("name,ra,dec,aliases\nHD 1,10,20,HIP 2; GJ 3\n", "target_alias", 2),
        ("name,target_id,mass\nHD 1 b,hd-1,3\n", "companion", 1),
        ("reference_id,citation,year\nme,Me 2026,2026\n", "reference", 1),
        ("target_id,quantity,value,unit\nhd-1,parallax,30,mas\n", "measurement", 1),
        ("target_name,date,dra,ddec\nHD 1,2015-01-02,30,40\n", "detection", 1),
    ],
)
def test_columns_tell_what_it_is(text, table, count):
    assert len(rows_of(document_of_csv(text)).tables[table]) == count


def test_unknown_columns_are_named():
    rows = rows_of(document_of_csv("name,ra,dec,shoe_size\nHD 1,10,20,44\n"))
    assert rows.unknown == ["targets[0].shoe_size"]
    rows = rows_of(document_of_csv("target_name,mjd,dra,ddec,shoe_size\nHD 1,57000,10,20,44\n"))
    assert rows.unknown == ["observations[0].reductions[0].detections[0].shoe_size"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        ("a,b\n1,2\n", "do not tell what it holds"),
        ("name,name\n1,2\n", "names name twice"),
        ("name,ra\nHD 1\n", "line 2 has 1 cells, the header 2"),
        ('name,ra\n"HD 1\n', "is no CSV"),
        ("name,ra\n" + "x" * 2_000_000 + ",1\n", "is no CSV"),
    ],
)
def test_what_is_no_table(text, message):
    with pytest.raises(BadInput, match=message):
        document_of_csv(text)
