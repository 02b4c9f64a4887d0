"""How many processes jobs are spread over."""

import os
import sys

import pytest

from twin.study.pool import Pool


@pytest.mark.skipif(sys.platform != "linux", reason="processors can be chosen there only")
@pytest.mark.usefixtures("one_processor")
def test_who_may_use_one_processor_starts_no_workers():
    assert Pool().map(os.getpid, [(), ()]) == [os.getpid()] * 2


def test_workers_that_are_asked_for_are_started():
    assert os.getpid() not in Pool(workers=2).map(os.getpid, [(), ()])
