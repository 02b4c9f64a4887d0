"""The page's server as an attacker sees it: over HTTP and its websocket, without a browser."""

import http.client
import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from visitor import visit
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

REPO = Path(__file__).parents[2]
HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
ASSET = "/_solara/cdn/@widgetti/solara-vuetify-app@10.1.1"


@pytest.fixture(scope="module")
def ask(address):
    """Status, headers and body of an answer to a request as it is written here."""

    def asked(path, method="GET", **headers):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    return asked


@pytest.fixture(scope="module")
def secrets(folder):
    """What no answer may hold: where things lie on this server."""
    return [str(p) for p in (folder, REPO, Path.home(), sys.prefix) if len(str(p)) > 2]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/table", 200),
        ("/?run=%ff%00&t=1e400", 200),
        ("/nothing", 404),
        ("/nothing/at/all", 404),
        ("/%ff%fe", 404),
        ("/%00", 400),
        ("/%1b%5b31m", 400),
        ("/static/%00", 400),
        ("/static/assets/style.css", 200),
        ("/static/nothing.js", 404),
        ("/static/../../twin/app.py", 404),
        ("/static/%2e%2e/%2e%2e/app.py", 404),
        ("/static/public/../runs/short-faults/manifest.json", 404),
        ("/jupyter/nbextensions/jupyter-vue/extension.js", 200),
        ("/jupyter/nbextensions/../../../pyvenv.cfg", 404),
        ("/runs/short-faults/manifest.json", 404),
        (f"{ASSET}/dist/main8.css", 200),
        (ASSET, 404),
        (f"{ASSET}/", 404),
        ("/_solara/cdn/nothing@1.0.0/x.js", 404),
        ("/_solara/cdn/..%2f..%2f..%2fpyvenv.cfg", 404),
        ("/_solara/cdn//etc/passwd", 404),
        ("/readyz", 200),
        ("/resourcez?verbose", 200),
        ("/jupyter/api/kernels/x/y?session_id=z", 404),
    ],
)
def test_every_answer_is_guarded_and_tells_no_path(ask, secrets, path, status):
    found, headers, body = ask(path)
    assert found == status
    assert {name: headers[name] for name in HEADERS} == HEADERS
    policy = headers["content-security-policy"]
    assert "default-src 'self';" in policy
    assert "connect-src 'self';" in policy
    told = body + str(headers).encode()
    assert not [secret for secret in secrets if secret.encode() in told]
    assert b"Traceback (most" not in told


def test_a_refused_method_and_a_failing_answer_are_guarded_too(ask):
    for path, method in (("/", "POST"), ("/static/assets/style.css", "PUT"), ("/", "HEAD")):
        assert HEADERS.items() <= {k.lower(): v for k, v in ask(path, method)[1].items()}.items()
    status, headers, body = ask(
        "/_solara/api/close/x", "POST"
    )  # lacks what Solara takes for granted
    assert (status, body) == (500, b"Internal Server Error")
    assert headers["x-frame-options"] == "DENY"


def test_scripts_of_the_page_carry_its_nonce(ask):
    _, headers, body = ask("/")
    (nonce,) = re.findall("'nonce-([^']+)'", headers["content-security-policy"])
    marked = re.findall(rb"<script([^>]*)>", body)
    assert len(marked) > 5
    assert all(f'nonce="{nonce}"'.encode() in attributes for attributes in marked)
    assert not re.search(rb"<[^>]+ on\w+=", body)


def test_the_page_says_where_anywidget_is_before_a_widget_asks_for_it(ask):
    (names,) = re.findall(rb"map: \{\s*'\*': \{([^}]*)\}", ask("/")[2])
    assert b"'anywidget': 'nbextensions/anywidget/index'" in names


def test_no_visitor_decides_where_scripts_come_from(ask):
    ask("/", X_Script_Name="//evil.example", Script_Name="//evil.example")
    assert b"evil.example" not in ask("/")[2]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_a_page_of_another_host_gets_no_websocket(address, origin):
    host = urlsplit(address).netloc
    url = f"ws://{host}/jupyter/api/kernels/a/channels?session_id=b"
    with pytest.raises(InvalidStatus) as refused, connect(url, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert (
        HEADERS.items()
        <= {k.lower(): v for k, v in refused.value.response.headers.raw_items()}.items()
    )


LONG = "9" * 20_000


@pytest.mark.parametrize(
    ("path", "start_s"),
    [
        ("/?t=12.5", 12.5),
        ("/?t=1e400", 1e300),
        ("/?t=inf", 1e300),
        ("/?t=-1e400", 0),
        ("/?t=NaN", 0),
        ("/?t=-1", 0),
        ("/?t=", 0),
        ("/?t=0x10", 0),
        (f"/?t={LONG}", 1e300),
        ("/?t=1e300", 1e300),
        ("/?t=%00%1b%5b31m%ff", 0),
        ("/?t=5&t=7", 5),
        ("/?&&&=&=5&%", 0),
    ],
)
def test_a_time_of_any_content_is_a_time(address, secrets, path, start_s):
    with visit(address) as visitor:
        visitor.open(path + "&run=short-space-xnet")
        assert shown(visitor)["start_s"] == start_s
        assert_is_clean(visitor, secrets)


@pytest.mark.parametrize(
    "wanted",
    [
        "nothing-like-it",
        "..",
        "../runs/short-faults",
        "%2e%2e%2f",
        "/etc",
        "C:%5c",
        "%00",
        "short-faults%00",
        "%ff",
        "%1b%5b31mred",
        "<script>alert(1)</script>",
        "{{constructor.constructor('alert(1)')()}}",
        LONG,
        ",".join(["short-faultz"] * 3000),
    ],
)
def test_a_run_of_any_name_is_a_note(address, secrets, wanted):
    with visit(address) as visitor:
        visitor.open(f"/?run={wanted}")
        visitor.hear("There is no such run here")
        assert_is_clean(visitor, secrets)


@pytest.mark.parametrize(
    "path",
    ["/nothing", "", "no stroke", "/\0", "/table/../..", "//evil.example", "/?" + LONG, None, 5],
)
def test_an_address_that_leads_nowhere_breaks_nothing(address, secrets, path):
    with visit(address) as visitor:
        visitor.send("comm_open", {"comm_id": "c", "target_name": "solara.control", "data": {}})
        visitor.control("run", {"path": path, "dark": True, "themes": {}})
        visitor.hang_up()
        assert_is_clean(visitor, secrets)
    still_there(address)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"header": {"msg_type": "\\u001b]0;pwned\\u0007"}, "channel": "shell"}',
        "[" * 50_000,
        b"",
        b"\xff" * 64,
        b"\x00\x00\x00\x01\x00\x00\x00\x08{",
    ],
)
def test_nonsense_on_the_websocket_breaks_nothing(address, secrets, message):
    with visit(address) as visitor:
        visitor.send_raw(message)
        visitor.hang_up()
        assert_is_clean(visitor, secrets)
    still_there(address)


@pytest.mark.parametrize(
    "state",
    [
        {"step": 10**30},
        {"step": -5},
        {"step": "x"},
        {"step": None},
        {"dark": 7},
        {"start_s": "y"},
        {"streams": ["z"]},
        {"_esm": "alert(1)"},
    ],
)
def test_a_stage_that_is_told_nonsense_breaks_nothing(address, secrets, state):
    with visit(address) as visitor:
        visitor.open("/?run=short-space-xnet")
        stage = shown(visitor)["comm_id"]
        data = {"method": "update", "state": state, "buffer_paths": []}
        visitor.send("comm_msg", {"comm_id": stage, "data": data})
        for want in ({"want": "s0", "number": 10**30}, {"want": ["s0"], "number": 0}, [[]] * 9):
            data = {"method": "custom", "content": want}
            visitor.send("comm_msg", {"comm_id": stage, "data": data})
        visitor.hang_up()
        assert_is_clean(visitor, secrets)
    still_there(address)


def shown(visitor):
    """State of the stage that a visitor was sent, and its comm's id."""
    for told in visitor.heard:
        if '"_anywidget_id": "twin.views.stage.Stage"' in told:
            content = json.loads(told[told.index("{") : told.rindex("}") + 1])["content"]
            return content["data"]["state"] | {"comm_id": content["comm_id"]}
    raise AssertionError("no stage")


def still_there(address):
    with visit(address) as visitor:
        visitor.open("/?run=short-space-xnet")


def assert_is_clean(visitor, secrets):
    """Neither a path nor a traceback was said, and all of it is JSON that browsers read."""
    said = "".join(visitor.heard)
    assert not [secret for secret in secrets if secret in said]
    assert "Traceback (most" not in said
    for told in visitor.heard:
        if told.startswith("{"):
            json.loads(told, parse_constant=refuse)


def refuse(constant):
    raise AssertionError(f"{constant} in JSON")
