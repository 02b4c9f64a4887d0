"""What a visitor may type into the form of the page: never more than a refusal."""

from generate import WRONG, Generator
from oracle import Verdict

from twin.plugins.choices import schema
from twin.views import form

FIELDS = sorted(field.path for field in form.FIELDS)
TYPED = ("1e3", "0x10", "1_0", "\u0661", "NaN", "Infinity", "[" * 2000, "9" * 5000)


def test_the_form(budget, rng):
    generator, verdict = Generator(schema(), rng, strange=0.5), Verdict()
    for number in range(budget(2000)):
        values = form.initial(rng.choice(("small", "paper")))
        for _ in range(rng.choice((1, 2, 3))):
            path = rng.choice([*FIELDS, "simulation.unknown", "", "x"])
            values[path] = typed(rng, generator, path)
        with verdict.case((number, values)):
            wrong = form.mistakes("small", values)
            assert all(message and "\n" not in message for message in wrong.values()), wrong
            if not wrong:
                form.scenarios("small", values, ["joint"], ["static"])
            verdict.count("refused" if wrong else "done")
    verdict.check("refused", "done")


def typed(rng, generator, path):
    """What somebody typed into a field: a number, a word, or nothing of the kind."""
    table, _, key = path.partition(".")
    node = generator.resolved(generator.schema["properties"].get(table, {}))
    properties = node.get("properties", {})
    if key in properties and rng.random() < 0.6:
        return generator.value(properties[key])
    wrong = rng.choice(WRONG)
    return rng.choice((wrong, str(wrong), rng.choice(TYPED)))
