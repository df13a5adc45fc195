"""Errors, in whatever form the platform says them."""

import pytest

from anabranch.cloud import Response
from anabranch.errors import (
    AuthenticationError,
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
)
from anabranch_paci.replies import failure


def reply(status, text="", **headers):
    content = text if isinstance(text, bytes) else text.encode()
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, content)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (400, "Bad name", InvalidRequest),
        (400, "A VE with this name already exists", Conflict),
        (400, "VE must be stopped: it is STARTED", InvalidState),
        (401, "", AuthenticationError),
        (403, "not for you", PermissionDenied),
        (403, "Quota exceeded", QuotaExceeded),
        (404, "", NotFound),
        (406, "Subscription limit for VE number exceeded", QuotaExceeded),
        (406, "", QuotaExceeded),
        (409, "web1 exists: name is not unique", Conflict),
        (409, "lb1 has members", Conflict),
        (409, "web1 is START_IN_PROGRESS", InvalidState),
        (409, "The VE is running", InvalidState),
        (429, "", RateLimited),
        (500, "NullPointerException", CloudUnavailable),
        (500, "VE state does not permit it", InvalidState),
        (502, "", CloudUnavailable),
        (302, "", ProtocolError),
    ],
)
@pytest.mark.parametrize("shape", ["{}", "<error><message>{}</message></error>"])
def test_classes(status, text, kind, shape):
    error = failure(reply(status, shape.format(text)))
    assert type(error) is kind
    assert error.provider_code == str(status)
    assert text in error.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "status 400 without a message"),
        ("  one\n line ", "one line"),
        ("<e><code>17</code><message> of\n two </message></e>", "of two"),
        ("<e code='17' message='an attribute'/>", "an attribute"),
        ("<e><a>no</a><b>telling name</b></e>", "no telling name"),
        ("<e><message>cut", "cut"),
        ("<html><head><title>x</title></head><h1>Bad</h1><p>thing</html>", "Bad thing"),
        ("<!DOCTYPE html><html><body>Bad<br>thing", "Bad thing"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_messages(content, message):
    assert failure(reply(400, content)).message == message


def test_a_long_message_is_cut_and_the_platform_may_ask_for_patience():
    error = failure(reply(429, "x" * 5000, retry_after="7"))
    assert len(error.message) == 500
    assert error.retry_after == 7


def test_secrets_that_come_back_are_hidden():
    error = failure(reply(400, "the password hush-hush is too short"), ["hush-hush", ""])
    assert "hush" not in str(error)
