import msgspec
import pytest

from anabranch.cloud import Response
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
)
from anabranch_openstack.replies import decoded, failure


@pytest.mark.parametrize(
    ("label", "kind", "text", "code"),
    [
        ("ks wrong password", AuthenticationError, "The request you have made requires", "401"),
        ("ks malformed", InvalidRequest, "'identity' is a required property", "400"),
        ("bad token image", AuthenticationError, "This server could not verify", "401"),
        ("nova mv too high", OperationNotSupported, "Version 2.9999 is not", "computeFault"),
        ("nova start active", InvalidState, "Cannot 'start' instance", "conflictingRequest"),
        ("nova stop twice", InvalidState, "Cannot 'stop' instance", "conflictingRequest"),
        ("nova quota exceeded", QuotaExceeded, "Quota exceeded for ram", "forbidden"),
        ("neutron over quota", QuotaExceeded, "Quota exceeded for resources", "OverQuota"),
        ("cinder quota 413", QuotaExceeded, "", "overLimit"),
        ("octavia quota", QuotaExceeded, "Quota has been met", "403"),
        ("neutron 404", NotFound, "Network nope could not be found.", "NetworkNotFound"),
        ("octavia delete no cascade", InvalidRequest, "", "400"),
        ("glance 404", NotFound, "No image found with ID nope", "404"),
        ("glance protected delete public", PermissionDenied, "You are not authorized to", "403"),
        ("keystone down: compute", CloudUnavailable, "The server is currently unavailable.", "503"),
        ("swift 404", NotFound, "", "404"),
    ],
)
def test_errors_of_the_services(captured, label, kind, text, code):
    reply = captured(label).reply
    error = failure(reply)
    assert type(error) is kind
    assert error.message.startswith(text)
    assert error.message
    assert "<" not in error.message
    assert error.provider_code == code
    for header in ("x-openstack-request-id", "x-trans-id"):
        if header in reply.headers:
            assert error.request_id == reply.headers[header]


def answer(status, body, **headers):
    return Response(status, headers, body if isinstance(body, bytes) else msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(429, b"slow down", **{"retry-after": "7"}), RateLimited),
        (answer(498, b"Rate Limited"), RateLimited),
        (answer(413, {"overLimit": {"message": "x"}}, **{"retry-after": "9"}), RateLimited),
        (answer(413, b"too large"), InvalidRequest),
        (answer(409, {"conflictingRequest": {"message": "Key pair exists"}}), Conflict),
        (answer(409, {"conflictingRequest": {"message": "Instance is locked"}}), InvalidState),
        (answer(300, {"versions": []}), ProtocolError),
        (answer(302, b""), ProtocolError),
        (answer(500, b"[1,2]"), CloudUnavailable),
        (answer(404, {"errors": [{"detail": "no such thing", "code": "x.y"}]}), NotFound),
        (answer(404, {"code": 404, "title": "Bad Request", "description": "No pool"}), NotFound),
        (answer(409, {"faultstring": "Load Balancer x is immutable"}), InvalidState),
        (answer(409, {"faultstring": "Invalid state PENDING_CREATE of x"}), InvalidState),
        (answer(404, {"message": "gone<br /><br />\n", "code": "404 Not Found"}), NotFound),
    ],
)
def test_errors_of_proxies_and_other_shapes(reply, kind):
    assert type(failure(reply)) is kind
    assert "<" not in failure(reply).message


def test_octavia_describes_what_it_does_not_find():
    reply = answer(404, {"code": 404, "title": "Bad Request", "description": "Pool x not found."})
    assert failure(reply).message == "Pool x not found."


def test_retry_after_is_told():
    assert failure(answer(503, b"", **{"retry-after": "3"})).retry_after == 3


def test_secrets_that_nova_repeats_are_hidden():
    reply = answer(400, {"badRequest": {"message": "Invalid adminPass. Value: hush. Too short"}})
    error: CloudError = failure(reply, hide=["hush", ""])
    assert "hush" not in str(error)
    assert "Too short" in str(error)


def test_a_long_message_is_cut():
    assert len(failure(answer(400, {"badRequest": {"message": "x" * 9000}})).message) == 500


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"b": 1}', b'{"a": "text"}'])
def test_garbage_is_a_protocol_error(content):
    class Document(msgspec.Struct):
        a: int

    decoder = msgspec.json.Decoder(Document)
    with pytest.raises(ProtocolError, match="no document of OpenStack") as caught:
        decoded(Response(200, {"x-openstack-request-id": "req-1"}, content), decoder)
    assert caught.value.request_id == "req-1"
