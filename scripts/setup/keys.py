"""A key pair that exists in memory only."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from scripts.setup.step import Half


def pair() -> dict[Half, str]:
    """Return a new Ed25519 key pair, each half as OpenSSH writes it."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return {Half.PRIVATE: private.decode(), Half.PUBLIC: public.decode()}
