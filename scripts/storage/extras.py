"""The clients of stores that are installed only where they are needed."""

from importlib.util import find_spec

from scripts.errors import UserError

# DVC's client for each scheme of addresses, and which requirements have it.
CLIENTS = {
    "s3": ("dvc_s3", "requirements-s3.txt"),
    **dict.fromkeys(("azure", "az", "abfs"), ("dvc_azure", "requirements-azure.txt")),
}


def require(scheme: str) -> None:
    """Raise `UserError` unless the client for addresses with `scheme` is installed."""
    if scheme in CLIENTS:
        client, requirements = CLIENTS[scheme]
        if find_spec(client) is None:
            raise UserError(f"{scheme}:// needs: pip install -r {requirements}")
