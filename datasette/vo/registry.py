"""The record by which a registry of the VO knows this publisher: what is offered, and where (VOResource 1.1)."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from lyot.datasette.vo import vosi
from lyot.datasette.vo.vosi import HEAD, RESOURCE, XSI
from lyot.datasette.vo.votable import text

_TITLE = "Lyot: high-contrast imaging of exoplanets"
_DESCRIPTION = (
    "Observations, starlight-subtracted images, detections and detection limits of high-contrast imaging of "
    "exoplanets, with the record that replays each."
)


def record(connection: sqlite3.Connection, base: str, authority: str, limits: tuple[float, int]) -> bytes:
    """The record of the whole service.

    Parameters
    ----------
    connection : SQLite connection
        To the baked database.
    base, authority : str
        Where it is served, and the publisher's naming authority.
    limits : seconds a job may take, seconds it is kept
    """
    made = connection.execute("SELECT made FROM release").fetchone()[0]
    when = datetime.fromisoformat(made).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    others = "".join(
        f'<capability standardID="{standard}"{kind}><interface xsi:type="vs:ParamHTTP" role="std">'
        f'<accessURL use="{use}">{text(base)}{path}</accessURL></interface>{more}</capability>\n'
        for standard, kind, path, use, more in _OTHERS
    )
    return (
        f'{HEAD}<ri:Resource xmlns:ri="http://www.ivoa.net/xml/RegistryInterface/v1.0" '
        f'xmlns:vr="http://www.ivoa.net/xml/VOResource/v1.0" {RESOURCE} '
        'xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" xmlns:cs="http://www.ivoa.net/xml/ConeSearch/v1.0" '
        f'{XSI} xsi:type="vs:CatalogService" created="{when}" updated="{when}" status="active">\n'
        f"<title>{_TITLE}</title>\n<shortName>Lyot</shortName>\n<identifier>ivo://{text(authority)}/lyot</identifier>\n"
        "<curation><publisher>Lyot</publisher><creator><name>The Lyot developers</name></creator>"
        f'<date role="updated">{when}</date><contact><name>The Lyot developers</name></contact></curation>\n'
        "<content><subject>exoplanet-astronomy</subject><subject>direct-imaging</subject>"
        f"<description>{_DESCRIPTION}</description><referenceURL>{text(base)}/</referenceURL>"
        "<type>Catalog</type><contentLevel>Research</contentLevel></content>\n"
        f"{vosi.table_access(base, *limits)}{others}"
        "<coverage><waveband>Infrared</waveband></coverage>\n"
        f"<tableset>\n{vosi.schemas(connection)}</tableset>\n</ri:Resource>\n"
    ).encode()


_OTHERS = (
    ("ivo://ivoa.net/std/ConeSearch", ' xsi:type="cs:ConeSearch"', "/scs/target?", "base",
     "<maxSR>180</maxSR><maxRecords>200000</maxRecords><verbosity>true</verbosity>"
     "<testQuery><ra>86.82</ra><dec>-51.07</dec><sr>0.1</sr></testQuery>"),
    ("ivo://ivoa.net/std/SIA#query-2.0", "", "/sia2/query", "base", ""),
    ("ivo://ivoa.net/std/DataLink#links-1.1", "", "/datalink/links", "base", ""),
)  # fmt: skip
