"""What stands before the page's server: who may speak to it, and what a browser may do with it."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type App = Callable[[Scope, Receive, Send], Awaitable[None]]

NONCE: ContextVar[str] = ContextVar("nonce", default="")
"""Of the answer that is being made: scripts in the page's own HTML carry it."""

SEARCH: ContextVar[str] = ContextVar("search", default="")
"""Of the request that is being answered: what its address asks for."""

POLICY: Final = {
    "default-src": "'self'",
    "connect-src": "'self'",
    # unsafe-eval: Vue compiles the templates of Solara's widgets in the browser.
    # blob: anywidget imports the stage's module from one.
    "script-src": "'self' 'nonce-{nonce}' 'unsafe-eval' blob:",
    # unsafe-inline: Vuetify, Vue and anywidget write style sheets and attributes into the page.
    "style-src": "'self' 'unsafe-inline'",
    # data: Vuetify's icons; blob: Mesa's plots.
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""Content-Security-Policy, by directive; each exception from 'self' with its reason."""

_NOT_SOLARAS = (b"script-name", b"x-script-name")
"""Headers by which a visitor could set, for all later visitors, where Solara looks for scripts."""

NEAR: Final = b"x-twin-near"
"""Header that only this guard sets: the request comes from the server itself."""
_HERE = ("127.0.0.1", "::1", "localhost")
_PASSED_ON = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")

_ANSWERS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class Guard:
    """ASGI middleware around the whole server, errors and static files included.

    A websocket is opened for pages of the same host only: browsers let any page open one, with
    the visitor's cookies. Programs that are no browser send no ``Origin`` and are let in.

    Parameters
    ----------
    app : ASGI application
    base_url : str
        Address that visitors use where it is not the one that requests name in ``Host``: that
        of a reverse proxy that does not pass ``Host`` on. Solara has it from
        ``SOLARA_BASE_URL``.
    """

    def __init__(self, app: App, base_url: str = "") -> None:
        self._app = app
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application and add headers to what it answers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        accepted = False

        async def sent(message: Message) -> None:
            nonlocal accepted
            if message["type"] == "websocket.close" and not accepted and _may_answer(scope):
                await _refuse(scope, sent, 403)
                return
            accepted |= message["type"] in ("websocket.accept", "websocket.http.response.start")
            if message["type"] in _ANSWERS:
                message = {**message, "headers": with_headers(message.get("headers", ()), nonce)}
            await send(message)

        if not scope["path"].isprintable():
            await _refuse(scope, sent, 400)
            return
        if scope["type"] == "websocket" and not self._welcome(scope):
            await _refuse(scope, sent, 403)
            return
        refused = (*_NOT_SOLARAS, NEAR)
        headers = [(name, value) for name, value in scope["headers"] if name not in refused]
        if not self._base_url and _is_near(scope):
            headers.append((NEAR, b"1"))
        NONCE.set(nonce)
        SEARCH.set(scope.get("query_string", b"").decode("latin-1"))
        await self._app({**scope, "headers": headers}, receive, sent)

    def _welcome(self, scope: Scope) -> bool:
        def values(wanted: bytes) -> list[str]:
            return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]

        hosts = [*values(b"host"), _host(self._base_url)]
        return all(same_host(origin, hosts) for origin in values(b"origin"))


def _is_near(scope: Scope) -> bool:
    """Whether a request comes from the server itself, and no proxy has passed it on."""
    client = scope.get("client")
    if client is None or client[0] not in _HERE:
        return False
    if any(name in _PASSED_ON for name, _ in scope["headers"]):
        return False
    told = [v.decode("latin-1") for n, v in scope["headers"] if n in (b"host", b"origin")]
    hosts = [urlsplit(text if "//" in text else f"//{text}").hostname for text in told]
    return all(host in _HERE for host in hosts)


def same_host(origin: str, hosts: list[str]) -> bool:
    """Whether a page's origin is one of the hosts by which the server is addressed."""
    asked = _host(origin)
    return asked != "" and asked in [_bare(host) for host in hosts]


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return _bare(parts.netloc) if parts.scheme in ("http", "https") else ""


def _bare(host: str) -> str:
    """Host and port, without a port that needs no saying: browsers leave that out as well."""
    return host.lower().removesuffix(":80").removesuffix(":443")


def with_headers(present: Any, nonce: str) -> list[tuple[bytes, bytes]]:
    """Headers of an answer, with those that every answer has."""
    policy = "; ".join(f"{name} {value}" for name, value in POLICY.items())
    ours = {
        b"content-security-policy": policy.format(nonce=nonce).encode(),
        b"x-frame-options": b"DENY",
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"same-origin",
    }
    kept = [(bytes(name), bytes(value)) for name, value in present]
    return [(name, value) for name, value in kept if name.lower() not in ours] + list(ours.items())


def _may_answer(scope: Scope) -> bool:
    """Whether the server lets a websocket be refused in words."""
    return "websocket.http.response" in scope.get("extensions", {})


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    text = {400: b"Bad request", 403: b"Forbidden"}[status]
    websocket = scope["type"] == "websocket"
    if websocket and not _may_answer(scope):
        await send({"type": "websocket.close", "code": 1008})
        return
    kind = "websocket.http.response" if websocket else "http.response"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": text})
