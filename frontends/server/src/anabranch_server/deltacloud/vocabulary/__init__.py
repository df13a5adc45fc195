"""Deltacloud's collections, operations, parameters and features, in one table.

Routing, the reading of parameters, the entry point, `OPTIONS`, the documentation pages and the
forms are all made from it. What Deltacloud did not have stands in it in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch_server.deltacloud.vocabulary.computing import COMPUTING
from anabranch_server.deltacloud.vocabulary.features import OfferedFeature, features_of
from anabranch_server.deltacloud.vocabulary.networking import NETWORKING
from anabranch_server.deltacloud.vocabulary.storing import STORING
from anabranch_server.deltacloud.vocabulary.words import Action, Collection, Parameter

__all__ = [
    "COLLECTIONS",
    "Action",
    "Collection",
    "OfferedFeature",
    "Parameter",
    "features_of",
]

COLLECTIONS: Final[Mapping[str, Collection]] = {
    collection.name: collection
    for collection in sorted((*COMPUTING, *STORING, *NETWORKING), key=lambda c: c.name)
}
"""The collections by their names, in alphabetical order, as the entry point tells them."""
