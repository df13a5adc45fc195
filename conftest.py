"""What every test of every member gets, asked for or not.

* Async tests run twice, on asyncio and on trio.
* The variables that configure clouds, and the home directory that holds their configuration, are
  those of nobody.
* Only loopback can be reached. An attempt to go further fails the test, even one that is caught.
* A call that blocks the event loop under a frame of our own packages fails (on asyncio; every
  async test runs there too).
"""

import importlib.util
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

SCRUBBED_PREFIXES = ("ANABRANCH_", "CLOUDSTACK_", "ONE_", "OS_")
SCRUBBED = {"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "ssl_cert_file"}

OUR_PACKAGES = (
    "anabranch",
    "anabranch_cli",
    "anabranch_cloudstack",
    "anabranch_mock",
    "anabranch_opennebula",
    "anabranch_openstack",
    "anabranch_paci",
    "anabranch_server",
)

# Where blocking is accepted, although a frame of ours may be below: (file, functions).
MAY_BLOCK = (
    ("<frozen importlib._bootstrap>", ("_find_and_load",)),  # an import, once in a process
    ("linecache.py", ("updatecache", "checkcache", "lazycache")),  # source lines of a traceback
    ("ssl.py", ("create_default_context",)),  # the trust store, once in a process
    ("mimetypes.py", ("init", "read")),  # /etc/mime.types, once in a process
    ("_pytest/capture.py", ("write", "writelines")),
)

if importlib.util.find_spec("anabranch.testing.plugin") is not None:
    pytest_plugins = ["anabranch.testing.plugin"]


@pytest.fixture(params=["asyncio", "trio"], scope="module")
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every async test, on both; here, so that no installed package can change it."""
    return str(request.param)


# ------------------------------------------------------------------------------------ environment


@pytest.fixture(scope="session")
def _nobody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home directory of somebody who has configured nothing."""
    return tmp_path_factory.mktemp("nobody")


@pytest.fixture(autouse=True)
def _scrubbed_environment(_nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(SCRUBBED_PREFIXES) or name.lower() in SCRUBBED:
            monkeypatch.delenv(name)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(_nobody))


# ------------------------------------------------------------------------------------------- logs


@pytest.fixture(autouse=True)
def _logging_as_it_came() -> Iterator[None]:
    """Let no test inherit the logging that another one configured."""
    yield
    logging.getLogger("anabranch").setLevel(logging.NOTSET)
    if "structlog" in sys.modules:
        sys.modules["structlog"].reset_defaults()


# ---------------------------------------------------------------------------------------- network

_refused: list[str] = []


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        # A name. By convention of the tests, and by RFC 6761, *.localhost stays here.
        return str(host).lower().rstrip(".").endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _refuse(what: str) -> str:
    _refused.append(what)
    return f"{what}: refused, tests reach loopback only"


def _check_address(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise PermissionError(_refuse(f"connection to {address[0]}:{address[1]}"))


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Guard the three ways to a peer: connect, connect_ex, sendto; and the way to its name."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    sendto, getaddrinfo = socket.socket.sendto, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any, /) -> None:
        _check_address(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any, /) -> int:
        _check_address(self.family, address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _check_address(self.family, rest[-1])
        return sendto(self, data, *rest)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_loopback(host):
            return getaddrinfo(host, *args, **kwargs)
        name = host.decode() if isinstance(host, bytes) else str(host)
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            pass
        else:  # an address needs no name server; connecting to it is refused above
            return getaddrinfo(host, *args, **kwargs)
        if name.lower().rstrip(".").endswith(".invalid"):  # RFC 6761: exists nowhere, by design
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise socket.gaierror(socket.EAI_FAIL, _refuse(f"look-up of {name}"))

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket.socket, "sendto", guarded_sendto)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def refusals() -> Iterator[list[str]]:
    """Fail the test that tried to leave the machine, whatever became of the error."""
    _refused.clear()
    yield _refused
    if _refused:
        attempts = ", ".join(_refused)
        _refused.clear()
        pytest.fail(f"this test tried to leave the machine: {attempts}")


# --------------------------------------------------------------------------------------- blocking


@pytest.fixture(autouse=True)
def blockbuster(_loopback_only: None) -> Iterator[BlockBuster]:
    """Calls that block the event loop under a frame of ours raise BlockingError.

    A test that must allow one more place asks for this fixture:
    ``blockbuster.functions["os.stat"].can_block_in("settings.py", {"load"})``.
    """
    packages = [name for name in OUR_PACKAGES if importlib.util.find_spec(name)]
    # The kit starts and stops servers wherever a test wants them, and waits for their threads.
    with blockbuster_ctx(packages, excluded_modules=["anabranch.testing"]) as detector:
        for function in detector.functions.values():
            for file, functions in MAY_BLOCK:
                function.can_block_in(file, functions)
        yield detector
