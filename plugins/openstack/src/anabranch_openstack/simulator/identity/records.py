"""What keystone remembers."""

from __future__ import annotations

import secrets

import msgspec

__all__ = ["ApplicationCredential", "Directory", "Domain", "Project", "Token", "User"]


class Domain(msgspec.Struct):
    """A name space for users and projects."""

    id: str
    name: str


class Project(msgspec.Struct):
    """What resources belong to."""

    id: str
    name: str
    domain: Domain


class User(msgspec.Struct, kw_only=True):
    """Somebody who may log in.

    `roles` are the names of the roles by project id (or domain id).
    """

    id: str
    name: str
    password: str
    domain: Domain
    roles: dict[str, tuple[str, ...]]
    default_project: Project | None = None


class ApplicationCredential(msgspec.Struct, kw_only=True):
    """A secret that stands for a user in one project."""

    id: str
    name: str
    secret: str
    user: User
    project: Project
    roles: tuple[str, ...]
    expires_at: float | None = None
    unrestricted: bool = False
    description: str | None = None


class Token(msgspec.Struct, kw_only=True):
    """A token; without `project` and `domain` it is unscoped."""

    id: str
    user: User
    methods: list[str]
    issued_at: float
    expires_at: float
    audit_ids: list[str]
    roles: tuple[str, ...] = ()
    project: Project | None = None
    domain: Domain | None = None
    credential: ApplicationCredential | None = None

    @property
    def project_id(self) -> str:
        """The project it is scoped to, or the empty string."""
        return self.project.id if self.project else ""

    @property
    def may_write(self) -> bool:
        """Whether its roles allow changes."""
        return "member" in self.roles or "admin" in self.roles


class Directory:
    """Domains, projects, users, credentials and tokens of one cloud.

    Attributes:
        token_ttl: Seconds that a token lives.
        logins: How often a token was issued for a secret, not for another token.
        refused: How often a login was refused.
    """

    def __init__(self, token_ttl: float) -> None:
        self.token_ttl = token_ttl
        self.logins = 0
        self.refused = 0
        self.domains: dict[str, Domain] = {}
        self.projects: dict[str, Project] = {}
        self.users: dict[str, User] = {}
        self.credentials: dict[str, ApplicationCredential] = {}
        self.role_ids: dict[str, str] = {}
        self._tokens: dict[str, Token] = {}

    def valid_token(self, token_id: str, now: float) -> Token | None:
        """The token of that id, unless it is unknown, revoked or over."""
        token = self._tokens.get(token_id)
        if token is None or token.expires_at <= now:
            return None
        return token

    def remember(self, token: Token) -> None:
        """Make a token valid, and forget those that are over."""
        if len(self._tokens) >= 1000:
            self._tokens = {k: t for k, t in self._tokens.items() if t.expires_at > token.issued_at}
        self._tokens[token.id] = token

    def revoke(self, token_id: str) -> bool:
        """Make a token worthless; whether there was one."""
        return self._tokens.pop(token_id, None) is not None

    def revoke_all(self) -> None:
        """Make all tokens worthless, as a rotation of keys does."""
        self._tokens.clear()

    def token_id(self) -> str:
        """An id of the length and look of a Fernet token."""
        return "gAAAAAB" + secrets.token_urlsafe(132)
