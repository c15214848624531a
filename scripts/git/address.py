"""Addresses of git repositories, without credentials."""

import re
from typing import NamedTuple

# `scheme://authority/path`, as git divides an address. Its path can be empty.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*).*")
# `[user@]host:path`, git's short form for SSH. The host can be in brackets, with a port. A letter
# alone is a drive of Windows.
_SHORT = re.compile(r"(?:[^/]*@)?(?P<host>\[[^\]/]+\]|[^/:@\[\]]{2,}):(?!:)(?P<path>.*)")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?")
# The part of an address that can contain credentials: everything up to the last `@`.
_CREDENTIALS = re.compile(r"""(?<=://)[^\s'"<>]*@""")
# The default ports.
_WEB = {"http": "80", "https": "443"}
_SSH = ("ssh", "git+ssh", "ssh+git")
# Hosts for SSH over the HTTPS port, and the hosts of their websites.
_SSH_HOSTS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}


class _Place(NamedTuple):
    host: str
    port: str
    path: str


def for_people(url: str) -> str:
    """Return the address of a repository without credentials, as a link if possible.

    The same repository has the same address, whether git reaches it by HTTPS or SSH. A path on this
    machine stays as it is, except for `.git` at its end.
    """
    if url.startswith("file:///"):
        return _trimmed(url)
    if found := _URL.fullmatch(url):
        return _of_url(found["scheme"].lower(), found["authority"], found["path"])
    # A path that git finds on this machine has a slash before the first colon.
    if found := _SHORT.fullmatch(url):
        host = found["host"]
        # Brackets are for a port, or for an address of numbers and colons.
        inner = host[1:-1] if host.count(":") <= 1 and host.startswith("[") else host
        place = _place(inner, found["path"])
        return _link("https", place._replace(port=""))
    return _trimmed(without_credentials(url))


def without_credentials(text: str) -> str:
    """Return `text`, such as output of git, without credentials in addresses."""
    return _CREDENTIALS.sub("", text)


def _of_url(scheme: str, authority: str, path: str) -> str:
    place = _place(authority.rpartition("@")[2], path)
    if not _AUTHORITY.fullmatch(authority.rpartition("@")[2]) and "@" in path:
        # A password with a slash, which is no valid address: its host comes later.
        rest = path.rpartition("@")[2]
        host, slash, below = rest.partition("/")
        place = _place(host, slash + below)
    if scheme in _SSH:
        return _link("https", place._replace(port=""))
    return _link(scheme, place)


def _place(authority: str, path: str) -> _Place:
    found = _AUTHORITY.fullmatch(authority)
    host, port = (found["host"], found["port"] or "") if found else (authority, "")
    return _Place(host, port, path)


def _link(scheme: str, place: _Place) -> str:
    host = _SSH_HOSTS.get(place.host.lower(), place.host) if scheme in _WEB else place.host
    port = f":{place.port}" if place.port not in ("", _WEB.get(scheme)) else ""
    path = _trimmed(place.path).lstrip("/")
    return f"{scheme}://{host}{port}" + (f"/{path}" if path else "")


def _trimmed(path: str) -> str:
    """Return `path` without its optional ending, such as `.git`."""
    return path.rstrip("/").removesuffix(".git").rstrip("/")
