"""What tests of a session share."""

import time

from twin.scenario import loader

PATIENCE_S = 60.0


def small(*overrides):
    return loader.load("small", ["simulation.steps=4", *overrides])


def wait(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def told(session):
    wait(lambda: session.work.value is None)
    return session.error.value


def on_stage(session):
    return [s.run_id for s in session.shown.value]
