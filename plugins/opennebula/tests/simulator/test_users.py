"""Who one is: tokens, keys, quotas; and what differs from one release to the next."""

from __future__ import annotations

import xmlrpc.client

import pytest

from anabranch.testing.simulation import serve
from anabranch_opennebula.simulator import simulator


def as_user(rpc, secret: str, method: str = "system.version"):
    proxy = xmlrpc.client.ServerProxy(rpc.endpoint)
    return getattr(proxy, f"one.{method}")(f"tenant:{secret}")


def test_tokens(rpc, clock, refused):
    token = rpc("user.login", "tenant", "", 60, -1)
    assert as_user(rpc, token)[:2] == [True, "7.4.0"]
    clock.now += 61
    assert as_user(rpc, token)[2] == 256
    forever = rpc("user.login", "tenant", "", -1, -1)
    clock.now += 1e9
    assert as_user(rpc, forever)[0]
    rpc("user.login", "tenant", forever, 0, -1)
    assert as_user(rpc, forever)[2] == 256
    with refused(512):
        rpc("user.login", "neighbour", "", 60, -1)


def test_settings_log_in_with_a_token(cloud, url, rpc):
    settings = cloud.settings(url, auth="token")
    assert settings == cloud.settings(url, auth="token")
    assert settings["password"] != cloud.settings(url)["password"]
    assert as_user(rpc, settings["password"])[0]


def test_who_am_i(rpc, refused):
    me = rpc.document("user.info", -1)
    assert (me.findtext("ID"), me.findtext("NAME"), me.findtext("GROUPS/ID")) == (
        "2",
        "tenant",
        "1",
    )
    assert me.findtext("VM_QUOTA/VM/VMS_USED") == "5"
    rpc("user.update", 2, 'SSH_PUBLIC_KEY="ssh-rsa AAAA one"\nKEY_X="y"', 1)
    assert rpc.document("user.info", -1).findtext("TEMPLATE/KEY_X") == "y"
    number = rpc.create()
    machine = rpc.document("vm.info", number)
    assert machine.findtext("TEMPLATE/CONTEXT/SSH_PUBLIC_KEY") == "ssh-rsa AAAA one"
    rpc("user.update", 2, 'KEY_Z="z"', 0)
    template = rpc.document("user.info", 2).find("TEMPLATE")
    assert [e.tag for e in template] == ["KEY_Z", "TOKEN_PASSWORD"]
    with refused(1024):
        rpc("user.update", -1, 'KEY_X="y"', 1)
    for other in ("user.info", "user.update"):
        with refused(512):
            rpc(other, 3, "", 1) if other == "user.update" else rpc(other, 3)


def test_quotas_exist_after_first_use(neighbour, limited):
    assert len(neighbour.document("user.info", -1).find("VM_QUOTA")) == 0
    limited.create()
    quota = limited.document("user.info", -1).find("VM_QUOTA/VM")
    assert (quota.findtext("VMS"), quota.findtext("VMS_USED")) == ("3", "1")
    assert (quota.findtext("CPU"), quota.findtext("CPU_USED")) == ("-1", "0.10")


def test_a_plain_user_sees_no_hosts_and_no_clusters_and_no_error(rpc, admin):
    for pool in ("hostpool", "clusterpool"):
        assert len(rpc.document(f"{pool}.info")) == 0
        assert len(admin.document(f"{pool}.info")) > 0


def test_the_configuration_is_readable_by_all(rpc):
    config = rpc.document("system.config")
    assert config.findtext("DB/PASSWD") == "***"
    assert "NIC/MAC" in [e.text for e in config.iter("VM_RESTRICTED_ATTR")]


@pytest.fixture(params=["5.10.5", "6.2.0", "6.10.3", "7.0.1", "7.4.0"])
def release(request, clock):
    cloud = simulator.cloud("release", instances=1, version=request.param, clock=clock)
    with serve([cloud]) as urls:
        yield cloud, urls["release"]


def test_releases(release):
    cloud, url = release
    settings = cloud.settings(url)
    session = f"{settings['username']}:{settings['password']}"
    one = xmlrpc.client.ServerProxy(settings["endpoint"]).one
    version = cloud.state.release
    assert one.system.version(session)[1] == cloud.state.version
    machine = one.vm.info(session, 0)[1]
    assert ("<BACKUPS>" in machine) == (version >= (6, 8))
    assert ("<PLAN_ID>" in machine) == (version >= (7, 0))
    image = one.image.info(session, 0)[1]
    assert ("<FSTYPE>" in image) == (version < (6, 0))
    assert ("<STATE>" in one.vn.info(session, 0)[1]) == (version >= (6, 4))
    assert ("ENDPOINT_GRPC" in one.zonepool.info(session)[1]) == (version >= (7, 2))
    assert ("PCI_DEV" in one.user.info(session, -1)[1]) == (version >= (7, 4))
    if version >= (6, 4):
        assert one.vm.attachsg(session, 0, 0, 100)[0]
    else:
        with pytest.raises(xmlrpc.client.Fault, match="not defined"):
            one.vm.attachsg(session, 0, 0, 100)
    old_verb = one.vm.action(session, "shutdown", 0)
    assert old_verb[0] == (version < (6, 0))
