"""The table of Deltacloud's vocabulary is whole, and says what the broker says."""

import inspect
from typing import get_type_hints

import msgspec
import pytest

from anabranch import FEATURES, OPERATIONS, Broker, Capabilities, Configuration, Feature
from anabranch_server.deltacloud import running
from anabranch_server.deltacloud.specs.values import _READERS
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, features_of

NOT_DELTACLOUDS = {
    "get_instance_console": "Deltacloud has no consoles, and no document for one",
    "list_quotas": "Deltacloud has no quotas",
}
OF_BLOBS = {name for name, operation in OPERATIONS.items() if operation.collection == "blobs"}
"""They are reached below a bucket: by deltacloud/blobs.py, whose tests show each."""

NAMES = (
    "addresses buckets firewalls hardware_profiles images instances keys load_balancers metrics"
    " network_interfaces networks realms storage_snapshots storage_volumes subnets"
)
DELTACLOUDS = {
    ("images", "index", "owner_id"): ["owner_id"],
    ("images", "create", "image_name"): ["name"],
    ("images", "create", "image_description"): ["description"],
    ("buckets", "create", "bucket_location"): ["location"],
    ("instances", "index", "realm_filter"): ["realm_id"],
    ("instances", "create", "user_name"): ["name"],
    ("instances", "create", "user_data"): ["user_data"],
    ("instances", "create", "user_files"): [
        *(f"path{n}" for n in range(1, 6)),
        *(f"content{n}" for n in range(1, 6)),
    ],
    ("instances", "create", "user_iso"): ["user_iso"],
    ("instances", "create", "firewalls"): ["firewalls"],
    ("instances", "create", "authentication_key"): ["keyname"],
    ("instances", "create", "authentication_password"): ["password"],
    ("instances", "create", "metrics"): ["metrics"],
    ("instances", "create", "hardware_profiles"): [
        "hwp_cpu",
        "hwp_memory",
        "hwp_storage",
        "hwp_architecture",
    ],
    ("instances", "create", "register_to_load_balancer"): ["load_balancer_id"],
    ("instances", "create", "instance_count"): ["instance_count"],
    ("instances", "create", "attach_snapshot"): ["snapshot_id", "device_name"],
    ("instances", "create", "sandboxing"): ["sandbox"],
    ("keys", "create", "import_key"): ["public_key"],
    ("storage_volumes", "create", "volume_name"): ["name"],
    ("storage_volumes", "create", "volume_description"): ["description"],
}
"""Deltacloud's own features (deltacloud.md, 7), and the parameters of each."""


def every_action() -> list[tuple[Collection, Action]]:
    """Every one that the broker does; commands on instances are the daemon's own."""
    actions = [(c, action) for c in COLLECTIONS.values() for action in c.actions]
    return [(c, action) for c, action in actions if action.operation != running.OPERATION]


def offered() -> Capabilities:
    broker = Broker(Configuration(clouds={"lisbon": {"driver": "mock"}}))
    return broker.capabilities("lisbon")


def test_it_has_all_collections_in_the_order_of_the_entry_point():
    assert " ".join(COLLECTIONS) == NAMES


def test_every_operation_of_the_broker_is_reached_or_said_not_to_be():
    reached = {operation for c in COLLECTIONS.values() for operation in _reads(c)}
    for _, action in every_action():
        reached |= {action.operation, *(p.operation for p in action.parameters if p.operation)}
    assert reached | NOT_DELTACLOUDS.keys() | OF_BLOBS == OPERATIONS.keys()
    assert not reached & NOT_DELTACLOUDS.keys()


def _reads(collection: Collection) -> set[str]:
    return {collection.index_operation, collection.show_operation}


def test_an_action_is_of_its_collection():
    for collection, action in every_action():
        assert OPERATIONS[action.operation].collection == collection.name


def test_a_parameter_of_a_create_becomes_a_field_of_its_specification():
    for collection, action in every_action():
        if action.name != "create":
            continue
        spec = OPERATIONS[action.operation].types()["spec"]
        fields = set(spec.__struct_fields__)
        for parameter in action.parameters:
            first = parameter.target.partition(".")[0]
            made = {
                "path": "user_files",
                "content": "user_files",
                "listener_protocol": "listeners",
                "listener_balancer_port": "listeners",
                "listener_instance_port": "listeners",
            }.get(first, first)
            assert made in fields or parameter.operation, (collection.name, parameter.name)


def test_every_field_of_a_specification_can_be_given():
    for collection, action in every_action():
        if action.name != "create":
            continue
        spec = OPERATIONS[action.operation].types()["spec"]
        given = {p.target.partition(".")[0] for p in action.parameters}
        if given & {"path", "content"}:
            given |= {"user_files"}
        if "listener_protocol" in given:
            given |= {"listeners"}
        assert set(spec.__struct_fields__) <= given, collection.name


def test_a_parameter_of_an_action_is_an_argument_of_the_broker():
    broker = Broker(Configuration(clouds={}))
    for collection, action in every_action():
        if action.name in ("create", "destroy"):
            continue
        method = getattr(getattr(broker, collection.name), action.verb or action.name)
        arguments = inspect.signature(method).parameters
        if "spec" in arguments:
            continue
        assert {p.target for p in action.parameters} <= arguments.keys(), action.name


def test_features_are_asked_for_by_the_fields_that_the_broker_knows():
    for _, action in every_action():
        for parameter in action.parameters:
            if parameter.feature is None:
                continue
            of = FEATURES[parameter.feature]
            assert action.operation in of.operations
            target = parameter.target.partition(".")[0]
            target = "user_files" if target in ("path", "content") else target
            assert target in of.fields, parameter.name


def test_every_feature_can_be_asked_for():
    asked = {p.feature for _, action in every_action() for p in action.parameters}
    asked |= {p.feature for c in COLLECTIONS.values() for p in c.filters}
    assert asked - {None} == set(Feature)


def test_every_kind_can_be_read():
    for _, action in every_action():
        for parameter in action.parameters:
            assert parameter.kind in COLLECTIONS or parameter.kind in _READERS


def test_filters_are_fields_of_the_model():
    for collection in COLLECTIONS.values():
        fields = get_type_hints(OPERATIONS[collection.index_operation].model())
        assert collection.filters[0].name == "id"
        assert {p.name for p in collection.filters} <= fields.keys()


@pytest.mark.parametrize(("collection", "action", "feature"), DELTACLOUDS)
def test_a_feature_has_the_parameters_of_deltacloud(collection, action, feature):
    found = {(f.action, f.name): f for f in features_of(COLLECTIONS[collection], offered())}
    names = [name for p in found[action, feature].parameters for name in p.names]
    assert names == DELTACLOUDS[collection, action, feature]


def test_a_feature_is_told_only_where_it_is_offered():
    capabilities = offered()
    without = msgspec.structs.replace(capabilities["create_instance"], features=frozenset())
    rest = [c for name, c in capabilities.items() if not name.startswith("create_instance")]
    poor = Capabilities("mock", [*rest, without])
    assert [
        f.name for f in features_of(COLLECTIONS["instances"], poor) if f.action == "create"
    ] == []


def test_the_limits_of_a_feature_are_told():
    found = {f.name: f.constraints for f in features_of(COLLECTIONS["instances"], offered())}
    assert found["user_name"] == {"max_length": "255"}
    assert found["metrics"] == {}


@pytest.mark.parametrize(
    ("method", "tail", "found"),
    [
        ("DELETE", ["rules", "r 1"], {"rule_id": "r 1"}),
        ("DELETE", ["r1"], {"rule_id": "r1"}),
        ("DELETE", [], None),
        ("DELETE", ["rules", "r1", "x"], None),
        ("POST", ["r1"], None),
    ],
)
def test_an_action_knows_its_paths(method, tail, found):
    action = COLLECTIONS["firewalls"].action("remove_rule")
    assert action is not None
    assert action.matches(method, tail) == found
