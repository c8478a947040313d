"""Jobs of the asynchronous service: folders on disk, so that they survive a restart; few, small, and not for ever."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lyot.datasette.vo import formats
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.dialect import Busy, QueryError
from lyot.datasette.vo.run import Catalogue
from lyot.datasette.vo.task import begin, task

MOST_JOBS = 200
MOST_BYTES = 500_000_000  # of all jobs together
LARGEST_RESULT = 100_000_000  # bytes
SECONDS = 600  # that a job may take
KEPT = timedelta(days=1)
KEPT_AT_MOST = timedelta(days=7)
YOUNG = timedelta(minutes=10)  # nothing younger makes room for others
AT_ONCE = 2
ENDED = ("COMPLETED", "ERROR", "ABORTED")


@dataclass
class Job:
    """A query and how far it has come; phases are those of UWS 1.1. Times are ISO 8601, UTC."""

    id: str
    created: str
    destruction: str
    values: dict[str, list[str]]
    phase: str = "PENDING"
    started: str = ""
    ended: str = ""
    seconds: int = SECONDS
    failure: str = ""
    media: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        """What the client calls it."""
        return self.values.get("RUNID", [""])[-1]


class Jobs:
    """The jobs of one service, in a folder of theirs.

    `hosts` are those from which tables may be fetched.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, hosts: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.hosts = hosts
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._budgets: dict[str, Budget] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lyot-job")
        for job in self._stored():
            self._jobs[job.id] = job
            if job.phase in ("QUEUED", "EXECUTING"):  # the service stopped meanwhile: begin again
                self._change(job, phase="QUEUED", started="")
                self._pool.submit(self._run, job)
        self.tidy()

    def create(self, values: dict[str, list[str]], files: dict[str, bytes]) -> Job:
        """A new job, pending.

        Raises
        ------
        Busy
            If there are as many as there may be, and none that may go.
        """
        with self._lock:
            self.tidy()
            self._make_room(sum(map(len, files.values())))
            now = datetime.now(UTC)
            job = Job(uuid.uuid4().hex, _iso(now), _iso(now + KEPT), values, files=sorted(files))
            place = self.folder / job.id
            place.mkdir(parents=True)
            for number, name in enumerate(job.files):
                (place / f"upload-{number}").write_bytes(files[name])
            self._jobs[job.id] = job
            self._keep(job)
            return job

    def find(self, key: str) -> Job | None:
        """The job of that name, if there is one and its time is not over."""
        self.tidy()
        return self._jobs.get(key)

    def start(self, job: Job) -> None:
        """Queue a pending job; one that is further stays where it is."""
        with self._lock:
            if job.phase == "PENDING":
                self._change(job, phase="QUEUED")
                self._pool.submit(self._run, job)

    def abort(self, job: Job) -> None:
        """Stop a job that has not ended."""
        with self._lock:
            if job.phase not in ENDED:
                self._change(job, phase="ABORTED", ended=_iso(datetime.now(UTC)))
            budget = self._budgets.get(job.id)
        if budget is not None:
            budget.cancel()

    def delete(self, job: Job) -> None:
        """Stop a job and remove all that is left of it."""
        self.abort(job)
        with self._lock:
            self._jobs.pop(job.id, None)
            shutil.rmtree(self.folder / job.id, ignore_errors=True)

    def change(
        self, job: Job, *, values: dict[str, list[str]] | None = None, seconds: int = 0, until: datetime | None = None
    ) -> None:
        """Other parameters, or another time, for a pending job; another end of its life for any."""
        with self._lock:
            if values and job.phase == "PENDING":
                self._change(job, values={**job.values, **values})
            if seconds > 0 and job.phase == "PENDING":
                self._change(job, seconds=min(seconds, SECONDS))
            if until is not None:
                self._change(job, destruction=_iso(min(until, datetime.now(UTC) + KEPT_AT_MOST)))

    def result(self, job: Job) -> Path:
        """Where the result of a completed job is."""
        return self.folder / job.id / "result"

    def tidy(self) -> None:
        """Remove the jobs whose time is over."""
        now = _iso(datetime.now(UTC))
        with self._lock:
            for job in [one for one in self._jobs.values() if one.destruction <= now]:
                self.delete(job)

    def close(self) -> None:
        """Stop what runs; it begins again with the next service on this folder."""
        with self._lock:
            budgets = list(self._budgets.values())
            waiting = [job for job in self._jobs.values() if job.phase in ("QUEUED", "EXECUTING")]
            for job in waiting:
                job.phase = "HELD"  # in memory alone: on disk it is still queued
        for budget in budgets:
            budget.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make_room(self, more: int) -> None:
        """Let the oldest ended or forgotten jobs go while there are too many, or too large ones."""
        oldest = sorted(self._jobs.values(), key=lambda job: job.created)
        before = _iso(datetime.now(UTC) - YOUNG)
        while len(self._jobs) >= MOST_JOBS or self._size() + more > MOST_BYTES:
            gone = next((job for job in oldest if job.created < before and job.phase in (*ENDED, "PENDING")), None)
            if gone is None:
                raise Busy(f"there are {len(self._jobs)} jobs; no more are taken now", hint="try again later")
            oldest.remove(gone)
            self.delete(gone)

    def _size(self) -> int:
        return sum(file.stat().st_size for file in self.folder.glob("*/*"))

    def _run(self, job: Job) -> None:
        budget = Budget(float(job.seconds))
        with self._lock:
            if job.phase != "QUEUED":
                return
            self._budgets[job.id] = budget
            self._change(job, phase="EXECUTING", started=_iso(datetime.now(UTC)))
        failure = media = ""
        try:
            media = self._write(job, budget)
        except QueryError as error:
            failure = str(error)
        except OSError as error:
            failure = f"the result could not be kept: {error.strerror}"
        with self._lock:
            self._budgets.pop(job.id, None)
            if job.phase == "EXECUTING":
                ended = _iso(datetime.now(UTC))
                self._change(job, phase="ERROR" if failure else "COMPLETED", ended=ended, failure=failure, media=media)

    def _write(self, job: Job, budget: Budget) -> str:
        """Run the query into the file of its result; the media type of it."""
        place = self.folder / job.id
        files = {name: (place / f"upload-{number}").read_bytes() for number, name in enumerate(job.files)}
        asked = task(job.values, files, self.hosts)
        part = place / "result.part"
        written = 0
        rows, pieces = begin(asked, self.catalogue, budget)
        try:
            with part.open("wb") as file:
                for piece in pieces:
                    written += len(piece)
                    if written > LARGEST_RESULT:
                        raise QueryError(f"the result is larger than {LARGEST_RESULT:,} bytes", hint="ask for less")
                    file.write(piece)
            if rows.failure:
                raise QueryError(rows.failure)
            part.rename(place / "result")
        finally:
            rows.close()
            part.unlink(missing_ok=True)
        return asked.format.media

    def _change(self, job: Job, **values: object) -> None:
        for name, value in values.items():
            setattr(job, name, value)
        self._keep(job)

    def _keep(self, job: Job) -> None:
        place = self.folder / job.id
        if not place.is_dir():
            return
        part = place / "job.part"
        part.write_text(json.dumps(asdict(job)))
        part.rename(place / "job.json")

    def _stored(self) -> Iterator[Job]:
        for file in self.folder.glob("*/job.json"):
            try:
                yield Job(**json.loads(file.read_text()))
            except (ValueError, TypeError):  # written by another version, or half
                shutil.rmtree(file.parent, ignore_errors=True)


def media_type(job: Job) -> str:
    """Media type of the result, known or asked for."""
    asked = (job.values.get("RESPONSEFORMAT") or job.values.get("FORMAT") or ["votable"])[-1]
    return job.media or formats.find(asked).media


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"
