"""Serving against measured runs of vLLM, and boards in lock-step against a model by hand."""

from pathlib import Path

import numpy as np
import pytest

from twin.study import measured

RUNS = Path(__file__).parents[3] / "shared" / "data" / "serving"
FOLDERS = sorted(RUNS.glob("vllm_*"))


@pytest.mark.skipif(
    not FOLDERS, reason="needs real element sets or measured runs beside the checkout"
)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_measured_runs(folder):
    """Bounds of what others reach: TPOT and E2E 3 %, TTFT 10 %, p99 E2E 5 %; roofline E2E 15 %."""
    truth = measured.measured_times(folder)
    served = measured.simulated(folder)
    np.testing.assert_allclose(served["asked_s"], truth["asked_s"], rtol=0, atol=1e-6)
    found = measured.errors(truth, served)
    assert abs(found["mean TPOT"]) < 0.03
    assert abs(found["mean E2E"]) < 0.03
    assert abs(found["mean TTFT"]) < 0.10
    assert abs(found["p99 E2E"]) < 0.05
    plain = measured.errors(truth, measured.simulated(folder, roofline=True))
    assert abs(plain["mean E2E"]) < 0.15
