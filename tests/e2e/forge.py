"""A GitHub on this machine: git, the API, a bucket, and `act` as the runner of workflows."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles import github, storage
from tests.doubles.github import CONTRIBUTOR, NAME, OWNER, REPOSITORY
from tests.repository import PROJECT, TEMPLATE, git, process

ACT = PROJECT / ".tools" / "act"
ACTIONS = Path(__file__).parent / "actions"
TIMEOUT = 300
PROVIDER = "projects/1/locations/global/workloadIdentityPools/github/providers/github"
VARIABLES = {
    "GCP_WORKLOAD_IDENTITY_PROVIDER": PROVIDER,
    "GCP_PULL_REQUEST_ACCOUNT": "pull-request@example.iam",
    "GCP_RELEASE_ACCOUNT": "release@example.iam",
    "GCP_INGEST_ACCOUNT": "ingest@example.iam",
    "GCP_GC_ACCOUNT": "gc@example.iam",
}
# The files that a repository needs for its workflows to run.
MACHINERY = (".github/", "scripts/", "requirements")
MISSING = github.MISSING or (None if ACT.is_file() else "act is not installed: make tools")


@dataclass
class Run:
    """What a workflow run did, as GitHub would show it."""

    number: int
    jobs: dict[str, str]
    summary: str = ""
    annotations: list[dict[str, Any]] = field(default_factory=list)
    log: str = ""

    @property
    def succeeded(self) -> bool:
        return bool(self.jobs) and set(self.jobs.values()) == {"success"}


@dataclass
class Pull:
    """A pull request, from a branch of the repository itself or of a fork."""

    number: int
    branch: str
    head: str
    fork: bool = False
    author: str = CONTRIBUTOR


@dataclass(frozen=True)
class MergeGroup:
    """Pull requests in a merge queue, merged one after the other."""

    ref: str
    base: str
    head: str


@dataclass
class Forge:
    """One repository, and a clone of it to work in.

    `variables` and `secrets` are those of the repository's settings, `environment` is added to that
    of the steps.
    Of a workflow in `only`, just one job is run: few tests need the others, which take their time.
    """

    place: Path
    hub: github.Server
    bucket: storage.Storage
    variables: dict[str, str]
    runs: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    only: dict[str, str] = field(default_factory=lambda: {"release.yml": "release"})
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> Path:
        return self.place / OWNER / f"{NAME}.git"

    @property
    def work(self) -> Path:
        return self.place / "work"

    def git(self, *arguments: str) -> str:
        return git(self.work, *arguments)

    def tags(self) -> list[str]:
        return git(self.origin, "tag", "--list", "--sort=version:refname").split()

    def file(self, rev: str, path: str) -> str:
        return git(self.origin, "show", f"{rev}:{path}")

    def stored(self) -> set[str]:
        """Return the MD5s of the files, and of the manifests, in the bucket."""
        folder = "data/files/md5/"
        objects = [name for name in self.bucket.objects() if name.startswith(folder)]
        return {name.removeprefix(folder).replace("/", "") for name in objects}

    # What people do.

    def open_pull(
        self, branch: str, files: dict[str, str], *, fork: bool = False, title: str = "Change"
    ) -> Pull:
        """Open a pull request that changes `files` on `branch`."""
        self.git("fetch", "--quiet", "origin", "main")
        self.git("switch", "--quiet", "--detach", "origin/main")
        head = self._commit(files)
        if not fork:
            self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        number = self.hub.open_pull(branch, head, fork=fork, title=title)
        pull = Pull(number, branch, head, fork)
        self._publish(pull)
        return pull

    def push_to(self, pull: Pull, files: dict[str, str]) -> None:
        """Add a commit to a pull request."""
        self.git("switch", "--quiet", "--detach", pull.head)
        pull.head = self._commit(files)
        if not pull.fork:
            self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{pull.branch}")
        self.hub.set_head(pull.number, pull.head)
        self._publish(pull)

    def merge(self, pull: Pull) -> None:
        """Merge a pull request."""
        self.git("fetch", "--quiet", "origin", "main")
        self.git("switch", "--quiet", "--detach", "origin/main")
        message = f"Merge pull request #{pull.number}"
        self.git("merge", "--quiet", "--no-ff", "--message", message, pull.head)
        self.git("push", "--quiet", "origin", "HEAD:main")
        self.hub.close_pull(pull.number)

    def queue(self, *pulls: Pull) -> MergeGroup:
        """Put pull requests into the merge queue; return the group of the last one."""
        base = head = self._main()
        self.git("switch", "--quiet", "--detach", head)
        for pull in pulls:
            base = head
            message = f"Merge pull request #{pull.number}"
            self.git("merge", "--quiet", "--no-ff", "--message", message, pull.head)
            head = self.git("rev-parse", "HEAD")
        ref = f"refs/heads/gh-readonly-queue/main/pr-{pulls[-1].number}-{base}"
        self.git("push", "--quiet", "origin", f"HEAD:{ref}")
        return MergeGroup(ref, base, head)

    def protect_main(self) -> None:
        """Reject pushes to main by a workflow."""
        hook = self.origin / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(
            '#!/bin/sh\nif [ "$1" = refs/heads/main ] && [ "$GITHUB_ACTIONS" = true ]; then\n'
            '    echo "protected branch hook declined" >&2\n    exit 1\nfi\n'
        )
        hook.chmod(0o755)

    # What workflows do.

    def on_pull_request(
        self, pull: Pull, action: str = "synchronize", workflow: str = "pull-request.yml"
    ) -> Run:
        """Run a workflow, as on `action` of the pull request."""
        self.git("fetch", "--quiet", "origin", f"refs/pull/{pull.number}/merge")
        merge = self.git("rev-parse", "FETCH_HEAD")
        head = {"ref": pull.branch, "sha": pull.head, "repo": self._head_repository(pull)}
        event = {
            "action": action,
            "number": pull.number,
            "pull_request": {
                "number": pull.number,
                "title": "Change",
                "user": {"login": pull.author},
                "head": head,
                "base": {"ref": "main", "sha": self.git("rev-parse", f"{merge}^1")},
            },
        }
        trusted = not pull.fork and pull.author != "dependabot[bot]"
        return self._act("pull_request", workflow, event, merge, trusted=trusted)

    def on_merge_group(self, group: MergeGroup, workflow: str = "pull-request.yml") -> Run:
        """Run a workflow, as on a merge group."""
        event = {
            "action": "checks_requested",
            "merge_group": {
                "head_sha": group.head,
                "head_ref": group.ref,
                "base_sha": group.base,
                "base_ref": "refs/heads/main",
            },
        }
        return self._act("merge_group", workflow, event, group.head)

    def on_workflow_run(self, pull: Pull, run: Run, workflow: str = "comment.yml") -> Run:
        """Run a workflow, as after `run`."""
        event = {
            "action": "completed",
            "workflow_run": {
                "id": run.number,
                "name": "Pull request",
                "event": "pull_request",
                "conclusion": "success" if run.succeeded else "failure",
                "head_sha": pull.head,
                "head_branch": pull.branch,
                "head_repository": self._head_repository(pull),
                "actor": {"login": pull.author},
                "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{run.number}",
                # GitHub leaves this empty for forks.
                "pull_requests": [],
            },
        }
        return self._act("workflow_run", workflow, event, self._main())

    def on_release_run(self, run: Run) -> Run:
        """Run update-comments.yml, as after the `run` of release.yml."""
        conclusion = "success" if run.succeeded else "failure"
        event = {
            "action": "completed",
            "workflow_run": {"id": run.number, "name": "Release", "conclusion": conclusion},
        }
        return self._act("workflow_run", "update-comments.yml", event, self._main())

    def on_schedule(self, workflow: str = "release.yml") -> Run:
        """Run a workflow, as when its time has come."""
        return self._act("schedule", workflow, {"schedule": "23 4 * * *"}, self._main())

    def on_label(self, number: int, body: str, label: str, sender: str) -> Run:
        """Run reported-samples.yml, as when `sender` sets a label of an issue."""
        event = {
            "action": "labeled",
            "issue": {"number": number, "title": "Samples", "body": body},
            "label": {"name": label},
            "sender": {"login": sender},
        }
        return self._act("issues", "reported-samples.yml", event, self._main())

    def on_push(self, workflow: str = "release.yml") -> Run:
        """Run a workflow, as on a push to main."""
        main = self._main()
        return self._act("push", workflow, self._push_event(main), main)

    def on_dispatch(
        self, workflow: str = "release.yml", inputs: Mapping[str, str] | None = None
    ) -> Run:
        """Run a workflow, as when somebody starts it."""
        event = {"ref": "refs/heads/main", "inputs": dict(inputs or {})}
        return self._act("workflow_dispatch", workflow, event, self._main())

    def release(self) -> None:
        """Release main as the run of release.yml does, in much less time.

        For tests of what follows. The next run writes the notes.
        """
        self.git("switch", "--quiet", "--detach", self._main())
        done = process(self.work, "release", **storage.ENVIRONMENT)
        assert done.returncode == 0, done.stderr.decode()

    def start_on_push(self) -> subprocess.Popen[str]:
        """Start release.yml, as on a push to main, in a process group of its own."""
        main = self._main()
        command = self._command("push", "release.yml", self._push_event(main), main, trusted=True)
        return subprocess.Popen(
            command,
            cwd=self.work,
            env=self._host(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _push_event(self, after: str) -> dict[str, Any]:
        return {"ref": "refs/heads/main", "before": "0" * 40, "after": after, "deleted": False}

    def _main(self) -> str:
        self.git("fetch", "--quiet", "origin", "main")
        return self.git("rev-parse", "FETCH_HEAD")

    def _head_repository(self, pull: Pull) -> dict[str, Any]:
        owner = CONTRIBUTOR if pull.fork else OWNER
        return {"full_name": f"{owner}/{NAME}", "fork": pull.fork, "owner": {"login": owner}}

    def _commit(self, files: dict[str, str]) -> str:
        for name, content in files.items():
            (self.work / name).write_text(content)
            self.git("add", name)
        self.git("commit", "--quiet", "--message", "Change")
        return self.git("rev-parse", "HEAD")

    def _publish(self, pull: Pull) -> None:
        """Make the references of a pull request, as GitHub does: its head and the merge."""
        self.git(
            "push", "--quiet", "--force", "origin", f"{pull.head}:refs/pull/{pull.number}/head"
        )
        self.git("fetch", "--quiet", "origin", "main")
        self.git("switch", "--quiet", "--detach", "origin/main")
        self.git("merge", "--quiet", "--no-ff", "--message", "Merge", pull.head)
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{pull.number}/merge")

    def _act(
        self,
        event_name: str,
        workflow: str,
        event: dict[str, Any],
        sha: str,
        *,
        trusted: bool = True,
    ) -> Run:
        self.runs += 1
        command = self._command(event_name, workflow, event, sha, trusted=trusted)
        done = subprocess.run(
            command,
            cwd=self.work,
            env=self._host(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        jobs = {line["jobID"]: line["jobResult"] for line in lines if "jobResult" in line}
        # A job that act cannot run at all has no result, and act may still say 0.
        assert jobs, done.stdout + done.stderr
        return Run(
            number=self._number,
            jobs=jobs,
            summary="".join(x["content"] for x in lines if x.get("command") == "summary"),
            annotations=[
                {**x.get("kvPairs", {}), "message": x["arg"]}
                for x in lines
                if x.get("command") in {"error", "notice"}
            ],
            log="".join(x.get("msg", "") for x in lines if x.get("raw_output")),
        )

    @property
    def _number(self) -> int:
        return 1000 + self.runs

    def _command(
        self, event_name: str, workflow: str, event: dict[str, Any], sha: str, *, trusted: bool
    ) -> list[str]:
        # act takes the workflow and the commit from the folder it runs in.
        self.git("switch", "--quiet", "--detach", sha)
        repository = {"full_name": REPOSITORY, "name": NAME, "default_branch": "main"}
        payload = self.place / "event.json"
        payload.write_text(
            json.dumps({**event, "repository": {**repository, "owner": {"login": OWNER}}})
        )
        environment = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REPOSITORY_OWNER": OWNER,
            "GITHUB_API_URL": self.hub.url,
            "GITHUB_RUN_ID": str(self._number),
            "SHA_REF": sha,
            "FORGE": str(self.place),
            "ARTIFACTS": str(self.hub.artifacts),
            "PYTHON_FOLDER": str(self.place / "python"),
            **storage.ENVIRONMENT,
            **self.environment,
        }
        token = github.TOKEN if trusted else "read_only_token"
        secrets = {"GITHUB_TOKEN": token, **(self.secrets if trusted else {})}
        return [
            str(ACT),
            event_name,
            *("--eventpath", str(payload)),
            *("--workflows", f".github/workflows/{workflow}"),
            *(("--job", self.only[workflow]) if workflow in self.only else ()),
            *(
                part
                for platform in ("ubuntu-latest", "windows-latest", "macos-latest")
                for part in ("--platform", f"{platform}=-self-hosted")
            ),
            *("--json", "--rm", "--no-skip-checkout", "--pull=false", "--action-offline-mode"),
            *("--no-cache-server", "--concurrent-jobs", "1"),
            *("--action-cache-path", str(self.place / "runner")),
            *(part for key, value in environment.items() for part in ("--env", f"{key}={value}")),
            *(part for key, value in secrets.items() for part in ("--secret", f"{key}={value}")),
            *(
                part
                for key, value in self.variables.items()
                for part in ("--var", f"{key}={value}")
            ),
            *_stand_ins(),
        ]

    def _host(self) -> dict[str, str]:
        """Return the environment of the runner: act passes all of it to the steps."""
        home = self.place / "home"
        home.mkdir(exist_ok=True)
        return {
            "HOME": str(home),
            "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "ACT_DISABLE_VERSION_CHECK": "1",
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "DVC_SITE_CACHE_DIR": str(home / "dvc"),
        }


def _stand_ins() -> Iterator[str]:
    """Yield the options that replace each action that is used by a folder of these tests."""
    pinned = set()
    for file in (PROJECT / ".github").rglob("*.yml"):
        pinned |= set(re.findall(r"uses: ([\w-]+/([\w-]+)@[0-9a-f]{40})", file.read_text()))
    for reference, name in sorted(pinned):
        if (ACTIONS / name).is_dir():
            yield from ("--local-repository", f"{reference}={ACTIONS / name}")


@contextmanager
def running(place: Path, *, fresh: bool = False) -> Iterator[Forge]:
    """Serve a forge until the block ends, whose repository has this project's machinery.

    Its remote is the bucket, unless the repository is a `fresh` copy of the template.
    """
    files = place / "github"
    files.mkdir()
    with github.running(files) as hub, storage.running() as bucket:
        forge = Forge(place, hub, bucket, {} if fresh else VARIABLES)
        forge.origin.parent.mkdir()
        git(place, "init", "--quiet", "--bare", "--initial-branch=main", str(forge.origin))
        git(forge.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        _write_programs(place)
        _begin(forge, fresh=fresh)
        yield forge


def _begin(forge: Forge, *, fresh: bool) -> None:
    """Commit the machinery, and the digits as source, to main."""
    git(forge.place, "init", "--quiet", "--initial-branch=main", "work")
    forge.git("remote", "add", "origin", str(forge.origin))
    listed = git(PROJECT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split(
        "\0"
    )
    for name in listed:
        if name.startswith(MACHINERY) and (PROJECT / name).is_file():
            target = forge.work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, target)
    for name, content in TEMPLATE.items():
        (forge.work / name).parent.mkdir(exist_ok=True)
        (forge.work / name).write_text(content)
    (forge.work / "dataset_config.yaml").write_text(config())
    if fresh:
        assert process(forge.work, "template-lock").returncode == 0
    else:
        address = f"gs://{storage.BUCKET}/data\n    endpointurl = {forge.bucket.proxy.url}"
        settings = TEMPLATE[".dvc/config"].replace("url = storage", f"url = {address}")
        (forge.work / ".dvc" / "config").write_text(settings)
    forge.git("add", "--all")
    forge.git("commit", "--quiet", "--message", "Begin")
    forge.git("push", "--quiet", "origin", "main")


def _write_programs(place: Path) -> None:
    """Write what steps find on the PATH of the runner in place of the real programs."""
    programs = {
        # The requirements are installed already, and tests are not run again inside of a test.
        "python/python": f'''
            case "$*" in
                "-m pip "* | "-m uv "*) echo "python $*" ;;
                "-m pytest "*) echo "python $*"; test "$FAILING_TARGET" != pytest ;;
                *) exec "{sys.executable}" "$@" ;;
            esac''',
        "bin/make": '''
            echo "make $*"
            test "$*" != "$FAILING_TARGET"''',
    }
    for name, text in programs.items():
        file = place / name
        file.parent.mkdir()
        file.write_text(f"#!/bin/sh{text}\n")
        file.chmod(0o755)


def config(samples: object = 10, test_size: object = 2, **changes: object) -> str:
    """Return a config of the digits."""
    values = {"source": "digits", "class": 3, "samples": samples, "test_size": test_size, "seed": 0}
    return "".join(f"{key}: {value}\n" for key, value in {**values, **changes}.items())
