"""What Salt's `parallels` sends and what it needs, in a client of our own (page, 7.1).

Nothing is sent beforehand: the password goes to the one realm that it was registered for, after
a 401. Every body with a length is parsed as XML, every body without one counts as empty.
"""

import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

import pytest


class Handler(urllib.request.HTTPBasicAuthHandler):
    """The library's own, which leaves the refused reply open when it asks again."""

    def retry_http_basic_auth(self, host, req, realm):
        if self.passwd.find_user_password(realm, host)[1] is None:
            return None
        with self.refused:
            return super().retry_http_basic_auth(host, req, realm)

    def http_error_401(self, req, fp, code, msg, headers):
        self.refused = fp
        return super().http_error_401(req, fp, code, msg, headers)


class Salt:
    def __init__(self, settings, clock, realm="Parallels Instance Manager"):
        self.url = f"{settings['endpoint']}/"
        self.clock = clock
        handler = Handler()
        handler.add_password(
            realm=realm,
            uri=self.url,
            user=settings["username"],
            passwd=settings["password"],
        )
        self.opener = urllib.request.build_opener(handler)

    def query(self, action, command=None, method="GET", data=None):
        url = self.url + action + (f"/{command}" if command else "")
        request = urllib.request.Request(url, data=data, method=method)
        with self.opener.open(request, timeout=10) as reply:
            if reply.headers.get("Content-Length") is None:
                return None
            return ET.fromstring(reply.read())

    def wait(self, name, state):
        for _ in range(10):
            if self.query("ve", name).findtext("state") == state:
                return
            self.clock.now += 1
        raise AssertionError(f"{name} does not become {state}")

    def list_nodes(self):
        """`-Q`, and `-F` with the addresses."""
        nodes = {}
        for child in self.query("ve"):
            shown = self.show_instance(child.attrib["name"])
            nodes[child.attrib["name"]] = {
                "id": shown["id"],
                "image": shown["platform"]["template-info"]["name"],
                "state": shown["state"],
                "private": shown["network"].get("private-ip"),
                "public": shown["network"]["public-ip"]["address"],
            }
        return nodes

    def show_instance(self, name):
        found = {}
        for item in self.query("ve", name):
            found[item.tag] = item.text or dict(item.attrib)
            if len(item):
                found[item.tag] = {child.tag: dict(child.attrib) for child in item}
        return found

    def template(self, name, *, since_2014_7):
        """Attributes of the root, and from 2014.7 on those of its children."""
        document = self.query("template", name)
        if not since_2014_7:
            return dict(document.attrib)
        return next(dict(c.attrib) for c in document if c.attrib.get("name") == name)

    def create(self, name, template, *, declared):
        node = ET.Element("ve")
        ET.SubElement(node, "name").text = name
        ET.SubElement(node, "description").text = name
        ET.SubElement(node, "cpu", {"number": "1", "power": "1000"})
        ET.SubElement(node, "ram-size").text = "256"
        ET.SubElement(node, "bandwidth").text = "100"
        ET.SubElement(node, "no-of-public-ip").text = "1"
        ET.SubElement(node, "ve-disk", {"local": "true", "size": "10"})
        platform = ET.SubElement(node, "platform")
        ET.SubElement(platform, "template-info", {"name": template["name"]})
        ET.SubElement(
            platform,
            "os-info",
            {"technology": template["technology"], "type": template["osType"]},
        )
        ET.SubElement(node, "admin", {"login": "root", "password": "demo-secret"})
        data = ET.tostring(node, "UTF-8", xml_declaration=declared)
        assert data.startswith(b"<?xml") is declared
        return self.query("ve", method="POST", data=data)

    def destroy(self, name):
        if self.query("ve", name).findtext("state") == "STARTED":
            self.query("ve", f"{name}/stop", method="PUT")
            self.wait(name, "STOPPED")
        return self.query("ve", name, method="DELETE")


@pytest.fixture(params=["template", "template-list"])
def shape(request):
    return request.param


@pytest.fixture
def options(shape):
    return {"template_shape": shape}


@pytest.fixture
def salt(cloud, url, clock):
    return Salt(cloud.settings(url), clock)


@pytest.mark.parametrize("declared", [True, False])
def test_a_machine_from_the_profile_to_its_end(salt, cloud, clock, shape, declared):
    template = salt.template("centos-6-x86_64", since_2014_7=shape == "template-list")
    reply = salt.create("web1", template, declared=declared)
    assert reply.findtext("password") == "demo-secret"
    salt.wait("web1", "CREATED")
    assert salt.query("ve", "web1/start", method="PUT") is None
    salt.wait("web1", "STARTED")
    address = salt.show_instance("web1")["network"]["public-ip"]["address"]
    assert address.split("/") == ["198.18.0.12", "24"]
    assert salt.destroy("web1") is None
    clock.now += 4
    with pytest.raises(urllib.error.HTTPError) as refused:
        salt.query("ve", "web1")
    with refused.value as error:
        assert error.code == 404
        assert ET.fromstring(error.read()) is not None


def test_every_call_is_two_requests(salt, cloud):
    salt.query("ve")
    salt.query("ve", "lisbon-0001/stop", method="PUT")
    assert [tuple(r) for r in cloud.requests] == [
        ("GET", "/paci/v1.0/ve"),
        ("GET", "/paci/v1.0/ve"),
        ("PUT", "/paci/v1.0/ve/lisbon-0001/stop"),
        ("PUT", "/paci/v1.0/ve/lisbon-0001/stop"),
    ]


def test_list_of_machines(salt):
    nodes = salt.list_nodes()
    assert len(nodes) == 10
    assert nodes["lisbon-0001"] == {
        "id": "101",
        "image": "centos-6-x86_64",
        "state": "STARTED",
        "private": None,  # flattening loses it where there are public addresses
        "public": "198.18.0.2/24",
    }


def test_list_of_images(salt):
    images = {child.attrib["name"]: child.attrib for child in salt.query("template")}
    assert images["centos-6-x86_64"]["id"] == "45"


def test_304_is_an_error_to_it(salt):
    with pytest.raises(urllib.error.HTTPError) as refused:
        salt.query("ve", "lisbon-0001/start", method="PUT")
    with refused.value as error:
        assert error.code == 304
        assert error.read() == b""


def test_no_other_realm_gets_its_password(cloud, url, clock):
    salt = Salt(cloud.settings(url), clock, realm="Somebody Else")
    with pytest.raises(urllib.error.HTTPError) as refused:
        salt.query("ve")
    with refused.value as error:
        assert error.code == 401
        assert ET.fromstring(error.read()).findtext("message")
    assert cloud.requests.total == 1
