"""The contract as data: errors, ids, states, features, operations, hooks."""

import copy
import inspect
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anabranch
from anabranch import (
    FEATURES,
    OPERATIONS,
    Capabilities,
    Capability,
    ConfigurationError,
    ErrorReport,
    Feature,
    FeatureNotSupported,
    InstanceAction,
    InstanceState,
    OperationNotSupported,
    QualifiedId,
    SecretStr,
    errors,
    operations_of,
)
from anabranch.features import Offer, offered_by, offers, requested
from anabranch.hooks import COLLECTIONS, DriverSpec, Lacks, hookimpl
from anabranch.ids import check_cloud_name
from anabranch.models import Hardware, Listener, Resource, StorageSnapshotSpec
from anabranch.paging import Page
from anabranch.states import StateMachine

# ------------------------------------------------------------------------------------------ errors

CLASSES = [
    cls
    for cls in vars(errors).values()
    if isinstance(cls, type) and issubclass(cls, errors.AnabranchError)
]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    told: dict[str, str | None] = {}
    branch: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│├└─ ]*)(\w+)", line)
        if match is None:
            continue
        depth = len(match[1]) // 4
        del branch[depth:]
        told[match[2]] = branch[-1] if branch else None
        branch.append(match[2])
    assert told == {
        cls.__name__: None
        if cls is errors.AnabranchError
        else next(b.__name__ for b in cls.__bases__ if issubclass(b, errors.AnabranchError))
        for cls in CLASSES
    }


def test_every_error_is_public_and_explained():
    for cls in CLASSES:
        assert getattr(anabranch, cls.__name__) is cls
        assert cls.__name__ in errors.__all__
        assert cls.__doc__


@pytest.mark.parametrize("cls", [c for c in CLASSES if issubclass(c, errors.CloudError)])
def test_what_a_cloud_error_carries_and_says(cls):
    error = cls("two\n lines", provider_code=409, request_id="r1", remedy="Wait")
    error.locate("lisbon", "start_instance")
    error.locate("porto", "stop_instance")
    assert str(error) == "lisbon: start_instance: two lines. Wait (request id r1)"
    assert (error.provider_code, error.cloud, error.operation) == (
        "409",
        "lisbon",
        "start_instance",
    )
    other = copy.copy(error)
    assert (type(other), str(other), vars(other)) == (cls, str(error), vars(error))
    report = ErrorReport.of(error)
    assert (report.type, report.message, report.remedy) == (cls.__name__, "two lines", "Wait")
    assert report.retryable is cls.retryable
    assert str(cls()) == cls.__doc__
    assert ErrorReport.of(cls()).message == cls.__doc__


def test_other_errors_as_data():
    report = ErrorReport.of(ConfigurationError("bad", cloud="a", field="b.c", remedy="Mend it"))
    assert report.message == "cloud 'a', field 'b.c': bad. Mend it"


@given(st.integers(-10, 1000))
def test_a_class_for_every_status(status: int):
    cls = errors.error_class(status)
    assert issubclass(cls, errors.CloudError)
    if 500 <= status < 600 and status != 501:
        assert cls is errors.CloudUnavailable
    if status < 400:
        assert cls is errors.ProtocolError
    assert errors.error_class(404) is errors.NotFound


# --------------------------------------------------------------------------------------------- ids

cloud_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


@given(cloud_names, st.text(min_size=1))
def test_a_qualified_id_comes_back_as_it_was(cloud: str, id: str):
    assert check_cloud_name(cloud) == cloud
    qualified = QualifiedId(cloud, id)
    assert QualifiedId.parse(str(qualified)) == qualified
    assert Resource(cloud=cloud, id=id).qualified_id == qualified


@pytest.mark.parametrize("text", ["", "/", "lisbon", "lisbon/", "/7"])
def test_what_is_no_qualified_id(text: str):
    with pytest.raises(ConfigurationError, match="Write CLOUD/ID"):
        QualifiedId.parse(text)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-a", ".", "ü", "a" * 65, "a\n"])
def test_what_is_no_name_of_a_cloud(name: str):
    with pytest.raises(ConfigurationError, match="cannot be the name of a cloud"):
        check_cloud_name(name)


# ------------------------------------------------------------------------------------------ states

steps = st.tuples(
    st.sampled_from(InstanceState),
    st.none() | st.sampled_from(InstanceAction),
    st.sampled_from(InstanceState),
)


@given(st.lists(steps))
def test_a_state_machine_offers_exactly_its_actions(given_steps):
    machine = StateMachine(*((s.value, a and a.value, t.value) for s, a, t in given_steps))
    for state in InstanceState:
        expected = dict.fromkeys(a for s, a, _ in given_steps if s is state and a)
        assert machine.actions(state) == tuple(expected)
    assert set(machine.states) == {s for step in given_steps for s in (step[0], step[2])}
    assert len(machine.transitions) == len(given_steps)


def test_a_state_machine_of_words_that_there_are_not():
    with pytest.raises(ValueError, match="'ASLEEP' is not a valid InstanceState"):
        StateMachine(("ASLEEP", "start", "RUNNING"))


# ---------------------------------------------------------------------------------------- features


def _spec_of(operation: str) -> type[msgspec.Struct] | None:
    return OPERATIONS[operation].types().get("spec")


def _something(field: str) -> object:
    return {
        "hardware": Hardware(cpu=2),
        "password": SecretStr("x"),
        "user_data": b"x",
        "user_iso": b"x",
        "user_files": {"/x": b""},
        "tags": {"a": "b"},
        "firewall_ids": ("x",),
        "network_ids": ("x",),
        "metrics": True,
        "sandbox": True,
        "hard": True,
    }.get(field, "x")


REQUIRED: dict[str, object] = {
    "image_id": "1",
    "instance_id": "1",
    "storage_volume_id": "1",
    "name": "n",
    "listeners": (Listener,),
}

PLACES = [
    (feature, operation, field)
    for feature, place in FEATURES.items()
    for operation in place.operations
    for field in place.fields
    if operation != "create_storage_snapshot"  # which is of something, so it asks for that too
]


def _arguments(operation: str, fields: dict[str, object]) -> dict[str, object]:
    """The arguments of a call, with only `fields` set beyond what must be."""
    found: dict[str, object] = {}
    for parameter in OPERATIONS[operation].parameters:
        if parameter == "spec":
            spec = _spec_of(operation)
            assert spec is not None
            must = {f.name: REQUIRED[f.name] for f in msgspec.structs.fields(spec) if f.required}
            found["spec"] = spec(**{**must, **fields})
        elif parameter == "where":
            found["where"] = fields
        elif parameter in fields:
            found[parameter] = fields[parameter]
        else:
            found[parameter] = False if parameter == "hard" else "1"
    return found


def test_every_feature_says_where_it_is_asked_for():
    assert set(FEATURES) == set(Feature)


@pytest.mark.parametrize(("feature", "operation", "field"), PLACES)
def test_a_field_asks_for_exactly_its_feature(feature: Feature, operation: str, field: str):
    assert requested(operation, _arguments(operation, {})) == {}
    asked = _arguments(operation, {field: _something(field)})
    assert requested(operation, asked) == {feature: field}
    capabilities = Capabilities("x", [Capability(operation=operation)])
    with pytest.raises(FeatureNotSupported, match=f"{field!r}.*{feature.value!r}"):
        capabilities.require(operation, asked)
    capabilities.require(operation, _arguments(operation, {}))
    offered = Capability(operation=operation, features=frozenset([feature]))
    Capabilities("x", [offered]).require(operation, asked)


@pytest.mark.parametrize(
    ("of", "feature"),
    [
        ("storage_volume_id", Feature.SNAPSHOT_OF_VOLUME),
        ("instance_id", Feature.SNAPSHOT_OF_INSTANCE),
    ],
)
def test_a_snapshot_asks_for_what_it_is_of(of: str, feature: Feature):
    plain = StorageSnapshotSpec(**{of: "7"})
    full = StorageSnapshotSpec(**{of: "7"}, name="n", description="d")
    assert requested("create_storage_snapshot", {"spec": plain}) == {feature: of}
    assert requested("create_storage_snapshot", {"spec": full}) == {
        feature: of,
        Feature.SNAPSHOT_NAME: "name",
        Feature.SNAPSHOT_DESCRIPTION: "description",
    }
    nothing = Capabilities("x", [Capability(operation="create_storage_snapshot")])
    with pytest.raises(FeatureNotSupported, match=f"{of!r}.*{feature.value!r}"):
        nothing.require("create_storage_snapshot", {"spec": plain})


@given(st.data())
def test_fields_together_ask_for_their_features_together(data):
    operation = data.draw(st.sampled_from(sorted({o for _, o, _ in PLACES})))
    of_it = [(f, field) for f, o, field in PLACES if o == operation]
    chosen = data.draw(st.lists(st.sampled_from(of_it), unique=True))
    asked = _arguments(operation, {field: _something(field) for _, field in chosen})
    assert set(requested(operation, asked)) == {feature for feature, _ in chosen}
    lacks = Lacks(features={(operation, f): f"no {f} today" for f, _ in chosen})
    capabilities = Capabilities(
        "x", [Capability(operation=operation, features=frozenset(f for f, _ in of_it))]
    )
    capabilities.require(operation, asked)
    if chosen:
        with pytest.raises(FeatureNotSupported, match=r"no .* today"):
            capabilities.narrowed(lacks).require(operation, asked)


@pytest.mark.parametrize("empty", [(), [], {}, None])
def test_what_is_empty_asks_for_nothing(empty: object):
    for operation, field in [("create_instance", "firewall_ids"), ("create_instance", "tags")]:
        assert requested(operation, _arguments(operation, {field: empty})) == {}


def test_features_are_declared_beside_the_hookimpl():
    @offers(Feature.USER_NAME, constraints={Feature.USER_NAME: {"max_length": "63"}})
    @hookimpl
    async def create_instance(self, cloud, spec): ...

    assert offered_by(create_instance) == Offer(
        frozenset([Feature.USER_NAME]), {Feature.USER_NAME: {"max_length": "63"}}
    )
    with pytest.raises(ValueError, match="user_name is no feature of start_instance"):

        @offers(Feature.USER_NAME)
        async def start_instance(self, cloud, instance_id): ...


def test_capabilities_are_a_mapping(stub):
    found = Capabilities.of("stub", stub)
    assert next(iter(found)) == "list_instances"
    assert len(found) == 6
    assert found["create_instance"].features == {Feature.USER_NAME, Feature.CLIENT_TOKEN}
    with pytest.raises(OperationNotSupported, match="gone today"):
        found.narrowed(Lacks(operations={"get_instance": "gone today"})).require("get_instance", {})


# -------------------------------------------------------------------------------------- operations


def test_every_hookspec_is_an_operation_of_a_collection():
    specs = {n for n, f in vars(DriverSpec).items() if hasattr(f, "anabranch_spec")}
    specs |= {
        n for c in COLLECTIONS.values() for n, f in vars(c).items() if callable(f) and n[0] != "_"
    }
    assert set(OPERATIONS) == specs
    for collection in COLLECTIONS:
        assert operations_of(collection)
        assert operations_of(collection)[0].lists


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_table_and_the_docstring_say_of_an_operation_is_the_same(name: str):
    operation, hookspec = OPERATIONS[name], getattr(DriverSpec, name)
    doc = inspect.getdoc(hookspec) or ""
    assert inspect.iscoroutinefunction(hookspec)
    assert operation.summary
    assert "\nRaises:" in doc
    assert operation.lists is (operation.types()["return"].__class__ is type(Page[int]))
    assert not operation.lists or operation.parameters[0] == "cursor"
    if "Not idempotent" in doc:
        assert not operation.idempotent
    elif "dempotent" in doc or operation.verb == "destroy" or not operation.mutates:
        assert operation.idempotent
    if operation.idempotent and operation.mutates and operation.verb != "destroy":
        assert "dempotent" in doc
    operation.check(operation.parameters)
    with pytest.raises(TypeError, match=f"{name} takes"):
        operation.check([*operation.parameters, "colour"])
