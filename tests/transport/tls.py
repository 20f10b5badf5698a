"""A certificate authority that lives as long as the tests."""

from __future__ import annotations

import functools
import ssl

import trustme


@functools.cache
def authority() -> trustme.CA:
    """The one whose certificates the servers of the tests have."""
    return trustme.CA()


def server_context(*names: str, ca: trustme.CA | None = None) -> ssl.SSLContext:
    """For a server with a certificate for these names, ``localhost`` and 127.0.0.1 by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (ca or authority()).issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return context


def client_context(ca: trustme.CA | None = None) -> ssl.SSLContext:
    """For a client that trusts the authority and nobody else."""
    return ssl.create_default_context(cadata=(ca or authority()).cert_pem.bytes().decode())
