import pytest
import solara

from twin.errors import InputError
from twin.scenario import loader
from twin.views import form, limits
from twin.views.public import LONGEST


def test_presets_that_need_a_file_say_what_to_do():
    offered = form.runnable_presets()
    assert {"paper", "paper-star", "small"} <= set(offered)
    assert set(form.presets_with_files()) == {"oneweb", "starlink-shell"}
    assert "twin run oneweb --set constellation.tle=FILE" in form.what_to_do("oneweb")


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


def test_a_preset_is_one_of_the_list_whatever_the_browser_says(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"')
    box, context = solara.render(form.NewRun(lambda made: None, lambda: None), handle_error=False)
    preset = next(w for w in _all(box) if getattr(w, "label", None) == "Preset")
    for name in (str(file), "../secret", "/etc/passwd", None):
        preset.v_model = name
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


def test_the_form_starts_what_is_right():
    started = []
    box, context = solara.render(form.NewRun(started.append, lambda: None), handle_error=False)
    buttons = [b for b in _all(box) if getattr(b, "children", None) == ["Start"]]
    buttons[0].click()
    assert started[0][0].name == "paper"
    context.close()


def _all(widget):
    yield widget
    for child in getattr(widget, "children", []):
        if not isinstance(child, str):
            yield from _all(child)
