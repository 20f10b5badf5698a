"""Whom to trust, in the words of httpx, for the native half."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TypeAlias

import certifi

__all__ = ["Tls", "tls_options"]

Tls: TypeAlias = "tuple[bytes | None, bool, tuple[bytes, bytes] | None]"
Cert: TypeAlias = "str | os.PathLike[str] | tuple[str, str] | tuple[str, str, str | None] | None"


def tls_options(verify: ssl.SSLContext | str | os.PathLike[str] | bool, cert: Cert, trust_env: bool) -> Tls:
    """Trusted roots (PEM; None for no verification), whether host names are checked, own certificate chain and key.

    Raises:
        OSError: a file cannot be read.
        ValueError: the key has a password.
    """
    identity = _identity(cert)
    if isinstance(verify, ssl.SSLContext):
        if verify.verify_mode == ssl.CERT_NONE:
            return None, False, identity
        roots = "".join(map(ssl.DER_cert_to_PEM_cert, verify.get_ca_certs(binary_form=True)))
        return roots.encode(), verify.check_hostname, identity
    if verify is False:
        return None, False, identity
    return _read(_location(trust_env) if verify is True else verify), True, identity


def _location(trust_env: bool) -> str:
    named = (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")) if trust_env else None
    return named or certifi.where()


def _read(location: str | os.PathLike[str]) -> bytes:
    path = Path(location)
    if path.is_dir():
        return b"\n".join(file.read_bytes() for file in sorted(path.iterdir()) if file.is_file())
    return path.read_bytes()


def _identity(cert: Cert) -> tuple[bytes, bytes] | None:
    if cert is None:
        return None
    if not isinstance(cert, tuple):
        both = Path(cert).read_bytes()
        return both, both
    chain, key, *password = cert
    if any(password):
        raise ValueError("keys with a password are not supported: decrypt the key first")
    return Path(chain).read_bytes(), Path(key).read_bytes()
