"""Applications that are installed on servers."""

from __future__ import annotations

from collections.abc import Iterable

from anabranch_paci.simulator.lookup import find_ve
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import Application, InstalledApplication, Ve
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import (
    Reply,
    Request,
    accepted,
    bad_request,
    missing,
    xml_reply,
)

__all__ = ["routes"]

routes = Routes()


@routes.on("GET", "/application-template")
def show_all(request: Request) -> Reply:
    """What can be installed."""
    return xml_reply(Element("application-list", None, *map(_document, request.state.applications)))


@routes.on("GET", "/application-template/{application}/{os}")
def show(request: Request, name: str, os: str) -> Reply:
    """One application for one OS template."""
    return xml_reply(_document(_find(request, name, os)))


@routes.on("PUT", "/ve/{ve}/install/{application}")
def install(request: Request, name: str, application: str) -> Reply:
    """Install one application."""
    return _install(request, name, [application])


@routes.on("PUT", "/ve/{ve}/install")
def install_some(request: Request, name: str) -> Reply:
    """Install the applications that `?name=` tells, once or more."""
    return _install(request, name, _named(request))


@routes.on("POST", "/ve/{ve}/application")
def reset(request: Request, name: str) -> Reply:
    """Let the applications that `?name=` tells be all that a server has."""
    ve = find_ve(request, name)
    found = [_find(request, app, ve.template.name) for app in _named(request)]

    def change(at: float) -> None:
        ve.applications = []
        _add(ve, found, at)

    request.later(change)
    return accepted("Application reset initiated")


@routes.on("DELETE", "/ve/{ve}/application/{application}")
def remove(request: Request, name: str, application: str) -> Reply:
    """Remove an application; the server's document goes on to tell of it."""
    ve = find_ve(request, name)
    found = next(
        (i for i in ve.applications if i.application.name == application and not i.uninstalled),
        None,
    )
    if found is None:
        raise missing(f"On VE {name}, application", application)

    def change(at: float) -> None:
        gone = InstalledApplication(
            application=found.application, installed=found.installed, uninstalled=at
        )
        ve.applications = [gone if other is found else other for other in ve.applications]

    request.later(change)
    return accepted("Application removal initiated")


def _install(request: Request, name: str, applications: list[str]) -> Reply:
    ve = find_ve(request, name)
    found = [_find(request, app, ve.template.name) for app in applications]
    request.later(lambda at: _add(ve, found, at))
    return accepted("Application installation initiated")


def _add(ve: Ve, applications: Iterable[Application], at: float) -> None:
    new = (InstalledApplication(application=app, installed=at) for app in applications)
    ve.applications = [*ve.applications, *new]


def _named(request: Request) -> list[str]:
    names = request.query.get("name")
    if not names:
        raise bad_request("Name the applications with ?name=")
    return names


def _find(request: Request, name: str, os: str) -> Application:
    for application in request.state.applications:
        if (application.name, application.for_os) == (name, os):
            return application
    raise missing(f"For {os}, application", name)


def _document(application: Application) -> Element:
    return Element(
        "application-template",
        None,
        Element("description", application.description),
        attributes={
            "id": application.id,
            "name": application.name,
            "for-os": application.for_os,
            "active": True,
        },
    )
