from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.git.address import for_people, without_credentials
from tests.repository import Repository, Run

TOKEN = "ghp_TOKEN"  # noqa: S105 - of nobody


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/team/digits", "https://github.com/team/digits"),
        ("https://github.com/team/digits.git", "https://github.com/team/digits"),
        ("https://github.com/team/digits.git/", "https://github.com/team/digits"),
        ("https://github.com/team/digits/", "https://github.com/team/digits"),
        ("https://github.com:443/team/digits.git", "https://github.com/team/digits"),
        ("https://ghp_TOKEN@github.com/team/digits.git", "https://github.com/team/digits"),
        ("https://alice:ghp_TOKEN@git.example:8443/a/b", "https://git.example:8443/a/b"),
        ("HTTPS://alice:p@ss@git.example/a/b", "https://git.example/a/b"),
        ("https://alice:p/a@ss@git.example/a/b", "https://git.example/a/b"),
        ("https://git.example/a/b.git?access_token=ghp_TOKEN#x", "https://git.example/a/b"),
        ("https://git.example/@team/digits", "https://git.example/@team/digits"),
        ("http://alice:ghp_TOKEN@[::1]:3000/a/b.git", "http://[::1]:3000/a/b"),
        ("git@github.com:team/digits.git", "https://github.com/team/digits"),
        ("git@github.com:/team/digits.git/", "https://github.com/team/digits"),
        ("github.com:team/digits", "https://github.com/team/digits"),
        ("org-123@github.com:team/digits", "https://github.com/team/digits"),
        ("git@[github.com:22]:team/digits.git", "https://github.com/team/digits"),
        ("git@[::1]:team/digits.git", "https://[::1]/team/digits"),
        ("ssh://git@github.com/team/digits.git", "https://github.com/team/digits"),
        ("ssh://git@github.com:22/team/digits.git", "https://github.com/team/digits"),
        ("git+ssh://alice:ghp_TOKEN@git.example:2222/a/b", "https://git.example/a/b"),
        ("ssh://git@ssh.github.com:443/team/digits.git", "https://github.com/team/digits"),
        ("git://git.example/a/b.git", "git://git.example/a/b"),
        ("file:///srv/git/digits.git", "file:///srv/git/digits"),
        ("file:///srv/@team/digits.git/", "file:///srv/@team/digits"),
        ("/srv/git/@team/digits.git", "/srv/git/@team/digits"),
        ("../origin.git", "../origin"),
        ("C:/git/digits.git", "C:/git/digits"),
        ("C:\\git\\digits", "C:\\git\\digits"),
        ("codecommit::eu-west-1://ghp_TOKEN@digits", "codecommit::eu-west-1://digits"),
    ],
)
def test_the_address_for_people_is_a_link_without_credentials(url: str, link: str) -> None:
    assert for_people(url) == link
    # So it is the same in a clone of that address.
    assert for_people(link) == link


words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
hosts = st.builds("{}.example".format, words)
# What people paste without encoding it, too.
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/?#"))
marked = st.builds("{}SECRET{}".format, secrets, secrets)


@given(
    scheme=st.sampled_from(["https", "http", "ssh", "git+ssh", "git", "ftp"]),
    user=st.one_of(marked, st.builds("{}:{}".format, words, marked)),
    host=hosts,
    port=st.sampled_from(["", ":22", ":8443"]),
    path=st.lists(words, min_size=1, max_size=3).map("/".join),
    end=st.sampled_from(["", "/", ".git", ".git/"]),
)
def test_no_credentials_leave_an_address(
    scheme: str, user: str, host: str, port: str, path: str, end: str
) -> None:
    url = f"{scheme}://{user}@{host}{port}/{path}{end}"
    is_ssh = scheme.endswith("ssh")

    made = for_people(url)

    assert made == f"{'https' if is_ssh else scheme}://{host}{'' if is_ssh else port}/{path}"
    assert for_people(url.replace(f"{user}@", "")) == made
    printed = without_credentials(f"fatal: unable to access '{url}': no")
    if not set(user) & set("'\"<>"):
        assert printed == f"fatal: unable to access '{scheme}://{host}{port}/{path}{end}': no"


@given(user=words, host=hosts, path=words)
def test_ssh_and_https_lead_to_the_same_address(user: str, host: str, path: str) -> None:
    link = f"https://{host}/{path}"
    assert for_people(f"{user}@{host}:{path}.git") == link
    assert for_people(f"ssh://{user}@{host}:2222/{path}/") == link


@pytest.mark.parametrize("through", ["address", "insteadOf"])
def test_no_file_of_a_release_and_no_page_has_the_token_of_origin(
    released: Repository, run: Run, tmp_path: Path, through: str
) -> None:
    secret, plain = f"https://alice:{TOKEN}@git.example/", "https://git.example/"
    if through == "address":
        released.git("remote", "set-url", "origin", f"{secret}team/digits.git")
    else:
        released.git("remote", "set-url", "origin", f"{plain}team/digits.git")
        released.git("config", f"url.{secret}.insteadOf", plain)

    assert run("package", "v0", "--out", str(tmp_path / "files")).code == 0
    assert run("site", "--out", str(tmp_path / "site")).code == 0

    made = [file for folder in ("files", "site") for file in (tmp_path / folder).rglob("*")]
    contents = [file.read_bytes() for file in made if file.is_file()]
    assert not [one for one in contents if TOKEN.encode() in one or b"alice" in one]
    for file in ("files/README.md", "files/croissant.json", "site/v0/index.html"):
        assert f"{plain}team/digits" in (tmp_path / file).read_text()


@pytest.mark.parametrize("verb", ["release", "promote", "gc"])
def test_no_message_has_the_token_of_origin(released: Repository, run: Run, verb: str) -> None:
    # Nothing listens there.
    address = f"http://alice:{TOKEN}@127.0.0.1:9/team/digits"
    released.git("remote", "set-url", "origin", address)

    done = run(verb)

    assert done.code == 1
    assert "127.0.0.1" in done.err
    assert TOKEN not in done.out + done.err


def test_what_git_prints_of_an_address_that_is_not_valid_has_no_token(
    released: Repository, run: Run
) -> None:
    # Git writes the password of such an address out.
    released.git("remote", "set-url", "origin", f"http://alice:{TOKEN}/x@127.0.0.1:9/digits")

    done = run("release")

    assert done.code == 1
    assert TOKEN not in done.out + done.err
