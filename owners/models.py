"""Principals, their API keys, and the owners and teams that answer for certificates."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils import timezone
from typing_extensions import override

from audit.about import About
from audit.via import Via
from foundation import networks
from foundation.statements import Given, Rows
from owners import persons
from owners.roles import Role, permissions_of

SYSTEM = "system"


class PrincipalManager(UserManager["Principal"]):
    """Principals as the rest of the house asks for them."""

    def system(self) -> "Principal":
        """Return the principal that acts for sweeps: it cannot log in and may decide nothing."""
        known = _SYSTEM.first(username=SYSTEM)
        if known is not None:
            return known
        principal, created = self.get_or_create(
            username=SYSTEM, defaults={"kind": Principal.Kind.SYSTEM, "is_active": True}
        )
        if created:
            principal.set_unusable_password()
            principal.save(update_fields=["password"])
        return principal

    def administrators(self) -> "models.QuerySet[Principal]":
        """Return the humans who may administer now: by the role, or as superusers."""
        by_role = models.Q(groups__name=Role.ADMIN.value)
        return self.filter(
            models.Q(is_superuser=True) | by_role, kind=Principal.Kind.HUMAN, is_active=True
        ).distinct()


class Principal(AbstractUser):
    """Whoever acts: a human, a machine, or the system itself.

    The same principal whatever key or login is used, so separation of duties compares rows.
    """

    class Kind(models.TextChoices):
        """What acts."""

        HUMAN = "human"
        MACHINE = "machine"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.HUMAN)

    for_devices = models.BooleanField(
        default=False,
        editable=False,
        help_text="It asks for what devices enroll, and may do nothing else: no role, password or "
        "API key.",
    )

    objects: ClassVar[PrincipalManager] = PrincipalManager()

    # How this principal came in on this call, and what its key allows at most: set by the edge
    # that authenticated it, never stored. `cap` None means a login without a key.
    via: Via = Via()
    cap: Role | None = None

    class Meta(AbstractUser.Meta):
        verbose_name = "principal"
        verbose_name_plural = "principals"

    def is_same_person(self, other: "Principal") -> bool:
        """Whether both may be one person: the same row, or the same mailbox. Only to refuse."""
        if self.pk == other.pk:
            return True
        mailbox = persons.mailbox(self.email)
        return bool(mailbox) and mailbox == persons.mailbox(other.email)

    @override
    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether the principal may, and the key that it came with allows as much."""
        if self.kind == self.Kind.SYSTEM or self.for_devices:
            return False
        if self.cap is not None and perm not in permissions_of(self.cap):
            return False
        return super().has_perm(perm, obj)


class Team(models.Model):
    """People who answer for certificates together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    members = models.ManyToManyField(Principal, blank=True, related_name="teams")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    # Where owners.policy.know_people has read them: only to show something.
    known_members: Sequence[Principal] | None = None

    def seats(self, principal: Principal) -> bool:
        """Whether `principal` has a seat, as this row or as the same person. Only to refuse."""
        members = self.members.all() if self.known_members is None else self.known_members
        return any(principal.is_same_person(member) for member in members)


class Owner(models.Model):
    """The person or team that answers for a certificate."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    email = models.EmailField("e-mail", blank=True)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="owners")
    members = models.ManyToManyField(Principal, blank=True, related_name="owners")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    # Its members and its team's, where owners.policy.know_people has read them: only to show.
    known_people: Sequence[Principal] | None = None

    def about(self) -> About:
        """Return what an event on this owner is about."""
        return About(owner=self.pk)

    def includes(self, principal: Principal) -> bool:
        """Whether `principal` is this owner, under any alias: only to refuse something.

        By membership or the team, as the same row or person, or by e-mail or name as they are
        read. Asked afresh each time, never cached: separation of duties rests on it.
        """
        return self._is_named(principal) or any(
            principal.is_same_person(member) for member in self._people_as_read()
        )

    def including(self) -> Callable[[Principal], bool]:
        """Return `includes` with the people read once, to ask it of many at one moment."""
        people = persons.Persons(self.people().values_list("pk", "email"))
        return lambda one: self._is_named(one) or people.include(one.pk, one.email)

    def is_answered_by(self, principal: Principal) -> bool:
        """Whether `principal` answers for this owner's certificates: what may grant something.

        By membership, a seat in its team, or its very address; names and likeness do not count.
        """
        by_address = bool(self.email) and self.email == principal.email
        return by_address or self.people().filter(pk=principal.pk).exists()

    def people(self) -> models.QuerySet[Principal]:
        """Return its members and whoever has a seat in its team, whether they can act or not."""
        of_team = models.Q(teams=self.team_id) if self.team_id else models.Q()
        return Principal.objects.filter(models.Q(owners=self.pk) | of_team).distinct()

    def _people_as_read(self) -> Iterable[Principal]:
        """Return the people, afresh unless they were read with those of many."""
        return self.people() if self.known_people is None else self.known_people

    def _is_named(self, principal: Principal) -> bool:
        mine = _readings(self.name, self.email)
        return bool(
            mine & _readings(principal.username, principal.email, principal.get_full_name())
        )


def _readings(*texts: str) -> set[str]:
    """Return each text as a name and as a mailbox, as they are compared."""
    return {read(text) for text in texts for read in (persons.folded, persons.mailbox)} - {""}


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """API keys as authentication looks for them."""

    def of_prefix(self, prefix: str) -> "ApiKey | None":
        """Return the key of that prefix with its principal, in one query."""
        return self.select_related("principal").filter(prefix=prefix).first()


class ApiKey(models.Model):
    """A named key of a principal; the secret itself is stored nowhere, only its SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    principal = models.ForeignKey(Principal, models.PROTECT, related_name="api_keys")
    role_cap = models.CharField(
        max_length=8,
        choices=[(r.value, r.value) for r in Role],
        default=Role.VIEWER.value,
        help_text="The key can do no more than this role, and no more than its principal.",
    )
    allowed_networks = models.JSONField(
        default=list,
        blank=True,
        help_text='Networks it may be used from, as ["10.0.0.0/8"]; empty means anywhere.',
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        Principal, models.PROTECT, null=True, related_name="+", editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["principal", "name"], name="owners_key_name_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_live(self, now: datetime) -> bool:
        """Whether the key and its principal may be used at `now`."""
        return (
            self.disabled_at is None
            and (self.expires_at is None or now < self.expires_at)
            and self.principal.is_active
        )

    def allows_address(self, address: str | None) -> bool:
        """Whether the key may be used from `address`; fails closed for an unknown one."""
        return networks.allow(self.allowed_networks, address)


class FirstLink(models.Model):
    """The link that lets the first administrator in; of its token only the SHA-256 is kept."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"until {self.expires_at:%Y-%m-%d %H:%M} UTC"

    def is_open(self, now: datetime) -> bool:
        """Whether it lets somebody in at `now`."""
        return self.used_at is None and now < self.expires_at


class IdempotencyRecord(models.Model):
    """What was answered to a request that carried an Idempotency-Key, to answer it again."""

    principal = models.ForeignKey(Principal, models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    request_digest = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="owners_idempotency_key_once")
        ]

    def __str__(self) -> str:
        return self.key


_SYSTEM: Rows[Principal] = Rows(
    lambda: Principal.objects.filter(username=Given("username", models.CharField())).order_by()
)
