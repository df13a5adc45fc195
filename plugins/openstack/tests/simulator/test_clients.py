"""The platform's own clients use the simulator unmodified."""

from __future__ import annotations

import warnings

import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_openstack.simulator import simulator

openstack = pytest.importorskip("openstack")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # requests leaves its pools to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def cloud():
    behaviour = Behaviour(page_size=10, state_delay=0.1)
    return simulator.cloud("lisbon", instances=25, behaviour=behaviour)


@pytest.fixture
def url(cloud):
    with serve([cloud]) as urls:
        yield urls["lisbon"]


def connect(settings):
    entry = {name: value for name, value in settings.items() if name != "driver"}
    return openstack.connect(**entry, load_yaml_config=False, load_envvars=False)


@pytest.fixture
def sdk(cloud, url):
    connection = connect(cloud.settings(url))
    yield connection
    connection.close()


def test_openstacksdk_lists_everything_over_several_pages(cloud, sdk):
    assert len({s.id for s in sdk.compute.servers()}) == 25
    assert cloud.requests.count("/servers/detail") == 3
    assert len(list(sdk.compute.flavors())) == 6
    assert {i.name for i in sdk.image.images()} >= {"debian-12", "cirros"}
    assert [k.name for k in sdk.compute.keypairs()] == ["demo-key"]
    assert [z.name for z in sdk.compute.availability_zones()] == ["az-a", "az-b"]
    assert {n.name for n in sdk.network.networks()} == {"public", "private"}
    assert {g.name for g in sdk.network.security_groups()} == {"default", "web"}
    assert [t.name for t in sdk.block_storage.types()] == ["standard", "fast"]
    assert list(sdk.block_storage.volumes()) == []
    assert sdk.list_servers()[0].public_v4 == "203.0.113.8"
    assert cloud.logins == 1


def test_openstacksdk_takes_a_server_through_its_life(sdk):
    compute = sdk.compute
    server = compute.create_server(
        name="new",
        image_id=sdk.image.find_image("debian-12").id,
        flavor_id=compute.find_flavor("m1.small").id,
        networks="auto",
        key_name="demo-key",
    )

    def settle(status="ACTIVE"):
        fresh = compute.get_server(server.id)
        return compute.wait_for_server(fresh, status=status, interval=0.03, wait=5)

    assert compute.get_server(server.id).status == "BUILD"
    assert settle().addresses["private"][0]["version"] == 4
    compute.stop_server(server)
    settle("SHUTOFF")
    compute.start_server(server)
    settle()
    compute.reboot_server(server, "HARD")
    assert compute.get_server(server.id).status == "HARD_REBOOT"
    settle()
    compute.resize_server(server, compute.find_flavor("m1.medium").id)
    settle("VERIFY_RESIZE")
    compute.confirm_server_resize(server)
    assert settle().flavor.original_name == "m1.medium"
    image = compute.create_server_image(server, "snapshot", wait=True, timeout=5)
    assert image.status == "active"
    settle()
    compute.set_server_metadata(server, colour="red")
    assert compute.get_server_metadata(server).metadata["colour"] == "red"
    compute.delete_server(server)
    compute.wait_for_delete(server, interval=0.03, wait=5)
    assert compute.find_server(server.id) is None
    sdk.image.delete_image(image)


def test_openstacksdk_makes_and_deletes_keypairs(sdk):
    made = sdk.compute.create_keypair(name="generated")
    assert made.private_key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    sdk.compute.delete_keypair(made)
    assert sdk.compute.find_keypair("generated") is None


def test_openstacksdk_uploads_an_image(sdk):
    image = sdk.image.create_image(
        name="own", data=b"x" * 2048, disk_format="raw", container_format="bare", wait=True
    )
    assert sdk.image.get_image(image.id).size == 2048
    assert sdk.image.download_image(image).content == b"x" * 2048
    assert sdk.image.update_image(image, name="renamed").name == "renamed"
    sdk.image.delete_image(image)


def test_openstacksdk_attaches_a_volume(sdk):
    server = next(s for s in sdk.compute.servers() if s.status == "ACTIVE")
    volume = sdk.block_storage.create_volume(size=2, name="data")
    volume = sdk.block_storage.wait_for_status(volume, interval=0.03, wait=5)
    sdk.compute.create_volume_attachment(server, volume_id=volume.id)
    volume = sdk.block_storage.wait_for_status(volume, "in-use", interval=0.03, wait=5)
    assert volume.attachments[0]["server_id"] == server.id
    sdk.compute.delete_volume_attachment(server, volume)
    sdk.block_storage.wait_for_status(volume, interval=0.03, wait=5)
    snapshot = sdk.block_storage.create_snapshot(volume_id=volume.id, name="snap")
    sdk.block_storage.wait_for_status(snapshot, interval=0.03, wait=5)
    sdk.block_storage.delete_snapshot(snapshot)
    sdk.block_storage.wait_for_delete(snapshot, interval=0.03, wait=5)
    sdk.block_storage.delete_volume(volume)


def test_openstacksdk_logs_in_with_an_application_credential(cloud, url):
    connection = connect(cloud.settings(url, auth="application_credential"))
    try:
        assert len(list(connection.compute.servers())) == 25
        assert connection.session.get_project_id()
    finally:
        connection.close()


def test_openstacksdk_logs_in_again_when_its_token_is_refused(cloud, sdk):
    assert len(list(sdk.compute.flavors())) == 6
    cloud.state.identity.revoke_all()
    assert len(list(sdk.compute.flavors())) == 6
    assert cloud.logins == 2


def test_libcloud_lists_nodes(cloud, url):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from libcloud.compute.providers import get_driver
    driver = get_driver("openstack")(
        "demo",
        "demo-secret",
        api_version="2.2",  # the default, 1.1, stops after the first page
        ex_force_auth_url=f"{url}/identity",  # it appends /v3/auth/tokens
        ex_force_auth_version="3.x_password",
        ex_tenant_name="demo",
        ex_domain_name="Default",
        ex_force_service_region="RegionOne",
    )
    nodes = driver.list_nodes()
    assert len(nodes) == 25
    assert {node.state for node in nodes} == {"running", "stopped", "unknown"}  # paused
    assert len(driver.list_sizes()) == 6
    assert "debian-12" in {image.name for image in driver.list_images()}
    assert cloud.logins == 2  # once for nova, once for glance
