"""What one query of Datasette may hold, in memory and not on disk, whatever SQL it is."""

from __future__ import annotations

import sqlite3
import weakref
from typing import Any

from datasette.utils.asgi import Request, Response
from pluggy import HookimplMarker

hookimpl = HookimplMarker("datasette")

LARGEST_VALUE = 2_000_000  # bytes
LARGEST_RESULT = 20_000_000  # bytes of texts in all rows


class _Counted:
    """Makes rows, and counts the bytes of one query's."""

    def __init__(self) -> None:
        self._cursor: Any = None
        self._size = 0

    def __call__(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
        if self._cursor is None or self._cursor() is not cursor:
            self._cursor, self._size = weakref.ref(cursor), 0
        self._size += sum(len(value) for value in values if isinstance(value, str | bytes))
        if self._size > LARGEST_RESULT:
            raise sqlite3.OperationalError(f"the result has more than {LARGEST_RESULT:,} bytes; ask for less at once")
        return sqlite3.Row(cursor, values)


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Bound values and results; sort in memory, which is bounded for all queries together."""
    conn.execute("PRAGMA temp_store = MEMORY")
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    conn.row_factory = _Counted()


@hookimpl
def handle_exception(request: Request, exception: Exception) -> Response | None:
    """Say so when what is left of the memory is too little for a query."""
    if not isinstance(exception, MemoryError):
        return None
    reason = "this query wants more memory than there is; sort or join less at once, or take the Parquet files"
    if request.path.endswith(".json"):
        return Response.json({"ok": False, "error": reason, "status": 400}, status=400)
    return Response.text(reason, status=400)
