"""Tables of measured times: read, gaps filled, bad ones refused."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.moe.kernels import SECOND, read_kernels
from twin.serving.engine import times
from twin.serving.engine.engine import Engine
from twin.serving.engine.start import nothing_served
from twin.serving.work import kernel_tables

GOOD = """part,tokens,cached_tokens,microseconds
gateway,1,,10
gateway,4,,16
prefill,16,0,100
prefill,16,64,164
prefill,32,64,200
decode,1,16,5
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text):
        path = tmp_path / "kernels.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return to_file


def test_points_make_grids_and_neighbours_stand_in_for_gaps(write):
    found = read_kernels(write(GOOD))
    np.testing.assert_allclose(found["gateway"].seconds, [[10e-6], [16e-6]])
    np.testing.assert_allclose(found["prefill"].seconds, [[100e-6, 164e-6], [200e-6, 200e-6]])
    assert set(found) == {"gateway", "prefill", "decode"}


def test_the_engine_interpolates_between_points_and_goes_on_beyond_them(write):
    engine = Engine(
        nothing_served(satellites=1, layers=1, experts=1),
        layers=1,
        experts=1,
        kernels=kernel_tables(read_kernels(write(GOOD))),
    )
    core = engine._core()
    for kind, tokens, second, us in (
        (times.GATEWAY, 2.0, 0.0, 12.0),
        (times.GATEWAY, 0.0, 0.0, 10.0),  # level before the first
        (times.GATEWAY, 7.0, 0.0, 22.0),
        (times.PREFILL, 16.0, 32.0, 132.0),
        (times.PREFILL, 24.0, 64.0, 182.0),
        (times.DECODE, 9.0, 99.0, 5.0),
    ):
        assert times.measured_s(core, kind, tokens, second) == pytest.approx(us * 1e-6, rel=1e-12)
    assert len(SECOND) == times.KINDS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column 'part' is missing"),
        ("part,tokens\n", "column 'microseconds' is missing"),
        ("part,tokens,microseconds,colour\n", "unknown column 'colour'"),
        ("part,tokens,microseconds\n", "no measured times"),
        ("part,tokens,microseconds\nmagic,1,2\n", "line 2: unknown part 'magic'"),
        ("part,tokens,microseconds\nhead,1\n", "line 2: 2 cells, not 3"),
        ("part,tokens,microseconds\nhead,nan,2\n", "line 2: tokens must be a number"),
        ("part,tokens,microseconds\nhead,1,-2\n", "line 2: microseconds must be a number"),
        ("part,tokens,microseconds\nhead,1,2\nhead,1,3\n", "line 3: head of 1 tokens is there"),
        ("part,tokens,microseconds\ndecode,1,2\n", "line 2: cached_tokens must be a number"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(write, text, said):
    with pytest.raises(InputError, match=said) as caught:
        read_kernels(write(text))
    assert "kernels.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
