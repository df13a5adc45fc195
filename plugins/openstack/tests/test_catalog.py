import pytest

from anabranch.errors import InvalidRequest, OperationNotSupported
from anabranch_openstack import driver
from anabranch_openstack.catalog import (
    BLOCK_STORAGE,
    COMPUTE,
    IMAGE,
    LOAD_BALANCER,
    NETWORK,
    OBJECT_STORE,
    CatalogService,
    Endpoint,
    endpoint,
    offered,
    region_of,
)
from anabranch_openstack.identity import keystone_url


def settings(**more):
    auth = {"auth_url": "http://k:5000", "username": "u", "password": "p", "project_name": "p"}
    return driver.configure("lisbon", {"driver": "openstack", "auth": auth, **more}, {})


def service(kind, *urls, region="R1", interface="public"):
    return CatalogService(kind, kind, [Endpoint(url, interface, region) for url in urls])


@pytest.mark.parametrize(
    "auth_url",
    [
        "https://h:5000",
        "https://h:5000/",
        "https://h:5000/v3",
        "https://h:5000/v3/",
        "https://h:5000/v2.0",
    ],
)
def test_the_forms_of_the_auth_url(auth_url):
    assert keystone_url(auth_url) == "https://h:5000/v3"


def test_the_auth_url_keeps_its_path():
    assert keystone_url("https://h/identity") == "https://h/identity/v3"
    assert keystone_url("https://h/identity/v3") == "https://h/identity/v3"


@pytest.mark.parametrize(
    ("kind", "url", "service_", "wanted"),
    [
        ("compute", "https://h/compute/v2.1", COMPUTE, "https://h/compute/v2.1"),
        ("compute", "https://h/compute/v2.1/abc/", COMPUTE, "https://h/compute/v2.1/abc"),
        ("compute", "https://h/compute", COMPUTE, "https://h/compute/v2.1"),
        ("computev21", "https://h:8774", COMPUTE, "https://h:8774/v2.1"),
        ("image", "https://h:9292/", IMAGE, "https://h:9292/v2"),
        ("network", "https://h:9696", NETWORK, "https://h:9696/v2.0"),
        ("volumev3", "https://h:8776/v3/abc", BLOCK_STORAGE, "https://h:8776/v3/abc"),
        ("load-balancer", "https://h:9876", LOAD_BALANCER, "https://h:9876/v2/lbaas"),
        ("load-balancer", "https://h:9876/v2.0", LOAD_BALANCER, "https://h:9876/v2.0/lbaas"),
        ("object-store", "https://h/v1/AUTH_x", OBJECT_STORE, "https://h/v1/AUTH_x"),
    ],
)
def test_endpoints(kind, url, service_, wanted):
    assert endpoint([service(kind, url)], service_, settings()) == wanted


def test_one_region_needs_no_choice():
    assert region_of([service("compute", "http://h")], settings()) == "R1"
    assert region_of([], settings()) is None


def test_several_regions_demand_a_choice():
    catalog = [service("compute", "http://a"), service("compute", "http://b", region="R2")]
    with pytest.raises(InvalidRequest, match=r"several regions: R1, R2\. Set region_name"):
        endpoint(catalog, COMPUTE, settings())
    assert endpoint(catalog, COMPUTE, settings(region_name="R2")) == "http://b/v2.1"


def test_a_wrong_region_lists_the_right_ones():
    with pytest.raises(InvalidRequest, match=r"no compute service in region 'R9'.*one of: R1"):
        endpoint([service("compute", "http://a")], COMPUTE, settings(region_name="R9"))


def test_the_region_may_be_told_the_old_way():
    old = CatalogService("compute", "", [Endpoint("http://a", "public", None, "R7")])
    assert endpoint([old], COMPUTE, settings(region_name="R7")) == "http://a/v2.1"


def test_no_other_interface_is_used_silently():
    catalog = [service("compute", "http://a", interface="internal")]
    with pytest.raises(InvalidRequest, match="no 'public' endpoint of compute, but: internal"):
        endpoint(catalog, COMPUTE, settings())
    assert endpoint(catalog, COMPUTE, settings(interface="internal")) == "http://a/v2.1"


def test_a_service_that_is_not_there():
    with pytest.raises(OperationNotSupported, match="no service of type 'network'"):
        endpoint([], NETWORK, settings())
    assert not offered([], NETWORK, settings())


def test_an_override_wins():
    overridden = settings(network_endpoint_override="https://elsewhere/net")
    assert endpoint([service("network", "http://a")], NETWORK, overridden) == (
        "https://elsewhere/net/v2.0"
    )
    assert offered([], NETWORK, overridden)
