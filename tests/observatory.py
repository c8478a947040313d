"""A release served for real, on a free port of this machine, for clients that speak HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from lyot.datasette.serve import Application, application


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Application]]:
    """Address and application of a release, while it is served."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    served = application(folder, base)
    server = uvicorn.Server(uvicorn.Config(served, port=port, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield base, served
    finally:
        server.should_exit = True
        thread.join(20)
        served.observatory.close()
