"""TLS as it must be: a trusted certificate for the very name, or no connection (F30)."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.answers import judge_by_status
from pipeline.plan import Outcome, Plan, Request, Verdict
from tests.http.conftest import MakeExecutor
from tests.http.server import Server, serving

PLAN = Plan("desk", (Request("comment", "POST", "/comments", body={}),))


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate that can be its own authority."""

    file: Path
    key: Path


def certificate(folder: Path, address: str, *, days: int = 1) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=10))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / f"{address}-{days}.pem", folder / f"{address}-{days}.key")
    made.file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


@pytest.fixture
def tls_server() -> Iterator[Server]:
    with serving() as running:
        yield running


def wrap(server: Server, shown: Certificate) -> str:
    """Make the server speak TLS with this certificate; its https address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.file, shown.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server.url.replace("http://", "https://")


def sent(make: MakeExecutor, root: str, verify: str | bool) -> Outcome:
    return make({"verify": verify}, root_url=root, allow_http=False).run(PLAN, judge=judge_by_status).outcome


def test_a_trusted_certificate_is_accepted(tls_server: Server, make: MakeExecutor, tmp_path: Path) -> None:
    """Given the authority in the bundle and the right name, the request goes through."""
    good = certificate(tmp_path, "127.0.0.1")
    assert sent(make, wrap(tls_server, good), str(good.file)).verdict is Verdict.DONE


@pytest.mark.parametrize(
    ("address", "days", "trusted"),
    [("127.0.0.1", 1, False), ("127.0.0.2", 1, True), ("127.0.0.1", -1, True)],
    ids=["self-signed", "wrong host", "expired"],
)
def test_a_wrong_certificate_sends_nothing(
    tls_server: Server, make: MakeExecutor, tmp_path: Path, address: str, days: int, trusted: bool
) -> None:
    """Nothing leaves, so the write is tried again, and the words say what is wrong."""
    shown = certificate(tmp_path, address, days=days)
    outcome = sent(make, wrap(tls_server, shown), str(shown.file) if trusted else True)
    assert (outcome.verdict, tls_server.seen) == (Verdict.RETRY, [])
    assert "certificate" in outcome.detail.lower()
