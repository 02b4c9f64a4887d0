"""A plug-in with one of every kind, each as short as can be; it needs nothing from elsewhere."""

from dataclasses import replace

import numpy as np

from agents.rules.reserve import reserve
from placement.strategies.space_xnet import compact_random
from twin.energy.bus import BUS_PROFILES
from twin.moe.boards import BOARDS
from twin.moe.presets import MODEL_CARDS
from twin.moe.sampling import plackett_luce
from twin.plugins import register
from twin.runs.run_figure import RunFigure
from twin.space.propagation import PROPAGATORS
from twin.vocabulary import Event, Lane

seen = {}
"""What the functions were given, for the test to look at."""


@register.strategy("compact-here")
def compact_here(problem, *, rng):
    """Place it compactly, at random."""
    return compact_random(problem, rng=rng)


@register.policy("when-low")
def when_low(view, propose, *, floor=0.5):
    """Plan again once a satellite's charge is below a floor."""
    seen["soc"] = view.soc
    return propose("soc") if view.step == 3 or view.soc.min() < floor else None


@register.propagator("circles")
def circles(constellation, t_s):
    """Two-body motion, once more."""
    return PROPAGATORS["kepler"](constellation, t_s)


@register.outage_model("every-other")
def every_other(before, n, table, step_s, *, rng, phase=0):
    """Every other link is down, in turns."""
    return (np.arange(n) + phase) % 2 == 0 if before is None else ~before


@register.fault_model("first-fails")
def first_fails(before, n, table, step_s, *, rng, row=0):
    """One satellite never works."""
    return np.arange(n) != row


@register.dispatch("always-first")
def always_first(asked, seen):
    """Send all to the first instance."""
    return np.where(seen.open[0], 0, -1) + np.zeros(len(asked.site), int)


@register.handover_rule("lowest")
def lowest(sight):
    """Prefer the satellite nearest to the horizon."""
    return -sight.elevation_deg


@register.satellite_rule("idle")
def idle(view):
    """Decide as reserve does."""
    return reserve(view)


@register.sampler("fresh")
def fresh(table, top_k):
    """Independent tokens."""
    return lambda p, tokens, rng, *_: plackett_luce(p, top_k, tokens, rng)


register.bus_profile(replace(BUS_PROFILES["v2mini"], name="workshop", battery_wh=9_000.0))
register.board(replace(BOARDS["orin"], name="orin-mine", memory_gb=32.0))
register.model_card(replace(MODEL_CARDS["toy-8x4"], name="toy-mine", title="Toy of mine"))
register.event_kind(
    "heartbeat", Event(sentence="A satellite says that it is alive.", lane=Lane.SATELLITE)
)
register.figure(
    RunFigure(
        name="heartbeats",
        label="heartbeats",
        sentence="Times that a satellite said that it is alive.",
        draw=lambda run: run.events.get("heartbeat", 0),
    )
)
