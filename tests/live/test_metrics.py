"""What Prometheus is shown, and that nothing of one satellite is."""

import urllib.request

import pytest

from twin.errors import InputError, StopSignal
from twin.live.metrics import Metrics, served, where
from twin.live.session import mirror
from twin.live.state import Options


def test_figures_of_the_fleet(scenario, flown, tmp_path):
    shown, texts = Metrics(), []

    def watch(session, step):
        shown.watch(session, step)
        if step.step == 20:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                texts.append(answer.read().decode())
            raise StopSignal(2)

    with served(shown, "0") as port, pytest.raises(StopSignal):
        mirror(
            scenario, lambda skip: iter(flown[0]), runs_dir=tmp_path, options=Options(watch=watch)
        )
    (text,) = texts
    assert "twin_step 21.0" in text
    assert 'twin_alarms_total{kind="lost-string"} 0.0' in text
    taken = [line for line in text.splitlines() if 'remark="taken"' in line]
    assert float(taken[0].split()[-1]) > 800
    assert "P0S0" not in text


def test_nothing_is_shown_before_the_first_step():
    with served(Metrics(), "127.0.0.1:0") as port:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")
        assert answer.read() == b""
        answer.close()
    with served(Metrics(), None) as port:
        assert port is None


@pytest.mark.parametrize("text", ["", "host", "1:2:x", "70000"])
def test_a_wrong_address_is_refused(text):
    with pytest.raises(InputError, match="must be PORT or HOST:PORT"):
        where(text)
