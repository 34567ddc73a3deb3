"""Words of apps above that rules down here speak of: they stand with their lowest user."""

from django.db.models import TextChoices


class JobKind(TextChoices):
    """What a job does; the values are API."""

    ISSUANCE = "Issuance"
    RENEWAL = "Renewal"
    DEPLOYMENT = "Deployment"
    VALIDATION = "Validation"
    REVOCATION = "Revocation"


# A profile may ask for approval of these; a revocation never waits for anybody.
MAY_NEED_APPROVAL = tuple(kind.value for kind in JobKind if kind is not JobKind.REVOCATION)
