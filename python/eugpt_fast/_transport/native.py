"""A request of httpx to the native half, and what both transports share."""

from __future__ import annotations

import atexit
import os
import ssl
from typing import Any

import httpx

from .._core import Exchange, HttpClient, forked, leave
from .library import Library
from .proxies import Proxies, authorization_of
from .tls import Cert, tls_options

__all__ = ["BaseTransport"]

atexit.register(leave)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)

_TIMEOUTS = ("connect", "read", "write", "pool")
_PORTS = {"http": 80, "https": 443}
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


class BaseTransport:
    """What both transports share: everything but the waiting."""

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | str | bool = True,
        cert: Cert = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: Any = _LIMITS,
        proxy: Any = None,
        uds: str | None = None,
        local_address: str | None = None,
        retries: int = 0,
        buffer_size: int = 2**20,
    ) -> None:
        if not (http1 or http2):
            raise ValueError("one of http1 and http2 must be spoken")
        if buffer_size < 1:
            raise ValueError("buffer_size must be a positive number of bytes")
        self._proxies = Proxies(proxy, trust_env and uds is None)
        of_proxy = getattr(proxy, "ssl_context", None)
        self._client = HttpClient(
            tls=(tls_options(verify, cert, trust_env), tls_options(of_proxy or True, None, trust_env)),
            versions=(http1, http2),
            uds=uds,
            local_address=local_address,
            limits=(limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry),
            retries=retries,
            buffer_size=buffer_size,
        )

    def _start(self, request: Any, library: Library) -> tuple[Exchange, bool]:
        """The exchange, and whether the request's body is still to be sent piece by piece."""
        url, extensions = request.url, request.extensions
        scheme = url.scheme
        if scheme not in _PORTS:
            raise library.error("UnsupportedProtocol", request, f"neither http nor https: {scheme!r}")
        host, port = url.raw_host.decode("ascii"), url.port or _PORTS[scheme]
        proxy = self._proxies.of(scheme, host, port)
        target, fields = url.raw_path, request.headers.raw
        if scheme == "http" and proxy is not None and len(proxy) == 4:
            # Sent to the proxy itself: RFC 9112, section 3.2.2.
            target = b"http://" + url.netloc + target
            authorization = authorization_of(proxy)
            if authorization is not None:
                fields = [*fields, (b"Proxy-Authorization", authorization.encode("ascii"))]
        whole = library.has_whole_body(request)
        timeouts = extensions.get("timeout", {})
        exchange = self._client.send(
            (scheme == "https", host, port, extensions.get("sni_hostname"), proxy),
            (request.method.encode("ascii"), extensions.get("target", target), fields),
            (b"".join(request.stream) if whole else b"", not whole),
            [timeouts.get(name) for name in _TIMEOUTS],
        )
        return exchange, not whole
