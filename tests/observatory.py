"""A release served for real, on a free port of this machine, for clients that speak HTTP: in a thread or a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from lyot.datasette.serve import Application, application


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Application]]:
    """Address and application of a release, while it is served."""
    port = free_port()
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


@contextmanager
def process(folder: Path) -> Iterator[tuple[str, int]]:
    """Address and process number of a release while `lyot serve` serves it."""
    port = free_port()
    command = [sys.executable, "-m", "lyot.cli", "serve", "--out", str(folder.parent), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        base = f"http://127.0.0.1:{port}"
        try:
            while not answers(base):
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
            yield base, server.pid
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(base: str) -> bool:
    """Whether a server answers there."""
    try:
        return httpx.get(f"{base}/tap/availability").status_code == 200
    except httpx.TransportError:
        return False
