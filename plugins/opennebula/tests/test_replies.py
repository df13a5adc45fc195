"""What oned refuses, in our errors."""

import pytest

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
)
from anabranch_opennebula.replies import failure, fault_error, payload
from anabranch_opennebula.xmlrpc import Fault


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (256, "[one.vm.info] User couldn't be authenticated, aborting call.", AuthenticationError),
        (512, "[one.vm.info] User [2] : Not authorized to perform USE VM [3].", PermissionDenied),
        (512, "user [2] limit of 3 reached for VMS quota in VM.", QuotaExceeded),
        (512, "VM Template includes a restricted attribute NIC/MAC.", PermissionDenied),
        (512, "[one.vm.action] User [2] : VM [3] is locked.", Conflict),
        (1024, "[one.vm.info] Error getting virtual machine [999999].", NotFound),
        (2048, '[one.vm.action] … "terminate" …, wrong state BOOT', InvalidState),
        (2048, "This action is not available for state RUNNING", InvalidState),
        (2048, "[one.vm.attach] VM is not running in any host", InvalidState),
        (2048, "[one.image.delete] There are 1 VMs using it.", Conflict),
        (2048, "Cannot get IP/MAC lease from virtual network 1.", Conflict),
        (2048, '[one.vm.action] Action "shutdown" is not supported', OperationNotSupported),
        (4096, "Incorrect filter_flag, must be >= -4.", InvalidRequest),
        (8192, "Parse error: syntax error, unexpected VARIABLE", InvalidRequest),
        (8192, "the moon is in the wrong house of cards, or not", InvalidRequest),
        (8192, "[one.vn.free_ar] Address Range has leases in use", Conflict),
        (8192, "[one.vn.free_ar] Address Range does not exist", NotFound),
        (8192, "Database is gone", CloudError),
        (16384, "NAME is already taken by IMAGE 5.", Conflict),
        (16384, "Invalid NAME.", InvalidRequest),
        (32768, "The object is locked", Conflict),
        (65536, "Cannot process request, no leader found", CloudUnavailable),
        (77, "who knows", CloudError),
    ],
)
def test_codes_and_words(code, text, kind):
    error = failure(text, code)
    assert type(error) is kind
    assert error.provider_code == str(code)
    assert not error.message.startswith("[one.")


def test_no_secret_shows():
    text = "[one.vm.info] bad session tenant:hunter2"
    assert "hunter2" not in str(failure(text, 256, "hunter2"))
    fault = fault_error(Fault(-501, "got 'tenant:hunter2'"), "one.vm.info", "hunter2")
    assert type(fault) is InvalidRequest
    assert "hunter2" not in str(fault)
    assert type(fault_error(Fault(-506, "no"), "one.x", "")) is OperationNotSupported


def test_payloads():
    assert payload([True, "<VM/>", 0], "") == "<VM/>"
    assert payload([True, 7, 0, -1, -1], "") == 7
    for odd in ("text", [], [True], ["true", "x", 0], {"a": 1}, None):
        with pytest.raises(ProtocolError):
            payload(odd, "")
    with pytest.raises(CloudError, match="refused with code 0"):
        payload([False, ""], "")
