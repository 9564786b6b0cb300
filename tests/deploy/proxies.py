"""Real reverse proxies, run with the configurations in `deploy/`, before a server of the tests."""

import asyncio
import datetime
import ipaddress
import os
import signal
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CONFIGURATIONS = Path(__file__).parents[2] / "deploy" / "proxies"


def certificate(folder: Path) -> Path:
    """A certificate of its own for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path = folder / "chat.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


def adapted(name: str, changes: Mapping[str, str]) -> str:
    """A configuration with other addresses and paths; everything else is as it is in `deploy/`."""
    text = (CONFIGURATIONS / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r} any more"
        text = text.replace(old, new)
    return text


def nginx(folder: Path, port: int, upstream: int, pem: Path) -> tuple[str, ...]:
    site = adapted("nginx.conf", {
        "listen 443": f"listen 127.0.0.1:{port}", "127.0.0.1:8787": f"127.0.0.1:{upstream}",
        "/etc/ssl/chat.pem": str(pem), "/etc/ssl/chat.key": str(pem),
    })  # fmt: skip
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "client_body", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {places}\n{site}\n}}"
    )
    return "nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")


def caddy(folder: Path, port: int, upstream: int, pem: Path) -> tuple[str, ...]:
    site = adapted("Caddyfile", {
        "chat.example.com {": f"https://127.0.0.1:{port} {{\n\tbind 127.0.0.1\n\ttls {pem} {pem}",
        "127.0.0.1:8787": f"127.0.0.1:{upstream}",
    })  # fmt: skip
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{site}")
    return "caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"


def haproxy(folder: Path, port: int, upstream: int, pem: Path) -> tuple[str, ...]:
    changes = {
        "bind :443": f"bind 127.0.0.1:{port}",
        "/etc/ssl/chat.pem": str(pem),
        "127.0.0.1:8787": f"127.0.0.1:{upstream}",
    }
    (folder / "haproxy.cfg").write_text(adapted("haproxy.cfg", changes))
    return "haproxy", "-db", "-f", str(folder / "haproxy.cfg")


PROXIES = {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}


@asynccontextmanager
async def proxied(
    name: str, folder: Path, port: int, upstream: int, *, address: str
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that comes from another loopback address than the proxy itself."""
    pem = certificate(folder)
    log = folder / "log"
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *PROXIES[name](folder, port, upstream, pem), stdout=written, stderr=written, start_new_session=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )  # fmt: skip
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(pem)), local_addr=(address, 0))
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            await _answers(session, f"https://127.0.0.1:{port}", process, log)
            yield session
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # with its workers; in order, it would wait for what is open
        await process.wait()


async def _answers(session: aiohttp.ClientSession, url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(30):
        while True:
            assert process.returncode is None, log.read_text()  # noqa: ASYNC240 - at the end of a test
            try:
                async with session.get(f"{url}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.02)  # between two looks at another process
