"""What the page says of a scenario's fields."""

import pytest

from twin.errors import InputError
from twin.scenario import loader
from twin.views import form, limits, schema


def test_every_field_of_every_table_is_there_with_its_default():
    fields = schema.fields()
    content = loader.load("serving-study").model_dump(mode="json")
    for table, values in content.items():
        if isinstance(values, dict):
            for key, value in values.items():
                assert f"{table}.{key}" in fields, key
                if fields[f"{table}.{key}"].default == value:
                    assert f"{table}.{key}" not in {
                        row["path"] for row in schema.about(loader.load("serving-study"))
                    }
    assert fields["outages.availability"].default != schema.REQUIRED


def test_what_is_not_as_by_default_is_told():
    told = {row["path"]: row for row in schema.about(loader.load("serving-study"))}
    assert told["serving.mode"]["value"] == "requests"
    assert told["serving.mode"]["default"] == "tokens"
    assert "queues" in told["serving.mode"]["sentence"]
    assert "serving.host_ms" not in told


def test_words_of_the_glossary_have_their_meaning():
    words = schema.glossary()
    assert words["gateway"].startswith("satellite that runs")
    assert words["TPOT"] == words["TTFT"]


def test_any_field_but_files_can_be_typed():
    values = form.initial("serving-study") | {
        "serving.max_queue": "7",
        "requests.trace": "/etc/passwd",
        "placement.params": '{"balance": 0.5}',
    }
    changed = form.overrides("serving-study", values)
    assert "serving.max_queue=7" in changed
    assert "placement.params={balance = 0.5}" in changed
    assert not [c for c in changed if "trace" in c]
    found = form.mistakes(
        "serving-study", form.initial("serving-study") | {"serving.max_queue": "-1"}
    )
    assert "greater than or equal to 1" in found["serving.max_queue"]


@pytest.mark.parametrize(
    "changes",
    [
        ["requests.rate_per_s=1e4"],
        ["requests.prompt_tokens=1e6"],
    ],
)
def test_more_requests_than_a_page_bears_are_refused(changes):
    scenario = loader.load("serving-orin", [*changes, "requests.output_tokens=1000"])
    with pytest.raises(InputError, match=r"requests.rate_per_s: .* more than the"):
        limits.check(scenario)
    limits.check(loader.load("serving-study"))
