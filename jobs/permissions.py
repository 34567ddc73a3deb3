"""Permission classes of jobs over REST."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from typing_extensions import override

from jobs import policy
from jobs.models import Job
from owners.authentication import actor_of

if TYPE_CHECKING:
    # REST framework loads these classes while it loads its views.
    from rest_framework.views import APIView

RULES = {"approve": policy.check_may_approve, "reject": policy.check_may_reject}


class NotSelf(BasePermission):
    """Whoever gains from a job decides nothing about it.

    The rule itself is jobs.policy's, asked whole and left to speak for itself: a wrong state stays
    a conflict (409) with its own code and words, and is told before what is a matter of permission.
    The use case asks again, under the job's lock.
    """

    @override
    def has_object_permission(self, request: Request, view: "APIView", obj: Job) -> bool:
        # An action without a rule is not let through: KeyError, a 500.
        RULES[str(getattr(view, "action", None))](actor_of(request), obj)
        return True
