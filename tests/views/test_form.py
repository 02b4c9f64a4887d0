import io

import pytest
import solara

from agents.run import run_scenario
from twin.errors import InputError
from twin.scenario import loader, plain
from twin.views import form, limits, new_run
from twin.views.public import LONGEST


def test_presets_that_need_a_file_are_the_others():
    assert {"paper", "paper-star", "small"} <= set(form.runnable_presets())
    assert set(form.presets_with_files()) == {"oneweb", "starlink-shell"}


@pytest.mark.parametrize("preset", form.runnable_presets())
def test_a_preset_left_as_it_is_is_right_and_the_same(preset):
    values = form.initial(preset)
    assert form.mistakes(preset, values) == {}
    base = loader.load(preset)
    (made,) = form.scenarios(preset, values, [base.placement.strategy], [base.controller.policy])
    drawn = made.simulation.record_tokens_per_step
    assert drawn == max(base.simulation.record_tokens_per_step, form.DRAWN_TOKENS)
    simulation = base.simulation.model_copy(update={"record_tokens_per_step": drawn})
    recorded = base.requests.record_every
    if base.serving.mode == "requests":
        recorded = recorded or form.RECORDED_EVERY
    requests = base.requests.model_copy(update={"record_every": recorded})
    assert made == base.model_copy(update={"simulation": simulation, "requests": requests})


def test_every_field_is_one_of_the_scenario():
    data = loader.load("paper").model_dump(mode="json")
    for field in form.FIELDS:
        table, key = field.path.split(".")
        assert key in data[table]


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        ("constellation.altitude_km", "20", "greater than or equal to 150"),
        ("simulation.steps", "2.5", "valid integer"),
        ("simulation.steps", "many", "valid integer"),
        ("outages.availability", "1.5", "less than or equal to 1"),
        ("constellation.planes", "900", "satellites are more than the 12,000"),
    ],
)
def test_a_mistake_is_told_at_its_field(path, typed, said):
    found = form.mistakes("paper", form.initial("paper") | {path: typed})
    assert said in found[path]


def test_a_mistake_between_fields_is_told_too():
    found = form.mistakes("paper", form.initial("paper") | {"constellation.planes": "10"})
    assert "phasing must be below planes" in found[""]


def test_what_is_typed_reaches_neither_a_path_nor_another_field():
    evil = {"activations.file": "/etc/passwd", "constellation.tle": "/etc/passwd"}
    typed = {"simulation.seed": '1\nactivations.file = "/etc/passwd"'}
    assert form.overrides("paper", form.initial("paper") | evil) == [
        "simulation.record_tokens_per_step=8"
    ]
    assert "simulation.seed" in form.mistakes("paper", form.initial("paper") | typed)


@pytest.mark.parametrize(
    "typed", ["[" * 100_000, "9" * 20_000, "\x1b[31m", "NaN", "1e999", "\ud800", {}, [1]]
)
def test_whatever_is_typed_is_a_short_note_at_its_field(typed):
    found = form.mistakes("paper", form.initial("paper") | {"simulation.steps": typed})
    assert len(found["simulation.steps"]) <= LONGEST
    assert found["simulation.steps"].isprintable()


def rendered(draft, *, runs=(), on_start=lambda made: None):
    return solara.render(new_run.NewRun(draft, runs, on_start, lambda: None), handle_error=False)


def chooser(box):
    return next(w for w in _all(box) if getattr(w, "label", None) == "Start from")


def test_a_preset_is_one_of_the_list_whatever_the_browser_says(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"')
    box, context = rendered(new_run.Draft())
    for name in (str(file), "../secret", "/etc/passwd", "run: ../mine", None):
        chooser(box).v_model = name
        notes = [c for w in _all(box) for c in getattr(w, "children", []) if isinstance(c, str)]
        assert loader.load("paper").description in notes
    context.close()


def test_strategies_times_policies():
    made = form.scenarios(
        "paper", form.initial("paper"), ["space-xnet", "joint"], ["static", "receding-horizon"]
    )
    pairs = [(s.placement.strategy, s.controller.policy) for s in made]
    assert pairs == [
        ("space-xnet", "static"),
        ("space-xnet", "receding-horizon"),
        ("joint", "static"),
        ("joint", "receding-horizon"),
    ]
    assert len({s.simulation.seed for s in made}) == 1


@pytest.mark.parametrize(
    ("strategies", "policies"),
    [([], ["static"]), (["joint", "packed", "exact"], ["static", "periodic"])],
)
def test_too_many_and_none_are_refused(strategies, policies):
    with pytest.raises(InputError, match=f"1 to {limits.MAX_SIDE_BY_SIDE}"):
        form.scenarios("paper", form.initial("paper"), strategies, policies)


def start(box):
    next(b for b in _all(box) if getattr(b, "children", None) == ["Start"]).click()


def test_the_form_starts_what_is_right():
    started = []
    box, context = rendered(new_run.Draft(), on_start=started.append)
    start(box)
    assert started[0][0].name == "paper"
    context.close()


@pytest.fixture
def run(tmp_path):
    fields = {
        "simulation.steps": 3,
        "constellation.altitude_km": 900.0,
        "placement.strategy": "joint",
        "workload.retries": 2,
    }
    return run_scenario(loader.load("small", fields), runs_dir=tmp_path, run_id="made")


def test_a_run_is_started_from_with_all_that_it_has(run):
    started = []
    draft = new_run.Draft()
    box, context = rendered(draft, runs=[run], on_start=started.append)
    chooser(box).v_model = "run: made"
    assert draft.strategies.value == ["joint"]
    draft.values.value = draft.values.value | {"simulation.seed": "7"}
    start(box)
    simulation = run.scenario.simulation.model_copy(
        update={"seed": 7, "record_tokens_per_step": form.DRAWN_TOKENS}
    )
    assert started == [[run.scenario.model_copy(update={"simulation": simulation})]]
    context.close()


def test_a_dropped_toml_is_started_from(run):
    draft = new_run.Draft()
    text = loader.to_toml(run.scenario)
    draft.read({"size": len(text), "file_obj": io.BytesIO(text.encode())})
    assert draft.refused.value == ""
    assert draft.values.value["constellation.altitude_km"] == 900.0
    (made,) = draft.scenarios()
    assert made.workload.retries == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "not valid TOML"),
        ('[constellation]\nkind = "walker"\nplanes = -1', "constellation.planes"),
        ('[activations]\nfile = "/etc/passwd"', "activations.file"),
        ('[constellation]\ntle = "/etc/passwd"', "constellation.tle"),
        ('[constellation]\nkind = "tle"\n[activations]\nfile = "/etc/passwd"', "activations.file"),
        ('[requests]\ntrace = "x"', "requests.trace"),
        ("[" * 10_000, "the TOML"),
        ("\x1b[31m", "the TOML"),
    ],
)
def test_a_toml_that_is_not_right_is_refused_and_what_was_entered_stays(text, said):
    draft = new_run.Draft()
    entered = draft.values.value | {"simulation.steps": "17"}
    draft.values.value = entered
    draft.take(text)
    assert said in draft.refused.value
    assert draft.refused.value.isprintable()
    assert draft.values.value == entered
    assert draft.start.value.label == "paper"


def test_too_large_a_file_is_not_read():
    draft = new_run.Draft()
    draft.read({"size": plain.MAX_BYTES + 1, "file_obj": None})
    assert "more than" in draft.refused.value


def test_what_was_entered_stays_when_the_form_is_closed():
    draft = new_run.Draft()
    draft.values.value = draft.values.value | {"simulation.steps": "17"}
    for _ in range(2):
        box, context = rendered(draft)
        steps = next(w for w in _all(box) if getattr(w, "label", None) == "steps")
        assert steps.v_model == "17"
        context.close()


def _all(widget):
    yield widget
    for child in getattr(widget, "children", []):
        if not isinstance(child, str):
            yield from _all(child)
