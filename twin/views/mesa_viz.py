"""The twin in Mesa's own SolaraViz, for those who know it: ``solara run twin/views/mesa_viz.py``.

Mesa steps the model and draws its plots; the stage is the one of ``twin/app.py``, fed live.
"""

import json
from pathlib import Path
from typing import Any

import solara
from mesa.visualization import SolaraViz, make_plot_component

from agents.model import TwinModel
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.plugins import load_plugins
from twin.scenario import loader
from twin.views import quiet, server, trace
from twin.views.form import runnable_presets
from twin.views.live import Tap
from twin.views.parts import Steady
from twin.views.public import plain
from twin.views.stage import Stage
from twin.views.stream import Feed, Stream
from twin.views.trace import Plan

quiet.prepare()
load_plugins(server.named_plugins())
STYLE = Path(__file__).with_name("page.css")


class PresetModel(TwinModel):
    """A twin from what Mesa's controls offer: a preset, a strategy and a seed."""

    def __init__(self, preset: str = "small", strategy: str = "space-xnet", seed: int = 0) -> None:
        # A browser may send any name, also that of a file.
        for name, known in ((preset, runnable_presets()), (strategy, STRATEGIES)):
            if name not in known:
                raise InputError(f"{plain(str(name))[:80]}: not one of {', '.join(known)}")
        changed = [f"placement.strategy={json.dumps(strategy)}", f"simulation.seed={seed}"]
        super().__init__(loader.load(preset, changed))
        self._feed = Feed()
        self.stream = Stream(f"mesa{id(self)}", self._feed)
        self.recorder = Tap(self._begin, self._feed.show)

    def _begin(self, model: TwinModel, planned: Plan) -> None:
        self._feed.begin(trace.head(model.world, planned, run_id="mesa"))

    def step(self) -> None:
        """Advance one step; the last one ends what the stage is sent."""
        super().step()
        self._feed.flush(last=not self.running)


@solara.component
def TwinStage(model: PresetModel) -> None:  # noqa: N802
    """The stage, at what the model has done so far."""
    solara.Style(STYLE)
    with solara.Div(style={"position": "relative", "height": "396px", "width": "100%"}):
        Stage.element(streams=(model.stream,), compact=True)


MODEL_PARAMS: dict[str, Any] = {
    "preset": {"type": "Select", "value": "small", "values": runnable_presets(), "label": "preset"},
    "strategy": {
        "type": "Select",
        "value": "space-xnet",
        "values": list(STRATEGIES),
        "label": "strategy",
    },
    "seed": {"type": "InputText", "value": 0, "label": "seed"},
}


@solara.component
def Page() -> None:  # noqa: N802
    """Mesa's page with the twin's stage and two of Mesa's plots."""
    model = solara.use_memo(PresetModel, [])
    with Steady():
        SolaraViz(
            model,
            components=[
                TwinStage,
                make_plot_component("latency_mean_s"),
                make_plot_component("tokens_served"),
            ],
            model_params=MODEL_PARAMS,
            name="Orbital Twin",
        )
