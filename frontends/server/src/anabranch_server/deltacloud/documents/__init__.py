"""The documents: models as Deltacloud's XML and JSON (deltacloud.md, 2 to 6). No I/O.

Of every kind there are these forms: `…_xml`, the bytes; `…_plain`, dicts and lists, from which
the HTML pages are made too; and `encode` of that, JSON. Of long lists `index_json` is a faster way
to the same. The same input gives the same bytes.

A list of several clouds says what became of each. In JSON that is the key `clouds`. In XML the
last nodes in the root are one processing instruction per cloud, and one per item that could not
be read:

    <?cloud name='porto' driver='paci' status='failed' count='0' error='CloudUnavailable' …?>
    <?problem cloud='lisbon' id='4d3c' message='…'?>

They are no elements because Deltacloud's Ruby client takes every child of the root, whatever its
name, for a member of the collection.
"""

from __future__ import annotations

from anabranch_server.deltacloud.documents.drivers import (
    DriverEntry,
    ProviderEntry,
    driver_plain,
    driver_xml,
    drivers_plain,
    drivers_xml,
)
from anabranch_server.deltacloud.documents.entry_point import (
    CollectionLink,
    EntryPoint,
    FeatureEntry,
    entry_point_plain,
    entry_point_xml,
)
from anabranch_server.deltacloud.documents.members import (
    index_json,
    index_plain,
    index_xml,
    show_plain,
    show_xml,
)
from anabranch_server.deltacloud.documents.objects import BlobContents, BucketContents
from anabranch_server.deltacloud.documents.picture import states_png
from anabranch_server.deltacloud.documents.plain import encode
from anabranch_server.deltacloud.documents.running import (
    CommandOutput,
    run_plain,
    run_xml,
)
from anabranch_server.deltacloud.documents.states import (
    states_gv,
    states_plain,
    states_xml,
)
from anabranch_server.deltacloud.documents.trouble import (
    ErrorDocument,
    error_plain,
    error_xml,
)

__all__ = [
    "BlobContents",
    "BucketContents",
    "CollectionLink",
    "CommandOutput",
    "DriverEntry",
    "EntryPoint",
    "ErrorDocument",
    "FeatureEntry",
    "ProviderEntry",
    "driver_plain",
    "driver_xml",
    "drivers_plain",
    "drivers_xml",
    "encode",
    "entry_point_plain",
    "entry_point_xml",
    "error_plain",
    "error_xml",
    "index_json",
    "index_plain",
    "index_xml",
    "run_plain",
    "run_xml",
    "show_plain",
    "show_xml",
    "states_gv",
    "states_plain",
    "states_png",
    "states_xml",
]
