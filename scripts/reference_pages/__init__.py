"""The pages of reference that are made from the code, at every build of the documentation."""

from collections.abc import Mapping

from reference_pages import broker, errors, features, hooks, levels, models, settings

__all__ = ["pages"]


def pages() -> Mapping[str, str]:
    """Return the text of each page by its place below docs/."""
    return {
        "reference/broker.md": broker.page(),
        "reference/hooks.md": hooks.page(),
        "reference/features.md": features.page(),
        "reference/levels.md": levels.page(),
        "reference/models.md": models.page(),
        "reference/errors.md": errors.page(),
        "reference/settings.md": settings.page(),
    }
