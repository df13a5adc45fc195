"""The ASGI application of a simulated cloud: one URL, `/client/api`, for all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from anabranch.testing.simulation import Fault, FaultKind, plain_reply
from anabranch.testing.simulation import Reply as PlainReply
from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Command
from anabranch_cloudstack.simulator.signature import Signatures, unauthorized
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.table import COMMANDS
from anabranch_cloudstack.simulator.wire import Refusal, Reply, error_reply, reply

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["PATH", "Application", "label", "render_fault"]

PATH = "/client/api"

_LONGEST_URI = 8192
_LARGEST_BODY = 1024 * 1024
_SAID = {
    FaultKind.FORBIDDEN: Refusal(531, "The account has no permission for this.", 4365),
    FaultKind.NOT_FOUND: Refusal(
        431,
        "Unable to execute API command due to invalid value. Invalid parameter id value=x due to"
        " incorrect long value format, or entity does not exist",
    ),
    FaultKind.CONFLICT: Refusal(536, "The resource is in use."),
    FaultKind.RATE_LIMITED: Refusal(
        429, "The given user has reached his/her account api limit, please retry after 1000 ms."
    ),
}
_FORM = "application/x-www-form-urlencoded"
_HTML = "text/html;charset=iso-8859-1"
_PAGE = (
    "<html>\n<head>\n<title>Error {0} {1}</title>\n</head>\n<body><h2>HTTP ERROR {0} {1}</h2>\n"
    '<hr/><a href="https://jetty.org/">Powered by Jetty://</a><hr/>\n</body>\n</html>\n'
)


class Application:
    """Answers for one cloud.

    Args:
        state: The cloud.
        enforce_post: Whether changes need POST and every request a time (4.21 and later).
    """

    def __init__(self, state: State, *, enforce_post: bool) -> None:
        self._state = state
        self._enforce = enforce_post
        state.commands = COMMANDS.of(state.version)
        by_key = {account.api_key: account for account in state.accounts.values()}
        self._signatures = Signatures(by_key.get, state.version, enforce=enforce_post)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = (await receive()).get("body", b"")
        answer = self._answer(scope, body)
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        content = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": content})

    def _answer(self, scope: Scope, body: bytes) -> Reply:
        if len(scope["raw_path"]) + len(scope["query_string"]) > _LONGEST_URI:
            return _page(414, "URI Too Long")
        if scope["path"].rstrip("/") != PATH:
            return _page(404, "Not Found")
        if scope["method"] not in ("GET", "POST", "HEAD"):
            return _page(405, "Method Not Allowed")
        if len(body) > _LARGEST_BODY:
            return _page(413, "Payload Too Large")
        parameters = _parameters(scope, body)
        json = parameters.get("response") == "json"
        version = self._state.version_name
        command = self._state.commands.get(parameters.get("command", ""))
        try:
            document = self._run(command, parameters, scope["method"])
        except Refusal as refusal:
            key = _error_key(command, parameters, refusal)
            return error_reply(key, refusal, json=json, version=version)
        key = command.reply_key if command else ""
        return reply(key, document, json=json, version=version)

    def _run(
        self, command: Command | None, parameters: dict[str, str], method: str
    ) -> dict[str, object]:
        state = self._state
        state.jobs.settle(state.clock())
        account = self._signatures.account(parameters, state.now)
        if command is None:
            raise unauthorized()
        if not account.may(command.name, user=command.user):
            raise Refusal(
                432,
                f"The API [{command.name}] does not exist or is not available for the account for"
                f" user id [{account.user_id}].",
            )
        if self._enforce and method != "POST" and not command.reads:
            raise Refusal(400, f"State changing command {command.name} needs to be sent by POST")
        call = Call(state, command, account, parameters, by_get=method != "POST")
        return command.handler(call)


def label(scope: Scope, body: bytes) -> str:
    """The path under which a request is counted: `/client/api/listVirtualMachines`."""
    command = _parameters(scope, body).get("command", "")
    return f"{scope['path']}/{command}" if command else str(scope["path"])


def render_fault(scope: Scope, fault: Fault) -> PlainReply:
    """What CloudStack and the proxies in front of it say when something is wrong.

    It has codes of its own for what others say with 403, 404 and 409. The server's own limiter
    says how long to wait only in its text; `Retry-After` is a proxy's.
    """
    plain = plain_reply(scope, fault)
    if fault.kind is FaultKind.UNAUTHORIZED:
        refusal = unauthorized()
    elif fault.kind in _SAID:
        refusal = _SAID[fault.kind]
    else:
        return plain
    answer = error_reply("errorresponse", refusal, json=True, version="")
    return PlainReply(
        status=refusal.code,
        body=answer.body,
        content_type=answer.content_type,
        headers=plain.headers if fault.kind is FaultKind.RATE_LIMITED else (),
    )


def _parameters(scope: Scope, body: bytes) -> dict[str, str]:
    """The parameters of a request; of a name that comes twice, the first value."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if scope["method"] == "POST" and body:
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        if content_type.partition(";")[0].strip().lower() == _FORM:
            pairs += parse_qsl(body.decode("latin-1"), keep_blank_values=True)
    parameters: dict[str, str] = {}
    for name, value in pairs:
        parameters.setdefault(name, value)
    return parameters


def _error_key(command: Command | None, parameters: dict[str, str], refusal: Refusal) -> str:
    if "command" not in parameters:
        return "null"
    if command is None or refusal.code == 432:
        return "errorresponse"
    return command.reply_key


def _page(status: int, text: str) -> Reply:
    return Reply(status, _PAGE.format(status, text).encode(), _HTML)
