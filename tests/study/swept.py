"""Small studies for the tests of reports, and what their data sets hold."""

import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy import stats

from twin.runs import sums
from twin.runs.cells import text
from twin.runs.figures import FIGURES
from twin.runs.files import SUMS, read_manifest, sealed
from twin.runs.statistics import Estimate
from twin.study.sweep import open_sweep, sweep

COMMON = """
scenario = "small"
replicates = 2
strategies = ["rand-intra", "space-xnet"]
set = ["simulation.steps=6"]
"""


def run(toml, folder):
    """Sweep a study below a folder; return its own."""
    (folder / "study.toml").write_text(toml)
    opened = open_sweep(str(folder / "study.toml"), resume=False, runs_dir=folder, keep_runs=False)
    with opened.writer:
        return sweep(opened, workers=1).path


def failing(height, folder, replicates):
    """The same study, as if some points more had failed."""
    folder = folder / height.name
    shutil.copytree(height, folder)
    (file,) = (folder / "points").glob("strategy=space-xnet/*/*.parquet")
    rows = pq.read_table(file)
    there = rows.to_pylist()
    for row in there:
        if row.get("constellation.altitude_km", 1200) == 1200 and row["replicate"] in replicates:
            row |= {n: None for n in row if n in FIGURES or n.startswith("profile_")}
            row |= {"status": "failed", "error": "RuntimeError: no <room>"}
    pq.write_table(type(rows).from_pylist(there, schema=rows.schema), file)
    manifest = read_manifest(folder, "study_id")
    manifest[SUMS][str(file.relative_to(folder))] = sums.sha256(file)
    (folder / "manifest.json").write_text(sealed(manifest))
    return folder


def points_of(folder):
    points = pd.read_parquet(folder / "points", partitioning="hive").sort_values("point")
    return points.astype({"strategy": str, "policy": str}).reset_index(drop=True)


def told(values):
    """Mean and interval as they stand in a table."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not known.size:
        return text(None)
    half = np.nan
    if known.size > 1:
        half = stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / len(known) ** 0.5
    return text(Estimate(known.mean(), half))


def by_replicate(group, metric):
    return group.pivot_table(index="strategy", columns="replicate", values=metric)
