"""Who may speak to the server and what it answers with, without a server."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from twin.views.guard import NONCE, POLICY, Guard, same_host

HEADERS = {
    "content-security-policy",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
}


def ask(
    app,
    kind="http",
    *,
    base_url="",
    path="/",
    headers=(),
    extensions=("websocket.http.response",),
    client=None,
):
    """Messages that a guarded application sends."""
    sent = []
    scope = {
        "type": kind,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "extensions": {name: {} for name in extensions},
        "client": client,
    }

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    # In a thread: browser tests leave a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, Guard(app, base_url)(scope, receive, send)).result()
    return sent


async def page(scope, receive, send):
    page.seen = dict(scope["headers"])
    headers = [(b"X-Frame-Options", b"ALLOWALL"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": NONCE.get().encode()})


async def socket(scope, receive, send):
    await send({"type": "websocket.accept"})


async def closed(scope, receive, send):
    await send({"type": "websocket.close", "code": 1000})


def test_every_answer_has_the_headers_once():
    start, body = ask(page)
    names = [name.decode().lower() for name, _ in start["headers"]]
    assert set(names) >= HEADERS
    assert len([n for n in names if n in HEADERS]) == len(HEADERS)
    assert names.count("set-cookie") == 2
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    assert f"'nonce-{body['body'].decode()}'" in policy
    assert "default-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_nonce_is_used_once():
    first, second = (ask(page)[1]["body"] for _ in range(2))
    assert first != second
    assert len(first) >= 16
    assert NONCE.get() == ""


def test_the_policy_lets_nothing_in_from_elsewhere():
    allowed = set(" ".join(POLICY.values()).split())
    assert not [source for source in allowed if re.match(r"https?:|wss?:|\*", source)]
    assert "'unsafe-inline'" not in POLICY["script-src"]


@pytest.mark.parametrize(
    ("origin", "host", "base_url", "welcome"),
    [
        ("http://localhost:8765", "localhost:8765", "", True),
        ("HTTP://LocalHost:8765", "localhost:8765", "", True),
        ("https://twin.example", "twin.example", "", True),
        ("https://twin.example", "twin.example:443", "", True),
        ("https://twin.example", "localhost:8765", "https://twin.example/", True),
        ("https://twin.example:8443", "localhost:8765", "https://twin.example:8443/twin", True),
        ("http://localhost:3000", "localhost:8765", "", False),
        ("http://evil.example", "localhost:8765", "", False),
        ("http://localhost:8765.evil.example", "localhost:8765", "", False),
        ("http://localhost:8765@evil.example", "localhost:8765", "", False),
        ("http://evil.example/localhost:8765", "localhost:8765", "", False),
        ("https://evil.example", "localhost:8765", "https://twin.example/", False),
        ("null", "localhost:8765", "", False),
        ("", "", "", False),
        ("file://", "", "", False),
        ("http://[", "localhost:8765", "", False),
    ],
)
def test_a_websocket_is_for_pages_of_the_same_host(origin, host, base_url, welcome):
    headers = [("host", host), ("origin", origin)]
    first = ask(socket, "websocket", base_url=base_url, headers=headers)[0]
    assert (first["type"] == "websocket.accept") is welcome
    if not welcome:
        assert first["status"] == 403
        assert {name.decode() for name, _ in first["headers"]} >= HEADERS


def test_programs_without_an_origin_are_let_in_and_one_wrong_origin_is_enough():
    host = ("host", "localhost:8765")
    assert ask(socket, "websocket", headers=[host])[0]["type"] == "websocket.accept"
    two = [host, ("origin", "http://localhost:8765"), ("origin", "http://evil.example")]
    assert ask(socket, "websocket", headers=two)[0]["status"] == 403
    assert same_host("http://a.example", ["b.example", "a.example"])


def test_a_websocket_that_is_refused_is_told_so_in_an_answer_with_headers():
    start, body = ask(closed, "websocket")
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert body["type"] == "websocket.http.response.body"
    assert [m["type"] for m in ask(closed, "websocket", extensions=())] == ["websocket.close"]


@pytest.mark.parametrize("path", ["/static/\0", "/\x1b[31m", "/a\nb", "/\x7f", "/\u202e"])
def test_control_characters_in_a_path_go_no_further(path):
    assert ask(page, path=path)[0]["status"] == 400


def test_a_visitor_cannot_say_where_scripts_lie():
    ask(
        page,
        headers=[
            ("script-name", "//evil.example"),
            ("x-script-name", "//evil.example"),
            ("a", "b"),
        ],
    )
    assert page.seen == {b"a": b"b"}


def test_what_is_no_request_passes():
    seen = []

    async def lifespan(scope, receive, send):
        seen.append(scope["type"])

    ask(lifespan, "lifespan")
    assert seen == ["lifespan"]


def test_a_visitor_cannot_say_that_they_are_near():
    ask(page, headers=[("x-twin-near", "1"), ("a", "b")])
    assert page.seen == {b"a": b"b"}


@pytest.mark.parametrize(
    ("client", "headers", "near"),
    [
        ("127.0.0.1", [("host", "localhost:8765")], True),
        ("::1", [("host", "[::1]:8765"), ("origin", "http://[::1]:8765")], True),
        ("10.0.0.7", [("host", "localhost:8765")], False),
        ("127.0.0.1", [("host", "twin.example.org")], False),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-for", "1.2.3.4")], False),
        ("127.0.0.1", [("host", "localhost"), ("origin", "https://twin.example.org")], False),
    ],
)
def test_near_is_who_comes_from_the_server_itself_and_through_no_proxy(client, headers, near):
    ask(page, headers=headers, client=(client, 5))
    assert (b"x-twin-near" in page.seen) is near
