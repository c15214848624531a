"""A Dask cluster on 127.0.0.1: real processes that speak mutual TLS."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# The scheduler has the requirements of Dask only.
ONLY_DASK = """\
import sys

sys.modules.update(dict.fromkeys(["PIL", "dvc", "platformdirs", "pydantic", "ruamel", "tqdm"]))
"""
# Seconds.
START_TIMEOUT = 60
CONNECT_TIMEOUT = 5
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")
NAMES = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")


@dataclass
class Certificates:
    """An authority, and what it signed, made for one run."""

    folder: Path
    authority: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.authority = self.folder / "authority.pem"
        made = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        signed = made.sign(self._key, hashes.SHA256())
        self.authority.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str) -> tuple[Path, Path]:
        """Return the files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        signed = (
            self._builder(subject, key.public_key())
            .add_extension(address, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate, private = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


@dataclass
class Cluster:
    """A scheduler and its workers; `environment` is what a client of it needs."""

    place: Path
    certificates: Certificates
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        file = self.place / "scheduler.json"
        deadline = time.monotonic() + START_TIMEOUT
        # The scheduler can still be writing it.
        while not (content := file.read_text()).rstrip().endswith("}"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return str(json.loads(content)["address"])

    @property
    def environment(self) -> dict[str, str]:
        files = (self.certificates.authority, *self.certificates.sign("client"))
        tls = {
            f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(file)
            for name, file in zip(NAMES, files, strict=True)
        }
        return {
            **tls,
            "DASK_SCHEDULER_ADDRESS": self.address,
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": f"{CONNECT_TIMEOUT}s",
        }

    def start(self, workers: int, **environment: str) -> None:
        """Start the scheduler and so many workers, which have nothing of this project."""
        only_dask = self.place / "only-dask"
        only_dask.mkdir(exist_ok=True)
        (only_dask / "sitecustomize.py").write_text(ONLY_DASK)
        options = ("--scheduler-file", "scheduler.json", "--protocol", "tls", "--port", "0")
        self.scheduler = self._run("scheduler", *options, PYTHONPATH=str(only_dask))
        self._wait("scheduler.json")
        for number in range(workers):
            self.add_worker(f"worker-{number}", **environment)

    def add_worker(self, name: str, **environment: str) -> None:
        options = ("--no-nanny", "--nthreads", "1", "--local-directory", name, "--name", name)
        worker = self._run("worker", self.address, *options, **environment)
        self.workers.append(worker)
        self._wait(name)

    def stop(self) -> None:
        for process in (*self.workers, *([self.scheduler] if self.scheduler else [])):
            process.kill()
            process.wait()
        self.workers, self.scheduler = [], None
        (self.place / "scheduler.json").unlink(missing_ok=True)

    def _run(self, role: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        certificate, key = self.certificates.sign(role)
        tls = ("--tls-ca-file", str(self.certificates.authority), "--tls-cert", str(certificate))
        code = f"import sys; from distributed.cli.dask_{role} import main; sys.exit(main())"
        log = (self.place / f"{role}.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-c", code, *options, *tls, "--tls-key", str(key), *LOCAL],
            cwd=self.place,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(self.place), **environment},
            stdout=log,
            stderr=log,
        )

    def _wait(self, name: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not (self.place / name).exists():
            assert time.monotonic() < deadline, f"{name} did not start"
            time.sleep(0.05)


@contextmanager
def running(place: Path, workers: int = 4, **environment: str) -> Iterator[Cluster]:
    place.mkdir()
    made = Cluster(place, Certificates(place / "certificates"))
    try:
        made.start(workers, **environment)
        yield made
    finally:
        made.stop()
