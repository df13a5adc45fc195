"""`POST /api/instances/ID/run`: a command on an instance, by SSH (deltacloud.md, 3).

It is there only where the operator switched it on. The daemon calls no address but a public one
that the cloud tells of the instance (on OpenStack its owner may set it: `accessIPv4`), and uses
nothing of its own: no key, agent, configuration or known host.

What instance answers is not proved: nobody knows its host key beforehand. Who can take its place
on the network learns a password that is sent to it; of a private key, nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from ipaddress import ip_address
from typing import Any, Final

import anyio
import anyio.lowlevel
import msgspec

from anabranch import InstanceState, SecretStr
from anabranch.models import Instance
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.parameters import Parameters
from anabranch_server.deltacloud.rendering import rendered
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.problems import Problem, not_offered

__all__ = ["OPERATION", "run"]

OPERATION: Final = "run_instance"
"""What a cloud offers where commands can be run on its instances."""
_CONNECT: Final = 20.0
"""Seconds until the login is done."""
_COMMAND: Final = 60.0
"""Seconds that the command may take."""
_MOST_OUTPUT: Final = 1024 * 1024
_MOST_KEY: Final = 32 * 1024
_CHUNK: Final = 64 * 1024
_EXTRA: Final = "pip install 'anabranch-server[ssh]'"


class _Login(msgspec.Struct, frozen=True):
    address: str
    port: int
    user: str
    password: SecretStr | None
    key: SecretStr | None

    def __str__(self) -> str:
        return f"{self.user} at {self.address}, port {self.port}"


async def run(request: Request, ident: str) -> Reply:
    """Run a command, and tell what it wrote to both of its outputs and how it ended.

    It has 60 seconds and 1 MiB of output; what is beyond is left out. It runs once, or, if that
    is not known, is not repeated.

    Args:
        request: The parameters `cmd`, `user` (`root`), `password`, `private_key`, `port` (22) and
            `ip`: which of the instance's public addresses.
        ident: The instance.

    Raises:
        Problem: it is not switched on, the instance does not run or has no such address, or its
            SSH server does not do it.
        NotFound: no such instance.
    """
    where, given = request.target(ident), request.parameters
    if not request.view.offers(where.cloud, OPERATION):
        raise not_offered(OPERATION, "commands on instances are switched off in this daemon")
    command = given.required("cmd")
    instance: Instance = await request.selection.broker.instances.get(where)
    if instance.state is not InstanceState.RUNNING:
        raise Problem(405, f"{ident!r} is {instance.state}, and not running", kind="InvalidState")
    login = _login(given, _address(instance, given.get("ip")))
    (output, status), headers = await request.timed(lambda: _execute(login, command))
    told = documents.CommandOutput(
        cloud=where.cloud,
        instance_id=where.id,
        public_address=login.address,
        command=command,
        output=output[:_MOST_OUTPUT].decode(errors="replace"),
        exit_status=status,
        truncated=len(output) > _MOST_OUTPUT,
    )
    return rendered(
        request,
        "Output",
        xml=lambda: documents.run_xml(told, request.view),
        plain=lambda: documents.run_plain(told, request.view),
        headers=headers,
    )


def _address(instance: Instance, wanted: str | None) -> str:
    """Choose where to call: a public address, and no name, which may lead anywhere."""
    usable = [found.address for found in instance.public_addresses if _is_usable(found.address)]
    if not usable:
        raise Problem(403, "the instance has no public IP address", kind="Conflict")
    if wanted is not None and wanted not in usable:
        raise Problem(
            400,
            f"{wanted!r} is no public address of the instance",
            remedy=f"It has: {', '.join(usable)}",
        )
    return wanted or usable[0]


def _is_usable(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return not any(
        (
            inner.is_loopback,
            inner.is_link_local,
            inner.is_multicast,
            inner.is_unspecified,
            inner.is_reserved,
        )
    )


def _login(given: Parameters, address: str) -> _Login:
    password, key = given.get("password"), given.get("private_key")
    if password is None and key is None:
        raise Problem(400, "parameter 'private_key' is missing, or 'password'")
    if key is not None and len(key) > _MOST_KEY:
        raise Problem(400, f"parameter 'private_key' has more than {_MOST_KEY} characters")
    port = given.number("port")
    if port is not None and not 0 < port < 65536:
        raise Problem(400, f"parameter 'port' is {port}: 1 to 65535 are wanted")
    return _Login(
        address,
        22 if port is None else port,
        given.get("user", "root"),
        None if password is None else SecretStr(password),
        None if key is None else SecretStr(key),
    )


async def _execute(login: _Login, command: str) -> tuple[bytes, int | None]:
    """Return what the command wrote, a byte more than is told if there is more, and its status."""
    asyncssh = await _library()
    keys = None if login.key is None else [await _key(asyncssh, login.key)]
    try:
        with anyio.fail_after(_CONNECT):
            connection = await asyncssh.connect(**_options(login, keys))
    except TimeoutError:
        raise _failed(504, login, f"no login within {_CONNECT:g} s") from None
    except asyncssh.PermissionDenied:
        raise _failed(403, login, "the login is refused") from None
    except (OSError, asyncssh.Error, ValueError) as exc:
        raise _failed(502, login, type(exc).__name__) from None
    try:
        with anyio.fail_after(_COMMAND):
            return await _output(asyncssh, connection, command)
    except TimeoutError:
        raise _failed(504, login, f"the command did not end within {_COMMAND:g} s") from None
    except (OSError, asyncssh.Error) as exc:
        raise _failed(502, login, f"{type(exc).__name__} while the command ran") from None
    finally:
        connection.abort()


async def _output(asyncssh: Any, connection: Any, command: str) -> tuple[bytes, int | None]:
    process = await connection.create_process(
        command, encoding=None, stdin=asyncssh.DEVNULL, stderr=asyncssh.STDOUT
    )
    output = bytearray()
    while chunk := await process.stdout.read(_CHUNK):
        output += chunk
        if len(output) > _MOST_OUTPUT:
            return bytes(output), None
    await process.wait_closed()
    return bytes(output), process.exit_status


def _options(login: _Login, keys: list[Any] | None) -> Mapping[str, Any]:
    """Return what to connect with; all that asyncssh would look for by itself is switched off."""
    return {
        "host": login.address,
        "port": login.port,
        "username": login.user,
        "password": login.password and login.password.get_secret_value(),
        "client_keys": keys,
        "known_hosts": None,
        "config": None,
        "agent_path": None,
        "gss_auth": False,
        "gss_kex": False,
        "host_based_auth": False,
        "x509_trusted_certs": None,
    }


async def _library() -> Any:
    """Return asyncssh, which takes its time to be imported, and which only asyncio can run."""
    if "asyncio" not in anyio.lowlevel.current_token().backend_class.__module__:
        raise Problem(501, "commands are run on asyncio only", kind="NotImplemented")
    try:
        asyncssh = await anyio.to_thread.run_sync(import_module, "asyncssh")
    except ModuleNotFoundError:
        raise Problem(
            501, "asyncssh is not installed", kind="NotImplemented", remedy=_EXTRA
        ) from None
    logger = logging.getLogger("asyncssh")
    if logger.level == logging.NOTSET:  # it logs commands, in which there may be passwords
        logger.setLevel(logging.WARNING)
    return asyncssh


async def _key(asyncssh: Any, key: SecretStr) -> Any:
    text = key.get_secret_value()
    try:
        return await anyio.to_thread.run_sync(asyncssh.import_private_key, text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise Problem(
            400,
            "parameter 'private_key' is no private key that can be used",
            remedy="Send one that is not encrypted, in PEM or OpenSSH format",
        ) from None


def _failed(status: int, login: _Login, what: str) -> Problem:
    return Problem(status, f"SSH to {login}: {what}", kind="SshFailed")
