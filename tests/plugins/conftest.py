"""Every test here begins and ends without plug-ins."""

import pytest

from twin.plugins import loading


@pytest.fixture(autouse=True)
def _forget():
    loading.forget()
    yield
    loading.forget()
