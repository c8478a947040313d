"""Bring in raw files: classify them by their headers, and remember where they are."""

from __future__ import annotations

import gzip
import hashlib
import os
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from lyot.build.rights import end_of_proprietary_period
from lyot.errors import BadInput, NotFound
from lyot.progress import steps
from lyot.reduce.cards import read_header
from lyot.reduce.classify import RawFile, classify
from lyot.reduce.group import DataSet, Grouped, group
from lyot.store import Store

ENDINGS = (".fits", ".fits.gz", ".fits.fz")
#: Beside simulated raw files lies what went into them.
TRUTH = "truth.json"


@dataclass(frozen=True)
class Ingested:
    """What was brought in.

    Parameters
    ----------
    files : all raw files, known or not
    datasets : data sets that the workspace has now
    unknown : path → why it serves for nothing
    unread : those among them that could not be read, or not whole: they might have served
    """

    files: tuple[RawFile, ...]
    datasets: tuple[DataSet, ...]
    unknown: dict[str, str]
    unread: tuple[str, ...]


def ingest(store: Store, paths: Sequence[Path], workspace: str = "main") -> Ingested:
    """Classify raw FITS files and register them in a workspace; the files stay where they are.

    Parameters
    ----------
    store : Store
    paths : files, and folders that are searched through
    workspace : str

    Raises
    ------
    NotFound
        If a path does not exist, or no FITS file is there.
    """
    closed: dict[str, str] = {}
    found = list(_files(paths, closed))
    if not (found or closed):
        raise NotFound(f"no FITS file in {', '.join(str(path) for path in paths)}")
    files = [_read(path) for path in steps(found, "reading headers")]
    for one in reversed(files):  # of two alike the first stays
        if one.sha256:
            store.note(f"raw/{one.sha256[:16]}", one.model_dump(), workspace=workspace)
    grouped = known(store, workspace)
    for dataset in grouped.datasets:
        end_of_proprietary_period(store, dataset.name, dataset.night, workspace)
    reasons = {one.path: why for one, why in grouped.left_over}
    here = {one.path: one for one in files}
    first = {one.sha256: one.path for one in reversed(files) if one.sha256}
    for one in files:
        if not one.sha256:
            reasons[one.path] = one.why
        elif first[one.sha256] != one.path:
            reasons[one.path] = f"the same as {first[one.sha256]}"
    unknown = {path: why for path, why in reasons.items() if path in here}
    unread = (*(one.path for one in files if not one.sha256), *closed)
    return Ingested(tuple(files), grouped.datasets, {**unknown, **closed}, unread)


def known(store: Store, workspace: str) -> Grouped:
    """Every raw file of a workspace, sorted into data sets, calibrations, telemetry and what is left over."""
    return group(RawFile(**document) for document in store.notes("raw/", workspace=workspace).values())


def _files(paths: Iterable[Path], closed: dict[str, str]) -> Iterator[Path]:
    """FITS files among paths and in folders; folders that cannot be looked into are added to `closed`, with why."""

    def refused(error: OSError) -> None:
        closed[str(error.filename)] = f"this folder cannot be read: {(error.strerror or str(error)).lower()}"

    for path in paths:
        if path.is_dir():
            for folder, _, names in sorted(os.walk(path, onerror=refused)):
                here = (Path(folder) / name for name in sorted(names) if name.lower().endswith(ENDINGS))
                yield from (one for one in here if one.is_file())
        elif path.exists():
            yield path
        else:
            raise NotFound(f"there is no file or folder {path}")


def bytes_missing(path: Path) -> int:
    """How many bytes a FITS file lacks of what its headers announce; 0 when gzip compressed it.

    Raises
    ------
    BadInput
        If its headers do not say how large it is.
    """
    if path.name.lower().endswith(".gz"):
        return 0
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # astropy warns of the same
            with fits.open(stream, memmap=True) as hdus:
                wanted = max(info["datLoc"] + info["datSpan"] for hdu in hdus if (info := hdu.fileinfo()))
    except (OSError, KeyError, TypeError, ValueError, fits.VerifyError) as error:
        raise BadInput(f"its headers do not say how large it is: {type(error).__name__} {error}") from None
    return max(0, int(wanted) - path.stat().st_size)


def _unpack(path: Path) -> None:
    """Read a file through that gzip compressed: at its end stands whether it is whole; `BadInput` if it is not."""
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 22):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"cut short or damaged: {error}; fetch it again") from None


def _read(path: Path) -> RawFile:
    """What a file is; one that cannot be read has no digest, and says why."""
    place = str(path.resolve())
    try:
        if place.lower().endswith(".gz"):
            _unpack(path)
        with warnings.catch_warnings():  # that a file is cut short is said below
            warnings.filterwarnings("ignore", message="File may have been truncated")
            header = read_header(place)
        lacking = bytes_missing(path)
    except BadInput as error:
        return RawFile(path=place, why=error.message.removeprefix(f"{place} "))
    if lacking:
        return RawFile(path=place, why=f"cut short: {lacking} bytes are missing; fetch it again")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    simulated = (path.parent / TRUTH).exists()
    return classify(header, place, digest).model_copy(update={"simulated": simulated})
