"""Reports on studies without axes: what is said of each case, and of all against each other."""

import pytest
from swept import COMMON, by_replicate, failing, points_of, run, told

PLAIN = f'name = "plain"\nmetrics = ["latency_p99_s", "tokens_served_share"]\n{COMMON}'


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(PLAIN, tmp_path_factory.mktemp("swept"))


@pytest.mark.parametrize("lost", [(), (1,), (0, 1)])
def test_a_study_without_axes_is_told_by_case(page_of, plain, tmp_path, lost):
    document, page = page_of(failing(plain, tmp_path, lost))
    points = points_of(tmp_path / plain.name)
    pictures = {picture.name: picture for picture in document.pictures()}
    assert {"by-case", "latency-cdf", "layers"} <= set(pictures)
    assert "averaged" not in page.tables
    latency = by_replicate(points, "latency_p99_s").dropna(axis=1)
    for case, runs, *figures in page.tables["cells"][1:]:
        mine = points[points["strategy"] == case]
        assert int(runs) == (mine["status"] == "ok").sum()
        assert figures == [told(mine["latency_p99_s"]), told(100 * mine["tokens_served_share"])]
        if int(runs):
            header, row, *_ = page.tables["overview"]
            assert row[header.index(case)] == told(latency.loc[case]) or len(lost) == 2
    said = " ".join(page.words)
    assert ("No point failed." in said) == (not lost)
    if len(lost) < 2:
        best, other = latency.mean(axis=1).sort_values().index
        ratio = latency.loc[other] / latency.loc[best]
        assert f"lowest with {best}, " in said
        assert f" than with {other}, " in said
        assert f"which takes {told(ratio)} times as long" in said


def test_who_serves_few_tokens_is_out_of_the_race(page_of, tmp_path):
    study = PLAIN.replace('"space-xnet"]', '"space-xnet", "single-satellite"]')
    # Steps too short for a satellite alone, and nothing else that loses tokens.
    more = 'steps=6", "outages.model=none", "simulation.orbits=1e-4'
    folder = run(study.replace("steps=6", more), tmp_path)
    _, page = page_of(folder)
    latency = by_replicate(points_of(folder), "latency_p99_s")
    served = 100 * by_replicate(points_of(folder), "tokens_served_share")
    alone, few = (told(table.loc["single-satellite"]) for table in (latency, served))
    alone, few = alone.removesuffix(" ± 0"), few.removesuffix(" ± 0")
    ratio = latency.loc["rand-intra"] / latency.loc["space-xnet"]
    said = " ".join(page.words).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        f"{alone} s with single-satellite, which serves {few} % only; of the cases that serve "
        "about as much as any, lowest with space-xnet, "
        f"{told(latency.loc['space-xnet'])} s; "
    ) in said
    assert " less than with rand-intra, " in said
    assert f"which takes {told(ratio)} times as long" in said
    header, *rows = page.tables["ratios"]
    assert (
        header[1:] == [row[0] for row in rows] == ["rand-intra", "space-xnet", "single-satellite"]
    )
    for one, *cells in rows:
        for other, cell in zip(header[1:], cells, strict=True):
            expected = "" if one == other else told(latency.loc[one] / latency.loc[other])
            assert cell == expected
