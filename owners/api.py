"""REST: principals, API keys, owners, teams, and who one is."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from foundation.rest.fields import Named, SparseFields, StrictInput
from foundation.rest.parsers import valid
from foundation.rest.views import Strict
from owners import services
from owners.authentication import actor_of
from owners.models import ApiKey, Owner, Principal, Team
from owners.permissions import needs
from owners.roles import ROLE_CHOICES, permissions_of


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI schema describes our API keys."""

    target_class = "owners.authentication.ApiKeyAuthentication"
    name = "apiKey"

    @override
    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "certctl_<prefix>_<secret>"}


# --- Principals -----------------------------------------------------------------------------


class PrincipalSerializer(SparseFields):
    """A principal as it is shown: never its password."""

    role = serializers.SerializerMethodField()

    class Meta:
        model = Principal
        fields = (
            "id",
            "username",
            "kind",
            "for_devices",
            "email",
            "first_name",
            "last_name",
            "is_active",
            "role",
            "date_joined",
            "last_login",
        )

    def get_role(self, principal: Principal) -> str | None:
        """Return the highest role."""
        names = {group.name for group in principal.groups.all()}
        return next((name for name, _ in reversed(ROLE_CHOICES) if name in names), None)


class PrincipalInput(StrictInput):
    """What can be said of a principal."""

    username = serializers.RegexField(r"^[\w.@+-]+$", max_length=150)
    kind = serializers.ChoiceField(["human", "machine"], default="human")
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    first_name = serializers.CharField(required=False, allow_blank=True, max_length=150)
    last_name = serializers.CharField(required=False, allow_blank=True, max_length=150)
    role = serializers.ChoiceField(ROLE_CHOICES, required=False, allow_null=True)
    password = serializers.CharField(required=False, write_only=True, max_length=128)


class PrincipalChanges(PrincipalInput):
    """What can be changed later: not the name, not the kind."""

    username = None  # type: ignore[assignment]
    kind = None  # type: ignore[assignment]
    is_active = serializers.BooleanField(required=False)


class PrincipalViewSet(Strict, viewsets.ReadOnlyModelViewSet[Principal]):
    """Principals: for administrators."""

    use_cases: ClassVar = {
        "create": "principal.create",
        "partial_update": "principal.update",
    }
    queryset = Principal.objects.prefetch_related("groups").order_by("username")
    serializer_class = PrincipalSerializer
    filterset_fields = ("username", "kind", "is_active", "groups__name")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering_fields = ("username", "date_joined")

    @extend_schema(request=PrincipalInput, responses={201: PrincipalSerializer})
    def create(self, request: Request) -> Response:
        """Make a principal."""
        data = valid(PrincipalInput, request)
        principal = services.create_principal(
            actor=actor_of(request), role=data.pop("role", None), **data
        )
        return Response(PrincipalSerializer(principal).data, status.HTTP_201_CREATED)

    @extend_schema(request=PrincipalChanges, responses=PrincipalSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a principal."""
        data = valid(PrincipalChanges, request)
        principal = services.update_principal(
            actor=actor_of(request),
            principal_id=self.get_object().pk,
            change_role="role" in data,
            role=data.pop("role", None),
            password=data.pop("password", None),
            changes=data,
        )
        return Response(PrincipalSerializer(principal).data)


# --- API keys -------------------------------------------------------------------------------


class ApiKeySerializer(SparseFields):
    """A key as it is shown: its secret is stored nowhere."""

    principal_name = serializers.CharField(source="principal.username", read_only=True)

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "prefix",
            "principal",
            "principal_name",
            "role_cap",
            "allowed_networks",
            "created_at",
            "created_by",
            "expires_at",
            "last_used_at",
            "disabled_at",
        )


class ApiKeyInput(StrictInput):
    """What is asked for."""

    name = serializers.CharField(max_length=100)
    principal = Named(by="username", what="principal", queryset=Principal.objects.all())
    role_cap = serializers.ChoiceField(ROLE_CHOICES)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    allowed_networks = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, max_length=50
    )


class CreatedApiKey(ApiKeySerializer):
    """The answer to a creation, the only one that ever carries the key itself."""

    key = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="The whole key; null where this answer is given again (Idempotency-Replayed).",
    )

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")  # type: ignore[assignment]


class ApiKeyViewSet(Strict, viewsets.ReadOnlyModelViewSet[ApiKey]):
    """API keys: made and disabled, never changed and never shown again."""

    use_cases: ClassVar = {
        "create": "apikey.create",
        "disable": "apikey.disable",
    }
    queryset = ApiKey.objects.select_related("principal").order_by("-created_at", "pk")
    serializer_class = ApiKeySerializer
    filterset_fields = ("name", "prefix", "principal", "role_cap")
    search_fields = ("name", "prefix", "principal__username")
    ordering_fields = ("name", "created_at", "expires_at", "last_used_at")
    bodiless = ("disable",)
    shown_once = ("key",)

    @extend_schema(request=ApiKeyInput, responses={201: CreatedApiKey})
    def create(self, request: Request) -> Response:
        """Make a key; `key` in the answer is shown this once.

        It is kept nowhere, so the same request again under its Idempotency-Key shows null: disable
        the key that was made, and make another.
        """
        data = valid(ApiKeyInput, request)
        key, whole = services.issue_api_key(actor=actor_of(request), **data)
        shown = {**ApiKeySerializer(key).data, "key": whole}
        return Response(shown, status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(request=None, responses=ApiKeySerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("owners.change_apikey")])
    def disable(self, request: Request, pk: str) -> Response:
        """Disable a key for good."""
        key = services.disable_api_key(actor=actor_of(request), key_id=self.get_object().pk)
        return Response(ApiKeySerializer(key).data)


# --- Teams and owners -----------------------------------------------------------------------


class _WithMembers(SparseFields):
    """Members go in by id or username, and are shown by id."""

    members = Named(
        by="username",
        what="principal",
        as_id=True,
        many=True,
        queryset=Principal.objects.all(),
        required=False,
    )


class TeamSerializer(_WithMembers):
    """A team and who sits in it."""

    class Meta:
        model = Team
        fields = ("id", "name", "members", "created_at")


class OwnerSerializer(_WithMembers):
    """An owner."""

    team = Named(
        by="name",
        what="team",
        as_id=True,
        queryset=Team.objects.all(),
        required=False,
        allow_null=True,
    )

    class Meta:
        model = Owner
        fields = ("id", "name", "email", "team", "members", "created_at")


class _Saved(
    Strict,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.ReadOnlyModelViewSet[Any],
):
    """Create, change and delete through the services, which write the audit event."""

    http_method_names = ["get", "head", "options", "post", "patch", "delete"]

    @override
    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        serializer.instance = self.save_row(dict(serializer.validated_data), None)

    @override
    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        serializer.instance = self.save_row(dict(serializer.validated_data), serializer.instance)

    @override
    def perform_destroy(self, instance: Any) -> None:
        services.delete_named(actor=actor_of(self.request), row=instance)

    def save_row(self, data: dict[str, Any], row: Any) -> Any:
        """Call the service."""
        raise NotImplementedError


class TeamViewSet(_Saved):
    """Teams."""

    use_cases: ClassVar = {
        "create": "team.create",
        "partial_update": "team.update",
        "destroy": "team.delete",
    }
    queryset: QuerySet[Team] = Team.objects.prefetch_related("members").order_by("name")
    serializer_class = TeamSerializer
    filterset_fields = ("name", "members")
    search_fields = ("name",)
    ordering_fields = ("name", "created_at")

    @override
    def save_row(self, data: dict[str, Any], row: Any) -> Any:
        return services.save_team(
            actor=actor_of(self.request),
            name=data.get("name", row.name if row else ""),
            members=data.get("members"),
            team_id=row.pk if row else None,
        )


class OwnerViewSet(_Saved):
    """Owners."""

    use_cases: ClassVar = {
        "create": "owner.create",
        "partial_update": "owner.update",
        "destroy": "owner.delete",
    }
    queryset: QuerySet[Owner] = Owner.objects.prefetch_related("members").order_by("name")
    serializer_class = OwnerSerializer
    filterset_fields = ("name", "email", "team", "members")
    search_fields = ("name", "email")
    ordering_fields = ("name", "created_at")

    @override
    def save_row(self, data: dict[str, Any], row: Any) -> Any:
        members = data.pop("members", None)
        return services.save_owner(
            actor=actor_of(self.request),
            changes=data,
            members=members,
            owner_id=row.pk if row else None,
        )


# --- Oneself --------------------------------------------------------------------------------


class MeSerializer(serializers.Serializer[Any]):
    """Who the key speaks for, and what it may do."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    kind = serializers.CharField()
    role_cap = serializers.CharField()
    api_key = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class MeView(Strict, APIView):
    """Who am I."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Return the principal behind the key and its effective permissions."""
        principal = actor_of(request)
        cap = str(principal.cap or "")
        allowed = sorted(
            perm
            for perm in principal.get_all_permissions()
            if not cap or perm in permissions_of(cap)
        )
        shown = {
            "id": principal.pk,
            "username": principal.username,
            "kind": principal.kind,
            "role_cap": cap,
            "api_key": principal.via.api_key,
            "permissions": allowed,
        }
        return Response(MeSerializer(shown).data)
