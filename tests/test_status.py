"""What an operator sees of the store and its jobs."""

from lyot.build.status import status
from lyot.catalog.tables.run import RUN
from lyot.product import Product
from lyot.store import Store


def test_an_empty_store_has_nothing_and_nothing_waits(tmp_path):
    found = status(Store(str(tmp_path)))
    assert found.lines() == ["store    nothing; 0.0 MB", "jobs     none yet; 0 waiting"]


def test_what_was_refused_is_named_with_its_reason(tmp_path):
    store = Store(str(tmp_path))
    row = {"run_id": "1", "dataset": "naco/a/2020-01-01", "recipe": "pca", "outcome": "unprocessable",
           "message": "5 components asked of 3 frames", "simulated": False, "workspace": "main"}
    store.put(Product(kind="run", dataset="naco/a/2020-01-01", record={}), rows={"run": RUN.rows([row])})
    found = status(store)
    assert found.jobs == {"unprocessable": 1}
    assert found.size > 0
    assert found.lines()[-1] == "refused  naco/a/2020-01-01 pca: 5 components asked of 3 frames"
