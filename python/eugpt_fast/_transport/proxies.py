"""Which proxy a request goes through."""

from __future__ import annotations

import base64
import urllib.request
from typing import Any, TypeAlias

import httpx

__all__ = ["Proxies", "ProxyGiven", "authorization_of"]

ProxyGiven: TypeAlias = "tuple[bool, str, int, str | None] | tuple[str, int, tuple[str, str] | None]"

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxies:
    """One proxy for everything, or those of the environment, or none.

    ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` are read as Python's :mod:`urllib.request` does.

    Raises:
        ValueError: a proxy's URL is none, or of an unknown kind.
    """

    def __init__(self, proxy: Any, trust_env: bool) -> None:
        self._given = None if proxy is None else _parse(proxy)
        self._of_environment: dict[str, ProxyGiven] = {}
        if proxy is None and trust_env:
            variables = urllib.request.getproxies()
            for scheme in ("http", "https"):
                url = variables.get(scheme) or variables.get("all")
                if url:
                    self._of_environment[scheme] = _parse(url if "://" in url else f"http://{url}")

    def of(self, scheme: str, host: str, port: int) -> ProxyGiven | None:
        """The proxy for this server."""
        if self._given is not None or not self._of_environment:
            return self._given
        proxy = self._of_environment.get(scheme)
        place = host if ":" in host else f"{host}:{port}"  # an IPv6 address by itself
        return None if urllib.request.proxy_bypass(place) else proxy


def authorization_of(proxy: ProxyGiven | None) -> str | None:
    """What a request that is sent to an HTTP proxy itself has to say to it."""
    return proxy[3] if proxy is not None and len(proxy) == 4 else None


def _parse(proxy: Any) -> ProxyGiven:
    # httpx.Proxy and its twin hold credentials beside the URL.
    given = proxy if hasattr(proxy, "raw_auth") else httpx.Proxy(httpx.URL(str(proxy)))
    if given.headers:
        raise ValueError("headers for the proxy are not supported")
    url = given.url
    host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
    auth = given.raw_auth
    if url.scheme.startswith("socks5"):
        return host, port, None if auth is None else (auth[0].decode(), auth[1].decode())
    value = None if auth is None else "Basic " + base64.b64encode(b":".join(auth)).decode("ascii")
    return url.scheme == "https", host, port, value
