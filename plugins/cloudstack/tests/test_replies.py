"""Envelopes and errors, as a real CloudStack 4.22 sent them."""

import msgspec
import pytest

from anabranch.cloud import Response
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    InsufficientCapacity,
    InvalidRequest,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
)
from anabranch_cloudstack.jobs import Job
from anabranch_cloudstack.machines import VM
from anabranch_cloudstack.replies import envelope, failed, failure


@pytest.mark.parametrize(
    ("name", "kind", "code", "text"),
    [
        ("getVMUserData", AuthenticationError, "401", "unable to verify user credentials"),
        ("assignVirtualMachine-notpermitted", PermissionDenied, "432", "does not exist or is not"),
        ("createLBHealthCheckPolicy", InvalidRequest, "430", "not supported by LB Provider"),
        ("listVirtualMachines-notfound", NotFound, "431", "there is no such thing"),
        ("expungeVirtualMachine-again", NotFound, "431", "Unable to find UUID"),
        ("deployVirtualMachine-badtemplate", NotFound, "431", "templateid"),
        ("deployVirtualMachine-dupname", Conflict, "431", "already exists"),
        ("deployVirtualMachine-nonetwork", InvalidRequest, "431", "specify networkIds"),
        ("deployVirtualMachine-customnodetails", InvalidRequest, "431", "custom offering"),
        ("deployVirtualMachine-overlimit", QuotaExceeded, "535", "Maximum amount of resources"),
        ("associateIpAddress-limit", QuotaExceeded, "532", "Maximum number of public IP"),
        ("createNetwork-missing", InvalidRequest, "431", "missing parameter"),
        ("createNetwork-tieroverlap", Conflict, "431", "crosses other network cidr"),
        ("createSSHKeyPair-dup", Conflict, "431", "already exists"),
        ("deleteSecurityGroup-default", Conflict, "431", "is reserved"),
        ("deleteSecurityGroup-inuse", Conflict, "536", "in use"),
        ("enableStaticNat-conflict", Conflict, "537", "already has PortForwarding rules"),
        ("createSnapshot-allocated", InvalidState, "431", "not in Ready state"),
        ("changeServiceForVirtualMachine-running", InvalidState, "431", "in state Running"),
        ("listApis-unknown", CloudError, "530", "unable to find an api"),
    ],
)
def test_errors_that_come_directly(captured, name, kind, code, text):
    error = failure(captured(name).reply)
    assert type(error) is kind
    assert error.provider_code == code
    assert text in error.message


@pytest.mark.parametrize(
    ("command", "kind", "code", "text"),
    [
        ("deployVirtualMachine-startfail", CloudError, "530", "Unable to start a VM"),
        ("deployVirtualMachine-nocapacity2", InsufficientCapacity, "533", "No destination found"),
        ("createTags-dup", Conflict, "530", "tag env already on"),
        ("deleteNetwork-inuse", Conflict, "530", "Failed to delete network"),
        ("disassociateIpAddress-sourcenat", Conflict, "530", "source nat"),
        ("attachVolume-again", Conflict, "431", "not attached to any VM"),
        ("detachVolume", InvalidState, "431", "VM snapshots"),
        ("removeNicFromVirtualMachine-default", Conflict, "431", "nic is default"),
        ("rebootVirtualMachine-stopped", InvalidState, "431", "is not running"),
        ("startVirtualMachine-again", InvalidState, "431", "already running"),
        ("scaleVirtualMachine-running", InvalidState, "530", "dynamic scaling"),
    ],
)
def test_errors_that_a_job_ends_with(captured, command, kind, code, text):
    raw = captured(f"queryAsyncJobResult-{command}-done").raw()
    job = msgspec.json.decode(raw, type=Job)
    assert not job.pending
    assert not job.done
    error = failed(job.jobresultcode, job.jobresult)
    assert type(error) is kind
    assert error.provider_code == code
    assert text in error.message


def test_a_result_that_says_pending_of_itself_is_done(captured):
    raw = captured("queryAsyncJobResult-deployVirtualMachine-done").raw()
    assert b'"jobstatus": 0' in bytes(raw)  # of the machine
    assert msgspec.json.decode(raw, type=Job).done
    pending = captured("queryAsyncJobResult-pendingshape").raw()
    assert msgspec.json.decode(pending, type=Job).pending


def answer(status, body, **headers):
    return Response(status, headers, body if isinstance(body, bytes) else msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(429, b"slow down", **{"retry-after": "7"}), RateLimited),
        (answer(429, {"errorresponse": {"errorcode": 429, "errortext": "limit"}}), RateLimited),
        (answer(414, b"<h1>Bad Message 414</h1><pre>URI Too Long</pre>"), InvalidRequest),
        (answer(503, b"<html><style>p{}</style>Service Unavailable"), CloudUnavailable),
        (answer(401, {"null": {"errorcode": 401, "errortext": "no"}}), AuthenticationError),
        (answer(511, {"errorresponse": {"errorcode": 511}}), AuthenticationError),
        (answer(531, {"x": {"errorcode": "531", "errortext": "no access"}}), PermissionDenied),
        (answer(534, {"x": {"errorcode": 534, "errortext": "router"}}), InsufficientCapacity),
        (answer(400, {"x": {"errorcode": 400, "errortext": "POST"}}), InvalidRequest),
        (answer(500, b"[1,2]"), CloudUnavailable),
        (answer(302, b""), ProtocolError),
        (answer(431, {"x": {"errortext": None}}), InvalidRequest),
    ],
)
def test_errors_of_proxies_and_other_shapes(reply, kind):
    error = failure(reply)
    assert type(error) is kind
    assert error.message
    assert "<" not in error.message
    assert "style" not in error.message


def test_a_refused_clock_or_key_is_told_so():
    error = failure(answer(401, {"x": {"errorcode": 401, "errortext": "no"}}))
    assert "clock" in str(error)


def test_secrets_that_are_repeated_are_hidden():
    body = {"x": {"errorcode": 431, "errortext": "Invalid value=c2VjcmV0 of userdata"}}
    error = failure(answer(431, body), hide=["c2VjcmV0", ""])
    assert "c2VjcmV0" not in str(error)
    assert "of userdata" in str(error)
    ended = failed(530, msgspec.Raw(b'{"errorcode":530,"errortext":"bad c2VjcmV0"}'), ["c2VjcmV0"])
    assert "c2VjcmV0" not in str(ended)


@pytest.mark.parametrize("result", [msgspec.Raw(), msgspec.Raw(b'"a text"'), msgspec.Raw(b"[]")])
def test_results_of_old_versions(result):
    assert type(failed(533, result)) is InsufficientCapacity
    assert failed(533, result).message


def test_a_long_message_is_cut():
    error = failure(answer(431, {"x": {"errorcode": 431, "errortext": "x" * 9000}}))
    assert len(error.message) == 500


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}", b'{"a":{},"b":{}}', b"{"])
def test_garbage_is_a_protocol_error(content):
    with pytest.raises(ProtocolError, match="no document of CloudStack"):
        envelope(Response(200, {}, content))


@pytest.mark.parametrize("body", [b"[]", b'{"virtualmachine": 7}', b'{"count": "many"}'])
def test_what_is_no_list_is_a_protocol_error(body):
    with pytest.raises(ProtocolError, match="no list of CloudStack"):
        VM.listing(msgspec.Raw(body))


@pytest.mark.parametrize("body", [b"[]", b"7", b'{"success": true}'])
def test_what_holds_no_item_holds_none(body):
    assert VM.wrapped(msgspec.Raw(body)) is None


@pytest.mark.parametrize("body", [b"[]", b'{"success": true}', b'{"virtualmachine": {"id": {}}}'])
def test_what_was_made_and_is_not_told_is_in_doubt(body):
    with pytest.raises(OutcomeUnknown, match="not told"):
        VM.made(msgspec.Raw(body))


def test_an_item_that_cannot_be_read_at_all():
    with pytest.raises(ProtocolError, match="odd"):
        VM.read(msgspec.Raw(b'{"id": {}}'))
    assert VM.read(msgspec.Raw(b'{"id": "1", "nic": 7}')).id == "1"
