"""One OMM in every form it may be written in, and what the reference makes of it."""

import json

import numpy as np
from sgp4 import omm as reference
from sgp4.api import Satrec

MEAN = {
    "EPOCH": "2022-09-14T12:00:00.000000",
    "MEAN_MOTION": 13.15,
    "ECCENTRICITY": 0.0012,
    "INCLINATION": 60.0,
    "RA_OF_ASC_NODE": 40.0,
    "ARG_OF_PERICENTER": 70.0,
    "MEAN_ANOMALY": 15.0,
}
TLE = {
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 7,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 1,
    "BSTAR": 1e-4,
    "MEAN_MOTION_DOT": 1e-6,
    "MEAN_MOTION_DDOT": 0.0,
}
META = {
    "OBJECT_NAME": "SAT",
    "OBJECT_ID": "2024-001A",
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
}
MESSAGE = META | MEAN | TLE
JD = 2459837.0, 0.25


def kvn(*messages, units=""):
    lines = []
    for fields in messages:
        lines += [
            "CCSDS_OMM_VERS = 3.0",
            "COMMENT of one line",
            "CREATION_DATE = 2022-258T00:00:00",
        ]
        lines += ["ORIGINATOR = TEST", ""]
        lines += [
            f"{k:<20}= {v}{units if k in ('INCLINATION',) else ''}" for k, v in fields.items()
        ]
    return "\n".join(lines) + "\n"


def xml(*messages, units=""):
    def element(name, value):
        unit = f' units="{units}"' if units and name == "INCLINATION" else ""
        return f"<{name}{unit}>{value}</{name}>"

    def part(fields, names):
        return "".join(element(k, v) for k, v in fields.items() if k in names)

    return "<ndm>" + "".join(
        '<omm id="CCSDS_OMM_VERS" version="3.0"><header><ORIGINATOR>T</ORIGINATOR></header><body>'
        f"<segment><metadata>{part(fields, META)}</metadata><data><meanElements>"
        f"<COMMENT>c</COMMENT>{part(fields, MEAN)}</meanElements><tleParameters>"
        f"{part(fields, TLE)}</tleParameters></data></segment></body></omm>"
        for fields in messages
    ) + "</ndm>"  # fmt: skip


def csv(*messages):
    names = list(messages[0])
    rows = [",".join(str(fields.get(k, "")) for k in names) for fields in messages]
    return "\n".join([",".join(names), *rows])


FORMATS = {"kvn": kvn, "xml": xml, "csv": csv, "json": lambda *messages: json.dumps(messages)}


def states(satrec):
    error, r_km, v_km_s = satrec.sgp4(*JD)
    assert error == 0
    return np.array([*r_km, *v_km_s])


def from_reference(fields):
    satrec = Satrec()
    reference.initialize(satrec, fields)
    return states(satrec)
