"""What is found, and how it is said: rankings, doubt, and intervals of shares."""

import numpy as np
import pytest

from twin.report.findings import course, rank
from twin.report.page import Document, Items, Picture, Section, Table, html, words
from twin.runs.cells import doubt, text
from twin.runs.figures import FIGURES
from twin.runs.statistics import Estimate, Share

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Share(99.0, 5.0), "99.0 (94.0 to 100.0)"),
        (Share(1.0, 5.0), "1.0 (0.0 to 6.0)"),
        (Share(50.0, 5.0), "50.0 ± 5.0"),
        (Estimate(99.0, 5.0), "99.0 ± 5.0"),
    ],
)
def test_an_interval_of_a_share_ends_at_none_and_all(value, told):
    assert text(value) == told


def test_figures_that_are_shares_say_so():
    found = FIGURES["tokens_served_share"].shown(np.array([1.0, 0.9]))
    assert isinstance(found, Share)
    assert text(found) == "95 (31 to 100)"
    assert not isinstance(FIGURES["latency_mean_s"].shown(np.array([1.0, 0.9])), Share)


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        (Estimate(1.0, 0.5), "more than chance explains"),
        (Estimate(-1.0, 2.0), "which may be chance"),
        (Estimate(1.0, np.nan), "one run each, so that it may be chance"),
    ],
)
def test_a_difference_is_said_to_be_chance_or_not(gap, told):
    assert doubt(gap) == told


def test_cases_are_ranked_pair_by_pair():
    # Pairs differ by 1, 1.2 and 0.8: mean 1, half width 4.302653 * 0.2 / sqrt(3).
    ranking = rank("latency_mean_s", ["a", "b"], np.array([[2.0, 4.2, 3.8], [1.0, 3.0, 3.0]]))
    assert ranking.best.label == "b"
    assert ranking.gap.mean == pytest.approx(1.0)
    assert ranking.gap.ci95 == pytest.approx(4.302653 * 0.2 / 3**0.5, rel=1e-6)
    said = words("cases", rankings=[ranking])
    assert f"lowest with b, 2.3 ± 2.9{SPACE}s; 1.00 ± 0.50{SPACE}s less than with a" in said
    assert "(more than chance explains)" in said


def test_more_is_better_where_a_figure_says_so():
    values = np.array([[80.0, 82.0], [99.0, 98.0]])
    ranking = rank("tokens_served_share", ["a", "b"], values)
    said = words("cases", rankings=[ranking])
    assert ranking.best.label == "b"
    assert "highest with b, 98.5 (92.1 to 100.0)" in said
    assert "percentage points more than with a" in said


def test_a_case_that_is_quick_but_serves_less_is_set_aside():
    times, served = np.array([[3.0], [1.0], [2.0]]), np.array([[99.0], [50.0], [98.0]])
    ranking = rank("latency_mean_s", ["a", "b", "c"], times, served=served)
    assert (ranking.best.label, ranking.rival.label) == ("c", "a")
    assert [one.label for one in ranking.aside] == ["b"]


def test_a_figure_goes_along_an_axis_by_the_order_of_its_numbers():
    values = np.array([[3.0, 3.2], [1.0, 1.2], [2.0, 2.2]])
    found = course("latency_mean_s", "a", values, ["x 9", "x 1", "x 5"], [1, 2, 0])
    assert (found.verb, found.first_at, found.last_at) == ("rises from", "x 1", "x 9")
    same = course("latency_mean_s", "a", np.ones((3, 2)), ["x", "y", "z"], None)
    assert same is None


def test_a_page_escapes_what_it_is_given_and_folds_what_is_to_be_folded():
    bad = "<script>alert('&')</script>"
    table = Table(name="t", title=bad, header=(bad,), rows=[[bad]], note=bad)
    picture = Picture(name="p", title=bad, caption=bad, size_in=(1, 1), draw=lambda figure: None)
    page = html(
        Document(
            title=bad,
            subtitle=bad,
            question=bad,
            finding=bad,
            lead=(picture, table),
            sections=(Section("Open", (bad, Items((bad,)))), Section("Shut", (bad,), folded=True)),
        ),
        lambda picture: "",
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;") == 14
    assert '<details id="shut" class="section">' in page
    assert '<section id="open">' in page
