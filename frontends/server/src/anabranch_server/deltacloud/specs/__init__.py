"""From the parameters of a request to what the broker is asked for."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from anabranch import (
    OPERATIONS,
    Capabilities,
    CloudError,
    FeatureNotSupported,
    OperationNotSupported,
)
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs.shapes import SHAPES
from anabranch_server.deltacloud.specs.values import check_required, chosen, idents, read_values
from anabranch_server.deltacloud.vocabulary import Action, Parameter
from anabranch_server.problems import not_offered

__all__ = ["arguments", "chosen", "cloud_for", "idents", "in_terms_of", "offering", "specified"]


def offering(request: Request, action: Action, clouds: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some clouds that offer an action.

    Raises:
        Problem: none does.
    """
    operation = action.operation
    found = tuple(cloud for cloud in clouds if request.view.offers(cloud, operation))
    if found:
        return found
    first = request.selection.broker.capabilities(clouds[0])
    several = f"none of the clouds offers {operation!r}"
    raise not_offered(operation, first.why_not(operation) if len(clouds) == 1 else several)


def cloud_for(request: Request, action: Action) -> str:
    """Return the cloud that an action is to make something on.

    Raises:
        Problem: no cloud offers it; a parameter is missing; they name no cloud, or several.
    """
    offering(request, action, request.selection.clouds)
    check_required(action, request.parameters)
    return request.place(idents(action, request.parameters))


def arguments(
    request: Request, cloud: str, action: Action, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the arguments of an action; for a create, the fields of its specification.

    Args:
        request: The request.
        cloud: The cloud that is going to be asked.
        action: The action.
        more: Parameters that the path has.

    Raises:
        OperationNotSupported: the cloud does not offer it.
        Problem: a parameter is missing or wrong.
        FeatureNotSupported: the cloud does not honour one.
    """
    capabilities = request.selection.broker.capabilities(cloud)
    if action.operation not in capabilities:
        raise _located(OperationNotSupported(capabilities.why_not(action.operation)), cloud, action)
    parameters = request.parameters.extended(more) if more else request.parameters
    check_required(action, parameters)
    values = read_values(action, parameters, lambda name, ident: request.local(cloud, name, ident))
    for parameter in action.parameters:
        if values.get(parameter.target) and (why := _why_not(capabilities, action, parameter)):
            name = parameter.name
            if parameter.numbered:
                name = next(iter(parameters.numbered(parameter.numbered).values()))
            feature = parameter.feature.value if parameter.feature else parameter.name
            error = FeatureNotSupported(
                f"parameter {name!r} (feature {feature!r}): {why}", remedy=f"Leave {name!r} out"
            )
            raise _located(error, cloud, action)
    if action.operation in SHAPES:
        SHAPES[action.operation](values)
    for parameter in action.parameters:
        if parameter.numbered and parameter.target in values:
            several = values[parameter.target].values()
            values[parameter.target] = dict(several) if parameter.kind == "pair" else tuple(several)
    return values


@contextmanager
def in_terms_of(action: Action) -> Generator[None]:
    """Let an error tell the parameter that was given, where it begins with the field it became.

    Args:
        action: The action that is done within.
    """
    try:
        yield
    except CloudError as error:
        field, colon, rest = error.message.partition(": ")
        for parameter in action.parameters:
            if colon and parameter.target == field:
                error.message = f"{parameter.name}: {rest}"
        raise


def specified(operation: str, fields: Mapping[str, Any]) -> Any:
    """Return the specification of what a create is to make."""
    return _spec_type(operation)(**fields)


@cache
def _spec_type(operation: str) -> Any:
    return OPERATIONS[operation].types()["spec"]


def _why_not(capabilities: Capabilities, action: Action, parameter: Parameter) -> str | None:
    """Say why a cloud does not honour a parameter; None: it does.

    The broker sees to that too, but by the name of the field that the parameter becomes.
    """
    operation, feature = action.operation, parameter.feature
    if parameter.operation and parameter.operation not in capabilities:
        return capabilities.why_not(parameter.operation)
    if feature is None or feature in capabilities[operation].features:
        return None
    reason = capabilities.lacks.features.get((operation, feature))
    return reason or f"driver {capabilities.kind!r} does not offer it"


def _located(error: CloudError, cloud: str, action: Action) -> CloudError:
    error.locate(cloud, action.operation)
    return error
