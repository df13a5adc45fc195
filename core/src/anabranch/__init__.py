"""Every IaaS cloud you run, in one call."""

from __future__ import annotations

from anabranch.answer import Answer, CloudReport, CloudStatus, ErrorReport
from anabranch.capabilities import Capabilities, Capability
from anabranch.configuration import Configuration, find_configuration, load_configuration
from anabranch.errors import (
    AnabranchError,
    AuthenticationError,
    CircuitOpen,
    CloudError,
    CloudUnavailable,
    ConfigurationError,
    Conflict,
    DeadlineExceeded,
    DriverFault,
    FeatureNotSupported,
    InsufficientCapacity,
    InvalidRequest,
    InvalidState,
    NotFound,
    OperationNotSupported,
    OutcomeUnknown,
    PermissionDenied,
    PluginError,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
    RequirementNotMet,
)
from anabranch.facade import Broker
from anabranch.fanout import Arrival, FanOut
from anabranch.features import FEATURES, Feature
from anabranch.filters import Filter, parse_filter
from anabranch.hooks import CloudIdentity, DiscoveredCloud, Ops
from anabranch.ids import QualifiedId
from anabranch.logs import EventLog
from anabranch.models import to_builtins
from anabranch.operations import OPERATIONS, Operation, operations_of
from anabranch.overlap import both
from anabranch.plugins import PluginInfo, PluginRegistry, PluginRules
from anabranch.redaction import SecretStr
from anabranch.states import InstanceAction, InstanceState, StateMachine, Transition

__all__ = [
    "FEATURES",
    "OPERATIONS",
    "AnabranchError",
    "Answer",
    "Arrival",
    "AuthenticationError",
    "Broker",
    "Capabilities",
    "Capability",
    "CircuitOpen",
    "CloudError",
    "CloudIdentity",
    "CloudReport",
    "CloudStatus",
    "CloudUnavailable",
    "Configuration",
    "ConfigurationError",
    "Conflict",
    "DeadlineExceeded",
    "DiscoveredCloud",
    "DriverFault",
    "ErrorReport",
    "EventLog",
    "FanOut",
    "Feature",
    "FeatureNotSupported",
    "Filter",
    "InstanceAction",
    "InstanceState",
    "InsufficientCapacity",
    "InvalidRequest",
    "InvalidState",
    "NotFound",
    "Operation",
    "OperationNotSupported",
    "Ops",
    "OutcomeUnknown",
    "PermissionDenied",
    "PluginError",
    "PluginInfo",
    "PluginRegistry",
    "PluginRules",
    "ProtocolError",
    "QualifiedId",
    "QuotaExceeded",
    "RateLimited",
    "RequirementNotMet",
    "SecretStr",
    "StateMachine",
    "Transition",
    "both",
    "find_configuration",
    "load_configuration",
    "operations_of",
    "parse_filter",
    "to_builtins",
]
