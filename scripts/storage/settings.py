"""The remote of a repository: reads and edits `.dvc/config`."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dvc.config import Config, merge
from dvc.config_schema import REMOTE_SCHEMAS
from dvc.exceptions import DvcException

from scripts.errors import UserError
from scripts.storage import dvc, extras
from scripts.storage.dvc import MALFORMED

CONFIG_PATH = ".dvc/config"
# The remote of a new copy of the template: a local folder, to try it.
TEMPLATE_URL = "storage"
# What the local DVC configuration may add to a remote. Never an address: consumers know
# the committed one only.
CREDENTIALS = {
    *("credentialpath", "projectname", "access_key_id", "secret_access_key", "session_token"),
    *("profile", "account_key", "sas_token", "tenant_id", "client_id", "client_secret"),
    *("user", "password", "ask_password", "keyfile", "passphrase", "ask_passphrase", "token"),
    *("bearer_token_command", "custom_auth_header", "auth", "cert_path", "key_path"),
    *("oss_key_id", "oss_key_secret"),
    *("gdrive_client_id", "gdrive_client_secret", "gdrive_user_credentials_file"),
    *("gdrive_use_service_account", "gdrive_service_account_json_file_path"),
}


def remote_section(root: Path, committed: bytes | None, where: str = CONFIG_PATH) -> dict[str, Any]:
    """Return the settings of the default remote in `committed`, the content of a `.dvc/config`.

    Relative paths are resolved from `.dvc/`, as DVC does. Credentials of the local configuration
    are added; they win over committed ones. Raises `UserError` if there is no remote; `where` names
    the file in messages.
    """
    settings = _parse(committed or b"", root / CONFIG_PATH, where, complete=True)
    name = settings.get("core", {}).get("remote")
    section: dict[str, Any] | None = settings.get("remote", {}).get(name)
    # An empty address is resolved to .dvc/ itself.
    if not section or Path(section["url"]) == root / ".dvc":
        raise UserError(
            f"{where} has no remote, so nobody could get the files."
            " Set one: python -m scripts remote URL"
        )
    if _scheme(section["url"]) == "file":
        raise UserError(
            f"{where}: DVC takes the remote {section['url']} for a folder below the current one."
            " Set it again, without file://: python -m scripts remote FOLDER"
        )
    # The same name can have been another kind of remote at an older release.
    parts = urlsplit(section["url"])
    known = CREDENTIALS & REMOTE_SCHEMAS[parts.scheme if parts.netloc else ""].keys()
    credentials = _local_section(root, name)
    return section | {key: credentials[key] for key in known & credentials.keys()}


def without_credentials(section: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a remote for another machine, which has its own identity."""
    return {key: value for key, value in section.items() if key not in CREDENTIALS}


def of_repository(root: Path) -> dict[str, Any]:
    """Return DVC's configuration of the repository at `root`, merged from all its files.

    Raises `UserError` if there is none or it is not valid.
    """
    folder = root / ".dvc"
    settings: dict[str, Any] = {"core": {}, "cache": {}}
    if not folder.is_dir():
        raise UserError(f"DVC cannot open this repository: there is no folder {folder}")
    for file in (*_files_of_machine(), folder / Config.CONFIG, folder / Config.CONFIG_LOCAL):
        if file.is_file():
            merge(settings, _parse(file.read_bytes(), file, str(file), complete=False))
    try:
        return dict(Config.validate(settings))
    except (DvcException, *MALFORMED) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"DVC cannot open this repository: {reason}") from None


def is_template(root: Path, committed: bytes | None) -> bool:
    """Return whether `committed` has the remote of the template."""
    try:
        section = remote_section(root, committed)
    except UserError:
        return False
    return Path(section["url"]) == root / ".dvc" / TEMPLATE_URL


def set_remote(root: Path, url: str, account: str | None = None) -> None:
    """Write `url` into `.dvc/config` as the remote of the repository at `root`.

    A container of Azure also needs the name of its storage `account`, once. Raises `UserError` if
    DVC cannot use that.
    """
    from dvc.fs import get_cloud_fs

    url = _checked_url(root, url)
    extras.require(_scheme(url))
    file = root / CONFIG_PATH
    if file.is_file():
        _parse(file.read_bytes(), file, CONFIG_PATH, complete=True)
    try:
        with dvc.WritableConfig(str(file.parent)).edit("repo") as config:
            name = config["core"].get("remote") or "storage"
            get_cloud_fs({"remote": {name: {"url": url}}, "core": {}}, name=name)
            old = config["remote"].get(name, {})
            # Another kind of remote does not know the settings of the old one.
            kept = old if _scheme(old.get("url", "")) == _scheme(url) else {}
            new = {"url": url, **({"account_name": account} if account else {})}
            config["core"]["remote"] = name
            config["remote"][name] = _with_account({**kept, **new})
    except (DvcException, ImportError, *MALFORMED) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{url!r} cannot be used as a remote: {reason}") from None


def _with_account(section: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a remote; raises `UserError` if their account is missing or wrong."""
    is_azure, has_account = _scheme(section["url"]) == "azure", "account_name" in section
    if is_azure and not has_account:
        raise UserError(
            "azure:// needs the name of the storage account, which consumers need too:"
            f" python -m scripts remote {section['url']} --account NAME"
        )
    if has_account and not is_azure:
        raise UserError("--account is for azure:// only")
    return section


def _checked_url(root: Path, url: str) -> str:
    if not url.strip():
        raise UserError("the address is empty; write one such as gs://bucket/path")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UserError(f"{url!r} is not a valid address: {error}") from None
    secret = parts.password or (parts.scheme in ("http", "https") and parts.username)
    if not url.isprintable() or secret:
        raise UserError(
            "the address is committed to git: it must not contain a password or line breaks"
        )
    if parts.scheme == "file":
        return str((root / parts.path).resolve())
    if parts.scheme and not parts.netloc:
        raise UserError(f"{url!r} names no bucket; write it as {parts.scheme}://bucket/path")
    if parts.scheme:
        return url
    if not url.startswith((".", "/", "~")) and not Path(url).is_absolute():
        raise UserError(
            f"{url!r} can be a bucket or a folder; write gs://{url} for a bucket in Google Cloud"
            f" Storage, ./{url} for a folder"
        )
    return str((root / Path(url).expanduser()).resolve())


def _scheme(url: str) -> str:
    return urlsplit(url).scheme


def _parse(content: bytes, file: Path, where: str, *, complete: bool) -> dict[str, Any]:
    """Return the DVC configuration `content` of `file`, with absolute paths.

    A file that is not `complete` can lack settings of another one, such as a remote's url.
    """
    try:
        settings = dvc.sections(content)
        if complete:
            settings = Config.validate(settings)
        return dvc.with_absolute_paths(settings, file)
    except (DvcException, *MALFORMED) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{where} is not a valid DVC configuration ({reason})") from None


def _local_section(root: Path, name: str) -> dict[str, Any]:
    """Return the settings of the remote `name` in the local DVC configuration."""
    found: dict[str, Any] = {}
    for file in (*_files_of_machine(), root / ".dvc" / Config.CONFIG_LOCAL):
        if file.is_file():
            settings = _parse(file.read_bytes(), file, str(file), complete=False)
            found |= settings.get("remote", {}).get(name, {})
    return found


def _files_of_machine() -> list[Path]:
    """Return the files with the configuration of the machine and its user."""
    return [Path(Config.get_dir(level)) / Config.CONFIG for level in Config.SYSTEM_LEVELS]
