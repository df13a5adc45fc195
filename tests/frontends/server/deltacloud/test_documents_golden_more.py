"""The other documents: networks, firewalls, balancers, metrics, and what is no collection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree

import msgspec
import pytest

from anabranch import CloudReport, CloudStatus, ErrorReport, StateMachine
from anabranch.models import (
    Firewall,
    FirewallRule,
    Listener,
    LoadBalancer,
    Metric,
    MetricSample,
    MetricSeries,
    Network,
    NetworkInterface,
    NetworkState,
    Realm,
    RuleSource,
    SourceKind,
    Subnet,
)
from anabranch_mock.states import INSTANCE_STATES
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.links import View

from .documents_samples import MADE, NOTHING, offering, same


def test_networks_subnets_and_interfaces():
    view = offering("destroy_network", "destroy_subnet", "destroy_network_interface")
    network = Network(
        cloud="mock", id="net1", name="network1", state=NetworkState.UP,
        address_blocks=("192.168.0.0/16",), subnet_ids=("subnet1",),
    )  # fmt: skip
    same(
        documents.show_xml("networks", network, view),
        """<network href='http://broker.test/api/networks/net1' id='net1'>
          <name>network1</name>
          <state>UP</state>
          <address_blocks> <address_block>192.168.0.0/16</address_block> </address_blocks>
          <subnets>
            <subnet href='http://broker.test/api/subnets/subnet1' id='subnet1'></subnet>
          </subnets>
          <actions>
            <link href='http://broker.test/api/networks/net1' method='delete' rel='destroy' />
          </actions>
        </network>""",
    )
    subnet = Subnet(
        cloud="mock", id="subnet1", name="subnet1", state=NetworkState.UP, network_id="net1",
        address_block="192.168.1.0/24", kind="PRIVATE",
    )  # fmt: skip
    same(
        documents.show_xml("subnets", subnet, view),
        """<subnet href='http://broker.test/api/subnets/subnet1' id='subnet1'>
          <name>subnet1</name><state>UP</state><address_block>192.168.1.0/24</address_block>
          <network>net1</network>
          <actions>
            <link href='http://broker.test/api/subnets/subnet1' method='delete' rel='destroy' />
          </actions>
        </subnet>""",
    )
    interface = NetworkInterface(
        cloud="mock", id="nic1", name="nic1", ip_addresses=("192.168.1.2",), network_id="net1",
        subnet_id="subnet1", instance_id="inst1",
    )  # fmt: skip
    same(
        documents.show_xml("network_interfaces", interface, view),
        """<network_interface href='http://broker.test/api/network_interfaces/nic1' id='nic1'>
          <name>nic1</name><ip_address>192.168.1.2</ip_address>
          <network href='http://broker.test/api/subnets/subnet1' id='subnet1' rel='subnet'
            >subnet1</network>
          <instance href='http://broker.test/api/instances/inst1' id='inst1'>inst1</instance>
          <actions>
            <link href='http://broker.test/api/network_interfaces/nic1' method='delete'
              rel='destroy' />
          </actions>
        </network_interface>""",
    )
    plain = documents.show_plain("networks", network, NOTHING)["network"]
    assert plain["address_blocks"] == ["192.168.0.0/16"]
    assert plain["subnets"][0]["id"] == "subnet1"
    assert documents.show_plain("subnets", subnet, NOTHING)["subnet"]["type"] == "PRIVATE"
    plain = documents.show_plain("network_interfaces", interface, NOTHING)["network_interface"]
    assert plain["ip_address"] == "192.168.1.2"


def test_a_firewall_in_both_formats():
    item = Firewall(
        cloud="mock", id="fw1", name="web", description="from & for all", owner_id="mockuser",
        rules=(
            FirewallRule(
                id="r1", protocol="tcp", port_from=80, port_to=443,
                sources=(
                    RuleSource(cidr="0.0.0.0/0"),
                    RuleSource(cidr="2001:db8::/32"),
                    RuleSource(kind=SourceKind.GROUP, group="lb", owner="them"),
                ),
            ),
        ),
    )  # fmt: skip
    view = offering("destroy_firewall", "add_firewall_rule", "remove_firewall_rule")
    root = "http://broker.test/api/firewalls/fw1"
    same(
        documents.show_xml("firewalls", item, view),
        f"""<firewall href='{root}' id='fw1'>
          <actions>
            <link href='{root}' method='delete' rel='destroy' />
            <link href='{root}/rules' method='post' rel='add_rule' />
            <link href='{root}/rules' method='post' rel='update' />
          </actions>
          <name>web</name>
          <description><![CDATA[from & for all]]></description>
          <owner_id>mockuser</owner_id>
          <rules>
            <rule href='{root}/r1' id='r1'>
              <actions><link href='{root}/r1' method='delete' rel='destroy' /></actions>
              <allow_protocol>tcp</allow_protocol>
              <port_from>80</port_from>
              <port_to>443</port_to>
              <direction>ingress</direction>
              <rule_action>accept</rule_action>
              <log_rule>false</log_rule>
              <sources>
                <source address='0.0.0.0' family='ipv4' prefix='0' type='address' />
                <source address='2001:db8::' family='ipv6' prefix='32' type='address' />
                <source name='lb' owner='them' type='group' />
              </sources>
            </rule>
          </rules>
        </firewall>""",
    )
    plain = json.loads(documents.encode(documents.show_plain("firewalls", item, view)))["firewall"]
    assert plain["rules"][0]["sources"][1] == {
        "address": "2001:db8::", "family": "ipv6", "prefix": "32", "type": "address",
    }  # fmt: skip
    assert plain["rules"][0]["port_to"] == 443
    assert plain["rules"][0]["log_rule"] is False


def test_a_load_balancer_in_both_formats():
    item = LoadBalancer(
        cloud="mock", id="lb1", name="web", realm_id="us", created_at=MADE,
        public_addresses=("lb1.example.com",), instance_ids=("inst1",),
        listeners=(Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080),),
    )  # fmt: skip
    view = offering("destroy_load_balancer", "register_instance", "unregister_instance")
    root = "http://broker.test/api"
    same(
        documents.show_xml("load_balancers", item, view),
        f"""<load_balancer href='{root}/load_balancers/lb1' id='lb1'>
          <name>web</name>
          <actions>
            <link href='{root}/load_balancers/lb1' method='delete' rel='destroy' />
            <link href='{root}/load_balancers/lb1/register' method='post' rel='register' />
          </actions>
          <public_addresses><address>lb1.example.com</address></public_addresses>
          <created_at>2009-07-30T14:35:11Z</created_at>
          <realm href='{root}/realms/us' id='us'></realm>
          <listeners>
            <listener protocol='HTTP'>
              <load_balancer_port>80</load_balancer_port>
              <instance_port>8080</instance_port>
            </listener>
          </listeners>
          <instances>
            <instance href='{root}/instances/inst1' id='inst1'>
              <link href='{root}/load_balancers/lb1/unregister?instance_id=inst1' method='post'
                rel='unregister' />
            </instance>
          </instances>
        </load_balancer>""",
    )
    plain = json.loads(documents.encode(documents.show_plain("load_balancers", item, view)))[
        "load_balancer"
    ]
    assert plain["listeners"] == [
        {"protocol": "HTTP", "load_balancer_port": 80, "instance_port": 8080}
    ]
    assert plain["instances"][0]["actions"][0]["rel"] == "unregister"


def test_metrics_are_elements_of_their_names_as_far_as_xml_lets_them():
    sample = MetricSample(
        timestamp=datetime.fromtimestamp(1795357115, UTC), minimum=0.11, maximum=0.66, average=0.385
    )
    item = Metric(
        cloud="mock", id="inst0", entity="instance",
        series=(
            MetricSeries(name="cpuUtilization", unit="Percent", samples=(sample,)),
            MetricSeries(name="5 min/load:avg"),
        ),
    )  # fmt: skip
    same(
        documents.show_xml("metrics", item, NOTHING),
        """<metric href='http://broker.test/api/metrics/inst0' id='inst0'>
          <entity>instance</entity>
          <properties>
            <cpuUtilization>
              <sample>
                <property name='minimum' value='0.11' />
                <property name='maximum' value='0.66' />
                <property name='average' value='0.385' />
                <property name='timestamp' value='1795357115' />
                <property name='unit' value='Percent' />
              </sample>
            </cpuUtilization>
            <_5_min_load_avg name='5 min/load:avg'></_5_min_load_avg>
          </properties>
        </metric>""",
    )
    values = documents.show_plain("metrics", item, NOTHING)["metric"]["properties"][0]["values"]
    assert values == [
        {"minimum": 0.11, "maximum": 0.66, "average": 0.385, "timestamp": 1795357115,
         "unit": "Percent"}
    ]  # fmt: skip


FEATURES = (
    documents.FeatureEntry(name="metrics", operation="create", params=("metrics",)),
    documents.FeatureEntry(name="realm_filter", operation="index", params=("realm_id",)),
    documents.FeatureEntry(
        name="user_name", operation="create", params=("name",), constraints={"max_length": "63"}
    ),
)
ENTRY = documents.EntryPoint(
    version="1.1.3",
    driver="mock",
    links=(
        documents.CollectionLink(name="addresses", href="http://broker.test/api/addresses"),
        documents.CollectionLink(
            name="instances", href="http://broker.test/api/instances", features=FEATURES
        ),
    ),
)


def test_the_entry_point():
    document = documents.entry_point_xml(ENTRY)

    assert document.startswith(b"<api driver='mock' version='1.1.3'>\n")
    same(
        document,
        """<api driver='mock' version='1.1.3'>
          <link href='http://broker.test/api/addresses' rel='addresses'>
          </link>
          <link href='http://broker.test/api/instances' rel='instances'>
            <feature name='metrics' rel='create'>
              <param name='metrics' />
            </feature>
            <feature name='realm_filter' rel='index'>
              <param name='realm_id' />
            </feature>
            <feature name='user_name' rel='create'>
              <param name='name' />
              <constraint name='max_length'>63</constraint>
            </feature>
          </link>
        </api>""",
    )
    plain = json.loads(documents.encode(documents.entry_point_plain(ENTRY)))["api"]
    assert (plain["version"], plain["driver"], plain["provider"]) == ("1.1.3", "mock", "default")
    assert plain["links"][0] == {
        "rel": "addresses", "href": "http://broker.test/api/addresses", "features": [],
    }  # fmt: skip
    assert plain["links"][1]["features"][0] == [
        {"name": "metrics", "rel": "create", "params": ["metrics:string:optional"],
         "constraints": {}}
    ]  # fmt: skip


def test_an_error():
    error = documents.ErrorDocument(
        status=404, url="/api/instances/nope", driver="mock", message="Not Found",
        error="NotFound", params={"id": "nope"},
    )  # fmt: skip
    document = documents.error_xml(error)

    same(
        document,
        """<error status='404' url='/api/instances/nope'>
          <backend driver='mock' provider='default'></backend>
          <code>404</code>
          <kind>NotFound</kind>
          <message><![CDATA[Not Found]]></message>
          <request>
            <param name='id'><![CDATA[nope]]></param>
          </request>
        </error>""",
    )
    plain = json.loads(documents.encode(documents.error_plain(error)))
    assert (plain["code"], plain["message"], plain["error"]) == (404, "Not Found", "NotFound")


STATES = """<states>
  <state name='start'> <transition action='create' to='pending'></transition> </state>
  <state name='pending'> <transition auto='true' to='running'></transition> </state>
  <state name='running'>
    <transition action='reboot' to='running'></transition>
    <transition action='stop' to='stopped'></transition>
  </state>
  <state name='stopped'>
    <transition action='start' to='running'></transition>
    <transition action='destroy' to='finish'></transition>
  </state>
  <state name='finish'> </state>
</states>"""


def test_the_states_are_deltaclouds_and_what_else_our_drivers_can_do_is_not_in_them():
    document = documents.states_xml(INSTANCE_STATES)

    assert document.startswith(b"<states>")
    same(document, STATES)
    assert json.loads(documents.encode(documents.states_plain(INSTANCE_STATES))) == [
        {"name": "start", "transitions": [{"to": "pending", "action": "create"}]},
        {"name": "pending", "transitions": [{"to": "running", "auto": "true"}]},
        {
            "name": "running",
            "transitions": [
                {"to": "running", "action": "reboot"},
                {"to": "stopped", "action": "stop"},
            ],
        },
        {
            "name": "stopped",
            "transitions": [
                {"to": "running", "action": "start"},
                {"to": "finish", "action": "destroy"},
            ],
        },
        {"name": "finish", "transitions": []},
    ]


def test_the_states_as_a_graph():
    machine = StateMachine(("START", "create", "PENDING"), ("PENDING", None, "RUNNING"))

    assert documents.states_gv(machine).decode() == (
        "digraph states {\n"
        "  node [shape=box];\n"
        '  start -> pending [label="create"];\n'
        "  pending -> running [style=dashed];\n"
        "}\n"
    )


def test_drivers():
    ec2 = documents.DriverEntry(
        id="ec2",
        name="EC2",
        providers=(
            documents.ProviderEntry(id="eu-west-1", entrypoints={"ec2": "https://e.example/?a&b"}),
        ),
    )
    mock = documents.DriverEntry(id="mock", name="Mock")
    root = "http://broker.test/api/drivers"
    same(
        documents.driver_xml(mock, NOTHING),
        f"<driver href='{root}/mock' id='mock'><name>Mock</name></driver>",
    )
    same(
        documents.driver_xml(ec2, NOTHING),
        f"""<driver href='{root}/ec2' id='ec2'><name>EC2</name><provider id='eu-west-1'>
          <entrypoint kind='ec2'><![CDATA[https://e.example/?a&b]]></entrypoint>
        </provider></driver>""",
    )
    same(
        documents.drivers_xml([mock, ec2], NOTHING),
        f"""<drivers>
          <driver href='{root}/mock' id='mock'><name>Mock</name></driver>
          <driver href='{root}/ec2' id='ec2'><name>EC2</name><provider id='eu-west-1'></provider>
          </driver>
        </drivers>""",
    )
    plain = json.loads(documents.encode(documents.driver_plain(mock, NOTHING)))["driver"]
    assert (plain["id"], plain["name"]) == ("mock", "Mock")
    assert list(json.loads(documents.encode(documents.drivers_plain([mock, ec2], NOTHING)))) == [
        "mock",
        "ec2",
    ]


def test_what_a_command_said():
    told = documents.CommandOutput(
        cloud="mock", instance_id="inst1", public_address="192.0.2.1", command="ls",
        output="a\n  b\n", exit_status=0, truncated=True,
    )  # fmt: skip
    root = ElementTree.fromstring(documents.run_xml(told, NOTHING))

    assert root.findtext("output") == "a\n  b\n"
    assert [one.tag for one in root] == ["public_address", "command", "output", "exit_status"]
    assert root[2].attrib == {"truncated": "true"}


REPORTS = [
    CloudReport(name="lisbon", driver="mock", status=CloudStatus.OK, count=1, elapsed_ms=4),
    CloudReport(
        name="porto", driver="paci", status=CloudStatus.FAILED, elapsed_ms=9,
        error=ErrorReport(type="CloudUnavailable", message="it's ?> gone", retryable=True),
    ),
]  # fmt: skip


def test_what_became_of_each_cloud_is_no_element():
    view = View("http://broker.test/api", qualified=True)
    items = [Realm(cloud="lisbon", id="r", name="r")]
    document = documents.index_xml("realms", items, view, REPORTS)

    assert [one.attrib["id"] for one in ElementTree.fromstring(document)] == ["lisbon/r"]
    assert document.endswith(
        b"  <?cloud name='lisbon' driver='mock' status='ok' count='1'?>\n"
        b"  <?cloud name='porto' driver='paci' status='failed' count='0' error='CloudUnavailable'"
        b" message='it&#39;s ?&gt; gone' remedy='' retryable='true'?>\n"
        b"</realms>\n"
    )
    plain = json.loads(documents.index_json("realms", items, view, REPORTS))
    assert [(one["name"], one["status"]) for one in plain["clouds"]] == [
        ("lisbon", "ok"), ("porto", "failed"),
    ]  # fmt: skip


def test_how_long_it_took_does_not_change_the_document():
    later = [msgspec.structs.replace(one, elapsed_ms=one.elapsed_ms + 1) for one in REPORTS]
    for write in (documents.index_xml, documents.index_json):
        assert write("realms", [], NOTHING, REPORTS) == write("realms", [], NOTHING, later)


@pytest.mark.parametrize("collection", ["machines", "instance_states"])
def test_what_is_no_collection_has_no_document(collection: str):
    with pytest.raises(KeyError, match=collection):
        documents.index_xml(collection, [], NOTHING)
