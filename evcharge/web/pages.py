"""The first page: every station live, in plain HTML, with nothing built and nothing from outside."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"

# Only this server's own files may run or be asked; what a device calls itself can only be text.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_FILES = {
    "stations.js": "text/javascript",
    "stations.css": "text/css",
    "icon.svg": "image/svg+xml",
}


async def show_page(_request: web.Request) -> web.Response:
    """The page of all stations."""
    return web.Response(
        body=(STATIC / "stations.html").read_bytes(),
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": _POLICY},
    )


async def show_file(request: web.Request) -> web.Response:
    """A file of the page; there are no others."""
    name = request.match_info["name"]
    if name not in _FILES:
        raise web.HTTPNotFound
    return web.Response(
        body=(STATIC / name).read_bytes(),
        content_type=_FILES[name],
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )
