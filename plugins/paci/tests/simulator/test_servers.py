"""What servers do, by the clock."""

import pytest


def attributes(document):
    return {child.get("name"): dict(child.attrib) for child in document}


def test_a_server_lives_and_dies(api, clock, ve_body):
    api.do("POST", "/ve", ve_body())
    assert api.state("web1") == "CREATION_IN_PROGRESS"
    clock.now += 3.9
    assert api.state("web1") == "CREATION_IN_PROGRESS"
    clock.now += 0.1
    assert api.state("web1") == "CREATED"

    api.do("PUT", "/ve/web1/start")
    assert api.state("web1") == "START_IN_PROGRESS"
    clock.now += 4
    assert api.state("web1") == "STARTED"

    api.do("PUT", "/ve/web1/stop")
    assert api.state("web1") == "STOP_IN_PROGRESS"
    clock.now += 4
    assert api.state("web1") == "STOPPED"

    api.do("DELETE", "/ve/web1")
    assert api.state("web1") == "DELETE_IN_PROGRESS"
    assert attributes(api.get("/ve"))["web1"]["state"] == "DELETE_IN_PROGRESS"
    clock.now += 4
    assert api.call("GET", "/ve/web1").status == 404
    assert "web1" not in attributes(api.get("/ve"))
    api.do("POST", "/ve", ve_body())


def test_looking_at_a_server_does_not_move_it(api, ve_body):
    api.do("POST", "/ve", ve_body())
    assert {api.state("web1") for _ in range(20)} == {"CREATION_IN_PROGRESS"}


def test_the_steady_state_is_where_it_goes(api):
    api.do("PUT", "/ve/lisbon-0001/stop")
    shown = api.ve("lisbon-0001")
    assert (shown.findtext("state"), shown.findtext("steady-state")) == (
        "STOP_IN_PROGRESS",
        "STOPPED",
    )


def test_what_is_so_already_is_not_done_again(api):
    api.do("PUT", "/ve/lisbon-0001/start", status=304)
    api.do("PUT", "/ve/lisbon-0008/stop", status=304)
    api.do("PUT", "/ve/lisbon-0010/stop", status=304)  # CREATED
    assert api.state("lisbon-0010") == "CREATED"


def test_nothing_is_begun_while_something_goes_on(api, ve_body):
    api.do("POST", "/ve", ve_body())
    for method, path in (
        ("PUT", "/start"),
        ("PUT", "/stop"),
        ("DELETE", ""),
        ("POST", "/recreate"),
        ("POST", "/clone-to/web2"),
        ("POST", "/reset-password"),
        ("POST", "/backup"),
        ("POST", "/console"),
    ):
        reply = api.do(method, f"/ve/web1{path}", status=409)
        assert "CREATION_IN_PROGRESS" in reply.xml.findtext("message"), (method, path)
    api.do("PUT", "/ve/web1", "<reconfigure-ve><ram-size>1</ram-size></reconfigure-ve>", 409)
    assert api.state("web1") == "CREATION_IN_PROGRESS"


def test_a_server_that_runs_is_not_deleted(api):
    api.do("DELETE", "/ve/lisbon-0001", status=409)
    assert api.state("lisbon-0001") == "STARTED"


def test_a_name_is_given_once(api, ve_body):
    api.do("POST", "/ve", ve_body())
    before = api.call("GET", "/ve/web1").body
    api.do("POST", "/ve", ve_body(more="<description>another</description>"), 409)
    api.do("POST", "/ve/web1/from/lisbon-golden", status=409)
    api.do("POST", "/ve/lisbon-0001/clone-to/web1", status=409)
    assert api.call("GET", "/ve/web1").body == before


def test_the_reply_to_a_creation_has_the_password(api, ve_body):
    made_up = api.do("POST", "/ve", ve_body()).xml
    assert [child.tag for child in made_up] == ["id", "message", "password"]
    assert len(made_up.findtext("password")) == 8
    own = '<admin login="chief" password="S3cret&amp;quot"/>'
    given = api.do("POST", "/ve", ve_body("web2", more=own))
    assert given.xml.findtext("password") == "S3cret&quot"
    assert api.ve("web2").find("admin").attrib == {"login": "chief"}


def test_all_of_a_creation_is_kept(api):
    body = """<ve custom-ns="1"><subscription-id> 1000077 </subscription-id><name>web1</name>
    <hostname>web1.example.com</hostname><description>front &amp; back</description>
    <backup-schedule name="daily"/><admin login="root"/><ram-size> 2048 </ram-size>
    <no-of-public-ipv6>2</no-of-public-ipv6><no-of-public-ip>3</no-of-public-ip>
    <platform><os-info type="linux-free" technology="VM"/>
    <template-info name="ubuntu-12.04-x86_64"/></platform>
    <ve-disk size="40" local="false" primary="true"/><bandwidth>20480</bandwidth>
    <cpu power="1000" number="4"/></ve>"""
    api.do("POST", "/ve", body)
    shown = api.ve("web1")
    assert shown.findtext("hostname") == "web1.example.com"
    assert shown.findtext("description") == "front & back"
    assert shown.find("backup-schedule").get("name") == "daily"
    assert (shown.findtext("ram-size"), shown.findtext("bandwidth")) == ("2048", "20480")
    assert shown.find("cpu").attrib == {"number": "4", "power": "1000"}
    disk = shown.find("ve-disk")
    assert (disk.get("size"), disk.get("local"), disk.get("created")) == ("40", "false", "false")
    assert len(shown.findall("network/public-ip")) == 3
    assert len(shown.findall("network/public-ipv6")) == 2
    assert shown.find("platform/os-info").get("technology") == "VM"


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ('<cpu number="1" power="1600"/>', "", 400),
        ('number="1"', 'number="one"', 400),
        ('number="1"', "", 400),
        ("<ram-size>512</ram-size>", "", 400),
        ("<ram-size>512", "<ram-size>-1", 400),
        ("<ram-size>512", "<ram-size>٣", 400),
        ("<ram-size>512", "<ram-size>99999999999999999999", 400),
        ("<bandwidth>10240</bandwidth>", "", 400),
        ('<ve-disk local="true" size="10"/>', "", 400),
        ('size="10"', 'size="9"', 400),  # the template needs 10
        ("centos-6-x86_64", "no-such-template", 404),
        ("centos-6-x86_64", "fedora-core-14-x86_64", 409),  # not active
        ('technology="CT"', 'technology="VM"', 400),
        ("linux-free", "win-2012", 400),
        ("<name>web1</name>", "", 400),
        ("web1", "", 400),
        ("web1", "w" * 256, 400),
        ("<no-of-public-ip>1", "<no-of-public-ip>101", 400),
        ("<no-of-public-ip>1", "<no-of-public-ip>2147483647", 400),
        ("<bandwidth>", '<backup-schedule name="never"/><bandwidth>', 400),
    ],
)
def test_a_creation_that_makes_no_sense_is_refused(api, ve_body, old, new, status):
    body = ve_body().replace(old, new, 1)
    assert body != ve_body()
    api.do("POST", "/ve", body.encode(), status)
    assert len(api.get("/ve")) == 10


def test_a_server_without_public_addresses(api, ve_body):
    api.do("POST", "/ve", ve_body().replace("<no-of-public-ip>1</no-of-public-ip>", ""))
    assert list(api.ve("web1").find("network")) == []


def test_of_an_image(api, clock):
    reply = api.do("POST", "/ve/web1/from/lisbon-golden")
    assert reply.headers["Content-Type"] == "text/plain"
    clock.now += 4
    shown = api.ve("web1")
    assert shown.findtext("state") == "CREATED"
    assert shown.find("platform/template-info").get("name") == "centos-6-x86_64"
    assert len(shown.findall("network/public-ip")) == 1
    api.do("POST", "/ve/web2/from/nothing", status=404)


def test_a_clone_is_like_its_source(api, clock):
    reply = api.do("POST", "/ve/lisbon-0002/clone-to/twin")
    assert reply.xml.findtext("password")
    clock.now += 4
    source, twin = api.ve("lisbon-0002"), api.ve("twin")
    assert twin.findtext("state") == "CREATED"
    for tag in ("ram-size", "bandwidth", "description", "template-id"):
        assert twin.findtext(tag) == source.findtext(tag)
    assert twin.find("ve-disk").get("size") == source.find("ve-disk").get("size")
    for path in ("network/public-ip", "network/public-ipv6"):
        assert twin.find(path).get("address") != source.find(path).get("address")
    assert twin.findtext("uuid") != source.findtext("uuid")


def test_recreated_in_its_place(api, clock):
    before = api.ve("lisbon-0002")
    api.do("PUT", "/ve/lisbon-0002/stop")
    clock.now += 4
    passwords = {api.do("POST", "/ve/lisbon-0002/reset-password").xml.findtext("password")}
    reply = api.do("POST", "/ve/lisbon-0002/recreate?template=centos-6-x86_64")
    passwords.add(reply.xml.findtext("password"))
    assert len(passwords) == 2
    assert (reply.xml.findtext("id"), len(reply.xml.findtext("password"))) == ("102", 8)
    assert api.state("lisbon-0002") == "CREATION_IN_PROGRESS"
    clock.now += 4
    after = api.ve("lisbon-0002")
    assert after.findtext("state") == "CREATED"
    assert after.find("platform/template-info").get("name") == "centos-6-x86_64"
    assert before.find("platform/template-info").get("name") == "debian-7.0-x86_64"
    assert [a.attrib for a in after.find("network")] == [a.attrib for a in before.find("network")]
    assert after.findtext("ram-size") == before.findtext("ram-size")
    api.do("POST", "/ve/lisbon-0002/recreate?template=nothing", status=404)


RECONFIGURE = "<reconfigure-ve>{}</reconfigure-ve>"


def test_a_change_is_there_when_its_time_has_come(api, clock):
    body = RECONFIGURE.format(
        '<description>new</description><change-cpu number="3"/><ram-size>4096</ram-size>'
        "<bandwidth>512</bandwidth><primary-disk-size>99</primary-disk-size>"
        '<reconfigure-ipv4><add-ip number="2"/></reconfigure-ipv4><custom-ns>1</custom-ns>'
    )
    before = api.call("GET", "/ve/lisbon-0001").body
    assert api.do("PUT", "/ve/lisbon-0001", body).headers["Content-Type"] == "text/plain"
    assert api.call("GET", "/ve/lisbon-0001").body == before
    clock.now += 4
    shown = api.ve("lisbon-0001")
    assert shown.findtext("description") == "new"
    assert shown.find("cpu").attrib == {"number": "3", "power": "1600"}
    assert (shown.findtext("ram-size"), shown.findtext("bandwidth")) == ("4096", "512")
    assert shown.find("ve-disk").get("size") == "99"
    assert len(shown.findall("network/public-ip")) == 3
    assert shown.findtext("state") == "STARTED"


def test_addresses_are_dropped_by_their_names(api, clock):
    add = '<reconfigure-ipv4><add-ip number="2"/></reconfigure-ipv4>'
    api.do("PUT", "/ve/lisbon-0001", RECONFIGURE.format(add))
    clock.now += 4
    first, second, third = (a.get("address") for a in api.ve("lisbon-0001").find("network"))
    drop = f'<reconfigure-ipv4><drop-ip ip="{first} {third}"/></reconfigure-ipv4>'
    api.do("PUT", "/ve/lisbon-0001", RECONFIGURE.format(drop))
    clock.now += 4
    assert [a.get("address") for a in api.ve("lisbon-0001").find("network")] == [second]


def test_two_changes_at_a_time_are_both_done(api, clock):
    api.do(
        "PUT", "/ve/lisbon-0001", RECONFIGURE.format("<primary-disk-size>80</primary-disk-size>")
    )
    add = '<reconfigure-ipv4><add-ip number="1"/></reconfigure-ipv4>'
    for _ in range(2):
        api.do("PUT", "/ve/lisbon-0001", RECONFIGURE.format(add))
    api.do(
        "PUT", "/ve/lisbon-0001", RECONFIGURE.format("<primary-disk-size>20</primary-disk-size>")
    )
    clock.now += 4
    shown = api.ve("lisbon-0001")
    assert shown.find("ve-disk").get("size") == "80"
    assert len(shown.findall("network/public-ip")) == 3


@pytest.mark.parametrize(
    "change",
    [
        "<ram-size>much</ram-size>",
        "<primary-disk-size>1</primary-disk-size>",
        "<reconfigure-ipv4/>",
        '<reconfigure-ipv4><add-ip number="1"/><drop-ip ip="198.18.0.2/24"/></reconfigure-ipv4>',
        '<reconfigure-ipv4><drop-ip ip="198.18.0.99/24"/></reconfigure-ipv4>',
        '<reconfigure-ipv6><add-ip number="x"/></reconfigure-ipv6>',
    ],
)
def test_a_change_that_makes_no_sense_is_refused(api, clock, change):
    before = api.call("GET", "/ve/lisbon-0001").body
    api.do("PUT", "/ve/lisbon-0001", RECONFIGURE.format(change), 400)
    clock.now += 4
    assert api.call("GET", "/ve/lisbon-0001").body == before


def test_a_password_is_made_up_each_time(api):
    passwords = {
        api.do("POST", "/ve/lisbon-0001/reset-password").xml.findtext("password") for _ in range(3)
    }
    assert len(passwords) == 3


def test_a_console_appears_in_the_server(api, clock):
    reply = api.do("POST", "/ve/lisbon-0001/console")
    assert reply.xml.findtext("id") == "101"
    assert api.ve("lisbon-0001").find("console") is None
    clock.now += 4
    console = api.ve("lisbon-0001").find("console")
    assert [child.tag for child in console] == ["address", "port"]
    assert int(console.findtext("port")) == 6001
    api.do("POST", "/ve/lisbon-0008/console", status=409)


def test_history_is_newest_first(api, clock):
    api.do("PUT", "/ve/lisbon-0001/stop")
    clock.now += 4
    latest = api.get("/ve/lisbon-0001/history/2")
    assert [s.get("state") for s in latest] == ["STOPPED", "STOP_IN_PROGRESS"]
    assert {s.get("is-lb") for s in latest} == {"false"}
    assert len(api.get("/ve/lisbon-0001/history/100")) == 5
    api.do("PUT", "/ve/lisbon-0001", "<reconfigure-ve><ram-size>64</ram-size></reconfigure-ve>")
    clock.now += 4
    resized, stopped = api.get("/ve/lisbon-0001/history/2")
    assert (resized.get("ram"), stopped.get("ram")) == ("64", "512")
    assert (resized.get("state"), stopped.get("state")) == ("STOPPED", "STOPPED")
    api.do("GET", "/ve/lisbon-0001/history/many", status=400)
    api.do("GET", "/ve/nothing/history/1", status=404)


def test_history_between_two_times(api, clock):
    api.do("PUT", "/ve/lisbon-0001/stop")
    clock.now += 4
    path = "/ve/lisbon-0001/history/2027-01-15%2008:00%20UTC/{}"  # the clock starts at 8:00
    both = api.get(path.format("2027-01-15%2012:01%20+04"))
    assert [s.get("state") for s in both] == ["STOPPED", "STOP_IN_PROGRESS"]
    assert both[0].get("event-timestamp") == "2027-01-15 08:00:04+00"
    assert len(api.get(path.format("2027-01-15%2007:00%20-0100"))) == 1
    assert len(api.get(path.format("2027-01-15%2007:59%20GMT"))) == 0
    for wrong in (
        "yesterday",
        "2027-02-31%2000:00%20UTC",
        "2027-01-15",
        "2027-01-15%2008:00%20+99",
    ):
        api.do("GET", path.format(wrong), status=400)


def test_usage_grows_with_time(api, clock, ve_body):
    path = "/ve/lisbon-0001/usage/2027-01-15%2008:00%20UTC/2027-01-15%2018:00%20UTC"
    clock.now += 600
    report = api.get(path)
    assert report.tag == "ve-resource-usage-report"
    assert (report.get("ve-name"), report.get("is-load-balancer")) == ("lisbon-0001", "false")
    used = {u.get("resource-type"): int(u.get("value")) for u in report.iter("resource-usage")}
    assert used["RAM"] == 512 * 10
    assert report.find("active-backup-schedule").get("schedule-name") == "weekly"
    assert len(list(report.iter("ve-traffic"))) == 2
    clock.now += 600
    assert api.get(path).find("resource-usage").get("value") == str(1600 * 20)
    api.do("POST", "/ve", ve_body())
    clock.now += 300
    young = api.get(path.replace("lisbon-0001", "web1"))
    assert young.find("resource-usage").get("value") == str(1600 * 5)
    assert young.get("life-time-in-minutes") == "5"


def test_what_is_not_there_is_404(api):
    for method, path in (
        ("GET", "/ve/nothing"),
        ("PUT", "/ve/nothing/start"),
        ("PUT", "/ve/nothing/stop"),
        ("DELETE", "/ve/nothing"),
        ("POST", "/ve/nothing/recreate"),
        ("POST", "/ve/nothing/clone-to/web1"),
        ("POST", "/ve/nothing/console"),
        ("POST", "/ve/nothing/reset-password"),
        ("GET", "/ve/nothing/firewall"),
        ("GET", "/template/nothing"),
        ("GET", "/image/nothing"),
        ("DELETE", "/image/nothing"),
        ("GET", "/load-balancer/nothing"),
        ("DELETE", "/load-balancer/nothing"),
        ("PUT", "/ve/lisbon-0001/restart"),  # there is no such verb
        ("GET", "/snapshot"),
    ):
        api.do(method, path, status=404)
