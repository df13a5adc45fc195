"""The page of the features: how each is asked for, and which driver honours it."""

import msgspec

from anabranch.features import FEATURES, Feature
from anabranch.operations import OPERATIONS
from reference_pages.drivers import bundled, honours
from reference_pages.markdown import read, struct_docs, table

__all__ = ["described", "page"]

INTRODUCTION = """# Features

Made from `anabranch.features`. A feature is an optional parameter of an operation that a driver may
honour, and declares with `@offers`. What is not declared is refused with `FeatureNotSupported`
before anything is sent; it is never dropped. A cloud may lack what its driver honours:
`anabranch capabilities CLOUD` tells.
"""


def page() -> str:
    """The whole page."""
    drivers = bundled()
    rows = [
        [
            f"[`{feature}`](#{feature})",
            *("yes" if _honoured(feature, kind) else "" for kind in drivers),
        ]
        for feature in Feature
    ]
    parts = [INTRODUCTION, f"## Who honours what\n\n{table(['feature', *drivers], rows)}"]
    for feature in Feature:
        where = FEATURES[feature]
        operations = ", ".join(f"[`{op}`](hooks.md#{op})" for op in where.operations)
        fields = [[f"`{field}`", said] for field, said in described(feature).items()]
        kinds = [kind for kind in drivers if _honoured(feature, kind)]
        parts.append(
            f"### `{feature}`\n\nOf {operations}, by:\n\n"
            f"{table(['parameter', 'what it is'], fields)}\n"
            f"*Honoured by {', '.join(kinds) or 'no bundled driver'}.*\n"
        )
    return "\n".join(parts)


def described(feature: Feature) -> dict[str, str]:
    """Return what the hookspec, or the model that it takes, says of a feature's parameters."""
    where = FEATURES[feature]
    operation = OPERATIONS[where.operations[0]]
    docs = dict(read(_hookspec(operation.name)).parameters)
    for hint in (h for name, h in operation.types().items() if name != "return"):
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            docs |= struct_docs(hint)
    if "where" in operation.parameters:
        told = struct_docs(operation.model())
        docs |= {f: f"In `where`: only those with this. {told.get(f, '')}" for f in where.fields}
    return {field: docs.get(field, "") for field in where.fields}


def _hookspec(name: str) -> object:
    from anabranch.hooks import Ops

    return getattr(Ops, name)


def _honoured(feature: Feature, kind: str) -> bool:
    driver = bundled()[kind]
    return any(feature in honours(driver, operation) for operation in FEATURES[feature].operations)
