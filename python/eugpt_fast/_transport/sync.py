"""``Transport``: for ``httpx.Client`` and ``httpx2.Client``."""

from __future__ import annotations

from typing import Any

import httpx

from .library import library_of
from .native import BaseTransport

__all__ = ["Transport"]


class Transport(BaseTransport, httpx.BaseTransport):
    """An HTTP transport in Rust: ``httpx.Client(transport=eugpt_fast.Transport())``; also for ``httpx2.Client``.

    Everything that a client does above its transport stays as it is. ``docs/TRANSPORT.md`` says what differs below.

    Args:
        verify: True for the roots of ``SSL_CERT_FILE``, ``SSL_CERT_DIR`` or else certifi; a file or folder of PEM
            certificates; an ``ssl.SSLContext``, of which the CA certificates, ``verify_mode`` and ``check_hostname``
            count; or False for no verification.
        cert: client certificate: a PEM file with its key, or a tuple of certificate and key file.
        trust_env: whether proxies and roots may come from the environment.
        http1, http2: which versions may be spoken; over https the server chooses.
        limits: an ``httpx.Limits`` or ``httpx2.Limits``.
        proxy: URL, ``httpx.Proxy`` or ``httpx2.Proxy``: http, https, socks5 or socks5h.
        uds: path of a Unix socket to use in place of TCP.
        local_address: IP address to connect from.
        retries: how often connecting is repeated.
        buffer_size: bytes of a body that may wait for their reader; then the server has to wait.

    Raises:
        OSError: a certificate file cannot be read.
        ValueError: certificates, proxy or another option are unusable.
    """

    def handle_request(self, request: Any) -> Any:
        """Sends the request; returns once the head of the response is there."""
        library = library_of(request)
        exchange, in_pieces = self._start(request, library)
        try:
            if in_pieces:
                for piece in request.stream:
                    if not exchange.push(piece):
                        break
                    exchange.wait("room", None)
                exchange.finish()
            with library.failures(request):
                while (answer := exchange.take_answer()) is None:
                    exchange.wait("head", None)
        except BaseException:
            exchange.close()
            raise
        return library.response(request, answer, exchange)

    def close(self) -> None:
        """Closes all connections: what was not read to its end by now fails."""
        self._client.close()
