"""Jobs over HTTP: the Universal Worker Service 1.1 of /tap/async."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from lyot.datasette.vo import votable
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.jobs import ENDED, Job, Jobs, media_type
from lyot.datasette.vo.votable import text
from lyot.datasette.vo.web import Answer, Request, plain, see_other

CONTROL = ("PHASE", "ACTION", "DESTRUCTION", "EXECUTIONDURATION", "WAIT", "UPLOAD_FILES")
LONGEST_WAIT = 60.0  # seconds that a request may wait for a change
LOOK = 0.1  # seconds between two looks
PIECE = 262_144
_SPACES = (
    'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


async def answer(request: Request, jobs: Jobs, address: str) -> Answer:
    """Answer a request below `/tap/async`; `address` is that of the list of jobs.

    Raises
    ------
    QueryError
        If a parameter is wrong; `Busy` if there are too many jobs.
    """
    key, *rest = request.path.split("/tap/async", 1)[1].strip("/").split("/")
    if not key:
        return await _list(request, jobs, address)
    job = await asyncio.to_thread(jobs.find, key)
    if job is None:
        return plain("there is no such job", 404)
    if request.method == "DELETE" or (request.method == "POST" and request.get("ACTION").upper() == "DELETE"):
        await asyncio.to_thread(jobs.delete, job)
        return see_other(address)
    if request.method == "POST":
        await asyncio.to_thread(_change, request, jobs, job, rest)
        return see_other(f"{address}/{job.id}")
    return await _read(request, jobs, job, rest, f"{address}/{job.id}")


async def _list(request: Request, jobs: Jobs, address: str) -> Answer:
    """A new job; or the list of a client's own jobs, which is empty, because clients are not told apart."""
    if request.method == "POST":
        values = {name: value for name, value in request.values.items() if name not in CONTROL}
        named = {pair.partition("param:")[2] for said in values.get("UPLOAD", []) for pair in said.split(";")}
        files = {name: content for name, content in request.files.items() if name in named}
        job = await asyncio.to_thread(jobs.create, values, files)
        if request.get("PHASE").upper() == "RUN":
            await asyncio.to_thread(jobs.start, job)
        return see_other(f"{address}/{job.id}")
    return _xml(f'<uws:jobs {_SPACES} version="1.1"></uws:jobs>')


def _change(request: Request, jobs: Jobs, job: Job, where: list[str]) -> None:
    phase = request.get("PHASE").upper()
    if phase == "RUN":
        jobs.start(job)
    elif phase == "ABORT":
        jobs.abort(job)
    elif phase:
        raise QueryError(f"PHASE is {phase[:40]}; RUN and ABORT can be asked for")
    if request.get("EXECUTIONDURATION"):
        jobs.change(job, seconds=_whole("EXECUTIONDURATION", request.get("EXECUTIONDURATION")))
    if request.get("DESTRUCTION"):
        jobs.change(job, until=_time(request.get("DESTRUCTION")))
    if where in ([], ["parameters"]):
        values = {name: value for name, value in request.values.items() if name not in CONTROL}
        if values and job.phase != "PENDING":
            raise QueryError("parameters of a job that has begun cannot be changed")
        jobs.change(job, values=values)


async def _read(request: Request, jobs: Jobs, job: Job, where: list[str], address: str) -> Answer:
    if not where:
        await _wait(request, job)
        return _xml(_job(job, address))
    if where[0] == "results" and where[1:] == ["result"]:
        file = jobs.result(job)
        if job.phase != "COMPLETED" or not file.is_file():
            return plain("the job has no result", 404)
        return Answer(_file(file), job.media, 200, {"content-length": str(file.stat().st_size)})
    if where == ["error"]:
        return Answer(votable.error(job.failure), votable.MEDIA) if job.failure else plain("the job has no error", 404)
    words: dict[str, Callable[[], str]] = {
        "phase": lambda: job.phase, "executionduration": lambda: str(job.seconds),
        "destruction": lambda: job.destruction, "quote": str, "owner": str,
    }  # fmt: skip
    parts: dict[str, Callable[[], str]] = {
        "parameters": lambda: _parameters(job), "results": lambda: _results(job, address),
    }  # fmt: skip
    if len(where) == 1 and where[0] in words:
        return plain(words[where[0]]())
    if len(where) == 1 and where[0] in parts:
        name = where[0]
        return _xml(parts[name]().replace(f"<uws:{name}", f"<uws:{name} {_SPACES}", 1))
    return plain("there is no such part of a job", 404)


async def _wait(request: Request, job: Job) -> None:
    """Wait, if that was asked for, until the phase is another (UWS 1.1, section 2.2.1.1)."""
    asked = request.get("WAIT")
    if not asked or job.phase in ENDED or request.get("PHASE", job.phase).upper() != job.phase:
        return
    try:
        seconds = float(asked)
    except ValueError as error:
        raise QueryError(f"WAIT is {asked[:40]!r}; it is a number of seconds, or -1") from error
    end = time.monotonic() + (LONGEST_WAIT if not 0 <= seconds <= LONGEST_WAIT else seconds)
    before = job.phase
    while job.phase == before and time.monotonic() < end:
        await asyncio.sleep(LOOK)


def _job(job: Job, address: str) -> str:
    message = f"<uws:message>{text(job.failure)}</uws:message>"
    summary = f'<uws:errorSummary type="fatal" hasDetail="true">{message}</uws:errorSummary>'
    return (
        f'<uws:job {_SPACES} version="1.1">{_said("jobId", job.id)}'
        + (_said("runId", job.run_id) if job.run_id else "")
        + _said("ownerId", "")
        + _said("phase", job.phase)
        + _said("quote", "")
        + _said("creationTime", job.created)
        + _said("startTime", job.started)
        + _said("endTime", job.ended)
        + _said("executionDuration", str(job.seconds))
        + _said("destruction", job.destruction)
        + _parameters(job)
        + _results(job, address)
        + (summary if job.failure else "")
        + "</uws:job>"
    )


def _said(word: str, value: str) -> str:
    return f"<uws:{word}>{text(value)}</uws:{word}>" if value else f'<uws:{word} xsi:nil="true"/>'


def _parameters(job: Job) -> str:
    said = "".join(
        f'<uws:parameter id="{text(name.lower())}">{text(value)}</uws:parameter>'
        for name, values in job.values.items()
        for value in values
    )
    return f"<uws:parameters>{said}</uws:parameters>"


def _results(job: Job, address: str) -> str:
    if job.phase != "COMPLETED":
        return "<uws:results/>"
    return (
        f'<uws:results><uws:result id="result" xlink:type="simple" xlink:href="{text(address)}/results/result" '
        f'mime-type="{text(media_type(job))}"/></uws:results>'
    )


def _xml(said: str) -> Answer:
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>\n{said}\n'.encode())


async def _file(file: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(file.open, "rb")
    try:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece
    finally:
        opened.close()


def _whole(name: str, value: str) -> int:
    if not value.strip().isdigit():
        raise QueryError(f"{name} is {value[:40]!r}; it is a whole number of seconds")
    return int(value)


def _time(value: str) -> datetime:
    try:
        when = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise QueryError(f"DESTRUCTION is {value[:40]!r}; it is a time as 2026-01-31T12:00:00Z") from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when
